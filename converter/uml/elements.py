"""UML as values: the output of every reader and the input of `describe`, the same for all file formats.

>>> from voltwin.converter import read
>>> model = read("battery_logistics.mdj")           # doctest: +SKIP
>>> [c.name for c in model.classifiers][:2]         # doctest: +SKIP
['String', 'Integer']

Readers remove the differences between the tools: ``AssociationEnd.aggregation`` is on the end whose class is the
whole, ``AssociationEnd.navigable`` is about the way *to* that end's class, defaults are filled in, and every
element has its own id even where the file repeats one. Multiplicities and type names stay as they were drawn;
`describe` interprets them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

PACKAGES: Final = {"Package": "package", "Model": "model", "Profile": "profile"}
CLASSIFIERS: Final = {
    "Class": "class", "Interface": "interface", "Signal": "signal", "DataType": "dataType",
    "PrimitiveType": "primitiveType", "Enumeration": "enumeration", "Stereotype": "stereotype",
    "Component": "component", "Node": "node", "Artifact": "artifact", "Actor": "actor",
}  # fmt: skip
"""UML's metaclasses of packages and classifiers, and the ``kind`` of each."""


class Tag(NamedTuple):
    """A tagged value; ``id`` is empty where the file gives tags no ids."""

    name: str
    value: str
    id: str = ""


class TypeRef(NamedTuple):
    """A reference to a classifier or an element: by ``id``, by ``name``, or by neither."""

    id: str = ""
    name: str = ""

    def __bool__(self) -> bool:
        """Whether it refers to anything."""
        return bool(self.id or self.name)


NOTHING = TypeRef()


@dataclass(frozen=True, slots=True, kw_only=True)
class UmlElement:
    """The fields of all elements."""

    id: str
    name: str = ""
    documentation: str = ""
    stereotypes: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    visibility: str = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class UmlPackage(UmlElement):
    """A package, model or profile; ``owner`` is the id of the package around it, or empty."""

    owner: str = ""
    kind: str = "package"


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuralFeature(UmlElement):
    """An attribute or association end. ``multiplicity`` is the text as drawn, None where nothing was drawn."""

    type: TypeRef = NOTHING
    multiplicity: str | None = None
    default: str | None = None
    derived: bool = False
    read_only: bool = False
    ordered: bool = False
    unique: bool | None = None
    identifier: bool = False
    aggregation: str = "none"
    redefines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute(StructuralFeature):
    """An attribute or a port of a classifier, or a qualifier of an association end."""

    static: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationParameter(UmlElement):
    """A parameter of an operation; ``direction`` is in, out, inout or return."""

    type: TypeRef = NOTHING
    direction: str = "in"
    multiplicity: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(UmlElement):
    """An operation or a reception of a signal."""

    parameters: tuple[OperationParameter, ...] = ()
    static: bool = False
    abstract: bool = False
    query: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationLiteral(UmlElement):
    """A literal of an enumeration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier(UmlElement):
    """A class, interface, data type, primitive type, enumeration, signal, component or node.

    ``owner`` is the id of the package or classifier around it, or empty.
    """

    owner: str = ""
    kind: str = "class"
    abstract: bool = False
    leaf: bool = False
    active: bool = False
    attributes: tuple[Attribute, ...] = ()
    operations: tuple[Operation, ...] = ()
    literals: tuple[EnumerationLiteral, ...] = ()
    template_parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationEnd(StructuralFeature):
    """One end of an association, at the class ``type``."""

    navigable: bool | None = None
    qualifiers: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UmlAssociation(UmlElement):
    """An association of two or more ends; ``association_class`` is the id of its class, or empty."""

    owner: str = ""
    ends: tuple[AssociationEnd, ...] = ()
    derived: bool = False
    association_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationClassLink(UmlElement):
    """StarUML's link between a class and an association that together are an association class."""

    classifier: str = ""
    association: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalization(UmlElement):
    """``child`` is a kind of ``parent``; ``realization`` where the parent is an interface it realises."""

    child: TypeRef = NOTHING
    parent: TypeRef = NOTHING
    discriminator: str = ""
    realization: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UmlGeneralizationSet(UmlElement):
    """Generalisations that belong together."""

    generalizations: tuple[str, ...] = ()
    disjoint: bool = False
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency(UmlElement):
    """``source`` depends on ``target``; ``kind`` is dependency, realization, abstraction or usage."""

    kind: str = "dependency"
    source: TypeRef = NOTHING
    target: TypeRef = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint(UmlElement):
    """A constraint or a note on ``constrained`` elements (else on ``owner``)."""

    owner: str = ""
    specification: str = ""
    constrained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UmlSlot(UmlElement):
    """A value of an object. ``value`` is None where nothing was drawn; ``instance`` is the id of an object."""

    feature: str = ""
    type: TypeRef = NOTHING
    value: str | None = None
    instance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSpecification(UmlElement):
    """An object, or an instance of another classifier."""

    owner: str = ""
    classifiers: tuple[TypeRef, ...] = ()
    slots: tuple[UmlSlot, ...] = ()
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnd(UmlElement):
    """One end of a link, at the object ``object`` (its id)."""

    object: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLink(UmlElement):
    """A link between two or more objects."""

    owner: str = ""
    ends: tuple[LinkEnd, ...] = ()
    association: TypeRef = NOTHING


class Seen(NamedTuple):
    """One element of the file. ``ignored`` is the reason where the reader itself left it out.

    ``owner`` is the id of the element that it is a part of in the report: it has that one's outcome unless
    another is recorded for it.
    """

    type: str
    id: str
    name: str
    owner: str
    ignored: str = ""


class Remark(NamedTuple):
    """A reader's warning about an element: a code, its id, its place, and the message."""

    code: str
    id: str
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UmlModel(UmlElement):
    """A whole file. ``seen`` has every element of it, in the file's order."""

    format: str = ""
    packages: tuple[UmlPackage, ...] = ()
    classifiers: tuple[Classifier, ...] = ()
    associations: tuple[UmlAssociation, ...] = ()
    association_class_links: tuple[AssociationClassLink, ...] = ()
    generalizations: tuple[Generalization, ...] = ()
    generalization_sets: tuple[UmlGeneralizationSet, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    objects: tuple[InstanceSpecification, ...] = ()
    links: tuple[InstanceLink, ...] = ()
    seen: tuple[Seen, ...] = field(default=(), repr=False)
    remarks: tuple[Remark, ...] = ()


@dataclass
class ModelParts:
    """The elements that a reader has found so far, by the fields of `UmlModel`."""

    packages: list[UmlPackage] = field(default_factory=list)
    classifiers: list[Classifier] = field(default_factory=list)
    associations: list[UmlAssociation] = field(default_factory=list)
    association_class_links: list[AssociationClassLink] = field(default_factory=list)
    generalizations: list[Generalization] = field(default_factory=list)
    generalization_sets: list[UmlGeneralizationSet] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    objects: list[InstanceSpecification] = field(default_factory=list)
    links: list[InstanceLink] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """Arguments of `UmlModel`."""
        return {name: tuple(found) for name, found in vars(self).items()}
