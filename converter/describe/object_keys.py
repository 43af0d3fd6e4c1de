"""The keys of objects: unique names, below the whole for a part and in the package for every other object.

::

    keys = ObjectKeys(describer)
    keys.owners["id of a part"] = PartOf("id of its whole", "gears", many=True)
    keys.assign()
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final, NamedTuple

from ..description.naming import NameRegistry, decapitalised, digest
from ..description.uses import PartOf
from ..terms.instance_kind import MAX_WHOLES, InstanceKind, instance_kind
from ..uml import elements as uml
from .describer import Describer

_TYPED: Final = re.compile(r"^\s*(?P<name>[^:]*?)\s*:\s*(?P<type>[^:].*?)\s*$")


class ObjectIdentity(NamedTuple):
    """An object before it has a key: its name and its classes' ids."""

    name: str
    classes: tuple[str, ...]


class ObjectKey(NamedTuple):
    """An object's key, unique in the model, and its name, unique where the key is formed."""

    key: str
    name: str


class ObjectKeys:
    """Identities, wholes and keys of a model's objects, each by the object's id."""

    def __init__(self, describer: Describer) -> None:
        self._describer = describer
        self.identities = {o.id: self._identity(o) for o in describer.model.objects}
        self.owners: dict[str, PartOf] = {}
        self.keys: dict[str, ObjectKey] = {}

    def _identity(self, object_: uml.InstanceSpecification) -> ObjectIdentity:
        scope, warn = self._describer.scope, self._describer.report.warn
        name, references = " ".join(object_.name.split()), object_.classifiers
        typed = _TYPED.match(name)
        where = scope.where(object_.id)
        if typed and not references:
            found = scope.find(typed["type"], object_.id)
            if found:
                warn("typed-name", object_.id, where, f"read as an object of the class {typed['type']}")
                name, references = typed["name"], (uml.TypeRef(id=found),)
        classes = tuple(filter(None, (scope.resolve(r, object_.id) for r in references)))
        if len(classes) < len(references):
            missing = ", ".join(r.name or r.id for r in references if not scope.resolve(r, object_.id))
            warn("unresolved-type", object_.id, where, f"its classifier {missing} is not in the model")
        elif not classes:
            warn("no-type", object_.id, where, "an object without a classifier has no properties")
        if not name:
            stem = decapitalised(self._describer.names.classes[classes[0]].name) if classes else "object"
            name = f"{stem}_{digest(object_.id)}"
            warn("no-name", object_.id, where, f"an object without a name is called {name}")
        return ObjectIdentity(name, classes)

    def lineage(self, identifier: str) -> list[str]:
        """The ids of the object's classes and all their ancestors, nearest first."""
        lineage = self._describer.inheritance.lineage
        return list(dict.fromkeys(c for own in self.identities[identifier].classes for c in lineage(own)))

    def kind(self, identifier: str) -> InstanceKind:
        """Whether the object is a twin, an action, a rule, or none of these."""
        return instance_kind(self._describer.names.classes[c].iri for c in self.lineage(identifier))

    def assign(self) -> None:
        """Fill ``keys``: wholes before their parts, then by id, so that the order of the file does not matter."""
        registries: dict[str, NameRegistry] = defaultdict(NameRegistry)
        keys = NameRegistry()
        depths = self._depths()
        for identifier in sorted(self.identities, key=lambda i: (depths[i], i)):
            self._assign(identifier, registries, keys)

    def _assign(self, identifier: str, registries: dict[str, NameRegistry], keys: NameRegistry) -> None:
        wanted = self.identities[identifier].name
        part = self._part_of(identifier)
        if part is not None:
            stem, separator = f"{self.keys[part.whole].key}/{part.role}", "/"
            registry = registries[stem]
        else:
            stem, separator = self._describer.names.package_of(identifier).key, "::"
            kind = self.kind(identifier)
            registry = registries[f"{kind} {stem}" if kind is InstanceKind.OTHER else str(kind)]
        name, _ = registry.claim(wanted, identifier)
        if name != wanted:
            self._warn(
                "duplicate-name",
                identifier,
                f"the name {wanted!r} is used more than once here; this object is called {name}",
            )
        _, key = keys.claim(name, identifier, lambda n: f"{stem}{separator}{n}" if stem else n)
        self.keys[identifier] = ObjectKey(key, name)

    def _part_of(self, identifier: str) -> PartOf | None:
        """The whole of a part; None for a twin, an action or a rule, which is never named below a whole."""
        if identifier not in self.owners or self.kind(identifier) is not InstanceKind.OTHER:
            return None
        return self.owners[identifier]

    def _depths(self) -> dict[str, int]:
        """The number of wholes around each object; a part that closes a circle or nests too deep gets none."""
        depths: dict[str, int] = {}
        for start in sorted(self.identities):
            chain: list[str] = []
            here = start
            while here not in depths:
                chain.append(here)
                depths[here] = 0
                part = self._part_of(here)
                here = part.whole if part is not None else here
            if here in chain and self._part_of(here) is not None:
                self._separate(here, "circular-part", "a part cannot contain its whole; it is no part here")
            for identifier in reversed(chain):
                part = self._part_of(identifier)
                depths[identifier] = 0 if part is None else depths[part.whole] + 1
                if depths[identifier] > MAX_WHOLES:
                    self._separate(
                        identifier, "deep-part", f"more than {MAX_WHOLES} wholes around it; it is no part here"
                    )
                    depths[identifier] = 0
        return depths

    def _separate(self, identifier: str, code: str, message: str) -> None:
        self.owners.pop(identifier)
        self._warn(code, identifier, message)

    def _warn(self, code: str, identifier: str, message: str) -> None:
        self._describer.report.warn(code, identifier, self._describer.scope.where(identifier), message)
