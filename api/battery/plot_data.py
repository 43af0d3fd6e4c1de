"""The data of the plots, read through the access interface and turned into plain numbers.

Times become hours since a module's end-of-line test; units are checked, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, PathNotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import SegmentOrigin, SeriesValue, Trend
from ...ontology.literals import to_microseconds
from .fleet_table import ModuleRow, check_unit, moment_of

HOUR = 3_600_000_000
"""Microseconds."""


@dataclass(frozen=True)
class LossPoint:
    """One module's loss [% SOC] at an age [h]."""

    key: str
    age: float
    loss: float
    decision: str | None


@dataclass(frozen=True)
class TemperatureSegment:
    """A stretch of a trend: hours since the end-of-line test and °C, (n,) each."""

    origin: SegmentOrigin
    rule: str
    priority: int
    hours: tuple[float, ...]
    celsius: tuple[float, ...]


@dataclass(frozen=True)
class TemperatureTrend:
    """One module's temperature history as the reasoner stitched it."""

    module: str
    segments: tuple[TemperatureSegment, ...]


@dataclass(frozen=True)
class LossTrend:
    """One module's loss over time: hours since the end-of-line test and % SOC, (n,) each."""

    module: str
    hours: tuple[float, ...]
    loss: tuple[float, ...]


class GateComparison(Protocol):
    """Leaks found by the gate's windows in a simulated lot of modules, as the models give it.

    ``leaks`` in µA; ``dynamic``, ``fixed`` and ``usual`` ``(n,)`` in percent found: by the dynamic window, by a
    fixed one at the same share of false rejects, and by the usual fixed one. ``smallest_…`` in µA.
    """

    @property
    def lot(self) -> str:
        """The name of the lot."""
        ...

    @property
    def modules(self) -> int:
        """How many were simulated."""
        ...

    @property
    def cells(self) -> int:
        """Cells in each."""
        ...

    @property
    def false_rejects(self) -> float:
        """Share of sound modules that both compared windows reject."""
        ...

    @property
    def leaks(self) -> NDArray[np.float64]:
        """Planted leaks, µA."""
        ...

    @property
    def dynamic(self) -> NDArray[np.float64]:
        """Found by the dynamic window, %."""
        ...

    @property
    def fixed(self) -> NDArray[np.float64]:
        """Found by a fixed window at the same false rejects, %."""
        ...

    @property
    def fixed_limit(self) -> float:
        """The limit of that fixed window, mV."""
        ...

    @property
    def usual(self) -> NDArray[np.float64]:
        """Found by the usual fixed window, %."""
        ...

    @property
    def usual_limit(self) -> float:
        """Its limit, mV."""
        ...

    @property
    def smallest_dynamic(self) -> float:
        """Smallest leak the dynamic window finds, µA."""
        ...

    @property
    def smallest_fixed(self) -> float:
        """Smallest leak the fixed window finds at the same false rejects, µA."""
        ...

    @property
    def smallest_usual(self) -> float:
        """Smallest leak the usual window finds, µA; NaN where it found none."""
        ...


def losses_by_age(rows: Iterable[ModuleRow]) -> tuple[LossPoint, ...]:
    """Modules whose loss and age are known, the youngest first."""
    points = [
        LossPoint(row.key, row.loss_age, row.loss, row.decision)
        for row in rows
        if row.loss_age is not None and row.loss is not None
    ]
    return tuple(sorted(points, key=lambda point: (point.age, point.key)))


def temperature_trend(fleet: FleetAccess, module: str) -> TemperatureTrend:
    """The temperature trend of ``module`` from its end-of-line test to its arrival test, or until now.

    One without segments where no rule speaks yet. Raises TwinNotFoundError.
    """
    try:
        answer = fleet[module]["reasoner/temperatureTrend"]
        zero, end = life_span(fleet, module)
    except PathNotFoundError:
        return TemperatureTrend(module, ())
    check_unit(answer, "DEG_C")
    trend = answer.within(zero, end).value
    if not isinstance(trend, Trend):
        raise InputError(f"{answer.path}: is no trend; a rule has to give it for intervals")
    return TemperatureTrend(
        module,
        tuple(
            TemperatureSegment(s.origin, s.rule, s.priority, _hours(s.times, zero), s.values) for s in trend.segments
        ),
    )


def loss_trend(fleet: FleetAccess, module: str) -> LossTrend:
    """The model runs' estimates of ``module``'s loss up to its arrival test, or until now.

    An empty one where there is no estimate yet. Raises TwinNotFoundError.
    """
    try:
        answer = fleet[module]["selfDischarge/trend"]
        zero, end = life_span(fleet, module)
    except PathNotFoundError:
        return LossTrend(module, (), ())
    check_unit(answer, "PERCENT")
    # A window leaves its end out; the estimate for the arrival test itself belongs to the trend.
    series = answer.within(zero, end + timedelta(microseconds=1) if end else None).value
    if not isinstance(series, SeriesValue):
        raise InputError(f"{answer.path}: is no series; the ontology has to make it one")
    return LossTrend(module, _hours(series.times, zero), series.values)


def life_span(fleet: FleetAccess, module: str) -> tuple[datetime, datetime | None]:
    """Times of the end-of-line test and, if there was one, of the arrival test of ``module``.

    Raises PathNotFoundError where there was no end-of-line test.
    """
    tested = fleet[module]["endOfLineTest/performedAt"]
    zero = moment_of(tested)
    if zero is None:
        raise PathNotFoundError(f"{tested.path}: {tested.value!r} is no time")
    arrivals = fleet[module].all("arrivalTest/performedAt")
    return zero, moment_of(arrivals[0]) if arrivals else None


def _hours(times: Iterable[int], zero: datetime) -> tuple[float, ...]:
    start = to_microseconds(zero)
    return tuple((time - start) / HOUR for time in times)
