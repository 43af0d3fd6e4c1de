"""The description: a UML model in plain terms, as frozen values that mirror the JSON format.

    {"format": "voltwin-description", "version": 1, "name": "Gearboxes",
     "iri": "https://voltwin.example/models/gearboxes",
     "packages": [...], "classes": [{"key": "product::Gear", "name": "Gear", "attributes": [...]}], ...}

Classes, associations and objects refer to each other by ``key`` (the qualified name, unique in the model),
so that a person can read, compare and edit the text. The format, with the meaning of each field, is
ontology/description.schema.json; `json_format` reads and writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FORMAT: Final = "voltwin-description"
VERSION: Final = 1

Tags = tuple[tuple[str, str], ...]


def tag_pairs(pairs: Iterable[tuple[str, str]]) -> Tags:
    """Tags grouped by name, in the order in which the names first appear."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append((name, value))
    return tuple(pair for group in grouped.values() for pair in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The fields of every element of a description. ``id`` is the UML tool's, for `diff` to follow renames."""

    name: str
    iri: str = ""
    id: str = ""
    documentation: str = ""
    stereotypes: tuple[str, ...] = ()
    tags: Tags = ()
    constraints: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Package(Named):
    """A package; ``iri`` is its namespace. ``flat``: its properties are named without their class."""

    key: str
    flat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature(Named):
    """An attribute or an association end, as a property.

    ``path_name`` is the name paths use: the name, made unique within its class. ``lower`` and ``upper``
    bound the number of values (``upper`` None: no bound); ``multiplicity`` is the text as drawn.
    The range is ``datatype`` (a term of XSD, such as ``xsd:double``) or ``class_key``; neither means
    any resource. ``composite``: the attribute's values are parts of the object that has it.
    """

    path_name: str
    type: str = ""
    datatype: str = ""
    class_key: str = ""
    multiplicity: str | None = None
    lower: int = 0
    upper: int | None = None
    default: str | None = None
    derived: bool = False
    read_only: bool = False
    static: bool = False
    ordered: bool = False
    unique: bool | None = None
    identifier: bool = False
    visibility: str = "public"
    unit: str = ""
    quantity_kind: str = ""
    exact_match: tuple[str, ...] = ()
    close_match: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    pattern: str = ""
    redefines: tuple[str, ...] = ()
    composite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Feature):
    """An association end beside the class ``class_key``.

    Where ``navigable``, it is a property of the class at the other end. ``aggregation`` (none, shared,
    composite) is the one of *this* end's class, as the whole.
    """

    navigable: bool = True
    aggregation: str = "none"
    qualifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Named):
    """A literal of an enumeration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Class(Named):
    """A class, interface, data type, enumeration …; ``parents`` are keys, ``operations`` signatures.

    ``datatype`` is set for a primitive type: the XSD type its values have. ``association`` is set for an
    association class: the key of its association.
    """

    key: str
    package: str = ""
    kind: str = "class"
    abstract: bool = False
    leaf: bool = False
    active: bool = False
    parents: tuple[str, ...] = ()
    attributes: tuple[Feature, ...] = ()
    operations: tuple[str, ...] = ()
    literals: tuple[Literal, ...] = ()
    template_parameters: tuple[str, ...] = ()
    datatype: str = ""
    association: str = ""
    exact_match: tuple[str, ...] = ()
    close_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Association(Named):
    """An association between the classes at its ends; one of more than two has an association class."""

    key: str
    derived: bool = False
    ends: tuple[End, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralizationSet(Named):
    """Children of ``parent`` that together are disjoint, complete, or both."""

    parent: str
    children: tuple[str, ...]
    disjoint: bool = False
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSlot:
    """Values of one property of an object; ``property`` is its IRI, empty where none was found."""

    name: str
    values: tuple[str, ...]
    property: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Named):
    """An object and its classes' keys. ``name`` is its key in paths."""

    key: str
    package: str = ""
    classes: tuple[str, ...] = ()
    slots: tuple[ObjectSlot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Named):
    """A link between objects, in the order of the ends of ``association``, its key; empty where none was found."""

    objects: tuple[str, ...]
    association: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Named):
    """A whole model. ``iri`` is the ontology's."""

    packages: tuple[Package, ...] = ()
    classes: tuple[Class, ...] = ()
    associations: tuple[Association, ...] = ()
    generalization_sets: tuple[GeneralizationSet, ...] = ()
    objects: tuple[Object, ...] = ()
    links: tuple[Link, ...] = ()
