"""Objects, slots and links of a description.

A slot means the property of its defining feature, else the property of its name in the object's class or
an ancestor, else what its name says ("x = 3"). A link means the association it names, else the only one
that its objects' classes allow; where there are several or none it is reported and kept without one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final, NamedTuple

from ..description.model import Association, Class, Feature, Link, Object, Slot, tag_pairs
from ..description.naming import NameRegistry, decapitalised, digest
from ..description.references import References
from ..report import ANNOTATED, CONVERTED, IGNORED
from ..terms.datatypes import type_text, xsd_for
from ..terms.instance_kind import MOST_WHOLES, InstanceKind, instance_kind
from ..terms.values import fits_datatype, unquoted
from ..uml import elements as uml
from .features import parse_typed_name
from .names import Names, explicit_iri
from .relations import Notes
from .scope import Scope, note_tags

_TYPED: Final = re.compile(r"^\s*(?P<name>[^:]*?)\s*:\s*(?P<type>[^:].*?)\s*$")


class ObjectIdentity(NamedTuple):
    """What is known of an object before it has a key: its name and its classes' ids."""

    name: str
    classes: tuple[str, ...]


def describe_objects(
    scope: Scope, names: Names, notes: Notes, classes: tuple[Class, ...], found: tuple[Association, ...]
) -> tuple[tuple[Object, ...], tuple[Link, ...]]:
    """All objects and links, in the order of their keys."""
    if not scope.model.objects and not scope.model.links:
        return (), ()
    maker = _Objects(scope, names, classes, found)
    links = [maker.link(link, notes) for link in sorted(scope.model.links, key=lambda link: link.id)]
    maker.give_keys()
    objects = sorted((maker.object(o, notes) for o in scope.model.objects), key=lambda o: o.key)
    maker.check_values(objects, classes)
    described = [maker.described_link(draft) for draft in links if draft is not None]
    return tuple(objects), tuple(sorted(described, key=lambda link: (link.objects, link.association, link.id)))


class _LinkDraft(NamedTuple):
    """A link whose objects are known by id, in the order of the association's ends."""

    drawn: uml.InstanceLink
    objects: tuple[str, ...]
    association: str
    constraints: tuple[str, ...]


class _Objects:
    def __init__(self, scope: Scope, names: Names, classes: tuple[Class, ...], found: tuple[Association, ...]) -> None:
        self.scope = scope
        self.names = names
        self.associations = {a.key: a for a in found}
        self.association_keys = {a.id: a.key for a in found}
        ids = {named.key: identifier for identifier, named in names.classes.items()}
        self.by_pair: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.properties: dict[str, list[Feature]] = defaultdict(list)
        self.by_id: dict[str, Feature] = {}
        for class_ in classes:
            self.properties[ids[class_.key]].extend(class_.attributes)
        for association in found:
            if len(association.ends) == 2:
                first, second = (ids[end.class_key] for end in association.ends)
                self.by_pair[first, second].append(association.key)
                for end, near in ((association.ends[0], second), (association.ends[1], first)):
                    if end.navigable:
                        self.properties[near].append(end)
        for features in self.properties.values():
            self.by_id.update({feature.id: feature for feature in features if feature.id})
        self.kept = {o.id: self._kept(o) for o in scope.model.objects}
        self.owners: dict[str, tuple[str, str, bool]] = {}
        self.keys: dict[str, tuple[str, str]] = {}

    # ---- which classes
    def _kept(self, drawn: uml.InstanceSpecification) -> ObjectIdentity:
        name, references = " ".join(drawn.name.split()), drawn.classifiers
        typed = _TYPED.match(name)
        where = self.scope.where(drawn.id)
        if typed and not references:
            found = self.scope.find(typed["type"], drawn.id)
            if found:
                self.scope.ledger.warn("typed-name", drawn.id, where, f"read as an object of the class {typed['type']}")
                name, references = typed["name"], (uml.TypeRef(id=found),)
        classes = tuple(filter(None, (self.scope.resolve(r, drawn.id) for r in references)))
        if len(classes) < len(references):
            missing = ", ".join(r.name or r.id for r in references if not self.scope.resolve(r, drawn.id))
            self.scope.ledger.warn("unresolved-type", drawn.id, where, f"its classifier {missing} is not in the model")
        elif not classes:
            self.scope.ledger.warn("no-type", drawn.id, where, "an object without a classifier has no properties")
        if not name:
            stem = decapitalised(self.names.classes[classes[0]].name) if classes else "object"
            name = f"{stem}_{digest(drawn.id)}"
            self.scope.ledger.warn("no-name", drawn.id, where, f"an object without a name is called {name}")
        return ObjectIdentity(name, classes)

    def lineage(self, object_id: str) -> list[str]:
        """The ids of the object's classes and all their ancestors, nearest first."""
        return list(dict.fromkeys(c for own in self.kept[object_id].classes for c in self.scope.lineage(own)))

    # ---- links
    def link(self, drawn: uml.InstanceLink, notes: Notes) -> _LinkDraft | None:
        ledger = self.scope.ledger
        note_tags(ledger, drawn.tags)
        objects = tuple(end.object for end in drawn.ends)
        where = " -- ".join(self.kept[i].name if i in self.kept else "?" for i in objects)
        constraints = tuple(notes.constraints.get(drawn.id, ()))
        if len(objects) < 2 or not all(i in self.kept for i in objects):
            ledger.record(drawn.id, IGNORED, "an end of this link is not an object of the model")
            ledger.warn("unresolved-end", drawn.id, where, "an end of this link is not an object of the model")
            return None
        chosen, problem = self._choose(drawn, objects)
        if chosen is None:
            ledger.record(drawn.id, ANNOTATED, "a link without an association: kept in the description")
            ledger.warn("unresolved-link", drawn.id, where, problem)
            return _LinkDraft(drawn, objects, "", constraints)
        key, straight = chosen
        if problem:
            ledger.warn("link-direction", drawn.id, where, problem)
        ledger.record(drawn.id, CONVERTED)
        ordered = objects if straight else (objects[1], objects[0])
        self._contain(self.associations[key], ordered)
        return _LinkDraft(drawn, ordered, key, constraints)

    def _choose(self, drawn: uml.InstanceLink, objects: tuple[str, ...]) -> tuple[tuple[str, bool] | None, str]:
        """The association and whether the ends stand in its order; or None; and what is doubtful."""
        if len(objects) != 2:
            return None, "a link of more than two objects"
        candidates = self._candidates(objects)
        named = self.association_keys.get(drawn.association.id, drawn.association.name)
        if named in self.associations:
            if len(self.associations[named].ends) != 2:
                return None, f"the association {named} has more than two ends; draw an object of its class instead"
            candidates = [c for c in candidates if c[0] == named] or [(named, True)]
        words = {drawn.name, *drawn.stereotypes} - {""}
        by_name = [c for c in candidates if self.associations[c[0]].name in words]
        by_role = [c for c in candidates if self._roles_fit(drawn, c)]
        for narrowed in (by_role, by_name):
            candidates = narrowed or candidates
        keys = {key for key, _ in candidates}
        if not keys:
            return None, "no association joins the classes of these objects"
        if len(keys) > 1:
            return None, f"more than one association joins their classes: {', '.join(sorted(keys))}; name one of them"
        if len(candidates) > 1:
            first = next(c for c in candidates if c[1])
            return first, f"the link fits {first[0]} both ways; its first end is taken as the association's first"
        return candidates[0], ""

    def _candidates(self, objects: tuple[str, ...]) -> list[tuple[str, bool]]:
        first, second = (self.lineage(i) for i in objects)
        found: list[tuple[str, bool]] = []
        for a in first:
            for b in second:
                found += [(key, True) for key in self.by_pair.get((a, b), ())]
                found += [(key, False) for key in self.by_pair.get((b, a), ())]
        return sorted(set(found), key=lambda c: (c[0], not c[1]))

    def _roles_fit(self, drawn: uml.InstanceLink, candidate: tuple[str, bool]) -> bool:
        key, straight = candidate
        ends = self.associations[key].ends
        ends = ends if straight else (ends[1], ends[0])
        given = [(e.name.strip(), (end.path_name, end.name)) for e, end in zip(drawn.ends, ends, strict=True)]
        return any(name for name, _ in given) and all(not name or name in roles for name, roles in given)

    def _contain(self, association: Association, objects: tuple[str, ...]) -> None:
        """Note a part's whole: the first one by the id of the link."""
        for i, end in enumerate(association.ends):
            whole, part = objects[i], objects[1 - i]
            if end.aggregation == "composite" and whole != part and part not in self.owners:
                far = association.ends[1 - i]
                self.owners[part] = (whole, far.path_name, far.upper != 1)

    def described_link(self, draft: _LinkDraft) -> Link:
        drawn = draft.drawn
        return Link(
            name=drawn.name,
            id=drawn.id,
            documentation=drawn.documentation,
            stereotypes=drawn.stereotypes,
            tags=tag_pairs((t.name, t.value) for t in drawn.tags),
            constraints=draft.constraints,
            objects=tuple(self.keys[i][0] for i in draft.objects),
            association=draft.association,
        )

    # ---- keys
    def give_keys(self) -> None:
        """A key for every object; wholes before their parts, and by id, so that order does not matter."""
        registers: dict[str, NameRegistry] = defaultdict(NameRegistry)
        keys = NameRegistry()
        depths = self._depths()
        for identifier in sorted(self.kept, key=lambda i: (depths[i], i)):
            self._give_key(identifier, registers, keys)

    def _kind(self, identifier: str) -> InstanceKind:
        return instance_kind(self.names.classes[c].iri for c in self.lineage(identifier))

    def part_of(self, identifier: str) -> tuple[str, str, bool] | None:
        """The whole, role and whether the role holds many, for a part that has no life of its own."""
        if identifier not in self.owners or self._kind(identifier) is not InstanceKind.OTHER:
            return None
        return self.owners[identifier]

    def _depths(self) -> dict[str, int]:
        """How many wholes are around each object; a part that closes a circle or nests too deep stands alone."""
        depths: dict[str, int] = {}
        for start in sorted(self.kept):
            chain: list[str] = []
            here = start
            while here not in depths:
                chain.append(here)
                depths[here] = 0
                part = self.part_of(here)
                here = part[0] if part is not None else here
            if here in chain and self.part_of(here) is not None:
                self._stand_alone(here, "circular-part", "a part cannot contain its whole; it stands alone")
            for identifier in reversed(chain):
                part = self.part_of(identifier)
                depths[identifier] = 0 if part is None else depths[part[0]] + 1
                if depths[identifier] > MOST_WHOLES:
                    self._stand_alone(
                        identifier, "deep-part", f"more than {MOST_WHOLES} wholes around it; it stands alone"
                    )
                    depths[identifier] = 0
        return depths

    def _stand_alone(self, identifier: str, code: str, message: str) -> None:
        self.owners.pop(identifier)
        self.scope.ledger.warn(code, identifier, self.scope.where(identifier), message)

    def _give_key(self, identifier: str, registers: dict[str, NameRegistry], keys: NameRegistry) -> None:
        kept = self.kept[identifier]
        part = self.part_of(identifier)
        if part is not None:
            whole, role, _ = part
            stem = f"{self.keys[whole][0]}/{role}"
            register = registers[stem]
            separator = "/"
        else:
            stem = self.names.package_of(self.scope, identifier).key
            kind = self._kind(identifier)
            register = registers[f"{kind} {stem}" if kind is InstanceKind.OTHER else str(kind)]
            separator = "::"
        name, _ = register.claim(kept.name, identifier)
        if name != kept.name:
            self.scope.ledger.warn(
                "duplicate-name",
                identifier,
                self.scope.where(identifier),
                f"the name {kept.name!r} stands more than once here; this object is called {name}",
            )
        _, key = keys.claim(name, identifier, lambda n: f"{stem}{separator}{n}" if stem else n)
        self.keys[identifier] = (key, name)

    # ---- objects and slots
    def object(self, drawn: uml.InstanceSpecification, notes: Notes) -> Object:
        key, name = self.keys[drawn.id]
        self.scope.ledger.record(drawn.id, CONVERTED)
        iri = explicit_iri(self.scope, drawn, drawn.id) if self._kind(drawn.id) is InstanceKind.OTHER else ""
        tags = tuple((t.name, t.value) for t in drawn.tags if t.name != "iri" or not iri)
        note_tags(self.scope.ledger, drawn.tags, {"iri"} if iri else set())
        if drawn.value:
            tags += (("value", drawn.value),)
        return Object(
            name=name,
            key=key,
            id=drawn.id,
            package=self.names.package_of(self.scope, drawn.id).key,
            classes=tuple(sorted(self.names.classes[c].key for c in self.kept[drawn.id].classes)),
            iri=iri,
            documentation=drawn.documentation,
            stereotypes=drawn.stereotypes,
            tags=tag_pairs(tags),
            constraints=tuple(notes.constraints.get(drawn.id, ())),
            dependencies=tuple(notes.dependencies.get(drawn.id, ())),
            slots=self._slots(drawn),
        )

    def _slots(self, drawn: uml.InstanceSpecification) -> tuple[Slot, ...]:
        values: dict[tuple[str, str], list[str]] = defaultdict(list)
        for slot in drawn.slots:
            note_tags(self.scope.ledger, slot.tags)
            feature, name, value = self._meant(drawn, slot)
            where = self.scope.where(drawn.id, name or "(no name)")
            if slot.instance:
                value = self.keys[slot.instance][0] if slot.instance in self.keys else slot.instance
            if feature is None:
                self.scope.ledger.record(slot.id, ANNOTATED, "a slot without a property: kept as an annotation")
                self.scope.ledger.warn("unresolved-slot", slot.id, where, "no property of that name in its classes")
            elif value is None:
                self.scope.ledger.record(slot.id, ANNOTATED, "a slot without a value says nothing")
            else:
                self.scope.ledger.record(slot.id, CONVERTED)
            bucket = values[feature.iri if feature else "", feature.path_name if feature else name]
            if value is not None:
                bucket.append(unquoted(value))
        return tuple(Slot(name=name, property=iri, values=tuple(v)) for (iri, name), v in values.items())

    def _meant(self, drawn: uml.InstanceSpecification, slot: uml.UmlSlot) -> tuple[Feature | None, str, str | None]:
        """The property a slot is about, its name, and its value."""
        by_id = self.by_id.get(slot.feature)
        if by_id is not None:
            return by_id, by_id.path_name, slot.value
        plain = " ".join(slot.name.split())
        feature = self._property(drawn.id, plain)
        if feature is not None:
            return feature, plain, slot.value
        said = parse_typed_name(plain)
        value = slot.value if slot.value not in (None, "") else said.default or None
        if value is None and xsd_for(type_text(said.type).name) is None and not self.scope.named.get(said.type):
            value = said.type or slot.value
        return self._property(drawn.id, said.name), said.name, value

    def _property(self, object_id: str, name: str) -> Feature | None:
        if not name:
            return None
        for class_id in self.lineage(object_id):
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
        refer = References(classes, objects)
        ranges = {feature.iri: feature for own in self.properties.values() for feature in own if feature.iri}
        for object_ in objects:
            for slot in object_.slots:
                feature = ranges.get(slot.property)
                for value in slot.values if feature is not None else ():
                    problem = _unfit(refer, feature, value) if feature is not None else ""
                    if problem:
                        self.scope.ledger.warn("bad-value", object_.id, f"{object_.key}::{slot.name}", problem)


def _unfit(refer: References, feature: Feature, value: str) -> str:
    """What is wrong with ``value`` as a value of ``feature``; empty if nothing."""
    if feature.datatype:
        if not fits_datatype(value, feature.datatype):
            return f"{value!r} is no {feature.datatype}; kept as text, which the shapes will refuse"
        if feature.datatype == "xsd:dateTime" and not re.search(r"(Z|[+-]\d\d:\d\d)['\"]?\s*$", value):
            return f"{value!r} does not say its time zone; write 2019-06-01T00:00:00Z for UTC"
        return ""
    if refer.is_enumeration(feature.class_key):
        return "" if refer.literal(feature.class_key, value) else f"{value!r} is no literal of {feature.class_key}"
    if not feature.class_key:
        return "" if refer.class_iri(value) else f"no class, or more than one, is called {value!r}"
    return "" if refer.object_key(value) else f"no object, or more than one, is called {value!r}"
