"""A description as an OWL 2 DL ontology.

    triples = ontology(describe(read("model.mdj")))

A class per UML class, a property per attribute and navigable end, an individual per literal. Axioms
are those that are cheap to reason with (functional, some, disjoint, covering); other multiplicities are in the shapes.
Annotations on each property serve the compilation of paths: vt:pathName, vt:lower, vt:upper, qudt:hasUnit.
The framework's own classes are referred to and not repeated.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from ...ontology.iris import OWL, QUDT, RDF, RDFS, SKOS, VT
from ..description.model import Association, Class, Description, End, Feature, Named
from ..description.uses import Use, by_key, property_uses
from ..gc_pause import gc_paused
from ..terms.datatypes import SUPPORTED
from .graph import TRUE, Graph, integer, provided

_DATATYPE: Final = NamedNode(RDFS.NS + "Datatype")
_LITERAL: Final = NamedNode(RDFS.NS + "Literal")
_NOT_IN_OWL: Final = frozenset({"xsd:date", "xsd:time"})
"""XSD types that are not in OWL 2's datatype map: any literal in OWL, exact in the shapes."""
_ANNOTATIONS: Final = (
    VT.pathName, VT.lower, VT.upper, VT.defaultValue, VT.readOnly, VT.derived, VT.identifier, VT.stereotype,
    VT.tag, VT.operation, VT.constraint, QUDT.hasUnit, QUDT.hasQuantityKind, SKOS.exactMatch, SKOS.closeMatch,
)  # fmt: skip


@gc_paused()
def ontology(description: Description) -> list[Triple]:
    """The domain ontology of a description. Pure; the same description gives the same triples."""
    graph = Graph(description.iri)
    classes = by_key(description)
    model = NamedNode(description.iri)
    graph.add(model, RDF.type, OWL.Ontology)
    graph.text(model, RDFS.label, description.name)
    _annotate(graph, model, description)
    for name in _ANNOTATIONS:
        graph.add(name, RDF.type, OWL.AnnotationProperty)
    for name in (VT.hasPart, VT.partOf):
        graph.add(name, RDF.type, OWL.ObjectProperty)
    for class_ in description.classes:
        if not provided(class_.iri):
            _class(graph, class_, classes)
    uses: dict[str, list[Use]] = defaultdict(list)
    for use in property_uses(description):
        if not provided(use.feature.iri):
            uses[use.feature.iri].append(use)
    for iri, found in uses.items():
        _property(graph, NamedNode(iri), found, classes)
    _inverses(graph, description)
    _redefinitions(graph, description)
    _sets(graph, description, classes)
    _declare_framework(graph, description, classes)
    return graph.triples()


# ---- classes
def _class(graph: Graph, class_: Class, classes: dict[str, Class]) -> None:
    node = NamedNode(class_.iri)
    if class_.datatype:
        graph.add(node, RDF.type, _DATATYPE)
    else:
        graph.add(node, RDF.type, OWL.Class)
        for parent in class_.parents:
            if not classes[parent].datatype:
                graph.add(node, RDFS.subClassOf, NamedNode(classes[parent].iri))
    graph.text(node, RDFS.label, class_.name)
    _annotate(graph, node, class_)
    if class_.kind != "class":
        graph.text(node, VT.stereotype, class_.kind)
    for word, on in (("abstract", class_.abstract), ("leaf", class_.leaf), ("active", class_.active)):
        if on:
            graph.text(node, VT.stereotype, word)
    for operation in class_.operations:
        graph.text(node, VT.operation, operation)
    for parameter in class_.template_parameters:
        graph.text(node, VT.tag, f"templateParameter={parameter}")
    if class_.association:
        graph.text(node, VT.tag, f"association={class_.association}")
    _matches(graph, node, class_.exact_match, class_.close_match)
    if class_.kind == "enumeration" and class_.literals:
        _enumeration(graph, node, class_)


def _enumeration(graph: Graph, node: NamedNode, class_: Class) -> None:
    individuals = [NamedNode(literal.iri) for literal in class_.literals]
    for individual, literal in zip(individuals, class_.literals, strict=True):
        graph.add(individual, RDF.type, OWL.NamedIndividual)
        graph.add(individual, RDF.type, node)
        graph.text(individual, RDFS.label, literal.name)
        _annotate(graph, individual, literal)
    graph.add(node, OWL.equivalentClass, graph.node_with_list(OWL.Class, OWL.oneOf, individuals))
    if len(individuals) > 1:
        graph.node_with_list(OWL.AllDifferent, OWL.distinctMembers, individuals)


def _annotate(graph: Graph, node: NamedNode, element: Named) -> None:
    graph.text(node, RDFS.comment, element.documentation)
    _mark(graph, node, element)


def _mark(graph: Graph, node: NamedNode, element: Named) -> None:
    """Annotate an element with everything but its documentation."""
    for stereotype in element.stereotypes:
        graph.text(node, VT.stereotype, stereotype)
    for name, value in element.tags:
        graph.text(node, VT.tag, f"{name}={value}")
    for constraint in element.constraints:
        graph.text(node, VT.constraint, constraint)
        graph.text(node, RDFS.comment, constraint_comment(constraint))
    for dependency in element.dependencies:
        graph.text(node, VT.tag, f"depends={dependency}")


def constraint_comment(constraint: str) -> str:
    """A constraint as a comment that editors show: in braces, as in UML."""
    return f"{{{constraint}}}"


def _matches(graph: Graph, node: NamedNode, exact: tuple[str, ...], close: tuple[str, ...]) -> None:
    for predicate, iris in ((SKOS.exactMatch, exact), (SKOS.closeMatch, close)):
        for iri in iris:
            graph.add(node, predicate, NamedNode(iri))


# ---- properties
def _property(graph: Graph, node: NamedNode, uses: list[Use], classes: dict[str, Class]) -> None:
    feature = uses[0].feature
    graph.add(node, RDF.type, OWL.DatatypeProperty if feature.datatype else OWL.ObjectProperty)
    holders = sorted({use.holder.iri for use in uses})
    if len(holders) == 1:
        graph.add(node, RDFS.domain, NamedNode(holders[0]))
    else:
        union = graph.node_with_list(OWL.Class, OWL.unionOf, (NamedNode(h) for h in holders))
        graph.add(node, RDFS.domain, union)
    value_range = range_term(feature, classes)
    if value_range is not None:
        graph.add(node, RDFS.range, value_range)
    graph.text(node, RDFS.label, feature.name or feature.path_name)
    graph.text(node, VT.pathName, feature.path_name)
    graph.add(node, VT.lower, integer(min(use.feature.lower for use in uses)))
    uppers = [use.feature.upper for use in uses]
    known = [upper for upper in uppers if upper is not None]
    if len(known) == len(uppers):
        graph.add(node, VT.upper, integer(max(known)))
    # one comment for all uses and associations: `from_owl` reads one
    texts = (text for use in uses for text in (use.feature.documentation, _documentation(use.association)))
    graph.text(node, RDFS.comment, "\n\n".join(dict.fromkeys(filter(None, texts))))
    for use in uses:
        _annotate_property(graph, node, use.feature, use.association)
    if len(known) == len(uppers) and max(known) == 1:
        graph.add(node, RDF.type, OWL.FunctionalProperty)
    for use in uses:
        if use.feature.lower >= 1 and value_range is not None and not use.feature.static:
            _restrict(graph, NamedNode(use.holder.iri), node, value_range)


def _documentation(association: Association | None) -> str:
    return association.documentation if association is not None else ""


def range_term(feature: Feature, classes: dict[str, Class]) -> NamedNode | None:
    """The property's rdfs:range; None for any resource."""
    if feature.datatype in _NOT_IN_OWL:
        return _LITERAL
    if feature.datatype:
        return SUPPORTED[feature.datatype]
    return NamedNode(classes[feature.class_key].iri) if feature.class_key else None


def _restrict(graph: Graph, holder: NamedNode, node: NamedNode, value_range: NamedNode) -> None:
    some = graph.blank()
    graph.add(some, RDF.type, OWL.Restriction)
    graph.add(some, OWL.onProperty, node)
    graph.add(some, OWL.someValuesFrom, value_range)
    graph.add(holder, RDFS.subClassOf, some)


def _annotate_property(graph: Graph, node: NamedNode, feature: Feature, association: Association | None) -> None:
    _mark(graph, node, feature)
    if feature.default is not None:
        graph.add(node, VT.defaultValue, Literal(feature.default))
    derived = feature.derived or (association is not None and association.derived)
    for predicate, on in (
        (VT.derived, derived),
        (VT.readOnly, feature.read_only),
        (VT.identifier, feature.identifier),
    ):
        if on:
            graph.add(node, predicate, TRUE)
    for word, on in (("static", feature.static), ("ordered", feature.ordered), ("unique", feature.unique is True)):
        if on:
            graph.text(node, VT.stereotype, word)
    if feature.visibility != "public":
        graph.text(node, VT.tag, f"visibility={feature.visibility}")
    if feature.datatype in _NOT_IN_OWL:
        graph.text(node, VT.tag, f"datatype={feature.datatype}")
    if feature.unit:
        graph.add(node, QUDT.hasUnit, NamedNode(QUDT.UNIT_NS + feature.unit))
    if feature.quantity_kind:
        graph.add(node, QUDT.hasQuantityKind, NamedNode(QUDT.KIND_NS + feature.quantity_kind))
    _matches(graph, node, feature.exact_match, feature.close_match)
    if isinstance(feature, End):
        for qualifier in feature.qualifiers:
            graph.text(node, VT.tag, f"qualifier={qualifier}")
    if association is not None:
        graph.text(node, VT.tag, f"association={association.name}" if association.name else "")
        _mark(graph, node, association)


def _inverses(graph: Graph, description: Description) -> None:
    """Add inverses, and hasPart and partOf: an end at the whole's side is partOf for its parts."""
    for use in property_uses(description):
        if use.feature.composite and not provided(use.feature.iri):
            graph.add(NamedNode(use.feature.iri), RDFS.subPropertyOf, VT.hasPart)
    for association in description.associations:
        if len(association.ends) != 2:
            continue
        first, second = association.ends
        if first.navigable and second.navigable and first.iri != second.iri and not provided(first.iri):
            graph.add(NamedNode(first.iri), OWL.inverseOf, NamedNode(second.iri))
        for end, other in ((first, second), (second, first)):
            if end.navigable and not end.datatype and not provided(end.iri):
                if other.aggregation == "composite":
                    graph.add(NamedNode(end.iri), RDFS.subPropertyOf, VT.hasPart)
                elif end.aggregation == "composite":
                    graph.add(NamedNode(end.iri), RDFS.subPropertyOf, VT.partOf)
            if end.navigable and not provided(end.iri) and "shared" in (end.aggregation, other.aggregation):
                side = "whole" if end.aggregation == "shared" else "part"
                graph.text(NamedNode(end.iri), VT.tag, f"aggregation={side}")


def _redefinitions(graph: Graph, description: Description) -> None:
    """A redefining property is a kind of the one it redefines."""
    iris = {use.feature.id: use.feature for use in property_uses(description) if use.feature.id}
    for feature in iris.values():
        for identifier in feature.redefines:
            above = iris.get(identifier)
            if above is not None and above.iri != feature.iri and bool(above.datatype) == bool(feature.datatype):
                graph.add(NamedNode(feature.iri), RDFS.subPropertyOf, NamedNode(above.iri))


def _sets(graph: Graph, description: Description, classes: dict[str, Class]) -> None:
    for group in description.generalization_sets:
        children = [NamedNode(classes[key].iri) for key in group.children if not classes[key].datatype]
        if group.disjoint and len(children) > 1:
            graph.node_with_list(OWL.AllDisjointClasses, OWL.members, children)
        parent = classes[group.parent]
        if group.complete and children and not provided(parent.iri):
            if len(children) == 1:
                graph.add(NamedNode(parent.iri), RDFS.subClassOf, children[0])
                continue
            union = graph.node_with_list(OWL.Class, OWL.unionOf, children)
            graph.add(NamedNode(parent.iri), RDFS.subClassOf, union)


def _declare_framework(graph: Graph, description: Description, classes: dict[str, Class]) -> None:
    """Declare the framework's terms that are referred to, so that the ontology is complete in OWL 2 DL."""
    keys = {parent for class_ in description.classes if not provided(class_.iri) for parent in class_.parents}
    for use in property_uses(description):
        if not provided(use.feature.iri):
            keys |= {use.holder.key} if use.feature.datatype else {use.holder.key, use.feature.class_key}
    for group in description.generalization_sets:
        keys |= {group.parent, *group.children}
    for key in sorted(keys - {""}):
        if provided(classes[key].iri) and not classes[key].datatype:
            graph.add(NamedNode(classes[key].iri), RDF.type, OWL.Class)
