"""Exposure: what a temperature history adds up to, as K = ∫k(T)dt and as hours at 25 °C.

>>> from voltwin.models.base.columns import Trends
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

from ..base.columns import Flags, Floats, Trends, row_sums
from .rate_laws import RateLaw

SECONDS_PER_HOUR: Final = 3600.0
#: Segments a chunk: large enough to drown the calls, small enough for the second-level cache.
_CHUNK: Final = 65536
#: Gauss-Legendre nodes on [0, 1], of equal weight: two serve sensitivities (1e-3 over a ramp of 20 K).
_NODES: Final = 0.5 + 0.5 * np.array([-1.0, 1.0]) / np.sqrt(3.0)


def hours(trends: Trends) -> Floats:
    """Length of each segment ``(N,)`` in hours."""
    result: Floats = (trends.end - trends.start) / SECONDS_PER_HOUR
    return result


def exposure(trends: Trends, law: RateLaw) -> Floats:
    """K = ∫k(T)dt of each history ``(n,)``, dimensionless: the loss at a constant factor f(S) of 1.

    Works through the rows in chunks, so that the temporaries stay small beside the histories themselves.
    """
    offsets = trends.offsets
    result = np.empty(len(trends))
    first_row = 0
    while first_row < len(trends):
        target = offsets[first_row] + _CHUNK
        last_row = max(int(np.searchsorted(offsets, target, side="right")) - 1, first_row + 1)
        part = slice(int(offsets[first_row]), int(offsets[last_row]))
        weighted = law.mean(trends.first[part], trends.last[part])
        span = trends.end[part] - trends.start[part]
        span *= weighted
        local = offsets[first_row : last_row + 1] - offsets[first_row]
        result[first_row:last_row] = row_sums(span, local)
        first_row = last_row
    result /= SECONDS_PER_HOUR
    return result


@dataclass(frozen=True, slots=True)
class TemperatureUncertainty:
    """One reason to doubt temperatures: the segments it touches ``(N,)`` and its size ``(n,)`` in K.

    Within a history it is one common offset: a sensor's error is the same over all it measured, and a
    best guess is off by one amount over all it covers, which is the cautious reading of both.
    """

    source: str
    touches: Flags
    sigma: Floats


@dataclass(frozen=True, slots=True)
class ExposureSigma:
    """Standard deviations of the exposure K ``(n,)``.

    ``by_source``: the law's own sources and the doubts, of first order each, and ``interaction``, what they
    make together and what the exponential makes of a large one (see ``_interaction``); their squares add up
    to the variance. ``at_known_rate``: that of K when the rate at the reference were known, which divided
    by it is the standard deviation of the equivalent age.
    """

    by_source: dict[str, Floats]
    at_known_rate: Floats


def exposure_sigma(trends: Trends, law: RateLaw, doubts: Sequence[TemperatureUncertainty]) -> ExposureSigma:
    """How well the exposure of each history is known, by source."""
    span = hours(trends)
    sums: dict[str, Floats] = {}
    slope, area = np.zeros_like(span), np.zeros_like(span)
    share = span / len(_NODES)
    for node in _NODES:
        temperature = trends.first + node * (trends.last - trends.first)
        rate = law.rate(temperature)
        area += share * rate
        slope += share * law.slope(temperature, rate)
        for source, deviation in law.deviations(temperature, rate).items():
            sums[source] = sums.get(source, 0.0) + row_sums(share * deviation, trends.offsets)
    merged: dict[str, Floats] = {}
    for source, value in sums.items():
        # rate@298.15 and rate@333.15 are independent measurements of one kind: one line in the split.
        kind = source.split("@")[0]
        merged[kind] = np.hypot(merged[kind], value) if kind in merged else np.abs(value)
    total = row_sums(area, trends.offsets)
    doubted: list[tuple[Floats, Floats]] = []
    for doubt in doubts:
        lever = row_sums(np.where(doubt.touches, slope, 0.0), trends.offsets)
        merged[doubt.source] = np.abs(lever) * doubt.sigma
        doubted.append((row_sums(np.where(doubt.touches, area, 0.0), trends.offsets), merged[doubt.source]))
    others = {source: sigma for source, sigma in merged.items() if source != "rate"}
    alone = sum((sigma * sigma for sigma in others.values()), _interaction(total, others, doubted) ** 2)
    merged["interaction"] = _interaction(total, merged, doubted)
    return ExposureSigma(merged, np.sqrt(alone))


def _interaction(total: Floats, first_order: dict[str, Floats], doubted: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Standard deviation of the exposure beyond the first orders ``(n,)``.

    The rate multiplies the whole as a normal factor, the activation energy as a log-normal one, and each
    doubt its part of the history as a log-normal one, all independent; the variance of that product is
    exact. ``doubted`` holds, per doubt, the exposure it touches and its first-order deviation.
    """

    def relative(sigma: Floats, of: Floats) -> Floats:
        return np.divide(sigma, of, out=np.zeros_like(of), where=of > 0)

    zero = np.zeros_like(total)
    rate = relative(first_order.get("rate", zero), total) ** 2
    energy = relative(first_order.get("activationEnergy", zero), total) ** 2
    mean, variance = total - sum((part for part, _ in doubted), zero), zero
    for part, sigma in doubted:
        square = relative(sigma, part) ** 2
        mean = mean + part * np.exp(square / 2)
        variance = variance + part**2 * np.exp(square) * np.expm1(square)
    whole = (1 + rate) * np.exp(2 * energy) * (variance + mean**2) - np.exp(energy) * mean**2
    known = sum((sigma * sigma for sigma in first_order.values()), zero)
    result: Floats = np.sqrt(np.maximum(whole - known, 0.0))
    return result


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
