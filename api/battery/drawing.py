"""Small inline drawings of the web pages as plain coordinates: a life-cycle strip, and a gauge per cell.

The templates turn them into SVG; nothing here knows HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .module_view import CellRow, Stage

STRIP_WIDTH = 1000.0
GAUGE_WIDTH = 140.0


@dataclass(frozen=True)
class Bar:
    """One stage on the strip, in its units of 0 to 1000; tests are moments of no width."""

    stage: Stage
    x: float
    width: float
    hours: float

    @property
    def middle(self) -> float:
        """The position of its label."""
        return self.x + self.width / 2


def strip(stages: Sequence[Stage]) -> tuple[Bar, ...]:
    """Stages as bars along one time axis; a stage without an end reaches the last known time."""
    if not stages:
        return ()
    first = min(stage.begin for stage in stages)
    last = max(moment for stage in stages for moment in (stage.begin, stage.end) if moment is not None)
    span = max((last - first).total_seconds(), 1.0)

    def place(moment: datetime) -> float:
        return (moment - first).total_seconds() / span * STRIP_WIDTH

    bars = []
    for stage in stages:
        end = stage.begin if stage.kind == "test" else stage.end or last
        hours = (end - stage.begin).total_seconds() / 3600
        bars.append(Bar(stage, place(stage.begin), place(end) - place(stage.begin), hours))
    return tuple(bars)


@dataclass(frozen=True)
class Gauge:
    """A cell's limits and arrival voltage on one scale that all cells of a module share."""

    low: float
    expected: float
    high: float
    mark: float
    is_outside: bool


def gauges(cells: Sequence[CellRow]) -> dict[str, Gauge]:
    """Per cell with limits and an arrival voltage."""
    known = [(cell, cell.deviation, cell.limits) for cell in cells]
    shown = [(cell, mark, limits) for cell, mark, limits in known if mark is not None and limits is not None]
    reach = max((abs(value) for _, mark, limits in shown for value in (mark, *limits)), default=1.0) * 1.1 or 1.0

    def place(millivolts: float) -> float:
        return GAUGE_WIDTH / 2 * (1 + millivolts / reach)

    return {
        cell.key: Gauge(place(limits[0]), place(0.0), place(limits[1]), place(mark), cell.is_outside)
        for cell, mark, limits in shown
    }
