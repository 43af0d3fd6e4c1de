"""Problems of the form of shapes, which an engine passes over in silence.

A misspelt term, a malformed list, a shape that does not exist, or shapes that lead back to themselves are no error
to an engine: it checks less than was meant, and everything conforms.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import rdflib
from rdflib.namespace import RDF, SH

Shape = rdflib.term.Node

LISTS: Final = (SH["in"], SH["and"], SH["or"], SH.xone, SH.languageIn, SH.ignoredProperties)
SHAPE_LISTS: Final = (SH["and"], SH["or"], SH.xone)
SHAPES: Final = (SH.node, SH.property, SH["not"], SH.qualifiedValueShape)
"""The predicates whose values are shapes."""
_IRIS: Final = (SH["class"], SH.datatype, SH.nodeKind, SH.equals, SH.disjoint, SH.lessThan, SH.lessThanOrEquals)
_NOT_EVALUATED: Final = tuple(SH[name] for name in ("rule", "js", "expression", "target", "validator"))
"""Terms of SHACL's other parts (rules, JavaScript, expressions), which the engine does not carry out."""
_KINDS: Final = tuple(SH[name] for name in ("NodeShape", "PropertyShape"))
_KEYWORDS: Final = ("and", "class", "in", "not", "or")
"""Terms that are words of Python, which the listing of the namespace lacks."""
_TERMS: Final = frozenset(map(str, [*dir(SH), *(SH[word] for word in _KEYWORDS)]))


@dataclass(frozen=True)
class ShapeProblem:
    """The reason why a shape cannot be evaluated."""

    shape: str
    reason: str
    suggestion: str = ""

    def __str__(self) -> str:
        return f"shape {self.shape}: {self.reason}"


def shape_nodes(graph: rdflib.Graph) -> list[Shape]:
    """Every shape of ``graph``, nested ones too, in a stable order."""
    found: set[Shape] = set()
    for kind in _KINDS:
        found.update(graph.subjects(RDF.type, kind))
    for target in ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf"):
        found.update(graph.subjects(SH[target]))
    for predicate in (*SHAPES, *SHAPE_LISTS):
        found.update(graph.subjects(predicate))
    found.update(graph.subjects(SH.path))
    for shape in list(found):
        found.update(child for child in inner_shapes(graph, shape) if (child, None, None) in graph)
    return sorted(found, key=str)


def inner_shapes(graph: rdflib.Graph, shape: Shape) -> Iterator[Shape]:
    """The shapes that ``shape`` names."""
    for predicate in SHAPES:
        yield from graph.objects(shape, predicate)
    for predicate in SHAPE_LISTS:
        for start in graph.objects(shape, predicate):
            yield from _members(graph, start) or ()


def name_of(graph: rdflib.Graph, node: Shape) -> str:
    """The IRI of ``node``, or of the nearest shape around it that was given one."""
    seen: set[Shape] = set()
    while node not in seen:
        if isinstance(node, rdflib.URIRef) and "/.well-known/genid/" not in node:
            break
        seen.add(node)
        node = next(iter(sorted(graph.subjects(None, node), key=str)), node)
    return str(node)


def structural_problems(graph: rdflib.Graph) -> Iterator[ShapeProblem]:
    """All problems of the form of the shapes in ``graph``."""
    for subject, predicate, value in sorted(graph):
        for problem, suggestion in _problems(graph, predicate, value):
            yield ShapeProblem(name_of(graph, subject), problem, suggestion)
    for shape in shape_nodes(graph):
        if leads_back(graph, shape):
            yield ShapeProblem(name_of(graph, shape), "leads back to itself, and recursive shapes have no meaning")


def _problems(graph: rdflib.Graph, predicate: Shape, value: Shape) -> Iterator[tuple[str, str]]:
    for term in (predicate, value):
        if str(term).startswith(str(SH)) and isinstance(term, rdflib.URIRef) and str(term) not in _TERMS:
            near = difflib.get_close_matches(_short(term), map(_short, _TERMS), 1, 0.6)
            yield f"{_short(term)} is no term of SHACL", next(iter(near), "")
    if predicate in _NOT_EVALUATED:
        yield f"{_short(predicate)} is not carried out here; write it as core constraints or sh:sparql", ""
    if predicate in LISTS and _members(graph, value) is None:
        yield f"{_short(predicate)} needs an RDF list, and has {value}", ""
    if predicate in _IRIS and not isinstance(value, rdflib.URIRef):
        yield f"{_short(predicate)} needs an IRI, and has {value!r}", ""
    if predicate == SH.nodeKind and str(value) in _TERMS and _short(value) not in _NODE_KINDS:
        yield f"sh:nodeKind {_short(value)} is none of {', '.join(sorted(_NODE_KINDS))}", ""
    if predicate in SHAPES and (value, None, None) not in graph:
        yield f"{_short(predicate)} names the shape {value}, and there is none", ""
    if predicate in SHAPE_LISTS:
        for member in _members(graph, value) or ():
            if (member, None, None) not in graph:
                yield f"{_short(predicate)} names the shape {member}, and there is none", ""


_NODE_KINDS: Final = frozenset(
    f"sh:{kind}" for kind in ("BlankNode", "IRI", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")
)


def leads_back(graph: rdflib.Graph, start: Shape) -> bool:
    """Whether a shape contains itself."""
    waiting, seen = list(inner_shapes(graph, start)), set[Shape]()
    while waiting:
        shape = waiting.pop()
        if shape == start:
            return True
        if shape not in seen:
            seen.add(shape)
            waiting.extend(inner_shapes(graph, shape))
    return False


def _members(graph: rdflib.Graph, start: Shape) -> list[Shape] | None:
    """The members of an RDF list; None if it is not well formed."""
    members, seen = list[Shape](), set[Shape]()
    while start != RDF.nil:
        first, rest = list(graph.objects(start, RDF.first)), list(graph.objects(start, RDF.rest))
        if start in seen or len(first) != 1 or len(rest) != 1:
            return None
        seen.add(start)
        members.append(first[0])
        start = rest[0]
    return members


def _short(term: object) -> str:
    return f"sh:{str(term).removeprefix(str(SH))}"
