"""Statistics of a series: of its samples, or of the course between them.

*Samples* in [start, end): ``count``, ``min``, ``max``, ``sum``, ``mean`` (each sample weighs the same), ``first``,
``last``. *Course*: linear in time between neighbouring samples, however far apart, and nothing before the first or
after the last one, as in trends and in models of a logged series: ``at``, ``integral`` and ``duration_below``
use it, over the part of the window that it covers.

>>> times, values = np.array([0, 10_000_000]), np.array([4.0, 8.0])         # 4 to 8 in ten seconds
>>> integral(times, values), duration_below(times, values, 5.0), at(times, values, 5_000_000)
(60.0, 2.5, 6.0)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from .rows import Times, Values

SECOND: Final = 1_000_000

OF_SAMPLES: Final[Mapping[str, Callable[[Values], float]]] = {
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
    "mean": lambda values: float(values.mean()),
    "sum": lambda values: float(values.sum()),
    "count": lambda values: float(len(values)),
    "first": lambda values: float(values[0]),
    "last": lambda values: float(values[-1]),
}
"""Statistics of one or more samples, by name."""

NAMES: Final = (*OF_SAMPLES, "integral")
"""Every statistic that requires only a window."""


def course(times: Times, values: Values, start: int | None, end: int | None) -> tuple[Times, Values]:
    """The course over [start, end]: samples inside, and values interpolated at its ends.

    ``times`` must include the neighbours outside of the window. Empty without a course; one point if
    the course only touches the window.
    """
    if not len(times):
        return times, values
    low = int(times[0]) if start is None else max(start, int(times[0]))
    high = int(times[-1]) if end is None else min(end, int(times[-1]))
    if low > high:
        return times[:0], values[:0]
    first, last = np.searchsorted(times, low, "right"), np.searchsorted(times, high, "left")
    edges = np.array([low, high] if low < high else [low], np.int64)
    # Relative to the start: a float has a resolution of only half a microsecond since 1970.
    origin = times[max(int(first) - 1, 0)]
    at_edges = np.interp((edges - origin).astype(np.float64), (times - origin).astype(np.float64), values)
    inside = slice(int(first), int(last))
    if low == high:
        return edges, at_edges
    return (
        np.concatenate((edges[:1], times[inside], edges[1:])),
        np.concatenate((at_edges[:1], values[inside], at_edges[1:])),
    )


def at(times: Times, values: Values, time: int) -> float | None:
    """The course's value at ``time``; None before the first sample and after the last."""
    _, found = course(times, values, time, time)
    return float(found[0]) if len(found) else None


def integral(times: Times, values: Values) -> float:
    """The area under a course, in the series' unit times seconds."""
    return float(np.sum(np.diff(times) * (values[1:] + values[:-1])) / (2 * SECOND))


def duration_below(times: Times, values: Values, limit: float) -> float:
    """The seconds for which a course is below ``limit``."""
    spans = np.diff(times).astype(np.float64)
    lowest, highest = np.minimum(values[1:], values[:-1]), np.maximum(values[1:], values[:-1])
    # A level span is below or not; a slope is below for a part of it, by its values.
    level = highest == lowest
    # The part of a slope too small to divide by overflows to infinity; clip makes it all or nothing.
    with np.errstate(over="ignore"):
        slope = np.clip((limit - lowest) / np.where(level, 1.0, highest - lowest), 0.0, 1.0)
    part = np.where(level, lowest < limit, slope)
    return float(np.sum(spans * part) / SECOND)
