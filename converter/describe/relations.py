"""Associations, association classes, generalisation sets, dependencies and constraints.

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
from ..report import ANNOTATED, CONVERTED, IGNORED
from ..uml import elements as uml
from ..uml.multiplicity import Bounds
from .features import bounds_of, parse_typed_name, tagged_fields
from .names import Names
from .properties import PropertyNamer
from .scope import TRUE, Scope, note_tags

_KEPT: Final = "kept in the description; no property leads there"


class Notes:
    """Constraints and dependencies by the id of the element they are about."""

    def __init__(self, scope: Scope, names: Names) -> None:
        self.constraints: dict[str, list[str]] = defaultdict(list)
        self.dependencies: dict[str, list[str]] = defaultdict(list)
        for constraint in scope.model.constraints:
            text = constraint.specification.strip() or constraint.documentation.strip()
            if constraint.name and text:
                text = f"{constraint.name}: {text}"
            text = text or constraint.name
            about = [i for i in constraint.constrained if i in scope.kinds] or [constraint.owner]
            targets = dict.fromkeys(scope.holder(i) for i in about)
            if not text:
                scope.ledger.record(constraint.id, IGNORED, "a constraint without a text")
                continue
            for target in targets:
                self.constraints[target].append(text)
            scope.ledger.record(constraint.id, ANNOTATED, "a constraint: kept as a comment on what it is about")
            note_tags(scope.ledger, constraint.tags)
        for dependency in scope.model.dependencies:
            if dependency.id in scope.realizations:
                note_tags(scope.ledger, dependency.tags)
                continue
            self._dependency(scope, names, dependency)

    def _dependency(self, scope: Scope, names: Names, dependency: uml.Dependency) -> None:
        target = _key(scope, names, dependency.target.id) or dependency.target.name
        note_tags(scope.ledger, dependency.tags)
        source = dependency.source.id
        if source not in scope.holders or not target:
            where = scope.where(source, dependency.name)
            scope.no_class(dependency.id, dependency.kind, where, source, dependency.target.id)
            return
        kind = " ".join(filter(None, [dependency.kind, *(f"«{s}»" for s in dependency.stereotypes), dependency.name]))
        self.dependencies[source].append(f"{kind} -> {target}")
        scope.ledger.record(dependency.id, ANNOTATED, f"kept as an annotation on its source ({dependency.kind})")


def _key(scope: Scope, names: Names, identifier: str) -> str:
    if identifier in names.classes:
        return names.classes[identifier].key
    if identifier in names.packages:
        return names.packages[identifier].key
    return scope.name_of(identifier)


def class_of_association(scope: Scope) -> dict[str, str]:
    """Association id -> the id of its association class."""
    found = {a.id: a.association_class for a in scope.model.associations if a.association_class}
    for link in sorted(scope.model.association_class_links, key=lambda link: link.id):
        note_tags(scope.ledger, link.tags)
        if link.classifier in scope.classifiers and link.association in scope.associations:
            found.setdefault(link.association, link.classifier)
            scope.ledger.record(link.id, CONVERTED)
        else:
            scope.ledger.record(link.id, IGNORED, "an association class without its class or its association")
            scope.ledger.warn("unresolved-end", link.id, "", "an association class without its class or association")
    return found


def associations(scope: Scope, names: Names, namer: PropertyNamer, notes: Notes) -> Iterator[Association]:
    """Every association whose ends are classes, in the order of ids; the others are reported."""
    classes = class_of_association(scope)
    for drawn in sorted(scope.model.associations, key=lambda a: a.id):
        near = [scope.resolve(end.type, drawn.owner) for end in drawn.ends]
        note_tags(scope.ledger, drawn.tags)
        labels = [scope.name_of(i) or "?" for i in near]
        where = scope.where(drawn.id) if drawn.name else " -- ".join(labels)
        if len(near) < 2 or not all(near):
            scope.no_class(drawn.id, "association", where, *(end.type.id for end in drawn.ends))
            for end in drawn.ends:
                note_tags(scope.ledger, end.tags)
            continue
        yield _association(scope, names, namer, notes, drawn, near, where, classes.get(drawn.id, ""))


def _association(
    scope: Scope,
    names: Names,
    namer: PropertyNamer,
    notes: Notes,
    drawn: uml.UmlAssociation,
    near: list[str],
    where: str,
    class_id: str,
) -> Association:
    directed = len(near) == 2
    goes = _directions(drawn.ends) if directed else (False,) * len(near)
    simple = [scope.simple.get(i) for i in near]
    if directed:
        # a literal has no properties: the way back from a simple type does not exist
        goes = (goes[0] and simple[1] is None, goes[1] and simple[0] is None)
    fields = [_end_fields(scope, names, end, near[i], where) for i, end in enumerate(drawn.ends)]
    ends: list[End | None] = [None] * len(near)
    for i in sorted(range(len(near)), key=lambda i: drawn.ends[i].id):
        end = drawn.ends[i]
        role = str(fields[i].pop("role"))
        path_name, iri = role, ""
        if goes[i]:
            signature = fields[i]["datatype"] or names.classes[near[i]].iri
            path_name, iri = namer.name(end, role, near[1 - i], signature)
            scope.ledger.record(end.id, CONVERTED)
        elif not directed:
            scope.ledger.record(end.id, CONVERTED if class_id else ANNOTATED, "a property of its association class")
        else:
            scope.ledger.record(end.id, ANNOTATED, _KEPT)
        ends[i] = End(**fields[i], iri=iri, path_name=path_name, navigable=goes[i])
    if directed and not any(goes):
        scope.ledger.record(drawn.id, ANNOTATED, _KEPT)
        scope.ledger.warn("no-direction", drawn.id, where, "neither end is navigable: it becomes no property")
    else:
        scope.ledger.record(drawn.id, CONVERTED)
    above = names.package_of(scope, drawn.id).key
    label = drawn.name or "--".join(names.classes[i].name for i in near)
    _, key = names.associations.claim(label, drawn.id, lambda n: f"{above}::{n}" if above else n)
    return Association(
        name=drawn.name,
        id=drawn.id,
        key=key,
        derived=drawn.derived,
        documentation=drawn.documentation,
        stereotypes=drawn.stereotypes,
        tags=tag_pairs((t.name, t.value) for t in drawn.tags),
        constraints=tuple(notes.constraints.get(drawn.id, ())),
        dependencies=tuple(notes.dependencies.get(drawn.id, ())),
        ends=tuple(end for end in ends if end is not None),
    )


def _directions(ends: tuple[uml.AssociationEnd, ...]) -> tuple[bool, bool]:
    """Which ends can be gone to. An unspecified end can be unless the other one is marked as navigable."""
    first, second = ends[0].navigable, ends[1].navigable
    return (
        first is True or (first is None and second is not True),
        second is True or (second is None and first is not True),
    )


def _end_fields(scope: Scope, names: Names, end: uml.AssociationEnd, near: str, where: str) -> dict[str, Any]:
    drawn = parse_typed_name(end.name)
    here = f"{where}::{drawn.name or names.classes[near].name}"
    bounds = bounds_of(scope.ledger, end.multiplicity or drawn.multiplicity, end.id, here, unspecified=Bounds(0, None))
    for qualifier in end.qualifiers:
        scope.ledger.record(qualifier.id, ANNOTATED, "a qualifier: kept as an annotation")
        note_tags(scope.ledger, qualifier.tags)
    return {
        **tagged_fields(scope.ledger, end, scope.simple.get(near, ""), here),
        "role": drawn.name or decapitalised(names.classes[near].name),
        "name": drawn.name,
        "id": end.id,
        "documentation": end.documentation,
        "stereotypes": end.stereotypes,
        "type": "",
        "datatype": "" if near not in scope.simple else scope.simple[near] or "xsd:string",
        "class_key": names.classes[near].key,
        "multiplicity": end.multiplicity,
        "lower": bounds.lower,
        "upper": bounds.upper,
        "default": end.default,
        "derived": end.derived,
        "read_only": end.read_only,
        "ordered": end.ordered,
        "unique": end.unique,
        "identifier": end.identifier,
        "visibility": end.visibility,
        "aggregation": _aggregation(scope, end, here),
        "qualifiers": tuple(_qualifier(scope, q) for q in end.qualifiers),
    }


def _aggregation(scope: Scope, end: uml.AssociationEnd, where: str) -> str:
    if end.aggregation in ("none", "shared", "composite"):
        return end.aggregation
    scope.ledger.warn("wrong-shape", end.id, where, f"the aggregation {end.aggregation!r} is unknown; read as none")
    return "none"


def _qualifier(scope: Scope, attribute: uml.Attribute) -> str:
    type_name = scope.name_of(attribute.type.id) if attribute.type.id else attribute.type.name
    return f"{attribute.name}: {type_name}" if type_name else attribute.name


def generalization_sets(scope: Scope, names: Names) -> Iterator[GeneralizationSet]:
    """Sets from XMI, and sets that tags ``disjoint`` and ``complete`` on generalisations or parents make."""
    edges = {g.id: g for g in scope.model.generalizations}
    kept = {(c, p) for c, above in scope.parents.items() for p in above}

    def ends(identifier: str) -> tuple[str, str] | None:
        edge = edges.get(identifier)
        if edge is None:
            return None
        pair = scope.resolve(edge.child), scope.resolve(edge.parent)
        return pair if pair in kept else None

    for drawn in sorted(scope.model.generalization_sets, key=lambda s: s.id):
        by_parent: dict[str, list[str]] = defaultdict(list)
        for child, parent in filter(None, (ends(i) for i in drawn.generalizations)):
            by_parent[parent].append(child)
        note_tags(scope.ledger, drawn.tags)
        says = drawn.disjoint or drawn.complete
        scope.ledger.record(
            drawn.id,
            CONVERTED if by_parent and says else ANNOTATED,
            "" if by_parent and says else "a set that is neither disjoint nor complete says nothing in OWL",
        )
        for parent, children in sorted(by_parent.items()):
            yield _set(names, drawn.name, drawn.id, parent, children, drawn.disjoint, drawn.complete)
    grouped: dict[tuple[str, str], list[uml.Generalization]] = defaultdict(list)
    for edge in sorted(edges.values(), key=lambda g: g.id):
        note_tags(scope.ledger, edge.tags, {"disjoint", "complete"})
        pair = ends(edge.id)
        if pair is not None:
            grouped[pair[1], edge.discriminator].append(edge)
    for (parent, discriminator), members in sorted(grouped.items()):
        tags = [t for edge in members for t in edge.tags]
        tags += scope.classifiers[parent].tags if not discriminator else ()
        disjoint, complete = (_says(tags, name) for name in ("disjoint", "complete"))
        if disjoint or complete or discriminator:
            children = [scope.resolve(edge.child) for edge in members]
            yield _set(names, discriminator, "", parent, children, disjoint, complete)


def _says(tags: list[uml.Tag], name: str) -> bool:
    return any(t.name == name and t.value.strip().lower() in TRUE for t in tags)


def _set(
    names: Names, name: str, identifier: str, parent: str, children: list[str], disjoint: bool, complete: bool
) -> GeneralizationSet:
    return GeneralizationSet(
        name=name,
        id=identifier,
        parent=names.classes[parent].key,
        children=tuple(sorted({names.classes[c].key for c in children})),
        disjoint=disjoint,
        complete=complete,
    )
