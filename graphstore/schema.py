"""Classes and properties of the ontology graph, as far as paths and writes need them.

Read from the triple store alone: editing the ontology there changes the paths that can be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode, Quad

from ..errors import InputError
from ..ontology.iris import OWL, QUDT, RDF, RDFS, VT
from ..ontology.naming import Naming
from .interfaces import Node, TripleStore

Kind = OneOf["data", "object", "series", "choice"]
"""``data``: a literal; ``object``: another element; ``series``: a series; ``choice``: a literal of an enumeration."""


@dataclass(frozen=True)
class Property:
    """One step of a path, from elements of ``domain``."""

    iri: NamedNode
    name: str
    domain: NamedNode | None
    range: NamedNode | None
    kind: Kind
    many: bool
    required: int
    composition: bool
    part_of: bool
    derived: bool
    unit: str | None
    choices: Mapping[str, NamedNode]


@dataclass(frozen=True)
class OntologyClass:
    """A class and its superclasses."""

    iri: NamedNode
    name: str
    ancestors: frozenset[NamedNode]
    """The class itself and every class it specialises."""


@dataclass(frozen=True, eq=False)
class Schema:
    """Classes and properties of one fleet's ontology; equal only to itself, so that it can key a cache."""

    classes: Mapping[NamedNode, OntologyClass]
    properties: Mapping[NamedNode, Property]

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Property, ...]]:
        """Properties by their names in paths."""
        table: dict[str, list[Property]] = {}
        for prop in sorted(self.properties.values(), key=lambda prop: prop.iri.value):
            table.setdefault(prop.name, []).append(prop)
        return {name: tuple(found) for name, found in table.items()}

    def ancestors(self, cls: NamedNode) -> frozenset[NamedNode]:
        """``cls`` and its superclasses."""
        known = self.classes.get(cls)
        return known.ancestors if known else frozenset({cls})

    def is_a(self, cls: NamedNode, ancestor: NamedNode) -> bool:
        """Whether ``cls`` is ``ancestor`` or a subclass of it."""
        return ancestor in self.ancestors(cls)

    def most_specific(self, types: Iterable[Node]) -> NamedNode | None:
        """The class with the most superclasses among ``types``; types are materialised, so it is the lowest one."""
        known = [cls for cls in types if isinstance(cls, NamedNode) and cls in self.classes]
        return max(known, key=lambda cls: (len(self.ancestors(cls)), cls.value), default=None)

    def named(self, name: str, classes: frozenset[NamedNode]) -> tuple[Property, ...]:
        """Properties named ``name`` of elements of ``classes`` or of their subclasses."""
        return tuple(prop for prop in self.by_name.get(name, ()) if self.fits(prop, classes))

    def fits(self, prop: Property, classes: frozenset[NamedNode]) -> bool:
        """Whether elements of ``classes`` or of their subclasses can have ``prop``."""
        domain = prop.domain
        return domain is not None and any(self.is_a(cls, domain) or self.is_a(domain, cls) for cls in classes)

    def of(self, cls: NamedNode) -> tuple[Property, ...]:
        """Every property that ``cls`` has or inherits, by name."""
        return tuple(self._members.get(cls, {}).values())

    def property_of(self, cls: NamedNode, name: str) -> Property | None:
        """The property ``name`` of ``cls``, its own or inherited."""
        return self._members.get(cls, {}).get(name)

    @cached_property
    def _members(self) -> Mapping[NamedNode, Mapping[str, Property]]:
        by_domain: dict[NamedNode | None, list[Property]] = {}
        for prop in self.properties.values():
            by_domain.setdefault(prop.domain, []).append(prop)
        members = {}
        for cls in self.classes.values():
            # The most specific class last, so that its own definition of a property counts.
            above = sorted(cls.ancestors, key=lambda ancestor: (len(self.ancestors(ancestor)), ancestor.value))
            own = {prop.name: prop for ancestor in above for prop in by_domain.get(ancestor, ())}
            members[cls.iri] = dict(sorted(own.items()))
        return members

    def class_named(self, name: str) -> OntologyClass:
        """The class named ``name``. Raises InputError if no class or several have that name."""
        found = [cls for cls in self.classes.values() if cls.name == name]
        if len(found) == 1:
            return found[0]
        problem = "no class" if not found else f"{len(found)} classes"
        raise InputError(f"class {name!r}: {problem} of that name in the ontology")


def twins_of(store: TripleStore) -> list[NamedNode]:
    """Every twin in the store, in the order of their IRIs."""
    found = {quad.subject for quad in store.quads(None, RDF.type, VT.Twin, None)}
    return sorted((twin for twin in found if isinstance(twin, NamedNode)), key=lambda twin: twin.value)


def load_schema(store: TripleStore, names: Naming) -> Schema:
    """Read the schema from the ontology graph."""
    facts = _Facts(store.quads(None, None, None, names.ontology_graph))
    # Restrictions and enumerations on blank nodes (skolemised here) are no classes of instances.
    named = [iri for iri in facts.subjects(RDF.type, OWL.Class) if not iri.value.startswith(names.skolem)]
    classes = {
        iri: OntologyClass(iri, facts.text(iri, RDFS.label) or _local(iri), _closure(iri, facts, frozenset(named)))
        for iri in named
    }
    properties = {}
    for iri in facts.subjects(VT.pathName):
        name = facts.text(iri, VT.pathName)
        if name is not None:
            properties[iri] = _property(iri, name, facts)
    return Schema(classes, properties)


def _property(iri: NamedNode, name: str, facts: _Facts) -> Property:
    range_ = facts.node(iri, RDFS.range)
    parents = facts.nodes(iri, RDFS.subPropertyOf)
    choices = facts.choices(range_) if range_ is not None else {}
    kind: Kind = "data"
    if range_ == VT.Series:
        kind = "series"
    elif choices:
        kind = "choice"
    elif OWL.ObjectProperty in facts.nodes(iri, RDF.type):
        kind = "object"
    upper, lower = facts.text(iri, VT.upper), facts.text(iri, VT.lower)
    unit = facts.node(iri, QUDT.hasUnit)
    return Property(
        iri=iri,
        name=name,
        domain=facts.node(iri, RDFS.domain),
        range=range_,
        kind=kind,
        many=upper is None or int(upper) > 1,
        required=int(lower or 0),
        composition=VT.hasPart in parents,
        part_of=VT.partOf in parents,
        derived=facts.text(iri, VT.derived) == "true",
        unit=unit.value.removeprefix(QUDT.UNIT_NS) if unit else None,
        choices=choices,
    )


def _closure(iri: NamedNode, facts: _Facts, named: frozenset[NamedNode]) -> frozenset[NamedNode]:
    seen: set[NamedNode] = set()
    open_ = [iri]
    while open_:
        current = open_.pop()
        if current not in seen:
            seen.add(current)
            open_.extend(parent for parent in facts.nodes(current, RDFS.subClassOf) if parent in named)
    return frozenset(seen)


def _local(iri: NamedNode) -> str:
    return iri.value.replace("/", "#").rpartition("#")[2]


class _Facts:
    """The ontology graph, indexed once: (subject, predicate) -> objects, (predicate, object) -> subjects."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self._objects: dict[tuple[NamedNode, NamedNode], list[NamedNode | Literal]] = {}
        self._subjects: dict[NamedNode, dict[NamedNode, None]] = {}
        self._typed: dict[tuple[NamedNode, NamedNode], dict[NamedNode, None]] = {}
        for quad in quads:
            subject, value = quad.subject, quad.object
            if not isinstance(subject, NamedNode) or not isinstance(value, NamedNode | Literal):
                continue
            self._objects.setdefault((subject, quad.predicate), []).append(value)
            self._subjects.setdefault(quad.predicate, {})[subject] = None
            if isinstance(value, NamedNode):
                self._typed.setdefault((quad.predicate, value), {})[subject] = None

    def subjects(self, predicate: NamedNode, value: NamedNode | None = None) -> Iterable[NamedNode]:
        if value is None:
            return self._subjects.get(predicate, {})
        return self._typed.get((predicate, value), {})

    def nodes(self, subject: NamedNode, predicate: NamedNode) -> list[NamedNode]:
        found = self._objects.get((subject, predicate), ())
        return [value for value in found if isinstance(value, NamedNode)]

    def node(self, subject: NamedNode, predicate: NamedNode) -> NamedNode | None:
        return next(iter(sorted(self.nodes(subject, predicate), key=lambda node: node.value)), None)

    def text(self, subject: NamedNode, predicate: NamedNode) -> str | None:
        found = self._objects.get((subject, predicate), ())
        return next((value.value for value in found if isinstance(value, Literal)), None)

    def choices(self, cls: NamedNode) -> dict[str, NamedNode]:
        """The members of ``owl:oneOf``, by label."""
        members: dict[str, NamedNode] = {}
        lists = [
            start for same in (cls, *self.nodes(cls, OWL.equivalentClass)) for start in self.nodes(same, OWL.oneOf)
        ]
        for start in lists:
            entry: NamedNode | None = start
            while entry is not None and entry != RDF.nil:
                for member in self.nodes(entry, RDF.first):
                    members[self.text(member, RDFS.label) or _local(member)] = member
                entry = self.node(entry, RDF.rest)
        return members
