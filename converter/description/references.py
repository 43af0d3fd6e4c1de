"""Elements that a slot's text refers to: a literal of an enumeration, a class, another object.

::

references = References(description.classes, description.objects)
references.literal("product::Material", "STEEL")        # its IRI, or None
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..terms.values import unquoted
from .model import Class, Object


class References:
    """Look-ups by key, then by name where only one element has it."""

    def __init__(self, classes: Iterable[Class], objects: Iterable[Object]) -> None:
        self._literals: dict[str, dict[str, str]] = {}
        self._class_iris: dict[str, set[str]] = defaultdict(set)
        for class_ in classes:
            if class_.kind == "enumeration":
                self._literals[class_.key] = {literal.name: literal.iri for literal in class_.literals}
            for word in {class_.key, class_.name, class_.iri}:
                self._class_iris[word].add(class_.iri)
        self._object_keys: dict[str, set[str]] = defaultdict(set)
        for object_ in objects:
            for word in {object_.key, object_.name}:
                self._object_keys[word].add(object_.key)

    def is_enumeration(self, class_key: str) -> bool:
        """Whether the class is an enumeration."""
        return class_key in self._literals

    def literal(self, class_key: str, text: str) -> str | None:
        """The IRI of the literal that ``text`` (``STEEL``, ``Material.STEEL``, ``Material::STEEL``) means."""
        name = unquoted(text).strip()
        literals = self._literals.get(class_key, {})
        return literals.get(name) or literals.get(name.replace("::", ".").rpartition(".")[2].strip())

    def class_iri(self, text: str) -> str | None:
        """The IRI of the class of that key, name or IRI."""
        return _only(self._class_iris.get(unquoted(text).strip(), set()))

    def object_key(self, text: str) -> str | None:
        """The key of the object of that key or name."""
        name = unquoted(text).strip()
        return name if name in self._object_keys.get(name, set()) else _only(self._object_keys.get(name, set()))


def _only(found: set[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None
