"""Answers of a path: a value with its unit, its time, and its origin.

Answers are sent as JSON between server and client without loss: ``answer_from_json(a.to_json()) == a``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from typing import Literal as OneOf

import numpy as np
from pyoxigraph import Literal

from ...ontology.literals import Scalar, format_time, from_microseconds, parse_time, to_microseconds, to_python

Origin = OneOf["given", "measured", "computed", "inferred"]
"""``given``: asserted without a time; ``measured``: with one; ``computed``: by models; ``inferred``: by rules."""

SegmentOrigin = OneOf["measured", "best guess"]


@dataclass(frozen=True)
class Element:
    """A twin or a part of one, at the end of a path."""

    path: str
    type: str

    def __str__(self) -> str:
        return f"{self.path} ({self.type})"


@dataclass(frozen=True)
class SeriesValue:
    """Samples of a series: times in microseconds since 1970 UTC, ascending, and their values, (n,) each."""

    times: tuple[int, ...]
    values: tuple[float, ...]

    def within(self, start: int | None, end: int | None) -> SeriesValue:
        """The samples in [start, end)."""
        kept = [
            (time, value)
            for time, value in zip(self.times, self.values, strict=True)
            if (start is None or time >= start) and (end is None or time < end)
        ]
        return SeriesValue(tuple(time for time, _ in kept), tuple(value for _, value in kept))

    def __str__(self) -> str:
        if not self.times:
            return "no samples"
        first, last = from_microseconds(self.times[0]), from_microseconds(self.times[-1])
        return (
            f"{len(self.times)} samples, {min(self.values):.6g} to {max(self.values):.6g}, "
            f"{format_time(first)} to {format_time(last)}"
        )


@dataclass(frozen=True)
class Segment:
    """One interval of a trend, given by one rule: samples inside [start, end), linear between them.

    A constant has two samples, at ``start`` and at ``end``. Times are microseconds since 1970 UTC.
    """

    start: int
    end: int
    origin: SegmentOrigin
    rule: str
    priority: int
    times: tuple[int, ...]
    values: tuple[float, ...]

    def within(self, start: int | None, end: int | None) -> Segment | None:
        """The part in [start, end), with values interpolated at new ends; None if it is empty."""
        low = self.start if start is None else max(start, self.start)
        high = self.end if end is None else min(end, self.end)
        if low >= high:
            return None
        if (low, high) == (self.start, self.end):
            return self
        inside = [time for time in self.times if low < time < high]
        times = (low, *inside, high)
        values = np.interp(times, self.times, self.values)
        return replace(self, start=low, end=high, times=times, values=tuple(values.tolist()))


@dataclass(frozen=True)
class Trend:
    """A stitched history: segments in order of time, without overlaps; a gap has no rule."""

    segments: tuple[Segment, ...]

    def within(self, start: int | None, end: int | None) -> Trend:
        """The part of the trend in [start, end)."""
        cut = (segment.within(start, end) for segment in self.segments)
        return Trend(tuple(segment for segment in cut if segment is not None))

    def __str__(self) -> str:
        lines = []
        for item in self.segments:
            low, high = min(item.values), max(item.values)
            values = f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
            lines.append(
                f"{format_time(from_microseconds(item.start))} to {format_time(from_microseconds(item.end))}: "
                f"{values} ({item.origin}, rule {item.rule}, priority {item.priority})"
            )
        return "\n".join(lines) or "no segments"


Value = Scalar | tuple[Scalar, ...] | Element | SeriesValue | Trend


@dataclass(frozen=True)
class Answer:
    """One value with its metadata.

    ``unit`` is the local name of a QUDT unit. ``rule``, ``priority`` and ``inputs`` are set for
    inferred values, ``source`` (an action's name) for values from a message or a model run.
    """

    path: str
    value: Value
    unit: str | None = None
    time: datetime | None = None
    origin: Origin = "given"
    source: str | None = None
    rule: str | None = None
    priority: int | None = None
    inputs: tuple[str, ...] = field(default=())

    def __float__(self) -> float:
        if isinstance(self.value, int | float):
            return float(self.value)
        raise TypeError(f"{self.path}: is {type(self.value).__name__}, not a number")

    def __str__(self) -> str:
        value = self.value
        if isinstance(value, datetime):
            text = format_time(value)
        elif isinstance(value, tuple):
            text = ", ".join(map(str, value))
        elif isinstance(value, float):
            text = f"{value:.6g}"
        else:
            text = str(value)
        return f"{text} {self.unit}" if self.unit and not isinstance(value, Trend) else text

    def within(self, start: datetime | None, end: datetime | None) -> Answer:
        """The same answer with a series or trend cut to [start, end); other values are unchanged."""
        low = to_microseconds(start) if start else None
        high = to_microseconds(end) if end else None
        if isinstance(self.value, SeriesValue):
            return replace(self, value=self.value.within(low, high))
        if isinstance(self.value, Trend):
            return replace(self, value=self.value.within(low, high))
        return self

    def to_json(self) -> dict[str, Any]:
        """As JSON, without empty fields."""
        kind, value = _value_to_json(self.value)
        document: dict[str, Any] = {"path": self.path, "kind": kind, "value": value, "origin": self.origin}
        document |= {"unit": self.unit} if self.unit else {}
        document |= {"time": format_time(self.time)} if self.time else {}
        document |= {"source": self.source} if self.source else {}
        document |= {"rule": self.rule, "priority": self.priority} if self.rule else {}
        document |= {"inputs": list(self.inputs)} if self.inputs else {}
        return document


def answer_from_json(document: Mapping[str, Any]) -> Answer:
    """The answer written by :meth:`Answer.to_json`."""
    time = document.get("time")
    return Answer(
        path=document["path"],
        value=_value_from_json(document["kind"], document["value"]),
        unit=document.get("unit"),
        time=parse_time(time) if time else None,
        origin=document["origin"],
        source=document.get("source"),
        rule=document.get("rule"),
        priority=document.get("priority"),
        inputs=tuple(document.get("inputs", ())),
    )


def _value_to_json(value: Value) -> tuple[str, Any]:
    match value:
        case Element():
            return "element", {"path": value.path, "type": value.type}
        case SeriesValue():
            return "series", {"time": _times(value.times), "value": list(value.values)}
        case Trend():
            return "trend", [
                {
                    "start": format_time(from_microseconds(item.start)),
                    "end": format_time(from_microseconds(item.end)),
                    "origin": item.origin,
                    "rule": item.rule,
                    "priority": item.priority,
                    "time": _times(item.times),
                    "value": list(item.values),
                }
                for item in value.segments
            ]
        case tuple():
            return "list", [_value_to_json(item) for item in value]
        case datetime():
            return "time", format_time(value)
        case date():
            return "date", value.isoformat()
        case _:
            return "scalar", value


def _value_from_json(kind: str, value: Any) -> Value:
    match kind:
        case "element":
            return Element(value["path"], value["type"])
        case "series":
            return SeriesValue(_microseconds(value["time"]), tuple(value["value"]))
        case "trend":
            return Trend(
                tuple(
                    Segment(
                        to_microseconds(parse_time(item["start"])),
                        to_microseconds(parse_time(item["end"])),
                        item["origin"],
                        item["rule"],
                        item["priority"],
                        _microseconds(item["time"]),
                        tuple(item["value"]),
                    )
                    for item in value
                )
            )
        case "list":
            return tuple(_value_from_json(*item) for item in value)  # type: ignore[misc]  # lists hold scalars
        case "time":
            return parse_time(value)
        case "date":
            return date.fromisoformat(value)
        case _:
            return value  # type: ignore[no-any-return]  # JSON's own scalar


def first_time(terms: Iterable[object]) -> datetime | None:
    """The first time among RDF terms."""
    values = (to_python(term) for term in terms if isinstance(term, Literal))
    return next((value for value in values if isinstance(value, datetime)), None)


def _times(times: Sequence[int]) -> list[str]:
    return [format_time(from_microseconds(time)) for time in times]


def _microseconds(times: Sequence[str]) -> tuple[int, ...]:
    return tuple(to_microseconds(parse_time(time)) for time in times)
