"""Thermal exposure of a temperature history, K = ∫k(T)dt, also as equivalent hours at 25 °C.

>>> from voltwin.models.base.columns import Trends
>>> from voltwin.models.self_discharge.parameter_sets import ParameterSets
>>> import numpy as np
>>> day = Trends(np.array([0.0]), np.array([86400.0]), np.array([298.15]), np.array([298.15]),
...              np.array([True]), np.array([0, 1]))
>>> law = ParameterSets.shipped().get("generic-nmc-literature").law("arrhenius")
>>> float(exposure(day, law)[0] / law.rate(np.array([298.15]))[0])   # hours at 25 °C
24.0

Exposure is additive: a history may be split, merged, delivered late or out of order, and the sum stays the
same. Streaming updates and shared temperature records are therefore exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..base.columns import Flags, Floats, Integers, Ragged, Trends, row_blocks, row_sums
from ..base.units import SECONDS_PER_HOUR
from .rate_laws import RateLaw

#: Gauss-Legendre nodes on [0, 1], of equal weight: two suffice for sensitivities (1e-3 over a ramp of 20 K).
_NODES: Final = 0.5 + 0.5 * np.array([-1.0, 1.0]) / np.sqrt(3.0)


def hours(trends: Trends) -> Floats:
    """Length of each segment ``(N,)`` in hours."""
    return (trends.end - trends.start) / SECONDS_PER_HOUR


def exposure(trends: Trends, law: RateLaw) -> Floats:
    """K = ∫k(T)dt of each history ``(n,)``, dimensionless: the loss at a constant factor f(S) of 1.

    Computed in blocks of rows, so that the temporaries stay small beside the histories themselves.
    """
    result = np.empty(len(trends))
    for first, end in row_blocks(trends.offsets):
        part = trends.between(first, end)
        span = part.end - part.start
        span *= law.mean(part.first, part.last)
        result[first:end] = row_sums(span, part.offsets)
    result /= SECONDS_PER_HOUR
    return result


@dataclass(frozen=True, slots=True)
class TemperatureUncertainty:
    """One source of temperature error: the segments it affects ``(N,)`` and its standard deviation ``(n,)`` in K.

    Within a history it is one common offset: a sensor has the same error in all its readings, and a best
    guess has the same error over all its segments, which is the cautious assumption for both.
    """

    source: str
    affects: Flags
    sigma: Floats

    def take(self, trends: Trends, rows: Integers) -> TemperatureUncertainty:
        """The same source for the histories ``rows`` of ``trends``."""
        affects = Ragged(self.affects.astype(np.float64), trends.offsets).take(rows).values > 0
        return TemperatureUncertainty(self.source, affects, self.sigma[rows])


@dataclass(frozen=True, slots=True)
class ExposureSigma:
    """Standard deviations of the exposure K ``(n,)``.

    ``by_source``: the law's own sources and the temperature uncertainties, of first order each, and
    ``interaction``, the contribution of products and of the exponential's curvature (see ``_interaction``); their
    squares add up to the variance. ``at_known_rate``: the standard deviation of K if the rate at the reference
    were known; divided by that rate it is the standard deviation of the equivalent age.
    """

    by_source: dict[str, Floats]
    at_known_rate: Floats


def exposure_sigma(trends: Trends, law: RateLaw, uncertainties: Sequence[TemperatureUncertainty]) -> ExposureSigma:
    """Standard deviations of the exposure of each history, by source."""
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
        # rate@298.15 and rate@333.15 are independent measurements of one kind: reported as one source.
        kind = source.split("@")[0]
        merged[kind] = np.hypot(merged[kind], value) if kind in merged else np.abs(value)
    total = row_sums(area, trends.offsets)
    affected: list[tuple[Floats, Floats]] = []
    for item in uncertainties:
        lever = row_sums(np.where(item.affects, slope, 0.0), trends.offsets)
        merged[item.source] = np.abs(lever) * item.sigma
        affected.append((row_sums(np.where(item.affects, area, 0.0), trends.offsets), merged[item.source]))
    others = {source: sigma for source, sigma in merged.items() if source != "rate"}
    alone = sum((sigma * sigma for sigma in others.values()), _interaction(total, others, affected) ** 2)
    merged["interaction"] = _interaction(total, merged, affected)
    return ExposureSigma(merged, np.sqrt(alone))


def _interaction(total: Floats, first_order: dict[str, Floats], affected: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Standard deviation of the exposure beyond the first orders ``(n,)``.

    The rate multiplies the whole as a normal factor, the activation energy as a log-normal one, and each
    temperature error its part of the history as a log-normal one, all independent; the variance of that product
    is exact. ``affected`` holds, per temperature error, the exposure it affects and its first-order deviation.
    """

    def relative(sigma: Floats, of: Floats) -> Floats:
        return np.divide(sigma, of, out=np.zeros_like(of), where=of > 0)

    zero = np.zeros_like(total)
    rate = relative(first_order.get("rate", zero), total) ** 2
    energy = relative(first_order.get("activationEnergy", zero), total) ** 2
    mean, variance = total - sum((part for part, _ in affected), zero), zero
    for part, sigma in affected:
        square = relative(sigma, part) ** 2
        mean = mean + part * np.exp(square / 2)
        variance = variance + part**2 * np.exp(square) * np.expm1(square)
    whole = (1 + rate) * np.exp(2 * energy) * (variance + mean**2) - np.exp(energy) * mean**2
    known = sum((sigma * sigma for sigma in first_order.values()), zero)
    return np.sqrt(np.maximum(whole - known, 0.0))


def measured_share(trends: Trends) -> Floats:
    """Share of each history's length that was measured ``(n,)``, 0 to 1; NaN for no length."""
    span = hours(trends)
    whole = row_sums(span, trends.offsets)
    measured = row_sums(np.where(trends.measured, span, 0.0), trends.offsets)
    return np.divide(measured, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def temperature_extremes(trends: Trends) -> tuple[Floats, Floats]:
    """Coldest and warmest temperature of each history ``(n,)``, K; segments without length do not count."""
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
    """The constant temperature ``(n,)`` in K with the same exposure.

    By bisection between the coldest and the warmest of the history, which always bracket it
    because k never falls with T; 60 halvings reach the last bit.
    """
    low, high = coldest.copy(), warmest.copy()
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = law.rate(middle) > mean_rate
        high = np.where(above, middle, high)
        low = np.where(above, low, middle)
    return 0.5 * (low + high)
