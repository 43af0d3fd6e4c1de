"""Stitching of a trend: for each interval, the candidate with the lowest priority value wins.

A series is valid only between its first and its last sample inside the rule's interval. Outside of
that the next best rule applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pyoxigraph import Literal, NamedNode

from ..graphstore.interfaces import SeriesReader
from ..graphstore.paths.answers import Segment, SegmentOrigin, Trend
from ..ontology.literals import to_microseconds, to_python
from .candidates import Candidate


@dataclass(frozen=True)
class Span:
    """The samples of one candidate over [start, end], microseconds since 1970 UTC."""

    start: int
    end: int
    order: tuple[int, str]
    origin: SegmentOrigin
    rule: str
    times: tuple[int, ...]
    values: tuple[float, ...]


def span(candidate: Candidate, series: SeriesReader, until: int) -> Span | None:
    """The candidate as a span that ends by ``until``; None if it has no value before."""
    start = to_microseconds(candidate.valid_from) if candidate.valid_from else None
    end = min(until, to_microseconds(candidate.valid_to)) if candidate.valid_to else until
    rule = candidate.rule.value.rpartition("/")[2]
    if isinstance(candidate.value, NamedNode):
        times, values = series.read(candidate.value, start, end + 1)
        if len(times) < 2:
            return None
        return Span(
            int(times[0]),
            int(times[-1]),
            candidate.order,
            "measured",
            rule,
            tuple(times.tolist()),
            tuple(values.tolist()),
        )
    if start is None or start >= end:
        return None
    number = float(_number(candidate.value))
    return Span(start, end, candidate.order, "best guess", rule, (start, end), (number, number))


def _number(value: Literal) -> float:
    number = to_python(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"candidate value {value}: not a number, so it cannot be part of a trend")
    return float(number)


def stitch(spans: Iterable[Span]) -> Trend:
    """One trend of the best spans; without a span there is a gap."""
    chosen = sorted(spans, key=lambda item: item.order)
    edges = sorted({edge for item in chosen for edge in (item.start, item.end)})
    pieces: list[tuple[Span, int, int]] = []
    for low, high in pairwise(edges):
        best = next((item for item in chosen if item.start <= low and high <= item.end), None)
        if best is None:
            continue
        if pieces and pieces[-1][0] is best and pieces[-1][2] == low:
            pieces[-1] = (best, pieces[-1][1], high)
        else:
            pieces.append((best, low, high))
    return Trend(tuple(_segment(*piece) for piece in pieces))


def _segment(best: Span, low: int, high: int) -> Segment:
    times: Sequence[int] = best.times
    values: Sequence[float] = best.values
    if (low, high) != (best.start, best.end):
        times = (low, *(time for time in best.times if low < time < high), high)
        values = tuple(np.interp(times, best.times, best.values).tolist())
    return Segment(low, high, best.origin, best.rule, best.order[0], tuple(times), tuple(values))
