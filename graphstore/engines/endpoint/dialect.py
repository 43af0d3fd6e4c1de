"""Dialects of engines: reading their answers, and writing terms in the form that they accept.

Most engines are :class:`Standard`. Virtuoso 7 needs :class:`Virtuoso`: it prints floating-point numbers with six
digits in every format but Turtle, booleans as 1 and 0, truncates long decimals, and refuses or changes literals that
its own types cannot represent. docs/stores.md lists the remaining differences.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
)

from ....errors import StoreError
from ....ontology.iris import RDF, XSD
from ...interfaces import Node

JSON: Final = "application/sparql-results+json"
N_TRIPLES: Final = "application/n-triples"
TURTLE: Final = "text/turtle"

Ask = Callable[[str], bytes]
"""Sends the query with this Accept header."""


class Dialect(Protocol):
    """The differences between engines."""

    @property
    def update_quads(self) -> int:
        """The most quads in one update."""
        ...

    def written(self, value: Node) -> Node:
        """The term to send for an object."""
        ...

    def deleted_alone(self, value: Node) -> bool:
        """Whether only an update of a single graph finds triples with this object."""
        ...

    def rows(self, ask: Ask) -> QuerySolutions | QueryBoolean:
        """The answer to a SELECT or ASK."""
        ...

    def triples(self, ask: Ask) -> Iterator[Triple]:
        """The answer to a CONSTRUCT or DESCRIBE."""
        ...


@dataclass(frozen=True)
class Standard:
    """An engine that returns terms unchanged."""

    update_quads: int = 20_000

    def written(self, value: Node) -> Node:
        """``value`` itself."""
        return value

    def deleted_alone(self, value: Node) -> bool:
        """Never."""
        return False

    def rows(self, ask: Ask) -> QuerySolutions | QueryBoolean:
        """The answer to a SELECT or ASK."""
        return _read_rows(ask(JSON))

    def triples(self, ask: Ask) -> Iterator[Triple]:
        """The answer to a CONSTRUCT or DESCRIBE."""
        return iter(_read_triples(ask(N_TRIPLES), RdfFormat.N_TRIPLES))


_KEPT: Final = "urn:x-voltwin:kept:"
"""A prefix of datatypes: the literal is stored as text, because the engine would refuse or change it."""

_FLOAT: Final = NamedNode(XSD.NS + "float")
_TRUNCATED: Final = (XSD.double, _FLOAT)
_NUMBERS: Final = (*_TRUNCATED, XSD.decimal, XSD.integer)
_NUMBER_NAMES: Final = frozenset(datatype.value for datatype in _NUMBERS)
_INTEGERS: Final = frozenset(
    NamedNode(XSD.NS + name)
    for name in (
        *("integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger"),
        *("negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
    )
)
_NEVER_HELD: Final = frozenset(
    {
        *(NamedNode(XSD.NS + name) for name in ("duration", "dayTimeDuration", "yearMonthDuration")),
        NamedNode(RDF.NS + "XMLLiteral"),
    }
)
_OWN: Final = frozenset(
    {*_INTEGERS, *_NUMBERS, *(NamedNode(XSD.NS + name) for name in ("string", "boolean", "dateTime", "date", "time"))}
)
_DECIMAL_DIGITS: Final = 15
_LARGEST_INTEGER: Final = 2**53
"""Larger integers become decimals in some updates."""
_ATTEMPTS: Final = 3
_RESULT: Final = "http://www.w3.org/2005/sparql-results#"
_TRAILING: Final = re.compile(r"(\.\d*?)0+(?=\D|$)")


@dataclass(frozen=True)
class Virtuoso:
    """Virtuoso 7; its compiler accepts about a thousand quads in one update."""

    update_quads: int = 250

    def written(self, value: Node) -> Node:
        """``value``, as text if the engine would refuse or change it."""
        if isinstance(value, Literal) and not _held(value):
            return Literal(value.value, datatype=NamedNode(_KEPT + value.datatype.value))
        if isinstance(value, Literal) and value.datatype == XSD.decimal and "." not in value.value:
            return Literal(f"{value.value}.0", datatype=XSD.decimal)  # without a point it becomes an integer
        return value

    def deleted_alone(self, value: Node) -> bool:
        """True for a literal with a language or a foreign datatype: updates of several graphs miss it."""
        return isinstance(value, Literal) and value.datatype not in _OWN

    def rows(self, ask: Ask) -> QuerySolutions | QueryBoolean:
        """The answer to a SELECT or ASK; with floating-point numbers the query is sent again for Turtle.

        The two answers are joined row by row, by the values they agree in, in any order.
        """
        for _ in range(_ATTEMPTS):
            document = _truth(json.loads(_unkept(ask(JSON))))
            if "boolean" in document:
                return _read_rows(json.dumps(document).encode())
            truncated = [_restore(binding) for row in document["results"]["bindings"] for binding in row.values()]
            if not any(truncated) or _make_exact(document, _unkept(ask(TURTLE))):
                return _read_rows(json.dumps(document).encode())
        raise StoreError("the engine's answers differ each time, because other clients write to it; try again")

    def triples(self, ask: Ask) -> Iterator[Triple]:
        """The answer to a CONSTRUCT or DESCRIBE, numbers as exact as the engine stores them."""
        for _ in range(_ATTEMPTS):
            triples = _read_triples(_unkept(ask(N_TRIPLES)), RdfFormat.N_TRIPLES)
            if not any(isinstance(t.object, Literal) and t.object.datatype in _TRUNCATED for t in triples):
                return map(_with_time, triples)
            exact: dict[tuple[Any, ...], float] = {}
            for triple in _read_triples(_unkept(ask(TURTLE)), RdfFormat.TURTLE):
                number = _number(triple.object)
                if number is not None:
                    exact[_place(triple, number)] = number
            found = [_exact_triple(triple, exact) for triple in triples]
            if None not in found:
                return map(_with_time, (triple for triple in found if triple is not None))
        raise StoreError("the engine's answers differ each time, because other clients write to it; try again")


def _truth(document: dict[str, Any]) -> dict[str, Any]:
    """The answer to an ASK, which is a table if CaseMode is not 2."""
    if [name.upper() for name in document["head"].get("vars", ())] == ["__ASK_RETVAL"]:
        return {"head": {}, "boolean": bool(document["results"]["bindings"])}
    return document


def _held(literal: Literal) -> bool:
    datatype, text = literal.datatype, literal.value
    if datatype in _NEVER_HELD:
        return False
    try:
        if datatype in _INTEGERS:
            return abs(int(text)) <= _LARGEST_INTEGER
        if datatype in _TRUNCATED:
            return math.isfinite(float(text))
        if datatype == XSD.decimal:
            float(text)
            return sum(character.isdigit() for character in text) <= _DECIMAL_DIGITS
    except ValueError:
        return False
    return datatype != XSD.boolean or text in ("true", "false", "1", "0")


def _unkept(body: bytes) -> bytes:
    return body.replace(_KEPT.encode(), b"")


def _restore(binding: dict[str, str]) -> bool:
    """Restore a boolean or time; returns whether the value is a truncated number."""
    datatype = binding.get("datatype")
    if datatype == XSD.boolean.value:
        binding["value"] = "true" if binding["value"] in ("1", "true") else "false"
    elif datatype == XSD.dateTime.value:
        binding["value"] = _time(binding["value"])
    return datatype in (XSD.double.value, _FLOAT.value)


def _with_time(triple: Triple) -> Triple:
    value = triple.object
    if isinstance(value, Literal) and value.datatype == XSD.dateTime:
        return Triple(triple.subject, triple.predicate, Literal(_time(value.value), datatype=XSD.dateTime))
    return triple


def _time(text: str) -> str:
    """Virtuoso writes ``.100Z`` for ``.1Z``."""
    return _TRAILING.sub(lambda match: match[1] if len(match[1]) > 1 else "", text) if "." in text else text


def _make_exact(document: dict[str, Any], turtle: bytes) -> bool:
    """Copy the numbers of the Turtle answer into the JSON one; False if the two do not match."""
    names = document["head"]["vars"]
    exact: dict[tuple[Any, ...], list[dict[str, Node]]] = defaultdict(list)
    for row in _turtle_rows(turtle):
        exact[tuple(_turtle_key(row.get(name)) for name in names)].append(row)
    for row in document["results"]["bindings"]:
        same = exact[tuple(_json_key(row.get(name)) for name in names)]
        if not same:
            return False
        terms = same.pop()
        for name, binding in row.items():
            number = _number(terms[name])
            if number is not None and binding.get("datatype") in (XSD.double.value, _FLOAT.value):
                binding["value"] = _printed(number, binding["datatype"])
    return True


def _turtle_rows(turtle: bytes) -> Iterable[dict[str, Node]]:
    """The solutions in the vocabulary for result sets."""
    owners: dict[Node, Node] = {}
    names: dict[Node, str] = {}
    values: list[tuple[Node, Node]] = []
    rows: dict[Node, dict[str, Node]] = {}
    for triple in _read_triples(turtle, RdfFormat.TURTLE):
        match triple.predicate.value.removeprefix(_RESULT):
            case "solution":
                rows.setdefault(triple.object, {})
            case "binding":
                owners[triple.object] = triple.subject
            case "variable" if isinstance(triple.object, Literal):
                names[triple.subject] = triple.object.value
            case "value":
                values.append((triple.subject, triple.object))
    for binding, value in values:
        rows.setdefault(owners[binding], {})[names[binding]] = value
    return rows.values()


def _json_key(binding: dict[str, str] | None) -> str | None:
    if binding is None:
        return None
    if binding["type"] == "bnode":
        return "_:"
    if binding.get("datatype") in _NUMBER_NAMES:
        with suppress(ValueError):
            return _rounded(float(binding["value"]), binding["datatype"] == _FLOAT.value)
    return binding["value"]


def _turtle_key(term: Node | None) -> str | None:
    if term is None:
        return None
    if isinstance(term, BlankNode):
        return "_:"
    number = _number(term)
    if number is not None:
        return _rounded(number, _is_float(term))
    if isinstance(term, Literal) and term.datatype == XSD.dateTime:
        return _time(term.value)
    return term.value if isinstance(term, NamedNode | Literal) else str(term)


def _number(term: Node) -> float | None:
    """The number of a literal; any number in Turtle may be a double written without an exponent."""
    if isinstance(term, Literal) and term.datatype in _NUMBERS:
        with suppress(ValueError):  # ill-typed literals are legal RDF
            return float(term.value)
    return None


def _is_float(term: Node) -> bool:
    return isinstance(term, Literal) and term.datatype == _FLOAT


def _rounded(number: float, is_float: bool) -> str:
    """The form in which two spellings of one number agree; both distinguish xsd:float."""
    return f"{number:.6g}{'f' if is_float else ''}"


def _printed(number: float, datatype: str) -> str:
    return Literal(number).value if datatype == XSD.double.value else str(np.float32(number))


def _place(triple: Triple, number: float) -> tuple[Any, ...]:
    subject = None if isinstance(triple.subject, BlankNode) else triple.subject
    return subject, triple.predicate, _rounded(number, _is_float(triple.object))


def _exact_triple(triple: Triple, exact: dict[tuple[Any, ...], float]) -> Triple | None:
    value = triple.object
    if not isinstance(value, Literal) or value.datatype not in _TRUNCATED:
        return triple
    truncated = _number(value)
    if truncated is None:
        return triple
    number = exact.get(_place(triple, truncated))
    if number is None:
        return None
    literal = Literal(_printed(number, value.datatype.value), datatype=value.datatype)
    return Triple(triple.subject, triple.predicate, literal)


def _read_rows(body: bytes) -> QuerySolutions | QueryBoolean:
    """Parse the whole answer: a truncated one must be an error here, not later in a caller's loop."""
    try:
        for _ in _solutions(parse_query_results(body, QueryResultsFormat.JSON)):
            pass
        return parse_query_results(body, QueryResultsFormat.JSON)
    except (SyntaxError, ValueError) as error:
        raise _unreadable(error) from error


def _solutions(result: QuerySolutions | QueryBoolean) -> Iterable[object]:
    return result if isinstance(result, QuerySolutions) else ()


def _read_triples(body: bytes, form: RdfFormat) -> list[Triple]:
    try:
        return [quad.triple for quad in parse(body, format=form)]
    except SyntaxError as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> StoreError:
    return StoreError(
        f"the engine's answer cannot be read ({error}); the engine may have truncated it at its own time limit: "
        "request less, or raise that limit"
    )
