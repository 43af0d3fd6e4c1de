"""Example queries for the query page, written with the terms of the fleet's own ontology.

A template names properties as ``$Class_property``, after the names of class and property in the ontology. An example
whose terms the ontology does not have is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import NamedNode

from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.schema import Property, Schema
from ...graphstore.sparql.binding import bind
from ...ontology.iris import CORE, VT, XSD
from ..presentation.tables import read_table
from ..presentation.wording import symbol

_CLASSES: Final = """SELECT ?class (COUNT(DISTINCT ?twin) AS ?twins) WHERE {
  ?twin a vt:Twin, ?type . ?type rdfs:label ?class
  FILTER(!STRSTARTS(STR(?type), STR(vt:)))
} GROUP BY ?class ORDER BY DESC(?twins) ?class"""

_TWINS: Final = """SELECT ?key ?twin WHERE {
  ?twin a $class ; vt:key ?key
} ORDER BY ?key"""

_NUMBER: Final = """SELECT ?element ?value WHERE {
  ?element $property ?value
} ORDER BY DESC(?value) LIMIT 20"""

_SERIES: Final = """SELECT ?element ?samples ?mean ?highest WHERE {
  ?element $property ?series
  BIND(vtf:count(?series) AS ?samples) BIND(vtf:mean(?series) AS ?mean) BIND(vtf:max(?series) AS ?highest)
} ORDER BY DESC(?mean) LIMIT 20"""

_WITH_VALUES: Final = "SELECT ?term WHERE { VALUES ?term { $terms } FILTER EXISTS { ?element ?term ?value } }"
_WITH_TWINS: Final = "SELECT ?term WHERE { VALUES ?term { $terms } FILTER EXISTS { ?twin a ?term } }"
_NUMBERS: Final = frozenset({XSD.double, XSD.decimal, XSD.integer})
_TRIED: Final = 20
"""At most so many terms are tried until one has values."""

_PLACE: Final = re.compile(r"\$([A-Za-z]\w*_\w+)")
_LOCAL: Final = re.compile(r"<([^<>#]*/([a-z][a-z0-9-]*)#)([A-Za-z](?:[\w.]*\w)?)>")


@dataclass(frozen=True)
class Example:
    """A query to start from."""

    title: str
    text: str


def general_examples(fleet: FleetAccess, schema: Schema) -> tuple[Example, ...]:
    """Queries for any fleet: its classes, the twins of one, a property with a unit, a series."""

    def first(template: str, terms: Iterable[NamedNode]) -> NamedNode | None:
        """The first of the terms that the fleet has something for, or else the first."""
        tried = list(terms)[:_TRIED]
        known = {row[0].iri for row in read_table(fleet.query(bind(template, {"terms": tried}))).rows}
        return next((term for term in tried if term.value in known), tried[0] if tried else None)

    found = [Example("Twins of each class", _CLASSES)]
    classes = sorted(
        (cls for cls in schema.classes.values() if VT.Twin in cls.ancestors and not cls.iri.value.startswith(CORE)),
        key=lambda cls: cls.name,
    )
    if cls := first(_WITH_TWINS, (cls.iri for cls in classes)):
        text = _with_prefixes(bind(_TWINS, {"class": cls}))
        found.append(Example(f"Twins of class {schema.classes[cls].name}", text))
    for template, fits, verb in ((_NUMBER, _is_quantity, "Highest"), (_SERIES, _is_series, "Mean and maximum of")):
        properties = _own(schema, fits)
        if prop := first(_WITH_VALUES, (prop.iri for prop in properties)):
            text = _with_prefixes(bind(template, {"property": prop}))
            found.append(Example(f"{verb} {_title(schema, schema.properties[prop])}", text))
    return tuple(found)


def fill_in(examples: Iterable[Example], terms: Mapping[str, NamedNode]) -> tuple[Example, ...]:
    """The examples with their terms, without those that need a term that is not there."""
    return tuple(
        Example(example.title, _with_prefixes(bind(example.text, terms)))
        for example in examples
        if all(name in terms for name in _PLACE.findall(example.text))
    )


def _own(schema: Schema, fits: Callable[[Property], bool]) -> Sequence[Property]:
    """Properties of the fleet's own model, by the name of their class; those that rules derive are not stored."""
    found = [
        prop for prop in schema.properties.values() if fits(prop) and not prop.derived and prop.domain in schema.classes
    ]
    # Those of twins before those of parts.
    return sorted(found, key=lambda prop: (VT.Twin not in schema.ancestors(_domain(prop)), _title(schema, prop)))


def _domain(prop: Property) -> NamedNode:
    assert prop.domain is not None
    return prop.domain


def _is_quantity(prop: Property) -> bool:
    return prop.kind == "data" and prop.unit is not None and prop.range in _NUMBERS


def _is_series(prop: Property) -> bool:
    return prop.kind == "series"


def _title(schema: Schema, prop: Property) -> str:
    unit = symbol(prop.unit)
    return f"{prop.name} of {schema.classes[_domain(prop)].name}{f' in {unit}' if unit else ''}"


def _with_prefixes(text: str) -> str:
    """Long IRIs as prefixed names, declared on top; namespaces that end alike are not mixed up."""
    namespaces: dict[str, str] = {}
    for match in _LOCAL.finditer(text):
        namespaces.setdefault(match[2], match[1])

    def shorten(match: re.Match[str]) -> str:
        return f"{match[2]}:{match[3]}" if namespaces[match[2]] == match[1] else match[0]

    head = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in sorted(namespaces.items()))
    return head + _LOCAL.sub(shorten, text)
