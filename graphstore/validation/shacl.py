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

from ...errors import ShapesError
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
        """A results graph for ``triples``; none if they conform. Raises ShapesError if a shape cannot be evaluated."""
        ...


class PyShaclEngine:
    """pySHACL over rdflib graphs: the reference, not the fastest."""

    def __init__(self, shapes: Iterable[Triple] | rdflib.Graph) -> None:
        # The ontology is not needed: types are materialised on every element, so that sh:class and
        # sh:targetClass see them without inference.
        self._shapes = shapes if isinstance(shapes, rdflib.Graph) else to_rdflib(measured(shapes))

    def violations(self, triples: Iterable[Triple]) -> Iterator[rdflib.Graph]:
        """Validate one graph."""
        from pyshacl import validate  # half a second to import, and few processes ever validate

        try:
            conforms, results, _ = validate(
                to_rdflib(triples),
                shacl_graph=self._shapes,
                inplace=True,
                advanced=False,
            )
        except Exception as error:  # the engine lets those of re, pyparsing and others out
            raise ShapesError(_reason(error)) from error
        if not isinstance(results, rdflib.Graph):  # a failure, which the engine returns
            raise ShapesError(_reason(results))
        if not conforms:
            yield results


def _reason(problem: object) -> str:
    text = str(getattr(problem, "message", None) or problem).strip().partition("\n")[0]
    return f"cannot be evaluated: {text or type(problem).__name__}"


def measured(shapes: Iterable[Triple]) -> Iterator[Triple]:
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


TARGETS: Final = ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf")
_FIELDS: Final = ("focusNode", "resultPath", "value", "sourceShape", "resultMessage", "resultSeverity")


def validate_twins(
    store: TripleStore, twins: Iterable[NamedNode], engine: ShapesEngine, names: Naming
) -> ValidationReport:
    """Validate each of ``twins``; a shape that cannot be evaluated makes it "not validated", never "conforms"."""
    found: list[Violation] = []
    count, shapes, reason = 0, _count_shapes(store, names), ""
    for twin in twins:
        count += 1
        if not shapes:
            continue
        try:
            for results in engine.violations(closure(store, twin, names)):
                found.extend(_violations(results, twin, store, names))
        except ShapesError as error:
            reason = reason or f"twin {names.twin_key(twin)!r}: a shape {error}"
    ordered = sorted(found, key=lambda item: (item.path, item.shape, item.value or ""))
    return ValidationReport(count, tuple(ordered), shapes, reason)


def _count_shapes(store: TripleStore, names: Naming) -> int:
    """The shapes that are checked by themselves: those with a target, and classes that are shapes."""
    marks: list[tuple[NamedNode, NamedNode | None]] = [(NamedNode(SH[name]), None) for name in TARGETS]
    marks.append((RDF.type, NamedNode(SH.NodeShape)))
    found = (quad.subject for prop, value in marks for quad in store.quads(None, prop, value, names.shapes_graph))
    return len(set(found))


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
