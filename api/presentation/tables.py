"""SPARQL results as a table for people: IRIs shortened by the well-known prefixes, literals plain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...graphstore.interfaces import QueryAnswer
from ...ontology.iris import PREFIXES


@dataclass(frozen=True)
class TableCell:
    """The value of one variable; ``iri`` is set where it is an IRI."""

    text: str
    iri: str | None = None
    is_number: bool = False


@dataclass(frozen=True)
class ResultTable:
    """Column names, and rows of values; an answer to ASK is one value."""

    columns: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]


_NUMBERS = ("#integer", "#double", "#decimal", "#float")


def read_table(answer: QueryAnswer) -> ResultTable:
    """The table in a body of SPARQL results JSON."""
    document = json.loads(answer.body)
    if "boolean" in document:
        return ResultTable(("answer",), ((TableCell(str(document["boolean"]).lower()),),))
    columns = tuple(document["head"]["vars"])
    rows = tuple(tuple(_cell(binding.get(name)) for name in columns) for binding in document["results"]["bindings"])
    return ResultTable(columns, rows)


def _cell(term: Mapping[str, Any] | None) -> TableCell:
    if term is None:
        return TableCell("")
    if term["type"] == "triple":
        parts = (_cell(term["value"][name]).text for name in ("subject", "predicate", "object"))
        return TableCell(f"<<{' '.join(parts)}>>")
    if term["type"] == "uri":
        return TableCell(shorten(term["value"]), iri=term["value"])
    return TableCell(term["value"], is_number=term.get("datatype", "").endswith(_NUMBERS))


def shorten(iri: str) -> str:
    """``vt:Twin`` for a well-known namespace, the IRI itself for others."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri
