"""Splits a query into a part for the remote engine and a part evaluated locally on its solutions.

>>> from pyoxigraph import NamedNode
>>> from voltwin.graphstore.engines.endpoint.series_split import split_query
>>> mean = NamedNode("https://w3id.org/voltwin/function#mean")
>>> query = "SELECT ?m (vtf:mean(?s) AS ?mean) WHERE { ?m vt:series ?s } ORDER BY ?mean"
>>> parts = split_query(query, {mean})
>>> parts.graph_part
'SELECT ?m ?s WHERE { ?m vt:series ?s }'
>>> parts.rest("VALUES (?m ?s) { }")
'SELECT ?m (vtf:mean(?s) AS ?mean) WHERE { VALUES (?m ?s) { } } ORDER BY ?mean'

The local part may contain SELECT expressions, GROUP BY, HAVING, ORDER BY, a CONSTRUCT template, and the BIND and
FILTER of the outermost group. A call deeper inside is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal as OneOf

from pyoxigraph import NamedNode

from ....errors import QueryError
from ....ontology.iris import FUNCTION, PREFIXES
from ...sparql.dataset import FORMS
from ...sparql.tokens import Token, closing, declared_prefixes, read_tokens


@dataclass(frozen=True)
class Parts:
    """A query in two: ``graph_part`` calls no function, ``rest`` does not use the graph."""

    graph_part: str | None
    """None if the query does not use the graph."""
    before: str
    after: str
    moved: str

    def rest(self, solutions: str) -> str:
        """The query over ``solutions``, a VALUES clause."""
        return f"{self.before}{{ {solutions} {self.moved}}}{self.after}"


@dataclass(frozen=True)
class _Element:
    """A FILTER, a BIND, or the pattern between two of them."""

    kind: OneOf["filter", "bind", "pattern"]
    tokens: Sequence[Token]

    @property
    def variables(self) -> frozenset[str]:
        return _variables(self.tokens)

    @property
    def target(self) -> str:
        """The variable that a BIND assigns."""
        return next(token.text[1:] for token in reversed(self.tokens) if token.kind == "variable")


def split_query(text: str, functions: Collection[NamedNode]) -> Parts | None:
    """Split ``text``; None if it calls none of ``functions``.

    Raises QueryError for a call that cannot be separated. ``text`` must be a valid query: errors are not always
    recognised here.
    """
    tokens = read_tokens(text)
    calls = frozenset(_calls(tokens, functions))
    if not calls:
        return None
    return _Splitter(text, tokens, calls).split()


def calls_any(text: str, functions: Collection[NamedNode]) -> bool:
    """Whether ``text`` calls one of ``functions``, or any of their namespace."""
    return next(_calls(read_tokens(text), functions), None) is not None


def _calls(tokens: Sequence[Token], functions: Collection[NamedNode]) -> Iterator[Token]:
    prefixes = PREFIXES | declared_prefixes(tokens)
    known = {function.value for function in functions}
    for token, follows in pairwise(tokens):
        if follows.text != "(" or token.kind not in ("name", "iri"):
            continue
        prefix, _, local = token.text.partition(":")
        iri = token.text[1:-1] if token.kind == "iri" else prefixes.get(prefix, "") + local
        # A misspelt function of this namespace is not for the remote engine either.
        if iri in known or iri.startswith(FUNCTION):
            yield token


class _Splitter:
    """Splits one query."""

    def __init__(self, text: str, tokens: Sequence[Token], calls: frozenset[Token]) -> None:
        self.text, self.tokens, self.calls = text, tokens, calls
        self.call = min(calls, key=lambda token: token.start).text

    def split(self) -> Parts:
        form = next((t for t in self.tokens if t.depth == 0 and t.is_word(*FORMS)), None)
        if form is None:
            raise QueryError("query: contains no SELECT, ASK or CONSTRUCT")
        if form.is_word("DESCRIBE"):
            raise self._refusal("in a DESCRIBE")
        first = self.tokens.index(form)
        braces = [i for i in range(first, len(self.tokens)) if self.tokens[i].depth == 0 and self.tokens[i].text == "{"]
        number = 1 if form.is_word("CONSTRUCT") else 0
        if len(braces) <= number:
            raise QueryError(f"query: {form.text} without a group {{ … }}")
        opening = braces[number]
        end = closing(self.tokens, opening)
        head, body, tail = self.tokens[first:opening], self.tokens[opening + 1 : end], self.tokens[end + 1 :]
        dataset = _dataset(head)
        self._check_local([*head, *tail])
        elements = _elements(body, self.tokens[opening].depth + 1)
        moved = self._moved(elements, self.tokens[opening].depth + 1)
        kept = [element for element in elements if element not in moved]
        outside = [*head, *tail, *(token for element in moved for token in element.tokens)]
        before = self._without(head, dataset)
        return Parts(
            self._graph_part(kept, outside, dataset, self.text[: form.start]),
            before=self.text[: form.start] + before,
            after=self.text[self.tokens[end].end :],
            moved="".join(f"{self._slice(element.tokens)}\n" for element in moved),
        )

    def _check_local(self, tokens: Sequence[Token]) -> None:
        if any(token.is_word("EXISTS") for token in tokens):
            raise self._refusal("beside an EXISTS in the same SELECT, HAVING or ORDER BY")

    def _moved(self, elements: Sequence[_Element], depth: int) -> list[_Element]:
        """The elements that depend on the functions' values."""
        local: set[str] = set()
        moved: set[int] = set()
        while True:
            found = {
                number
                for number, element in enumerate(elements)
                if number not in moved and (self.calls & set(element.tokens) or local & element.variables)
            }
            if not found:
                break
            for number in found:
                element = elements[number]
                if element.kind == "pattern":
                    raise self._pattern_refusal(element, local)
                if any(token.text == "{" for token in element.tokens):
                    raise self._refusal("beside an EXISTS in the same FILTER or BIND")
                if element.kind == "bind":
                    local.add(element.target)
            moved |= found
        for number in moved:
            if elements[number].kind == "bind":
                self._check_place(elements, number, local, depth)
        return [elements[number] for number in sorted(moved)]

    def _check_place(self, elements: Sequence[_Element], number: int, local: set[str], depth: int) -> None:
        """Check that the variables of a BIND are bound before it: at the end it could see more."""
        bound = {
            token.text[1:]
            for element in elements[:number]
            if element.kind == "pattern"
            for before, token in zip((None, *element.tokens), element.tokens, strict=False)
            if token.kind == "variable" and token.depth == depth and not (before and before.is_word("VALUES"))
        }
        bound |= {element.target for element in elements[:number] if element.kind == "bind"}
        later = {name for element in elements[number + 1 :] if element.kind != "filter" for name in element.variables}
        late = sorted((elements[number].variables - {elements[number].target} - local - bound) & later)
        if late:
            raise self._refusal(f"in a BIND before the patterns for ?{late[0]}; write them above the BIND")

    def _pattern_refusal(self, element: _Element, local: set[str]) -> QueryError:
        if self.calls & set(element.tokens):
            return self._refusal("inside an OPTIONAL, UNION, GRAPH, MINUS, SERVICE, sub-select or nested group")
        name = sorted(local & element.variables)[0]
        return self._refusal(f"for ?{name}, which a graph pattern uses as well")

    def _refusal(self, where: str) -> QueryError:
        return QueryError(
            f"query: this fleet's engine is remote and has no series; {self.call} cannot be evaluated {where}. "
            "Move the call into SELECT, HAVING or ORDER BY, or into a FILTER or BIND of the outermost group"
        )

    def _graph_part(
        self, kept: Sequence[_Element], outside: Sequence[Token], dataset: Sequence[tuple[Token, Token]], prologue: str
    ) -> str | None:
        if not kept:
            return None
        inside = {name for element in kept for name in element.variables}
        wanted = dict.fromkeys(t.text[1:] for t in outside if t.kind == "variable" and t.text[1:] in inside)
        names = "*" if _takes_all(outside) else " ".join(f"?{name}" for name in wanted) or "(1 AS ?row)"
        clauses = "".join(f"{self.text[start.start : end.end]} " for start, end in dataset)
        return f"{prologue}SELECT {names} {clauses}WHERE {{ {self._body(kept)} }}"

    def _body(self, kept: Sequence[_Element]) -> str:
        pieces: list[str] = []
        for element in kept:
            # Without the element between them, two blocks of triples need a dot.
            if pieces and not pieces[-1].endswith(".") and element.tokens[0].text != ".":
                pieces.append(".")
            pieces.append(self._slice(element.tokens))
        return " ".join(pieces)

    def _slice(self, tokens: Sequence[Token]) -> str:
        text = self.text[tokens[0].start : tokens[-1].end]
        return f"{text}\n" if "#" in text else text

    def _without(self, head: Sequence[Token], dataset: Sequence[tuple[Token, Token]]) -> str:
        start, pieces = head[0].start, []
        for first, last in dataset:
            pieces.append(self.text[start : first.start])
            start = last.end
        group = next(t for t in self.tokens if t.start >= head[-1].end)
        return "".join(pieces) + self.text[start : group.start]


def _variables(tokens: Sequence[Token]) -> frozenset[str]:
    return frozenset(token.text[1:] for token in tokens if token.kind == "variable")


def _dataset(head: Sequence[Token]) -> list[tuple[Token, Token]]:
    """First and last token of each FROM and FROM NAMED."""
    return [
        (token, head[number + (2 if head[number + 1].is_word("NAMED") else 1)])
        for number, token in enumerate(head[:-2] if head[-1].is_word("WHERE") else head[:-1])
        if token.depth == 0 and token.is_word("FROM")
    ]


def _elements(body: Sequence[Token], depth: int) -> list[_Element]:
    found: list[_Element] = []
    start = number = 0
    while number < len(body):
        token = body[number]
        if token.depth != depth or not token.is_word("FILTER", "BIND"):
            number += 1
            continue
        if start < number:
            found.append(_Element("pattern", body[start:number]))
        opening = next(i for i in range(number, len(body)) if body[i].kind == "open" or i == len(body) - 1)
        end = closing(body, opening) + 1
        if end < len(body) and body[end].text == ".":
            end += 1
        found.append(_Element("bind" if token.is_word("BIND") else "filter", body[number:end]))
        start = number = end
    if start < len(body):
        found.append(_Element("pattern", body[start:]))
    return found


def _takes_all(tokens: Sequence[Token]) -> bool:
    """Whether a ``*`` means all variables: ``SELECT *``, ``COUNT(DISTINCT *)``."""
    return any(
        token.text == "*" and (token.depth == 0 or before.text == "(" or before.is_word("DISTINCT"))
        for before, token in pairwise(tokens)
    )
