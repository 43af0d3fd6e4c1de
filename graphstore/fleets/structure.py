"""The structure of a twin or a part: every property its class has, with type, unit, value or nothing, and its parts.

The command line prints it as a tree, a web page as a table; over HTTP it travels as JSON and comes back equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pyoxigraph import NamedNode

from ...errors import InputError
from ...ontology.iris import CORE, RDF, VT
from ...ontology.literals import format_time, parse_time
from ...ontology.steps import natural_order
from ..interfaces import Node
from ..paths.answers import Answer, Element, Origin, answer_from_json
from ..paths.parse import parse
from ..paths.reading import PathReader
from ..paths.syntax import Name
from ..schema import Kind, OntologyClass, Property


@dataclass(frozen=True)
class SeriesSummary:
    """A series in figures, in its unit; its samples stay where they are."""

    samples: int
    low: float
    high: float
    last: float
    time: datetime | None
    """The time of the last sample."""
    origin: Origin
    source: str | None
    """The run that computed it, or the message that brought it."""

    def __str__(self) -> str:
        return f"{self.samples} samples, {self.low:.6g} to {self.high:.6g}"


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
    framework: bool
    """The framework defines it, as it does the key."""
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
    """A twin or a part of one: its class and all properties of that class, by name.

    A property that its class does not have is among them if it has a value all the same.
    """

    path: str
    type: str
    properties: tuple[PropertyStructure, ...]
    others: tuple[ElementStructure, ...] = ()
    """Elements of a twin that are no part of any part; empty where the depth is limited."""

    def walk(self) -> Iterator[ElementStructure]:
        """This element and all elements below it."""
        yield self
        for below in (*(part for item in self.properties for part in item.parts), *self.others):
            yield from below.walk()

    def to_json(self) -> dict[str, Any]:
        """As JSON; :func:`structure_from_json` reads it."""
        return {
            "path": self.path,
            "type": self.type,
            "properties": [_property_to_json(item) for item in self.properties],
            "others": [other.to_json() for other in self.others],
        }


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
    first, *inner = [step.name for step in parse(answer.path).steps if isinstance(step, Name)]
    node = reader.names.twin(first)
    for name in inner:
        node = reader.names.part(node, name)
    made = _structure(reader, node, depth)
    return made if inner or depth is not None else replace(made, others=_others(reader, node, made))


def _structure(reader: PathReader, node: NamedNode, depth: int | None) -> ElementStructure:
    cls, stored = reader.class_of(node), reader.values_of(node)
    shown = [prop for prop in _properties(reader, node, cls) if not prop.part_of]
    properties = tuple(_filled(reader, node, prop, stored.get(prop.iri, ()), depth) for prop in shown)
    return ElementStructure(reader.names.path_of(node), cls.name if cls else "Element", properties)


def _properties(reader: PathReader, node: NamedNode, cls: OntologyClass | None) -> list[Property]:
    """Those of its class, and any other that it has a value of."""
    schema = reader.schema
    found = {prop.name: prop for prop in schema.of(cls.iri)} if cls is not None else {}
    used = {quad.predicate for quad in reader.store.quads(node, None, None, None)} & schema.properties.keys()
    for iri in sorted(used, key=lambda iri: iri.value):
        found.setdefault(schema.properties[iri].name, schema.properties[iri])
    return [found[name] for name in sorted(found)]


def _others(reader: PathReader, twin: NamedNode, structure: ElementStructure) -> tuple[ElementStructure, ...]:
    seen = {element.path for element in structure.walk()}
    others = []
    for node in _below(twin, (quad.subject for quad in reader.store.quads(None, RDF.type, VT.Element, twin))):
        if reader.names.path_of(node) not in seen:
            others.append(_structure(reader, node, None))
            seen |= {element.path for element in others[-1].walk()}
    return tuple(others)


def _below(whole: NamedNode, nodes: Iterable[Node]) -> list[NamedNode]:
    """The nodes whose paths continue that of ``whole``, in natural order."""
    start = f"{whole.value}/"
    return _ordered(node for node in nodes if isinstance(node, NamedNode) and node.value.startswith(start))


def _ordered(nodes: Iterable[NamedNode]) -> list[NamedNode]:
    return sorted(set(nodes), key=lambda node: (natural_order(node.value), node.value))


def _filled(
    reader: PathReader, node: NamedNode, prop: Property, stored: Sequence[Answer], depth: int | None
) -> PropertyStructure:
    # What rules infer of a series is a trend, though its link leads to samples.
    inferred = reader.names.inferred_graph(reader.names.owner(node) or node)
    quads = [quad for quad in reader.store.quads(node, prop.iri, None, None) if quad.graph_name != inferred]
    nodes = _ordered(quad.object for quad in quads if isinstance(quad.object, NamedNode))
    answers: tuple[Answer, ...] = ()
    series = None
    parts: tuple[ElementStructure, ...] = ()
    if prop.kind == "series" and nodes and stored:
        series = _summary(reader, nodes[0], stored[0])
    elif prop.derived:
        answers = tuple(stored or reader.resolver.resolve(node, prop, None))
    elif prop.kind == "object":
        answers = tuple(reader.element(item) for item in nodes)
        if prop.composition and depth != 0:
            deeper = None if depth is None else depth - 1
            parts = tuple(_structure(reader, part, deeper) for part in _below(node, nodes))
    else:
        answers = tuple(stored)
    return PropertyStructure(
        name=prop.name,
        kind=prop.kind,
        type=_type_name(reader, prop),
        unit=prop.unit,
        many=prop.many,
        required=prop.required > 0,
        derived=prop.derived,
        framework=prop.iri.value.startswith(CORE),
        composition=prop.composition,
        choices=tuple(sorted(prop.choices)),
        answers=answers,
        series=series,
        parts=parts,
    )


def _type_name(reader: PathReader, prop: Property) -> str:
    if prop.range is None:
        return "any"
    known = reader.schema.classes.get(prop.range)
    return known.name if known else prop.range.value.replace("/", "#").rpartition("#")[2]


def _summary(reader: PathReader, series: NamedNode, answer: Answer) -> SeriesSummary | None:
    count, low, high, last = (reader.series.aggregate(series, name) for name in ("count", "min", "max", "last"))
    if not count or low is None or high is None or last is None:
        return None
    return SeriesSummary(int(count), low, high, last, answer.time, answer.origin, answer.source)


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
    properties = tuple(map(_property_from_json, document["properties"]))
    others = tuple(map(structure_from_json, document["others"]))
    return ElementStructure(document["path"], document["type"], properties, others)


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
