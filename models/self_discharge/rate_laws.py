"""How fast a cell discharges itself at a temperature: k(T) at half charge, and its mean over a ramp.

>>> import numpy as np
>>> from voltwin.models.self_discharge.rate_laws import ArrheniusLaw
>>> law = ArrheniusLaw(rate_at_reference=0.0028 / 730, activation_energy=50e3, reference=298.15)
>>> ramp = law.mean(np.array([278.15]), np.array([298.15]))   # 5 to 25 °C
>>> float(ramp[0] / law.rate(np.array([298.15]))[0]).__round__(6)
0.53643

Every law integrates a temperature that is linear in time exactly: nothing is stepped. For Arrhenius,
with B = Ea/R and x = B/T, the antiderivative of exp(-B/T) is T·E2(x) (equal to T·exp(-x) - B·E1(x) but
without its cancellation; Abramowitz & Stegun 5.1.14). A short ramp, where the difference of two such
terms would cancel, uses the series of exp(-x/(1+u)) in Laguerre polynomials (A&S 22.9.15).

Temperatures are in kelvin, rates in 1/h at a state of charge of 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from scipy.special import expn

from ..columns import Floats

GAS_CONSTANT: Final = 8.314462618  # J/(mol K), CODATA 2018, exact

#: Up to these half-widths of a ramp, in the exponent and relative to T, the series is exact to 3e-14.
_SHORT: Final = 0.1
_NARROW: Final = 0.02
#: Segments worked on at once: the temporaries stay in the processor's cache.
_BLOCK: Final = 8192


class RateLaw(Protocol):
    """A rate as a function of temperature; all arrays are ``(N,)``, kelvin in and 1/h out."""

    def rate(self, temperature: Floats) -> Floats:
        """The rate k(T)."""
        ...

    def slope(self, temperature: Floats) -> Floats:
        """dk/dT in 1/(h K)."""
        ...

    def mean(self, first: Floats, last: Floats) -> Floats:
        """The mean of k along a ramp from ``first`` to ``last``, linear in time."""
        ...

    def deviations(self, temperature: Floats) -> Mapping[str, Floats]:
        """dk/dp · σ(p) for each of the law's own parameters, by source (1/h)."""
        ...


def mean_exponential(x: Floats, w: Floats) -> Floats:
    """Mean of ``exp(x - x/(1+u))`` over u in [-w, w], for short ramps (``x * w`` up to 0.1, ``w`` to 0.02).

    ``x`` is B/T at the middle of the ramp and ``w`` half the ramp over that T. The even Laguerre terms of
    degree 2, 4 and 6 are written out.
    """
    square = w * w
    sixth = x * (-1 + x * (2.5 + x * (-5 / 3 + x * (5 / 12 + x * (-1 / 24 + x / 720)))))
    fourth = x * (-1 + x * (1.5 + x * (-0.5 + x / 24)))
    second = x * (x / 2 - 1)
    result: Floats = 1.0 + square * (second / 3 + square * (fourth / 5 + square * (sixth / 7)))
    return result


@dataclass(frozen=True, slots=True)
class ArrheniusLaw:
    """k(T) = k_ref · exp[-Ea/R · (1/T - 1/T_ref)]; the sigmas describe how well both are known.

    ``rate_at_reference`` in 1/h, ``activation_energy`` and its sigma in J/mol, ``reference`` in kelvin,
    ``relative_sigma`` as a fraction of the rate.
    """

    rate_at_reference: float
    activation_energy: float
    reference: float
    relative_sigma: float = 0.0
    activation_energy_sigma: float = 0.0

    def rate(self, temperature: Floats) -> Floats:
        """The rate k(T), 1/h."""
        b = self.activation_energy / GAS_CONSTANT
        result: Floats = self.rate_at_reference * np.exp(b / self.reference - b / temperature)
        return result

    def slope(self, temperature: Floats) -> Floats:
        """dk/dT, 1/(h K)."""
        b = self.activation_energy / GAS_CONSTANT
        result: Floats = self.rate(temperature) * b / (temperature * temperature)
        return result

    def mean(self, first: Floats, last: Floats) -> Floats:
        """Mean rate over ramps, exact to about 1e-13."""
        if first.size <= _BLOCK:
            return self._mean_block(first, last)
        result = np.empty_like(first)
        for start in range(0, first.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            result[block] = self._mean_block(first[block], last[block])
        return result

    def _mean_block(self, first: Floats, last: Floats) -> Floats:
        b = self.activation_energy / GAS_CONSTANT
        middle = 0.5 * (first + last)
        x = b / middle
        w = (last - middle) / middle
        result = np.exp(b / self.reference - x)
        result *= mean_exponential(x, w)
        steep = np.abs(w) * np.maximum(x, _SHORT / _NARROW) > _SHORT
        if steep.any():
            low, high = first[steep], last[steep]
            area = high * expn(2, b / high) - low * expn(2, b / low)
            result[steep] = np.exp(b / self.reference) * area / (high - low)
        result *= self.rate_at_reference
        return result

    def deviations(self, temperature: Floats) -> Mapping[str, Floats]:
        """From the rate at the reference, and from the activation energy."""
        rate = self.rate(temperature)
        lever = (1.0 / self.reference - 1.0 / temperature) / GAS_CONSTANT
        return {
            "rate": rate * self.relative_sigma,
            "activationEnergy": rate * lever * self.activation_energy_sigma,
        }


@dataclass(frozen=True, slots=True)
class LinearLaw:
    """k(T) on the straight line through two measured rates; beyond them it can turn negative."""

    temperatures: tuple[float, float]
    rates: tuple[float, float]
    relative_sigmas: tuple[float, float] = (0.0, 0.0)

    def _share(self, temperature: Floats) -> Floats:
        low, high = self.temperatures
        return (temperature - low) / (high - low)

    def rate(self, temperature: Floats) -> Floats:
        """The rate k(T), 1/h."""
        share = self._share(temperature)
        return self.rates[0] * (1.0 - share) + self.rates[1] * share

    def slope(self, temperature: Floats) -> Floats:
        """dk/dT, 1/(h K)."""
        low, high = self.temperatures
        return np.full_like(temperature, (self.rates[1] - self.rates[0]) / (high - low))

    def mean(self, first: Floats, last: Floats) -> Floats:
        """Mean rate over ramps: the rate at the middle."""
        return self.rate(0.5 * (first + last))

    def deviations(self, temperature: Floats) -> Mapping[str, Floats]:
        """From both measured rates, each at its own temperature."""
        share = self._share(temperature)
        low, high = (k * s for k, s in zip(self.rates, self.relative_sigmas, strict=True))
        return {
            f"rate@{self.temperatures[0]:g}": low * (1.0 - share),
            f"rate@{self.temperatures[1]:g}": high * share,
        }


@dataclass(frozen=True, slots=True)
class ArrheniusPair:
    """k(T) with ln k linear in 1/T through two measured rates: the Arrhenius law they imply."""

    temperatures: tuple[float, float]
    rates: tuple[float, float]
    relative_sigmas: tuple[float, float] = (0.0, 0.0)

    @property
    def law(self) -> ArrheniusLaw:
        """The same law with the activation energy spelled out."""
        (low, high), (k_low, k_high) = self.temperatures, self.rates
        energy = GAS_CONSTANT * float(np.log(k_high / k_low)) / (1.0 / low - 1.0 / high)
        return ArrheniusLaw(k_low, energy, low)

    def rate(self, temperature: Floats) -> Floats:
        """The rate k(T), 1/h."""
        return self.law.rate(temperature)

    def slope(self, temperature: Floats) -> Floats:
        """dk/dT, 1/(h K)."""
        return self.law.slope(temperature)

    def mean(self, first: Floats, last: Floats) -> Floats:
        """Mean rate over ramps."""
        return self.law.mean(first, last)

    def deviations(self, temperature: Floats) -> Mapping[str, Floats]:
        """From both measured rates, each at its own temperature."""
        low, high = self.temperatures
        share = (1.0 / low - 1.0 / temperature) / (1.0 / low - 1.0 / high)
        rate = self.rate(temperature)
        return {
            f"rate@{low:g}": rate * (1.0 - share) * self.relative_sigmas[0],
            f"rate@{high:g}": rate * share * self.relative_sigmas[1],
        }


@dataclass(frozen=True, slots=True)
class ConstantLaw:
    """k held where another law's range ends (policy clamp)."""

    held: RateLaw
    at: float

    def rate(self, temperature: Floats) -> Floats:
        """The rate, the same at every temperature, 1/h."""
        return np.full_like(temperature, float(self.held.rate(np.array([self.at]))[0]))

    def slope(self, temperature: Floats) -> Floats:
        """Zero."""
        return np.zeros_like(temperature)

    def mean(self, first: Floats, last: Floats) -> Floats:
        """The rate itself."""
        return self.rate(first)

    def deviations(self, temperature: Floats) -> Mapping[str, Floats]:
        """Those of the law held, where it is held."""
        held = self.held.deviations(np.array([self.at]))
        return {source: np.full_like(temperature, float(value[0])) for source, value in held.items()}


@dataclass(frozen=True, slots=True)
class PiecewiseLaw:
    """Different laws in neighbouring temperature ranges: ``bounds`` ``(m - 1,)`` between ``m`` pieces."""

    bounds: tuple[float, ...]
    pieces: tuple[RateLaw, ...]

    def _choose(self, temperature: Floats, values: list[Floats]) -> Floats:
        index = np.searchsorted(np.asarray(self.bounds), temperature, side="right")
        result: Floats = np.choose(index, values)
        return result

    def rate(self, temperature: Floats) -> Floats:
        """The rate k(T), 1/h."""
        return self._choose(temperature, [piece.rate(temperature) for piece in self.pieces])

    def slope(self, temperature: Floats) -> Floats:
        """dk/dT, 1/(h K)."""
        return self._choose(temperature, [piece.slope(temperature) for piece in self.pieces])

    def mean(self, first: Floats, last: Floats) -> Floats:
        """Mean rate over ramps: each piece over the part of the ramp inside its range."""
        low, high = np.minimum(first, last), np.maximum(first, last)
        span = high - low
        edges = (-np.inf, *self.bounds, np.inf)
        flat = self.rate(first)
        total = np.zeros_like(first)
        for piece, lower, upper in zip(self.pieces, edges[:-1], edges[1:], strict=True):
            begin, end = np.clip(low, lower, upper), np.clip(high, lower, upper)
            share = np.divide(end - begin, span, out=np.zeros_like(span), where=span > 0)
            inside = share > 0
            if inside.any():
                total[inside] += share[inside] * piece.mean(begin[inside], end[inside])
        result: Floats = np.where(span > 0, total, flat)
        return result

    def deviations(self, temperature: Floats) -> Mapping[str, Floats]:
        """Those of the piece each temperature falls into."""
        index = np.searchsorted(np.asarray(self.bounds), temperature, side="right")
        merged: dict[str, Floats] = {}
        for number, piece in enumerate(self.pieces):
            for source, value in piece.deviations(temperature).items():
                target = merged.setdefault(source, np.zeros_like(temperature))
                np.copyto(target, value, where=index == number)
        return merged
