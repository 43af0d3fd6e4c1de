"""Checks of temperature histories: increasing in time, without gaps, in the right unit.

>>> import numpy as np
>>> from voltwin.models.base.columns import Trends
>>> from voltwin.models.base.protocol import Problems
>>> two = Trends(np.array([0.0, 90.0]), np.array([60.0, 120.0]), np.full(2, 293.0), np.full(2, 293.0),
...              np.array([True, True]), np.array([0, 2]))
>>> float(gaps(two, np.array([0.0]), np.array([120.0])).seconds[0])
30.0

A gap is never filled silently: self-discharge rejects it; the arrival gate interpolates over it (``bridge``),
reports HISTORY_GAP and gives the bridge an uncertainty of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..base.columns import TIME_TOLERANCE, Flags, Floats, Integers, Trends, offsets_of, row_sums
from ..base.protocol import Problems

#: No cell rests outside these (K); a value beyond is a wrong unit, not a climate.
PLAUSIBLE: Final = (213.15, 393.15)


def check_trends(trends: Trends, name: str, problems: Problems) -> None:
    """Note the first defect of each row; gaps are not checked here."""
    problems.flag(trends.lengths == 0, name, "is empty; give at least one segment")
    rows = trends.rows

    def note(mask: Flags, message: str) -> None:
        for index in np.flatnonzero(mask).tolist():
            row = int(rows[index])
            problems.add(row, name, f"segment {index - int(trends.offsets[row])}: {message}")

    for member, values in (("startValue", trends.first), ("endValue", trends.last)):
        low, high = values < PLAUSIBLE[0], values > PLAUSIBLE[1]
        note(low, f"{member} is below -60 °C: were degrees Celsius given as K?")
        note(high, f"{member} is above 120 °C: were kelvin given as DEG_C?")
    note(trends.end <= trends.start, "its end is not after its start; times must increase, without duplicates")
    if trends.start.size > 1:
        inside = rows[1:] == rows[:-1]
        overlap = inside & (trends.start[1:] < trends.end[:-1] - TIME_TOLERANCE)
        note(
            np.concatenate([[False], overlap]),
            "begins before the previous segment ends; times must increase, without duplicates",
        )


@dataclass(frozen=True, slots=True)
class Gaps:
    """Time not covered: ``seconds`` ``(n,)`` per row, and each gap with the flat index of the segment after it."""

    seconds: Floats
    index: Integers
    start: Floats
    end: Floats
    row: Integers


def gaps(trends: Trends, begin: Floats, until: Floats) -> Gaps:
    """The parts of ``[begin, until]`` (seconds, ``(n,)``) without a segment; rows must not be empty."""
    rows = trends.rows
    inner = np.flatnonzero((rows[1:] == rows[:-1]) & (trends.start[1:] > trends.end[:-1] + TIME_TOLERANCE))
    late = np.flatnonzero(trends.ends() < until - TIME_TOLERANCE)
    early = np.flatnonzero(trends.begins() > begin + TIME_TOLERANCE)
    index = np.concatenate([inner + 1, trends.offsets[late + 1], trends.offsets[early]])
    row = np.concatenate([rows[inner], late, early])
    start = np.concatenate([trends.end[inner], np.maximum(trends.ends()[late], begin[late]), begin[early]])
    end = np.concatenate([trends.start[inner + 1], until[late], np.minimum(trends.begins()[early], until[early])])
    start, end = np.maximum(start, begin[row]), np.minimum(end, until[row])
    open_ = end > start
    index, row, start, end = index[open_], row[open_], start[open_], end[open_]
    seconds = np.zeros(len(trends))
    np.add.at(seconds, row, end - start)
    return Gaps(seconds, index, start, end, row)


def refuse_gaps(trends: Trends, begin: Floats, until: Floats, name: str, problems: Problems) -> None:
    """Note a problem for every row with a gap in ``[begin, until]``."""
    found = gaps(trends, begin, until)
    problems.flag(
        found.seconds > 0,
        name,
        "has {} s without a temperature; give segments without gaps up to the moment of the estimate",
        found.seconds,
    )


def bridge(trends: Trends, found: Gaps) -> tuple[Trends, Flags]:
    """The histories with a segment added for each gap, and a mask ``(M,)`` of those added.

    Inside a history it joins the temperatures on both sides; at an end it keeps the nearest one.
    """
    if not found.index.size:
        return trends, np.zeros(trends.start.shape, dtype=np.bool_)
    before = np.maximum(found.index - 1, trends.offsets[found.row])
    after = np.minimum(found.index, trends.offsets[found.row + 1] - 1)
    leading = found.index == trends.offsets[found.row]
    trailing = found.index == trends.offsets[found.row + 1]
    left = np.where(leading, trends.first[after], trends.last[before])
    right = np.where(trailing, trends.last[before], trends.first[after])

    added = np.bincount(found.row, minlength=len(trends))
    bridged = Trends(
        np.insert(trends.start, found.index, found.start),
        np.insert(trends.end, found.index, found.end),
        np.insert(trends.first, found.index, left),
        np.insert(trends.last, found.index, right),
        np.insert(trends.measured, found.index, np.zeros(found.index.size, dtype=np.bool_)),
        offsets_of(trends.lengths + added),
    )
    mask = np.insert(
        np.zeros(trends.start.size, dtype=np.bool_), found.index, np.ones(found.index.size, dtype=np.bool_)
    )
    return bridged, mask


def outside(trends: Trends, low: float, high: float) -> Flags:
    """Rows ``(n,)`` that spend time outside ``[low, high]`` (K)."""
    beyond = (np.minimum(trends.first, trends.last) < low - 1e-9) | (
        np.maximum(trends.first, trends.last) > high + 1e-9
    )
    counts = beyond & (trends.end > trends.start)
    return row_sums(counts.astype(np.float64), trends.offsets) > 0
