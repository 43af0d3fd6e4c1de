"""Check that a graph is an OWL 2 DL ontology, as far as possible without a reasoner.

>>> from pyoxigraph import RdfFormat, parse
>>> text = '@prefix owl: <http://www.w3.org/2002/07/owl#> . <urn:p> a owl:ObjectProperty, owl:DatatypeProperty .'
>>> [p.code for p in profile_problems([q.triple for q in parse(text, format=RdfFormat.TURTLE)])]
['punned-property']

The rules are those of "OWL 2 Web Ontology Language: Structural Specification" (W3C, 2012), sections 5.8 (typing
constraints), 11 (global restrictions) and 4 (the datatype map), for the constructs in ontologies of
models. A problem names the term and the remedy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from .iris import OWL, RDF, RDFS, XSD

_T = NamedNode | BlankNode


def _owl(*names: str) -> list[NamedNode]:
    return [NamedNode(OWL.NS + name) for name in names]


_DATATYPE: Final = NamedNode(RDFS.NS + "Datatype")
_LITERAL: Final = NamedNode(RDFS.NS + "Literal")
_XSD_MAP: Final = (
    "decimal", "integer", "nonNegativeInteger", "nonPositiveInteger", "positiveInteger", "negativeInteger",
    "long", "int", "short", "byte", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte",
    "double", "float", "string", "normalizedString", "token", "language", "Name", "NCName", "NMTOKEN",
    "boolean", "hexBinary", "base64Binary", "anyURI", "dateTime", "dateTimeStamp",
)  # fmt: skip
_MAP: Final = frozenset(
    {XSD.NS + name for name in _XSD_MAP}
    | {OWL.NS + "real", OWL.NS + "rational", _LITERAL.value}
    | {RDF.NS + name for name in ("PlainLiteral", "XMLLiteral", "langString")}
)
_RESERVED: Final = (RDF.NS, RDFS.NS, OWL.NS, XSD.NS)
_TRANSITIVE, _INVERSE_FUNCTIONAL, _CHAIN, _IRREFLEXIVE, _ASYMMETRIC, _DISJOINT = _owl(
    "TransitiveProperty", "InverseFunctionalProperty", "propertyChainAxiom", "IrreflexiveProperty",
    "AsymmetricProperty", "propertyDisjointWith",
)  # fmt: skip
_CARDINALITIES: Final = frozenset(
    _owl("cardinality", "minCardinality", "maxCardinality", "qualifiedCardinality", "minQualifiedCardinality",
         "maxQualifiedCardinality", "hasSelf")
)  # fmt: skip
_KINDS: Final = {
    OWL.ObjectProperty: "object property",
    OWL.DatatypeProperty: "datatype property",
    OWL.AnnotationProperty: "annotation property",
}
_BUILT_IN_ANNOTATIONS: Final = frozenset(
    {RDFS.label, RDFS.comment, RDFS.seeAlso, RDFS.isDefinedBy, OWL.versionInfo}
    | set(_owl("deprecated", "backwardCompatibleWith", "incompatibleWith", "priorVersion"))
)


class ProfileProblem(NamedTuple):
    """A violation of OWL 2 DL: a code for scripts, the term, and the remedy."""

    code: str
    term: str
    message: str


def profile_problems(triples: Iterable[Triple]) -> list[ProfileProblem]:
    """Every violation of OWL 2 DL in the graph, in a stable order."""
    graph = _Graph(triples)
    found = {
        *_punning(graph),
        *_reserved(graph),
        *_ranges(graph),
        *_simple(graph),
        *_lists(graph),
        *_undeclared(graph),
    }
    return sorted(found)


class _Graph:
    def __init__(self, triples: Iterable[Triple]) -> None:
        self.types: dict[_T, set[_T]] = defaultdict(set)
        self.by_predicate: dict[NamedNode, list[tuple[_T, _T | Literal]]] = defaultdict(list)
        for triple in triples:
            subject, object_ = triple.subject, triple.object
            if not isinstance(subject, (NamedNode, BlankNode)) or isinstance(object_, Triple):
                continue
            self.by_predicate[triple.predicate].append((subject, object_))
            if triple.predicate == RDF.type and not isinstance(object_, Literal):
                self.types[subject].add(object_)


def _name(term: _T) -> str:
    return term.value if isinstance(term, NamedNode) else f"_:{term.value}"


def _punning(graph: _Graph) -> Iterator[ProfileProblem]:
    for term, types in graph.types.items():
        kinds = [label for kind, label in _KINDS.items() if kind in types]
        if len(kinds) > 1:
            yield ProfileProblem(
                "punned-property", _name(term), f"is both {' and '.join(kinds)}; give one of the two another name"
            )
        if OWL.Class in types and _DATATYPE in types and isinstance(term, NamedNode):
            yield ProfileProblem(
                "punned-class", _name(term), "is both a class and a datatype; give one of the two another name"
            )


def _reserved(graph: _Graph) -> Iterator[ProfileProblem]:
    for term, types in graph.types.items():
        ours = types & {OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.NamedIndividual}
        if ours and _name(term).startswith(_RESERVED) and _name(term) not in {OWL.NS + "Thing", OWL.NS + "Nothing"}:
            yield ProfileProblem(
                "reserved-term", _name(term), "belongs to RDF or OWL and cannot be declared; use a term of your own"
            )


def _ranges(graph: _Graph) -> Iterator[ProfileProblem]:
    for subject, range_ in graph.by_predicate[RDFS.range]:
        types = graph.types[subject]
        value = range_.value if isinstance(range_, NamedNode) else ""
        is_data = value in _MAP or value.startswith(XSD.NS) or _DATATYPE in graph.types.get(range_, set())  # type: ignore[arg-type]
        if OWL.ObjectProperty in types and is_data:
            yield ProfileProblem("range", _name(subject), f"an object property with the datatype {value} as its range")
        if OWL.DatatypeProperty in types and value and not is_data:
            yield ProfileProblem("range", _name(subject), f"a datatype property with the class {value} as its range")
        if OWL.DatatypeProperty in types and value.startswith(XSD.NS) and value not in _MAP:
            yield ProfileProblem(
                "datatype",
                _name(subject),
                f"{value} is not in OWL 2's datatype map; use rdfs:Literal and check it in SHACL",
            )
    for subject, domain in graph.by_predicate[RDFS.domain]:
        if isinstance(domain, NamedNode) and (domain.value in _MAP or domain.value.startswith(XSD.NS)):
            yield ProfileProblem(
                "domain", _name(subject), f"has the datatype {domain.value} as its domain; only classes can be"
            )
    for predicate, pairs in list(graph.by_predicate.items()):
        types = graph.types.get(predicate, set())
        for subject, object_ in pairs:
            if OWL.DatatypeProperty in types and not isinstance(object_, Literal):
                yield ProfileProblem(
                    "value", predicate.value, f"a datatype property, but {_name(subject)} has a resource there"
                )
            if OWL.ObjectProperty in types and isinstance(object_, Literal):
                yield ProfileProblem(
                    "value", predicate.value, f"an object property, but {_name(subject)} has a literal there"
                )


def _simple(graph: _Graph) -> Iterator[ProfileProblem]:
    """Find properties that are composite (transitive or chained, or with such a subproperty) and counted."""
    composite: set[_T] = {s for s, types in graph.types.items() if _TRANSITIVE in types}
    composite |= {s for s, _ in graph.by_predicate[_CHAIN]}
    above: dict[_T, set[_T]] = defaultdict(set)
    for subject, object_ in graph.by_predicate[RDFS.subPropertyOf]:
        if not isinstance(object_, Literal):
            above[subject].add(object_)
    for subject, object_ in graph.by_predicate[OWL.inverseOf]:
        if not isinstance(object_, Literal):
            above[subject].add(object_)
            above[object_].add(subject)
    waiting = list(composite)
    while waiting:
        for parent in above.get(waiting.pop(), ()):
            if parent not in composite:
                composite.add(parent)
                waiting.append(parent)
    counted: dict[_T, str] = {}
    for kind, label in (
        (OWL.FunctionalProperty, "functional"),
        (_INVERSE_FUNCTIONAL, "inverse functional"),
        (_IRREFLEXIVE, "irreflexive"),
        (_ASYMMETRIC, "asymmetric"),
    ):
        counted.update({s: label for s, types in graph.types.items() if kind in types})
    restricted = {s for p in _CARDINALITIES for s, _ in graph.by_predicate[p]}
    for subject, object_ in graph.by_predicate[OWL.onProperty]:
        if subject in restricted and not isinstance(object_, Literal):
            counted[object_] = "counted in a restriction"
    for subject, object_ in graph.by_predicate[_DISJOINT]:
        counted[subject] = "disjoint with another"
        if not isinstance(object_, Literal):
            counted[object_] = "disjoint with another"
    for term in composite & counted.keys():
        yield ProfileProblem(
            "composite-property", _name(term), f"is transitive (or has a transitive part) and {counted[term]}; drop one"
        )


def _lists(graph: _Graph) -> Iterator[ProfileProblem]:
    rest = dict(graph.by_predicate[RDF.rest])
    first = {s for s, _ in graph.by_predicate[RDF.first]}
    for predicate in (OWL.oneOf, OWL.unionOf, OWL.members, OWL.distinctMembers, NamedNode(OWL.NS + "intersectionOf")):
        for subject, head in graph.by_predicate[predicate]:
            node: object = head
            length, seen = 0, set()
            while node != RDF.nil and node in first and node not in seen:
                seen.add(node)
                length += 1
                node = rest.get(node)  # type: ignore[call-overload]
            if node != RDF.nil:
                yield ProfileProblem("list", _name(subject), f"the list of {predicate.value} is not closed by rdf:nil")
            elif not length:
                yield ProfileProblem("list", _name(subject), f"the list of {predicate.value} is empty")


def _undeclared(graph: _Graph) -> Iterator[ProfileProblem]:
    """Find properties and classes that are used and not declared."""
    declared = {s for s, types in graph.types.items() if types & _KINDS.keys()}
    for predicate in graph.by_predicate:
        if predicate in declared or predicate in _BUILT_IN_ANNOTATIONS or predicate.value.startswith(_RESERVED):
            continue
        yield ProfileProblem("undeclared", predicate.value, "is used as a property and not declared as one")
    classes = {s for s, types in graph.types.items() if types & {OWL.Class, OWL.Restriction, _DATATYPE}}
    used = [o for p in (RDFS.subClassOf, RDFS.domain) for _, o in graph.by_predicate[p]]
    used += [o for s, o in graph.by_predicate[RDFS.range] if OWL.ObjectProperty in graph.types[s]]
    for _, object_ in graph.by_predicate[RDF.type]:
        used.append(object_)
    for term in used:
        if isinstance(term, NamedNode) and term not in classes and not term.value.startswith(_RESERVED):
            yield ProfileProblem("undeclared", term.value, "is used as a class and not declared as one")
