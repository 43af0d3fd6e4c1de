"""The structure of one twin: its parts with every property of their classes, set or not, and links to other twins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from pyoxigraph import NamedNode

from ...errors import TwinNotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Answer, Element, SeriesValue, Trend
from ...graphstore.schema import Kind, Property, Schema
from ...graphstore.sparql.binding import bind
from ...ontology.iris import CORE, VT
from ...ontology.naming import Naming
from ...ontology.steps import quote_step
from ..presentation.tables import ResultTable, read_table
from .classes import class_address, most_specific, natural_order
from .fleet_schema import fleet_names, fleet_schema

_TYPES: Final = "SELECT ?node ?class WHERE { GRAPH $twin { ?node a ?class } }"
_LINKS: Final = """SELECT DISTINCT ?node ?property ?target WHERE {
  VALUES ?graph { $twin $computed } GRAPH ?graph { ?node ?property ?target } FILTER(isIRI(?target))
}"""
_RUNS: Final = "SELECT ?status (COUNT(?run) AS ?runs) WHERE { ?run vt:twin $twin ; vt:status ?status } GROUP BY ?status"


@dataclass(frozen=True)
class PropertyRow:
    """A property with its value or the twins it links to; with neither it is not set."""

    name: str
    path: str
    kind: Kind
    unit: str | None
    answer: Answer | None = None
    links: tuple[str, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether there is a value or a link."""
        return self.answer is not None or bool(self.links)

    @property
    def has_plot(self) -> bool:
        """Whether the value has samples over time."""
        value = self.answer.value if self.answer else None
        return bool(value.times if isinstance(value, SeriesValue) else isinstance(value, Trend) and value.segments)


@dataclass(frozen=True)
class Part:
    """A twin or a part of one, with its parts; ``missing`` are the names of parts that are not there yet."""

    path: str
    name: str
    type: str
    rows: tuple[PropertyRow, ...]
    parts: tuple[Part, ...]
    missing: tuple[str, ...]

    def walk(self) -> Iterator[Part]:
        """This part and all parts below it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def set_count(self) -> int:
        """Number of properties that are set, without those of the parts."""
        return sum(row.is_set for row in self.rows)


@dataclass(frozen=True)
class TwinStructure:
    """A twin for its page; ``address`` is that of its class's list, ``runs`` the numbers of its runs by state."""

    key: str
    address: str | None
    root: Part
    runs: Mapping[str, int]

    @property
    def parts(self) -> int:
        """Number of parts at any depth."""
        return sum(1 for _ in self.root.walk()) - 1

    @property
    def set_count(self) -> int:
        """Number of properties that are set, at any depth."""
        return sum(part.set_count for part in self.root.walk())

    @property
    def property_count(self) -> int:
        """Number of properties, at any depth."""
        return sum(len(part.rows) for part in self.root.walk())

    @property
    def latest(self) -> datetime | None:
        """Time of the newest value that was measured or computed; what rules infer reaches until now."""
        answers = [row.answer for part in self.root.walk() for row in part.rows if row.answer]
        return max((item.time for item in answers if item.time and item.origin != "inferred"), default=None)


def read_structure(fleet: FleetAccess, key: str) -> TwinStructure:
    """Read one twin. Raises TwinNotFoundError."""
    if key not in fleet:
        raise TwinNotFoundError(f"there is no twin {key!r}; /fleet/twins lists all")
    names, schema = fleet_names(fleet), fleet_schema(fleet)
    node = names.twin(key)
    bound = {"twin": node, "computed": names.computed_graph(node)}
    classes = _elements(read_table(fleet.query(bind(_TYPES, bound))))
    reading = _Reading(
        fleet=fleet,
        names=names,
        schema=schema,
        classes=classes,
        links=_links(read_table(fleet.query(bind(_LINKS, bound)))),
        values=_by_part(fleet.all(f"/{quote_step(key)}/**/*"), {names.path_of(item) for item in classes}),
        seen=set(),
    )
    runs = {row[0].text: int(row[1].text) for row in read_table(fleet.query(bind(_RUNS, bound))).rows if row[0].text}
    cls = most_specific(schema, classes.get(node, ()))
    return TwinStructure(key, class_address(schema, cls) if cls else None, reading.root(node, key), runs)


@dataclass(frozen=True)
class _Reading:
    """Everything read of one twin, to be put in order."""

    fleet: FleetAccess
    names: Naming
    schema: Schema
    classes: Mapping[NamedNode, list[NamedNode]]
    links: Mapping[tuple[NamedNode, NamedNode], list[NamedNode]]
    values: Mapping[str, Mapping[str, Answer]]
    """By the path of the part, then by the name of the property."""
    seen: set[NamedNode]

    def root(self, twin: NamedNode, key: str) -> Part:
        """The twin itself; elements of its graph that no composition reaches are parts of it too."""
        found = self.part(twin, key)
        more = [self.part(node, self._below(node, twin)) for node in _ordered(self.classes) if node not in self.seen]
        return Part(found.path, found.name, found.type, found.rows, (*found.parts, *more), found.missing)

    def part(self, node: NamedNode, name: str) -> Part:
        self.seen.add(node)
        path = self.names.path_of(node)
        cls = most_specific(self.schema, self.classes.get(node, ()))
        rows, parts, missing = [], [], []
        for prop in self.schema.of(cls.iri) if cls else ():
            if _is_shown(prop):
                targets = _ordered(self.links.get((node, prop.iri), ()))
                inside = [target for target in targets if prop.composition and target in self.classes]
                parts += [self.part(part, self._below(part, node)) for part in inside if part not in self.seen]
                if prop.composition and not targets:
                    missing.append(prop.name)
                elif not inside:
                    rows.append(self._row(path, prop, targets))
        # Values of properties that the class does not have are there all the same.
        known = {row.name for row in rows} | self._framework
        values = self.values.get(path, {})
        rows += [_other(name, answer) for name, answer in values.items() if name not in known]
        return Part(path, name, cls.name if cls else "Element", tuple(rows), tuple(parts), tuple(missing))

    def _row(self, path: str, prop: Property, targets: Iterable[NamedNode]) -> PropertyRow:
        where = f"{path}/{quote_step(prop.name)}"
        if prop.kind == "object":
            links = tuple(self.names.path_of(target) for target in targets)
            return PropertyRow(prop.name, where, prop.kind, prop.unit, None, links)
        answer = self.values.get(path, {}).get(prop.name)
        if answer is None and prop.derived:
            answer = next(iter(self.fleet.all(where)), None)
        return PropertyRow(prop.name, where, prop.kind, prop.unit, answer)

    @cached_property
    def _framework(self) -> frozenset[str]:
        properties = self.schema.properties.values()
        return frozenset(prop.name for prop in properties if prop.iri.value.startswith(CORE))

    def _below(self, node: NamedNode, whole: NamedNode) -> str:
        path, above = self.names.path_of(node), self.names.path_of(whole)
        return path.removeprefix(f"{above}/")


def _other(name: str, answer: Answer) -> PropertyRow:
    kind: Kind = "series" if isinstance(answer.value, SeriesValue) else "data"
    return PropertyRow(name, answer.path, kind, answer.unit, answer)


def _by_part(answers: Iterable[Answer], parts: Collection[str]) -> dict[str, dict[str, Answer]]:
    found: dict[str, dict[str, Answer]] = {}
    for answer in answers:
        if not isinstance(answer.value, Element):
            part = answer.path
            while part and part not in parts:  # a property's name may hold a slash
                part = part.rpartition("/")[0]
            found.setdefault(part, {})[answer.path.removeprefix(f"{part}/")] = answer
    return found


def _is_shown(prop: Property) -> bool:
    """Not the framework's own, such as the key, and not the way back from a part to its whole."""
    return not prop.iri.value.startswith(CORE) and not prop.part_of


def _ordered(nodes: Iterable[NamedNode]) -> list[NamedNode]:
    return sorted(nodes, key=lambda node: natural_order(node.value))


def _elements(table: ResultTable) -> dict[NamedNode, list[NamedNode]]:
    found: dict[NamedNode, list[NamedNode]] = {}
    for node, cls in table.rows:
        if node.iri and cls.iri:
            found.setdefault(NamedNode(node.iri), []).append(NamedNode(cls.iri))
    # Series and observations are in the graph too.
    return {node: types for node, types in found.items() if VT.Element in types}


def _links(table: ResultTable) -> dict[tuple[NamedNode, NamedNode], list[NamedNode]]:
    found: dict[tuple[NamedNode, NamedNode], list[NamedNode]] = {}
    for node, prop, target in table.rows:
        if node.iri and prop.iri and target.iri:
            found.setdefault((NamedNode(node.iri), NamedNode(prop.iri)), []).append(NamedNode(target.iri))
    return found
