"""Whether shapes can be evaluated at all, tried before they are accepted.

Each shape, nested ones too, is evaluated by the engine that validates, against a small made-up graph in which every
property that its paths name has values: some faults (a pattern, a SPARQL clause) show only where there is a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import rdflib
from pyoxigraph import Literal as StoreLiteral
from pyoxigraph import NamedNode, Triple
from rdflib.namespace import SH

from ...errors import ShapesError
from .shacl import TARGETS, PyShaclEngine, ShapesEngine, measured, to_rdflib
from .shape_structure import Shape, ShapeProblem, leads_back, name_of, shape_nodes, structural_problems

_HERE: Final = NamedNode("https://w3id.org/voltwin/probe/a")
_THERE: Final = NamedNode("https://w3id.org/voltwin/probe/b")


def find_shape_problems(
    shapes: Iterable[Triple], make: Callable[[rdflib.Graph], ShapesEngine] = PyShaclEngine
) -> list[ShapeProblem]:
    """Every reason why one of ``shapes`` cannot be evaluated; ``make`` is the engine that validates.

    Raises InputLimitError for SPARQL that is too deep or too long to be tried.
    """
    graph = to_rdflib(measured(shapes))
    found = dict.fromkeys(structural_problems(graph))
    told = {problem.shape for problem in found}
    for shape in shape_nodes(graph):
        name = name_of(graph, shape)
        if name in told or leads_back(graph, shape):
            continue
        part = _alone(graph, shape)
        try:
            for _ in make(part).violations(_made_up(part)):
                pass
        except ShapesError as error:
            found[ShapeProblem(name, str(error))] = None
    return list(found)


def _alone(graph: rdflib.Graph, shape: Shape) -> rdflib.Graph:
    """``shape`` with all that it names, about the made-up element."""
    part, waiting, seen = rdflib.Graph(), [shape], set[Shape]()
    targets = [SH[name] for name in TARGETS]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        for predicate, value in graph.predicate_objects(node):
            if predicate not in targets:
                part.add((node, predicate, value))
                waiting.append(value)
    part.add((shape, SH.targetNode, rdflib.URIRef(_HERE.value)))
    return part


def _made_up(graph: rdflib.Graph) -> Iterator[Triple]:
    for prop in sorted(_properties(graph)):
        predicate = NamedNode(prop)
        yield Triple(_HERE, predicate, StoreLiteral("probe"))
        yield Triple(_HERE, predicate, StoreLiteral(1))
        yield Triple(_HERE, predicate, _THERE)
        yield Triple(_THERE, predicate, _HERE)


def _properties(graph: rdflib.Graph) -> set[str]:
    """The properties that the paths of shapes name, whatever their form."""
    found, waiting, seen = {str(rdflib.RDF.type)}, list(graph.objects(None, SH.path)), set[Shape]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        parts = list(graph.objects(node))
        if parts:
            waiting.extend(parts)
        elif isinstance(node, rdflib.URIRef) and node != rdflib.RDF.nil:
            found.add(str(node))
    return found
