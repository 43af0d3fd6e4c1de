"""The gate of texts: whatever a person or program sends is measured here before a parser sees it.

>>> from voltwin.graphstore.sparql.gate import check_sparql
>>> from voltwin.settings import InputLimits
>>> check_sparql("query", "ASK " + "{" * 5 + "}" * 5, InputLimits(query_depth=4))
Traceback (most recent call last):
    ...
voltwin.errors.InputLimitError: query: brackets are 5 deep, at most 4 are allowed; write it flatter

The engine's parser recurses at each bracket, operator and pattern: a text without these limits ends the process by a
stack overflow, which no handler catches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pyoxigraph import RdfFormat, Triple, parse

from ...errors import InputError, InputLimitError, QueryError
from ...settings import InputLimits
from .tokens import Token, closing, read_tokens

_WIDEST: Final = 4
"""The most bytes of a character."""

_MOST_READ: Final = 2**24
"""The buffer of the journal's reader: a longer term could be stored and never be read again."""

_NO_SERVICE: Final = (
    "query: SERVICE is refused: its address has to be an IRI in <…> that the settings allow (--allow-outgoing)"
)


def check_sparql(kind: str, text: str, limits: InputLimits) -> None:
    """Measure a query or update. Raises InputLimitError, QueryError."""
    check_text(kind, text)
    brackets = text.count("{") + text.count("(") + text.count("[")
    if brackets <= limits.query_depth and len(text) <= limits.query_tokens:
        return  # too short to exceed a limit
    tokens = read_tokens(text)
    depth = 1 + max((token.depth for token in tokens if token.kind == "open"), default=-1)
    if depth > limits.query_depth:
        raise InputLimitError(
            f"{kind}: brackets are {depth} deep, at most {limits.query_depth} are allowed; write it flatter"
        )
    counted = _outside_of_data(tokens)
    if counted > limits.query_tokens:
        raise InputLimitError(
            f"{kind}: has {counted} words and signs outside of VALUES and DATA, at most {limits.query_tokens} "
            "are allowed; put terms into VALUES, or send it in parts"
        )


def check_services(text: str, limits: InputLimits) -> None:
    """Check the address of every SERVICE in a query. Raises QueryError for one that may not be asked."""
    if "service" not in text.lower():
        return
    tokens = read_tokens(text)
    for index, token in enumerate(tokens):
        if token.is_word("SERVICE"):
            following = tokens[index + 1 : index + 3]
            address = next((item for item in following if not item.is_word("SILENT")), None)
            if address is None or address.kind != "iri":
                raise QueryError(_NO_SERVICE)
            if refusal := limits.outgoing.refusal(address.text[1:-1]):
                raise QueryError(f"query: SERVICE: {refusal}")


def check_path(text: str, limits: InputLimits) -> None:
    """Measure a path by its characters; those in quotes count too. Raises InputLimitError."""
    check_text("path", text)
    for found, most, what in (
        (text.count("/"), limits.path_steps, "steps"),
        (text.count("["), limits.path_predicates, "predicates"),
        (len(text), limits.path_characters, "characters"),
    ):
        if found > most:
            raise InputLimitError(f"path: has {found} {what}, at most {most} are allowed; ask in parts")


def check_author(author: str, limits: InputLimits) -> None:
    """Measure the author of a commit. Raises InputLimitError, InputError."""
    _check_bytes("author", author, limits.author_bytes)


def check_value(value: Any, limits: InputLimits) -> None:
    """Measure one value or a list of values. Raises InputLimitError, InputError."""
    for item in value if isinstance(value, list | tuple) else (value,):
        if isinstance(item, str):
            _check_bytes("value", item, limits.value_bytes)
        elif isinstance(item, int) and item.bit_length() > 64:
            raise InputError("value: an integer of more than 64 bits; write it as a text")


def check_lines(text: str, limits: InputLimits) -> None:
    """Measure the terms of N-Triples, a line each, with the journal's own reader. Raises InputLimitError."""
    short = min(limits.value_bytes, _MOST_READ) // _WIDEST
    for line in text.split("\n") if len(text) > short else ():
        if len(line) <= short:
            continue
        try:
            longest = max(len(term) for quad in parse(line, format=RdfFormat.N_TRIPLES) for term in _terms(quad.triple))
        except MemoryError:
            raise InputLimitError("value: a term is too long for the reader of the journal; send less") from None
        if longest > limits.value_bytes:
            raise InputLimitError(
                f"value: a term has {longest} bytes, at most {limits.value_bytes} are allowed; "
                "store the text elsewhere and its address here"
            )


def _terms(triple: Triple) -> Iterator[bytes]:
    for term in triple:
        if isinstance(term, Triple):
            yield from _terms(term)
        else:
            yield term.value.encode()


def check_text(kind: str, text: str) -> bytes:
    """``text`` in UTF-8. Raises InputError for characters that no stored text can have."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{kind}: character {error.start + 1} is half of a surrogate pair; send Unicode") from None
    if "\0" in text:
        raise InputError(f"{kind}: character {text.index(chr(0)) + 1} is NUL; leave it out")
    return encoded


def _check_bytes(kind: str, text: str, most: int) -> None:
    if (found := len(check_text(kind, text))) > most:
        raise InputLimitError(f"{kind}: has {found} bytes, at most {most} are allowed; send less")


def _outside_of_data(tokens: list[Token]) -> int:
    """The number of tokens outside of the blocks of VALUES and DATA, which the parser reads without recursion."""
    counted = index = 0
    while index < len(tokens):
        counted += 1
        if tokens[index].is_word("VALUES", "DATA"):
            opening = next((i for i in range(index + 1, len(tokens)) if tokens[i].text == "{"), len(tokens))
            if opening < len(tokens):
                counted += opening - index
                index = closing(tokens, opening)
        index += 1
    return counted
