"""Associations, association classes and generalisation sets.

An association's two ends become up to two properties, each named by the role at its far end; the class
at the near end is its domain. An association class, and an association of more than two ends, is a class
with a property to each end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from ..description.model import Association, End, GeneralizationSet, tag_pairs
from ..description.naming import decapitalised
from ..report import ANNOTATED, CONVERTED, IGNORED, ReportBuilder
from ..uml import elements as uml
from ..uml.multiplicity import Bounds
from .describer import Describer
from .features import bounds_of, parse_typed_name, property_fields, tagged_fields

_NO_PROPERTY: Final = "kept in the description; no property leads to this end"
_TRUE: Final = frozenset({"true", "yes", "1"})


def association_classes(describer: Describer) -> dict[str, str]:
    """Association id -> the id of its association class."""
    scope, report = describer.scope, describer.report
    found = {a.id: a.association_class for a in scope.model.associations if a.association_class}
    for link in sorted(scope.model.association_class_links, key=lambda link: link.id):
        report.record_tags(link.tags)
        if link.classifier in scope.classifiers and link.association in scope.associations:
            found.setdefault(link.association, link.classifier)
            report.record(link.id, CONVERTED)
        else:
            problem = "an association class without its class or its association"
            report.record(link.id, IGNORED, problem)
            report.warn("unresolved-end", link.id, "", problem)
    return found


def associations(describer: Describer, classes: dict[str, str]) -> Iterator[Association]:
    """Every association whose ends are classes, in the order of ids; the others are reported.

    ``classes``: see `association_classes`.
    """
    scope, report = describer.scope, describer.report
    for association in sorted(scope.model.associations, key=lambda a: a.id):
        types = [scope.resolve(end.type, association.owner) for end in association.ends]
        report.record_tags(association.tags)
        labels = [scope.name_of(i) or "?" for i in types]
        where = scope.where(association.id) if association.name else " -- ".join(labels)
        if len(types) < 2 or not all(types):
            scope.report_no_class(association.id, "association", where, *(end.type.id for end in association.ends))
            for end in association.ends:
                report.record_tags(end.tags)
            continue
        yield _association(describer, association, types, where, association.id in classes)


def _association(
    describer: Describer, association: uml.UmlAssociation, types: list[str], where: str, is_class: bool
) -> Association:
    report, names = describer.report, describer.names
    binary = len(types) == 2
    navigable = _navigable(association.ends) if binary else (False,) * len(types)
    if binary:
        # a literal has no properties: there is no way back from a simple type
        simple = describer.inheritance.simple
        navigable = (navigable[0] and types[1] not in simple, navigable[1] and types[0] not in simple)
    ends: list[End | None] = [None] * len(types)
    fields = [_end_fields(describer, end, types[i], where) for i, end in enumerate(association.ends)]
    for i in sorted(range(len(types)), key=lambda i: association.ends[i].id):
        end = association.ends[i]
        path_name, iri = fields[i]["name"] or decapitalised(names.classes[types[i]].name), ""
        if navigable[i]:
            signature = fields[i]["datatype"] or names.classes[types[i]].iri
            path_name, iri = describer.namer.name(end, path_name, types[1 - i], signature)
            report.record(end.id, CONVERTED)
        elif not binary:
            report.record(end.id, CONVERTED if is_class else ANNOTATED, "a property of its association class")
        else:
            report.record(end.id, ANNOTATED, _NO_PROPERTY)
        ends[i] = End(**fields[i], iri=iri, path_name=path_name, navigable=navigable[i])
    if binary and not any(navigable):
        report.record(association.id, ANNOTATED, "kept in the description; it becomes no property")
        report.warn("no-direction", association.id, where, "neither end is navigable: it becomes no property")
    else:
        report.record(association.id, CONVERTED)
    above = names.package_of(association.id).key
    label = association.name or "--".join(names.classes[i].name for i in types)
    _, key = names.associations.claim(label, association.id, lambda n: f"{above}::{n}" if above else n)
    return Association(
        **describer.shared_fields(association),
        name=association.name,
        key=key,
        derived=association.derived,
        tags=tag_pairs((t.name, t.value) for t in association.tags),
        ends=tuple(end for end in ends if end is not None),
    )


def _navigable(ends: tuple[uml.AssociationEnd, ...]) -> tuple[bool, bool]:
    """Whether each end is navigable. An unspecified end is, unless the other one is marked as navigable."""
    first, second = ends[0].navigable, ends[1].navigable
    return (
        first is True or (first is None and second is not True),
        second is True or (second is None and first is not True),
    )


def _end_fields(describer: Describer, end: uml.AssociationEnd, class_id: str, where: str) -> dict[str, Any]:
    report, simple = describer.report, describer.inheritance.simple
    class_ = describer.names.classes[class_id]
    parsed = parse_typed_name(end.name)
    here = f"{where}::{parsed.name or class_.name}"
    multiplicity = end.multiplicity or parsed.multiplicity
    bounds = bounds_of(report, multiplicity, end.id, here, default=Bounds(0, None))
    for qualifier in end.qualifiers:
        report.record(qualifier.id, ANNOTATED, "a qualifier: kept as an annotation")
        report.record_tags(qualifier.tags)
    return {
        **tagged_fields(report, end, simple.get(class_id, ""), here),
        **property_fields(describer, end),
        "name": parsed.name,
        "datatype": "" if class_id not in simple else simple[class_id] or "xsd:string",
        "class_key": class_.key,
        "multiplicity": end.multiplicity,
        "lower": bounds.lower,
        "upper": bounds.upper,
        "default": end.default,
        "aggregation": _aggregation(report, end, here),
        "qualifiers": tuple(_qualifier(describer, q) for q in end.qualifiers),
    }


def _aggregation(report: ReportBuilder, end: uml.AssociationEnd, where: str) -> str:
    if end.aggregation in ("none", "shared", "composite"):
        return end.aggregation
    report.warn("wrong-shape", end.id, where, f"the aggregation {end.aggregation!r} is unknown; read as none")
    return "none"


def _qualifier(describer: Describer, attribute: uml.Attribute) -> str:
    type_name = describer.scope.type_name(attribute.type)
    return f"{attribute.name}: {type_name}" if type_name else attribute.name


def generalization_sets(describer: Describer) -> Iterator[GeneralizationSet]:
    """Sets from XMI, and sets given by tags ``disjoint`` and ``complete`` on generalisations or parents."""
    scope, report, parents = describer.scope, describer.report, describer.inheritance.parents
    edges = {g.id: g for g in scope.model.generalizations}

    def ends(identifier: str) -> tuple[str, str] | None:
        edge = edges.get(identifier)
        if edge is None:
            return None
        child, parent = scope.resolve(edge.child), scope.resolve(edge.parent)
        return (child, parent) if parent in parents.get(child, ()) else None

    def described(
        name: str, parent: str, children: list[str], disjoint: bool, complete: bool, identifier: str = ""
    ) -> GeneralizationSet:
        classes = describer.names.classes
        return GeneralizationSet(
            name=name,
            id=identifier,
            parent=classes[parent].key,
            children=tuple(sorted({classes[c].key for c in children})),
            disjoint=disjoint,
            complete=complete,
        )

    for set_ in sorted(scope.model.generalization_sets, key=lambda s: s.id):
        by_parent: dict[str, list[str]] = defaultdict(list)
        for child, parent in filter(None, (ends(i) for i in set_.generalizations)):
            by_parent[parent].append(child)
        report.record_tags(set_.tags)
        if by_parent and (set_.disjoint or set_.complete):
            report.record(set_.id, CONVERTED)
        else:
            report.record(set_.id, ANNOTATED, "a set that is neither disjoint nor complete says nothing in OWL")
        for parent, children in sorted(by_parent.items()):
            yield described(set_.name, parent, children, set_.disjoint, set_.complete, set_.id)
    grouped: dict[tuple[str, str], list[uml.Generalization]] = defaultdict(list)
    for edge in sorted(edges.values(), key=lambda g: g.id):
        report.record_tags(edge.tags, {"disjoint", "complete"})
        pair = ends(edge.id)
        if pair is not None:
            grouped[pair[1], edge.discriminator].append(edge)
    for (parent, discriminator), members in sorted(grouped.items()):
        tags = [t for edge in members for t in edge.tags]
        tags += scope.classifiers[parent].tags if not discriminator else ()
        disjoint, complete = (_is_set(tags, name) for name in ("disjoint", "complete"))
        if disjoint or complete or discriminator:
            children = [scope.resolve(edge.child) for edge in members]
            yield described(discriminator, parent, children, disjoint, complete)


def _is_set(tags: list[uml.Tag], name: str) -> bool:
    return any(t.name == name and t.value.strip().lower() in _TRUE for t in tags)
