"""The classes of a fleet with the number of their twins, and the twins of one class page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import NamedNode

from ...errors import InputError, NotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.schema import OntologyClass, Schema
from ...graphstore.sparql.binding import bind
from ...ontology.iris import CORE, VT
from ...ontology.naming import Naming
from ...ontology.steps import natural_order
from ..presentation.tables import read_table
from .fleet_schema import fleet_names, fleet_schema

PAGE_ROWS: Final = 100

_COUNTS: Final = "SELECT ?class (COUNT(?twin) AS ?twins) WHERE { ?twin a vt:Twin, ?class } GROUP BY ?class"
_TWINS: Final = "SELECT DISTINCT ?twin WHERE { ?twin a vt:Twin, $class }"
_TYPES: Final = "SELECT DISTINCT ?twin ?class WHERE { VALUES ?twin { $twins } ?twin a ?class }"


@dataclass(frozen=True)
class ClassRow:
    """A class with the number of its twins, those of its subclasses included."""

    name: str
    address: str
    parents: tuple[str, ...]
    twins: int


@dataclass(frozen=True)
class TwinRow:
    """A twin on a list."""

    key: str
    type: str


@dataclass(frozen=True)
class TwinList:
    """One page of the twins of a class; ``page`` counts from 1."""

    name: str
    address: str
    twins: int
    page: int
    pages: int
    rows: tuple[TwinRow, ...]


def read_classes(fleet: FleetAccess) -> tuple[ClassRow, ...]:
    """The classes of the fleet's own model that have twins, by name."""
    schema = fleet_schema(fleet)
    rows = (
        ClassRow(cls.name, class_address(schema, cls), _parents(schema, cls), count)
        for iri, count in _counts(fleet).items()
        if (cls := schema.classes.get(NamedNode(iri))) is not None and is_own(cls)
    )
    return tuple(sorted(rows, key=lambda row: natural_order(row.name)))


def read_twins(fleet: FleetAccess, address: str | None, page: int = 1, descending: bool = False) -> TwinList:
    """One page of the twins of the class at ``address``, or of all twins, by key in the natural order of digits.

    Raises NotFoundError for an unknown class, InputError for a page before the first.
    """
    if page < 1:
        raise InputError(f"page={page}: pages count from 1")
    schema, names = fleet_schema(fleet), fleet_names(fleet)
    cls = None if address is None else find_class(schema, address)
    rows = read_table(fleet.query(bind(_TWINS, {"class": cls.iri if cls else VT.Twin}))).rows
    keys = [names.twin_key(NamedNode(row[0].iri)) for row in rows if row[0].iri and row[0].iri.startswith(names.twins)]
    keys.sort(key=natural_order, reverse=descending)
    pages = max(1, -(-len(keys) // PAGE_ROWS))
    page = min(page, pages)
    shown = keys[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    classes = classes_of(fleet, schema, names, shown)
    return TwinList(
        name=cls.name if cls else "All twins",
        address=address or "",
        twins=len(keys),
        page=page,
        pages=pages,
        rows=tuple(TwinRow(key, classes[key].name if key in classes else "") for key in shown),
    )


def class_address(schema: Schema, cls: OntologyClass) -> str:
    """The last step of the address of the class's list: its name, or its IRI if several classes have that name."""
    same = [other for other in schema.classes.values() if other.name == cls.name]
    return cls.name if len(same) == 1 else cls.iri.value


def find_class(schema: Schema, address: str) -> OntologyClass:
    """The class with that name or IRI. Raises NotFoundError."""
    for cls in schema.classes.values():
        if address in (class_address(schema, cls), cls.iri.value):
            return cls
    raise NotFoundError(f"class {address!r}: the fleet's ontology has no such class; /fleet lists those with twins")


def is_own(cls: OntologyClass) -> bool:
    """Whether the class is of the fleet's model, not of the framework."""
    return not cls.iri.value.startswith(CORE)


def _counts(fleet: FleetAccess) -> Mapping[str, int]:
    rows = read_table(fleet.query(_COUNTS)).rows
    return {row[0].iri: int(row[1].text) for row in rows if row[0].iri}


def _parents(schema: Schema, cls: OntologyClass) -> tuple[str, ...]:
    """Names of the classes right above, without those that every twin has."""
    above = cls.ancestors - {cls.iri, VT.Twin, VT.Element}
    nearest = [iri for iri in above if not any(iri in schema.ancestors(other) for other in above - {iri})]
    return tuple(sorted(schema.classes[iri].name for iri in nearest))


def classes_of(fleet: FleetAccess, schema: Schema, names: Naming, keys: Sequence[str]) -> Mapping[str, OntologyClass]:
    """The most specific class of each of these twins that has one in the schema, by key."""
    found: dict[str, list[NamedNode]] = {}
    rows = read_table(fleet.query(bind(_TYPES, {"twins": [names.twin(key) for key in keys]}))).rows if keys else ()
    for twin, cls in rows:
        if twin.iri and cls.iri:
            found.setdefault(names.twin_key(NamedNode(twin.iri)), []).append(NamedNode(cls.iri))
    best = {key: schema.most_specific(types) for key, types in found.items()}
    return {key: schema.classes[iri] for key, iri in best.items() if iri is not None}
