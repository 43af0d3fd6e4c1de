"""The structure of one twin: its parts with every property of their classes, set or not, and links to other twins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ...errors import TwinNotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.fleets.structure import ElementStructure, PropertyStructure, SeriesSummary
from ...graphstore.paths.answers import Answer, Element, Trend
from ...graphstore.schema import Kind
from ...graphstore.sparql.binding import bind
from ...ontology.steps import quote_step
from ..presentation.tables import read_table
from .classes import class_address, classes_of
from .fleet_schema import fleet_names, fleet_schema

_RUNS: Final = "SELECT ?status (COUNT(?run) AS ?runs) WHERE { ?run vt:twin $twin ; vt:status ?status } GROUP BY ?status"


@dataclass(frozen=True)
class PropertyRow:
    """A property with its value or the twins it links to; with neither it is not set."""

    name: str
    path: str
    kind: Kind
    unit: str | None
    answer: Answer | None
    series: SeriesSummary | None
    links: tuple[str, ...]

    @property
    def filled(self) -> Answer | SeriesSummary | None:
        """The value, or the figures of the series: both have a time and an origin."""
        return self.answer or self.series

    @property
    def is_set(self) -> bool:
        """Whether there is a value or a link."""
        return self.filled is not None or bool(self.links)

    @property
    def has_plot(self) -> bool:
        """Whether there are samples over time."""
        value = self.answer.value if self.answer else None
        return self.series is not None or (isinstance(value, Trend) and bool(value.segments))


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
        found = [row.filled for part in self.root.walk() for row in part.rows if row.filled]
        return max((item.time for item in found if item.time and item.origin != "inferred"), default=None)


def read_structure(fleet: FleetAccess, key: str) -> TwinStructure:
    """Read one twin. Raises TwinNotFoundError."""
    if key not in fleet:
        raise TwinNotFoundError(f"there is no twin {key!r}; /fleet/twins lists all")
    names, schema = fleet_names(fleet), fleet_schema(fleet)
    cls = classes_of(fleet, schema, names, [key]).get(key)
    runs = read_table(fleet.query(bind(_RUNS, {"twin": names.twin(key)}))).rows
    return TwinStructure(
        key=key,
        address=class_address(schema, cls) if cls else None,
        root=_part(fleet.structure(f"/{quote_step(key)}"), key),
        runs={status.text: int(number.text) for status, number in runs if status.text},
    )


def _part(element: ElementStructure, name: str) -> Part:
    # The framework's own, such as the key, is on the page already.
    properties = [prop for prop in element.properties if not prop.framework]
    below = [*(part for prop in properties for part in prop.parts), *element.others]
    return Part(
        path=element.path,
        name=name,
        type=element.type,
        rows=tuple(
            _row(element.path, prop) for prop in properties if not prop.parts and (prop.is_set or not prop.composition)
        ),
        parts=tuple(_part(part, part.path.removeprefix(f"{element.path}/")) for part in below),
        missing=tuple(prop.name for prop in properties if prop.composition and not prop.is_set),
    )


def _row(whole: str, prop: PropertyStructure) -> PropertyRow:
    links = tuple(answer.value.path for answer in prop.answers if isinstance(answer.value, Element))
    answer = None if links else next(iter(prop.answers), None)
    return PropertyRow(prop.name, f"{whole}/{quote_step(prop.name)}", prop.kind, prop.unit, answer, prop.series, links)
