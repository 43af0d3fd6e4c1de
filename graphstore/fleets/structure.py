"""The structure of a twin or a part: every property its class has, with type, unit, value or nothing, and its parts.

The command line prints it as a tree, a web page as a table; over HTTP it travels as JSON and comes back equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyoxigraph import Literal, NamedNode

from ...errors import InputError
from ...ontology.iris import VT
from ...ontology.literals import format_time, parse_time, to_python
from ..paths.answers import Answer, Element, answer_from_json
from ..paths.parse import parse
from ..paths.reading import PathReader
from ..paths.syntax import Name, Path
from ..schema import Kind, Property


@dataclass(frozen=True)
class SeriesSummary:
    """A series in figures, in its unit; its samples stay where they are."""

    samples: int
    low: float
    high: float
    last: float
    time: datetime | None
    """The time of the last sample."""


@dataclass(frozen=True)
class PropertyStructure:
    """One property of one element, as the ontology declares it and as it is filled."""

    name: str
    kind: Kind
    type: str
    """The name of a datatype or of a class."""
    unit: str | None
    many: bool
    required: bool
    derived: bool
    """A rule may infer its value."""
    composition: bool
    """Its elements are parts; of another object property they are references to twins."""
    choices: tuple[str, ...]
    answers: tuple[Answer, ...]
    """Its values, or the elements it refers to; empty where it is not set, and for a series."""
    series: SeriesSummary | None = None
    parts: tuple[ElementStructure, ...] = ()
    """The structure of each part, down to the depth that was asked for."""

    @property
    def is_set(self) -> bool:
        """Whether there is any value, sample, part or reference."""
        return bool(self.answers) or self.series is not None


@dataclass(frozen=True)
class ElementStructure:
    """A twin or a part of one: its class and all properties of that class, by name."""

    path: str
    type: str
    properties: tuple[PropertyStructure, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON; :func:`structure_from_json` reads it."""
        return {"path": self.path, "type": self.type, "properties": [_property_to_json(p) for p in self.properties]}


@dataclass(frozen=True)
class ClassCount:
    """A class and the number of twins whose most special class it is."""

    name: str
    twins: int


def class_counts(twins: Iterable[Answer]) -> list[ClassCount]:
    """Count the answers of path ``/`` by class, by name."""
    counts = Counter(answer.value.type for answer in twins if isinstance(answer.value, Element))
    return [ClassCount(name, number) for name, number in sorted(counts.items())]


def element_structure(reader: PathReader, answer: Answer, depth: int | None = None) -> ElementStructure:
    """The structure of the element that ``answer`` names; parts down to ``depth`` levels (None: all).

    Raises InputError where the answer is a value.
    """
    if not isinstance(answer.value, Element):
        raise InputError(f"path {answer.path!r}: is a value and has no structure; name the twin or part that has it")
    steps = tuple(step for step in parse(answer.path).steps if isinstance(step, Name))
    node = reader.names.twin(steps[0].name)
    for step in steps[1:]:
        node = reader.names.part(node, step.name)
    cls = reader.class_of(node)
    declared = reader.schema.of(cls.iri) if cls is not None else ()
    found = tuple(_filled(reader, node, steps, prop, depth) for prop in declared if not prop.part_of)
    return ElementStructure(answer.value.path, answer.value.type, found)


def _filled(
    reader: PathReader, node: NamedNode, steps: tuple[Name, ...], prop: Property, depth: int | None
) -> PropertyStructure:
    objects = [quad.object for quad in reader.store.quads(node, prop.iri, None, None)]
    nodes = sorted({item for item in objects if isinstance(item, NamedNode)}, key=lambda item: item.value)
    answers: tuple[Answer, ...] = ()
    series = None
    parts: list[ElementStructure] = []
    if prop.kind == "series" and nodes:
        series = _summary(reader, nodes[0])
    elif prop.kind == "object" and not prop.derived:
        answers = tuple(reader.element(item) for item in nodes)
        if prop.composition and depth != 0:
            below = None if depth is None else depth - 1
            parts = [element_structure(reader, answer, below) for answer in answers]
    elif objects or prop.derived:
        answers = tuple(reader.ask(Path(True, (*steps, Name(prop.name)))))
    return PropertyStructure(
        name=prop.name,
        kind=prop.kind,
        type=_type_name(reader, prop),
        unit=prop.unit,
        many=prop.many,
        required=prop.required > 0,
        derived=prop.derived,
        composition=prop.composition,
        choices=tuple(sorted(prop.choices)),
        answers=answers,
        series=series,
        parts=tuple(parts),
    )


def _type_name(reader: PathReader, prop: Property) -> str:
    if prop.range is None:
        return "any"
    known = reader.schema.classes.get(prop.range)
    return known.name if known else prop.range.value.replace("/", "#").rpartition("#")[2]


def _summary(reader: PathReader, series: NamedNode) -> SeriesSummary | None:
    count, low, high, last = (reader.series.aggregate(series, name) for name in ("count", "min", "max", "last"))
    if not count or low is None or high is None or last is None:
        return None
    marks = (quad.object for quad in reader.store.quads(series, VT.lastTime, None, None))
    moment = next((to_python(mark) for mark in marks if isinstance(mark, Literal)), None)
    return SeriesSummary(int(count), low, high, last, moment if isinstance(moment, datetime) else None)


def _property_to_json(prop: PropertyStructure) -> dict[str, Any]:
    series = None
    if prop.series is not None:
        series = {**vars(prop.series), "time": format_time(prop.series.time) if prop.series.time else None}
    return {
        **vars(prop),
        "choices": list(prop.choices),
        "answers": [answer.to_json() for answer in prop.answers],
        "series": series,
        "parts": [part.to_json() for part in prop.parts],
    }


def structure_from_json(document: Mapping[str, Any]) -> ElementStructure:
    """The structure that :meth:`ElementStructure.to_json` wrote."""
    properties = tuple(_property_from_json(item) for item in document["properties"])
    return ElementStructure(document["path"], document["type"], properties)


def _property_from_json(document: Mapping[str, Any]) -> PropertyStructure:
    series = document["series"]
    if series is not None:
        series = SeriesSummary(**series | {"time": parse_time(series["time"]) if series["time"] else None})
    return PropertyStructure(
        **{
            **document,
            "choices": tuple(document["choices"]),
            "answers": tuple(map(answer_from_json, document["answers"])),
            "series": series,
            "parts": tuple(map(structure_from_json, document["parts"])),
        }
    )
