"""Exposure: what a temperature history adds up to, as K = ∫k(T)dt and as hours at 25 °C.

>>> from voltwin.models.columns import Trends
>>> from voltwin.models.self_discharge.parameter_sets import ParameterSets
>>> import numpy as np
>>> day = Trends(np.array([0.0]), np.array([86400.0]), np.array([298.15]), np.array([298.15]),
...              np.array([True]), np.array([0, 1]))
>>> law = ParameterSets.shipped().get("generic-nmc-literature").law("arrhenius")
>>> float(exposure(day, law)[0] / law.rate(np.array([298.15]))[0])   # hours at 25 °C
24.0

Exposure adds up: a history may be split, merged, delivered late or out of order, and the sum stays the
same. That is what makes streaming updates and shared situations exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..columns import Flags, Floats, Trends, row_sums
from .rate_laws import RateLaw

SECONDS_PER_HOUR: Final = 3600.0
#: Gauss-Legendre nodes and weights on [0, 1]: 3 points serve sensitivities (3e-6 over a 20 K ramp).
_NODES: Final = 0.5 + 0.5 * np.array([-np.sqrt(0.6), 0.0, np.sqrt(0.6)])
_WEIGHTS: Final = np.array([5.0, 8.0, 5.0]) / 18.0


def hours(trends: Trends) -> Floats:
    """Length of each segment ``(N,)`` in hours."""
    result: Floats = (trends.end - trends.start) / SECONDS_PER_HOUR
    return result


def exposure(trends: Trends, law: RateLaw) -> Floats:
    """K = ∫k(T)dt of each history ``(n,)``, dimensionless: the loss at a constant factor f(S) of 1."""
    return row_sums(law.mean(trends.first, trends.last) * hours(trends), trends.offsets)


@dataclass(frozen=True, slots=True)
class TemperatureDoubt:
    """One reason to doubt temperatures: the segments it touches ``(N,)`` and its size ``(n,)`` in K.

    Within a history it is one common offset: a sensor's error is the same over all it measured, and a
    best guess is off by one amount over all it covers, which is the cautious reading of both.
    """

    source: str
    touches: Flags
    sigma: Floats


def exposure_sigma(trends: Trends, law: RateLaw, doubts: Sequence[TemperatureDoubt]) -> dict[str, Floats]:
    """First-order standard deviations of the exposure ``(n,)`` by source: the law's own, then the doubts."""
    span = hours(trends)
    sums: dict[str, Floats] = {}
    slope = np.zeros_like(span)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        temperature = trends.first + node * (trends.last - trends.first)
        share = weight * span
        slope += share * law.slope(temperature)
        for source, deviation in law.deviations(temperature).items():
            sums[source] = sums.get(source, 0.0) + row_sums(share * deviation, trends.offsets)
    merged: dict[str, Floats] = {}
    for source, value in sums.items():
        # rate@298.15 and rate@333.15 are independent measurements of one kind: one line in the split.
        kind = source.split("@")[0]
        merged[kind] = np.hypot(merged[kind], value) if kind in merged else np.abs(value)
    for doubt in doubts:
        lever = row_sums(np.where(doubt.touches, slope, 0.0), trends.offsets)
        merged[doubt.source] = np.abs(lever) * doubt.sigma
    return merged


def measured_share(trends: Trends) -> Floats:
    """Share of each history's length that was measured ``(n,)``, 0 to 1; NaN for no length."""
    span = hours(trends)
    whole = row_sums(span, trends.offsets)
    measured = row_sums(np.where(trends.measured, span, 0.0), trends.offsets)
    return np.divide(measured, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def temperature_extremes(trends: Trends) -> tuple[Floats, Floats]:
    """Coldest and warmest temperature of each history ``(n,)``, K; what has no length does not count."""
    counts = trends.end > trends.start
    low = np.where(counts, np.minimum(trends.first, trends.last), np.inf)
    high = np.where(counts, np.maximum(trends.first, trends.last), -np.inf)
    coldest, warmest = np.full(len(trends), np.nan), np.full(len(trends), np.nan)
    filled = trends.lengths > 0
    if filled.any():
        starts = trends.offsets[:-1][filled]
        coldest[filled] = np.minimum.reduceat(low, starts)
        warmest[filled] = np.maximum.reduceat(high, starts)
    return coldest, warmest


def mean_kinetic_temperature(mean_rate: Floats, coldest: Floats, warmest: Floats, law: RateLaw) -> Floats:
    """The constant temperature ``(n,)`` in K that would have given the same exposure.

    Found by bisection between the coldest and the warmest of the history, which always bracket it
    because k never falls with T; 60 halvings reach the last bit.
    """
    low, high = coldest.copy(), warmest.copy()
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = law.rate(middle) > mean_rate
        high = np.where(above, middle, high)
        low = np.where(above, low, middle)
    result: Floats = 0.5 * (low + high)
    return result
