"""Validation of twins with pySHACL.

Engines do not run on the triple store itself: each twin's closure (its own graph, computed values,
and the types of the twins it refers to) is extracted as a small graph and validated
against the shapes; only results about the twin's own elements are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple
from rdflib.namespace import SH

from ...ontology.iris import RDF, VT, XSD
from ...ontology.naming import Naming
from ...settings import InputLimits
from ..interfaces import TripleStore
from ..sparql.gate import check_services, check_sparql
from .report import ValidationReport, Violation

_LIMITS: Final = InputLimits()
_TEXTS: Final = [NamedNode(str(SH[name])) for name in ("select", "ask", "construct", "update")]


class ShapesEngine(Protocol):
    """Validates one small graph against the shapes of the engine."""

    def violations(self, triples: Iterable[Triple]) -> Iterator[rdflib.Graph]:
        """A results graph for ``triples``; none if they conform."""
        ...


class PyShaclEngine:
    """pySHACL over rdflib graphs: the reference, not the fastest."""

    def __init__(self, shapes: Iterable[Triple]) -> None:
        # The ontology is not needed: types are materialised on every element, so that sh:class and
        # sh:targetClass see them without inference.
        self._shapes = to_rdflib(_measured(shapes))

    def violations(self, triples: Iterable[Triple]) -> Iterator[rdflib.Graph]:
        """Validate one graph."""
        from pyshacl import validate  # half a second to import, and few processes ever validate

        conforms, results, _ = validate(
            to_rdflib(triples),
            shacl_graph=self._shapes,
            inplace=True,
            advanced=False,
        )
        if not conforms and isinstance(results, rdflib.Graph):
            yield results


def _measured(shapes: Iterable[Triple]) -> Iterator[Triple]:
    """``shapes``, while the SPARQL in them passes the gate; no setting lets them ask other servers."""
    for triple in shapes:
        if triple.predicate in _TEXTS and isinstance(triple.object, Literal):
            check_sparql("shape", triple.object.value, _LIMITS)
            check_services(triple.object.value, _LIMITS)
        yield triple


def to_rdflib(triples: Iterable[Triple]) -> rdflib.Graph:
    """The same graph in rdflib."""
    graph = rdflib.Graph()
    terms: dict[object, rdflib.term.Node] = {}

    def term(node: object) -> rdflib.term.Node:
        known = terms.get(node)
        if known is None:
            known = terms[node] = _to_rdflib(node)
        return known

    for triple in triples:
        graph.add((term(triple.subject), term(triple.predicate), term(triple.object)))
    return graph


def _to_rdflib(node: object) -> rdflib.term.Node:
    match node:
        case NamedNode():
            return rdflib.URIRef(node.value)
        case BlankNode():
            return rdflib.BNode(node.value)
        case Literal():
            # rdflib distinguishes plain literals from xsd:string ones, RDF 1.1 does not.
            plain = node.language is not None or node.datatype == XSD.string
            datatype = None if plain else rdflib.URIRef(node.datatype.value)
            return rdflib.Literal(node.value, lang=node.language, datatype=datatype)
        case _:
            raise TypeError(f"{node}: SHACL engines do not support triple terms")


def closure(store: TripleStore, twin: NamedNode, names: Naming) -> list[Triple]:
    """The triples for validating ``twin``, without its observations: the larger part, and no shape applies to them."""
    own = [
        quad.triple
        for graph in (twin, names.computed_graph(twin))
        for quad in store.quads(None, None, None, graph)
        if not (isinstance(quad.subject, NamedNode) and "#" in quad.subject.value)
    ]
    far = {
        triple.object
        for triple in own
        if isinstance(triple.object, NamedNode) and names.owner(triple.object) not in (None, twin)
    }
    return own + [quad.triple for node in far for quad in store.quads(node, RDF.type, None, None)]


_FIELDS: Final = ("focusNode", "resultPath", "value", "sourceShape", "resultMessage", "resultSeverity")


def validate_twins(
    store: TripleStore, twins: Iterable[NamedNode], engine: ShapesEngine, names: Naming
) -> ValidationReport:
    """Validate each of ``twins``."""
    found: list[Violation] = []
    count = 0
    for twin in twins:
        count += 1
        for results in engine.violations(closure(store, twin, names)):
            found.extend(_violations(results, twin, store, names))
    return ValidationReport(count, tuple(sorted(found, key=lambda item: (item.path, item.shape, item.value or ""))))


def _violations(results: rdflib.Graph, twin: NamedNode, store: TripleStore, names: Naming) -> Iterator[Violation]:
    for result in results.subjects(rdflib.RDF.type, SH.ValidationResult):
        focus, path, value, shape, message, severity = (results.value(result, SH[name]) for name in _FIELDS)
        if not isinstance(focus, rdflib.URIRef) or names.owner(NamedNode(str(focus))) != twin:
            continue
        yield Violation(
            twin=names.twin_key(twin),
            path=_path(NamedNode(str(focus)), path, store, names),
            value=None if value is None else _shown(str(value), names),
            shape=str(shape),
            message=str(message or ""),
            severity=str(severity).rpartition("#")[2],
        )


def _shown(value: str, names: Naming) -> str:
    return names.path_of(NamedNode(value)) if value.startswith(names.twins) else value


def _path(focus: NamedNode, path: object, store: TripleStore, names: Naming) -> str:
    where = names.path_of(focus)
    if not isinstance(path, rdflib.URIRef):
        return where
    return f"{where}/{_step(NamedNode(str(path)), store, names)}"


def _step(prop: NamedNode, store: TripleStore, names: Naming) -> str:
    marks: list[Quad] = list(store.quads(prop, VT.pathName, None, names.ontology_graph))
    for mark in marks:
        if isinstance(mark.object, Literal):
            return mark.object.value
    return prop.value
