"""Example queries for the query page, written with the terms of the fleet's own ontology.

The templates name properties as ``$Class_property``; what the ontology says of classes and path names
fills them. An example whose terms the ontology does not have is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import NamedNode

from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.sparql.binding import bind
from ..presentation.tables import read_table

TERMS: Final = """
SELECT ?class ?name ?property WHERE {
  ?property vt:pathName ?name ; rdfs:domain ?domain . ?domain rdfs:label ?class .
}"""

_TEMPLATES: Final = (
    (
        "How many twins of each kind",
        """SELECT ?kind (COUNT(?twin) AS ?twins) WHERE {
  VALUES ?kind { vt:Product vt:Resource vt:Stakeholder }
  ?twin a vt:Twin, ?kind .
} GROUP BY ?kind ORDER BY DESC(?twins)""",
    ),
    (
        "Mean state of charge per storage",
        """SELECT ?storage (COUNT(?module) AS ?modules) (AVG(?soc) AS ?meanSoc) WHERE {
  ?module $Module_storageStays ?stay ;
          $Module_stateOfCharge ?soc .
  ?stay $StorageStay_storage ?place .
  ?place vt:key ?storage .
} GROUP BY ?storage ORDER BY ?storage""",
    ),
    (
        "Modules colder than 6 °C in transport",
        """SELECT ?key ?truckKey ?lowest WHERE {
  ?module $Module_transport ?trip ; vt:key ?key .
  ?trip $Transport_truck ?truck ; $Transport_begin ?begin ; $Transport_end ?end .
  ?truck $Truck_logger ?logger ; vt:key ?truckKey .
  ?logger $DataLogger_temperature ?series .
  BIND(vtf:min(?series, ?begin, ?end) AS ?lowest)
  FILTER(?lowest < 6)
} ORDER BY ?lowest ?key""",
    ),
    (
        "Who was not accepted, and why",
        """SELECT ?key ?decision ?reason WHERE {
  ?module $Module_arrivalTest ?test ; vt:key ?key .
  ?test $ArrivalTest_decision ?choice .
  ?choice rdfs:label ?decision . FILTER(?decision != "ACCEPT")
  OPTIONAL { ?test $ArrivalTest_reasons ?reason }
} ORDER BY ?decision ?key ?reason""",
    ),
)
_PLACE: Final = re.compile(r"\$([A-Za-z]+_[A-Za-z]+)")
_LOCAL: Final = re.compile(r"<([^<>#]*/([a-z][a-z0-9-]*)#)([A-Za-z](?:[\w.]*\w)?)>")


@dataclass(frozen=True)
class Example:
    """A query to start from."""

    title: str
    text: str


def example_queries(fleet: FleetAccess) -> tuple[Example, ...]:
    """The examples that this fleet's ontology has the terms for."""
    terms: dict[str, NamedNode] = {}
    for cls, name, prop in read_table(fleet.query(TERMS, "application/sparql-results+json")).rows:
        if prop.iri is not None:
            terms[f"{cls.text}_{name.text}"] = NamedNode(prop.iri)
    return tuple(
        Example(title, _with_prefixes(bind(text, terms))) for title, text in _TEMPLATES if _has_terms(text, terms)
    )


def _has_terms(text: str, terms: Mapping[str, NamedNode]) -> bool:
    return all(name in terms for name in _PLACE.findall(text))


def _with_prefixes(text: str) -> str:
    """Long IRIs as prefixed names, declared on top."""
    found = {match[2]: match[1] for match in _LOCAL.finditer(text)}
    head = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in sorted(found.items()))
    return head + _LOCAL.sub(lambda match: f"{match[2]}:{match[3]}", text)
