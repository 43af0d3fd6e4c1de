"""Objects, slots and links of a description.

A slot means the property of its defining feature, else the property of its name in the object's class or
an ancestor, else the one that its text names ("x = 3").
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

from ..description.model import Association, Class, Feature, Link, Object, ObjectSlot, tag_pairs
from ..description.references import References
from ..description.uses import parts_of_link
from ..report import ANNOTATED, CONVERTED, IGNORED
from ..terms.datatypes import type_text, xsd_for
from ..terms.instance_kind import InstanceKind
from ..terms.values import fits_datatype, unquoted
from ..uml import elements as uml
from .describer import Describer
from .features import parse_typed_name
from .links import LinkMatcher
from .object_keys import ObjectKeys


def describe_objects(
    describer: Describer, classes: tuple[Class, ...], associations: tuple[Association, ...]
) -> tuple[tuple[Object, ...], tuple[Link, ...]]:
    """All objects and links, in the order of their keys."""
    model = describer.model
    if not model.objects and not model.links:
        return (), ()
    maker = _Objects(describer, classes, associations)
    drafts = [maker.link(link) for link in sorted(model.links, key=lambda link: link.id)]
    maker.keys.assign()
    objects = sorted((maker.object(o) for o in model.objects), key=lambda o: o.key)
    maker.check_values(objects, classes)
    links = [maker.described_link(draft) for draft in drafts if draft is not None]
    return tuple(objects), tuple(sorted(links, key=lambda link: (link.objects, link.association, link.id)))


class _LinkDraft(NamedTuple):
    """A link whose objects are known by id, in the order of the association's ends."""

    link: uml.InstanceLink
    objects: tuple[str, ...]
    association: str = ""


class _SlotMeaning(NamedTuple):
    """The property that a slot is about, None if there is none; its name, and the value drawn."""

    feature: Feature | None
    name: str
    value: str | None


class _Objects:
    def __init__(self, describer: Describer, classes: tuple[Class, ...], associations: tuple[Association, ...]) -> None:
        self.describer = describer
        self.keys = ObjectKeys(describer)
        ids = {named.key: identifier for identifier, named in describer.names.classes.items()}
        self.matcher = LinkMatcher(associations, ids, self.keys.lineage)
        self.properties: dict[str, list[Feature]] = defaultdict(list)
        for class_ in classes:
            self.properties[ids[class_.key]].extend(class_.attributes)
        for association in associations:
            if len(association.ends) == 2:
                for end, near in zip(association.ends, reversed(association.ends), strict=True):
                    if end.navigable:
                        self.properties[ids[near.class_key]].append(end)
        self.by_id = {feature.id: feature for own in self.properties.values() for feature in own if feature.id}

    # ---- links
    def link(self, link: uml.InstanceLink) -> _LinkDraft | None:
        report, identities = self.describer.report, self.keys.identities
        report.record_tags(link.tags)
        objects = tuple(end.object for end in link.ends)
        where = " -- ".join(identities[i].name if i in identities else "?" for i in objects)
        if len(objects) < 2 or not all(i in identities for i in objects):
            problem = "an end of this link is not an object of the model"
            report.record(link.id, IGNORED, problem)
            report.warn("unresolved-end", link.id, where, problem)
            return None
        match, problem = self.matcher.match(link)
        if match is None:
            report.record(link.id, ANNOTATED, "a link without an association: kept in the description")
            report.warn("unresolved-link", link.id, where, problem)
            return _LinkDraft(link, objects)
        if problem:
            report.warn("link-direction", link.id, where, problem)
        report.record(link.id, CONVERTED)
        ordered = objects if match.straight else objects[::-1]
        for part, whole in parts_of_link(match.association, ordered):
            self.keys.owners.setdefault(part, whole)
        return _LinkDraft(link, ordered, match.association.key)

    def described_link(self, draft: _LinkDraft) -> Link:
        fields = self.describer.shared_fields(draft.link)
        return Link(
            **fields,
            name=draft.link.name,
            tags=tag_pairs((t.name, t.value) for t in draft.link.tags),
            objects=tuple(self.keys.keys[i].key for i in draft.objects),
            association=draft.association,
        )

    # ---- objects and slots
    def object(self, object_: uml.InstanceSpecification) -> Object:
        names, report = self.describer.names, self.describer.report
        key, name = self.keys.keys[object_.id]
        report.record(object_.id, CONVERTED)
        iri = names.explicit_iri(object_, object_.id) if self.keys.kind(object_.id) is InstanceKind.OTHER else ""
        tags = tuple((t.name, t.value) for t in object_.tags if t.name != "iri" or not iri)
        report.record_tags(object_.tags, {"iri"} if iri else set())
        if object_.value:
            tags += (("value", object_.value),)
        return Object(
            **self.describer.shared_fields(object_),
            name=name,
            key=key,
            package=names.package_of(object_.id).key,
            classes=tuple(sorted(names.classes[c].key for c in self.keys.identities[object_.id].classes)),
            iri=iri,
            tags=tag_pairs(tags),
            slots=self._slots(object_),
        )

    def _slots(self, object_: uml.InstanceSpecification) -> tuple[ObjectSlot, ...]:
        report, keys = self.describer.report, self.keys.keys
        values: dict[tuple[str, str], list[str]] = defaultdict(list)
        for slot in object_.slots:
            report.record_tags(slot.tags)
            feature, name, value = self._meaning(object_, slot)
            where = self.describer.scope.where(object_.id, name or "(no name)")
            if slot.instance:
                value = keys[slot.instance].key if slot.instance in keys else slot.instance
            if feature is None:
                report.record(slot.id, ANNOTATED, "a slot without a property: kept as an annotation")
                report.warn("unresolved-slot", slot.id, where, "no property of that name in its classes")
            elif value is None:
                report.record(slot.id, ANNOTATED, "a slot without a value says nothing")
            else:
                report.record(slot.id, CONVERTED)
            bucket = values[feature.iri if feature else "", feature.path_name if feature else name]
            if value is not None:
                bucket.append(unquoted(value))
        return tuple(ObjectSlot(name=name, property=iri, values=tuple(v)) for (iri, name), v in values.items())

    def _meaning(self, object_: uml.InstanceSpecification, slot: uml.UmlSlot) -> _SlotMeaning:
        by_id = self.by_id.get(slot.feature)
        if by_id is not None:
            return _SlotMeaning(by_id, by_id.path_name, slot.value)
        plain = " ".join(slot.name.split())
        feature = self._property(object_.id, plain)
        if feature is not None:
            return _SlotMeaning(feature, plain, slot.value)
        parsed = parse_typed_name(plain)
        value = slot.value if slot.value not in (None, "") else parsed.default or None
        is_type = xsd_for(type_text(parsed.type).name) is not None or self.describer.scope.by_name.get(parsed.type)
        if value is None and not is_type:
            value = parsed.type or slot.value
        return _SlotMeaning(self._property(object_.id, parsed.name), parsed.name, value)

    def _property(self, object_id: str, name: str) -> Feature | None:
        if not name:
            return None
        for class_id in self.keys.lineage(object_id):
            own = self.properties.get(class_id, ())
            for feature in own:
                if feature.path_name == name:
                    return feature
            for feature in own:
                if parse_typed_name(feature.name).name == name:
                    return feature
        return None

    def check_values(self, objects: list[Object], classes: tuple[Class, ...]) -> None:
        """Warn of every value that does not fit its property's range."""
        references = References(classes, objects)
        ranges = {feature.iri: feature for own in self.properties.values() for feature in own if feature.iri}
        for object_ in objects:
            for slot in object_.slots:
                feature = ranges.get(slot.property)
                for value in slot.values if feature is not None else ():
                    problem = _misfit(references, feature, value) if feature is not None else ""
                    if problem:
                        self.describer.report.warn("bad-value", object_.id, f"{object_.key}::{slot.name}", problem)


def _misfit(references: References, feature: Feature, value: str) -> str:
    """The reason why ``value`` is no value of ``feature``; empty if it is one."""
    if feature.datatype:
        if not fits_datatype(value, feature.datatype):
            return f"{value!r} is no {feature.datatype}; kept as text, which the shapes will refuse"
        if feature.datatype == "xsd:dateTime" and not re.search(r"(Z|[+-]\d\d:\d\d)['\"]?\s*$", value):
            return f"{value!r} does not say its time zone; write 2019-06-01T00:00:00Z for UTC"
        return ""
    class_key = feature.class_key
    if references.is_enumeration(class_key):
        return "" if references.literal(class_key, value) else f"{value!r} is no literal of {class_key}"
    if not class_key:
        return "" if references.class_iri(value) else f"no class, or more than one, is called {value!r}"
    return "" if references.object_key(value) else f"no object, or more than one, is called {value!r}"
