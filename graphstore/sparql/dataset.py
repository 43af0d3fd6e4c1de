"""Dataset and base IRI of a SPARQL protocol request, written into the query's text.

``default-graph-uri`` and ``named-graph-uri`` of the protocol mean FROM and FROM NAMED, and replace
the dataset of the query itself (SPARQL 1.1 Protocol, 2.1.4):

>>> from voltwin.graphstore.sparql.dataset import with_dataset
>>> with_dataset("ASK FROM <https://a.example/> { ?s ?p ?o }", ["https://b.example/"], [])
'ASK FROM <https://b.example/>  { ?s ?p ?o }'

Reading is lexical: tokens of the SPARQL grammar, with brackets counted. In an invalid text the clauses
are inserted somewhere, and the engine refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pyoxigraph import NamedNode

from ...errors import QueryError
from .tokens import Token, read_tokens

_MODIFIERS: Final = ("GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES")
FORMS: Final = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")

_SCHEME: Final = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*:")


def query_form(text: str) -> str | None:
    """``SELECT``, ``ASK``, ``CONSTRUCT`` or ``DESCRIBE``; None without such a word outside of brackets."""
    form = _form(read_tokens(text))
    return form.text.upper() if form else None


def names_dataset(text: str) -> bool:
    """Whether ``text`` has a FROM or FROM NAMED clause of its own."""
    words = read_tokens(text)
    form = _form(words)
    return form is not None and bool(_dataset_clauses(words, form.start))


def with_dataset(text: str, default: Sequence[str], named: Sequence[str]) -> str:
    """``text`` over these graphs instead of its own dataset. Raises QueryError for a bad IRI."""
    if not default and not named:
        return text
    clauses = " ".join([f"FROM {_iri(iri)}" for iri in default] + [f"FROM NAMED {_iri(iri)}" for iri in named])
    words = read_tokens(text)
    form = _form(words)
    if form is None:
        return text
    spans = _dataset_clauses(words, form.start)
    place = spans[0][0] if spans else _place(words, form, len(text))
    for start, end in reversed(spans):
        text = text[:start] + text[end:]
    return f"{text[:place]}{clauses} {text[place:]}"


def with_base(text: str, base: str) -> str:
    """``text`` with ``base`` declared at the top, if it has relative IRIs; the query's own BASE overrides it."""
    relative = any(token.kind == "iri" and not _SCHEME.match(token.text) for token in read_tokens(text))
    return f"BASE {_iri(base)} {text}" if relative else text


def _form(words: Sequence[Token]) -> Token | None:
    # A prefix may be spelled like a keyword, but then it ends with a colon and is another token.
    return next((word for word in words if word.depth == 0 and word.is_word(*FORMS)), None)


def _dataset_clauses(words: Sequence[Token], start: int) -> list[tuple[int, int]]:
    """The positions of FROM clauses. A name in a description or template cannot be FROM, a keyword."""
    spans = []
    for index, word in enumerate(words):
        if word.start > start and word.depth == 0 and word.is_word("FROM"):
            follows = index + (2 if words[index + 1 : index + 2] and words[index + 1].is_word("NAMED") else 1)
            if follows < len(words):
                spans.append((word.start, words[follows].end))
    return spans


def _place(words: Sequence[Token], form: Token, end: int) -> int:
    """The position for a dataset clause: before WHERE, or before the group, or before the modifiers."""
    after = [word for word in words if word.start > form.start and word.depth == 0]
    where = next((word for word in after if word.is_word("WHERE")), None)
    if where is not None:
        return where.start
    groups = [word for word in after if word.text == "{"]
    if groups:
        return groups[1 if form.text.upper() == "CONSTRUCT" and len(groups) > 1 else 0].start
    modifier = next((word for word in after if word.is_word(*_MODIFIERS)), None)
    return modifier.start if modifier else end


def _iri(text: str) -> NamedNode:
    try:
        return NamedNode(text)
    except ValueError as error:
        raise QueryError(f"graph {text!r}: not an absolute IRI ({error})") from error
