"""Rate laws of self-discharge: k(T) at half charge, and its mean over a temperature ramp.

>>> import numpy as np
>>> from voltwin.models.self_discharge.rate_laws import ArrheniusLaw
>>> law = ArrheniusLaw(rate_at_reference=0.0028 / 730, activation_energy=50e3, reference=298.15)
>>> ramp = law.mean(np.array([278.15]), np.array([298.15]))   # 5 to 25 °C
>>> float(ramp[0] / law.rate(np.array([298.15]))[0]).__round__(6)
0.53643

Every law integrates a temperature that is linear in time exactly, without time steps. For Arrhenius,
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

from ..base.columns import CACHED_VALUES, Floats

GAS_CONSTANT: Final = 8.314462618  # J/(mol K), CODATA 2018, exact

#: Up to these half-widths of a ramp, in the exponent and relative to T, the series is exact to 3e-14.
_SHORT: Final = 0.1
_NARROW: Final = 0.02
#: Laguerre coefficients of degree 6, 4 and 2 over degree + 1 (highest power of x first, none constant), and
#: the steepness from which each is needed.
_LAGUERRE: Final = (
    ((1 / 5040, -1 / 168, 5 / 84, -5 / 21, 5 / 14, -1 / 7), 0.028),
    ((1 / 120, -1 / 10, 3 / 10, -1 / 5), 0.0018),
    ((1 / 6, -1 / 3), 0.0),
)


class RateLaw(Protocol):
    """A rate as a function of temperature; all arrays are ``(N,)``, kelvin in and 1/h out."""

    def rate(self, temperature: Floats) -> Floats:
        """The rate k(T)."""
        ...

    def slope(self, temperature: Floats, rate: Floats) -> Floats:
        """dk/dT in 1/(h K); ``rate`` is k there, which most laws use."""
        ...

    def mean(self, first: Floats, last: Floats) -> Floats:
        """The mean of k along a ramp from ``first`` to ``last``, linear in time."""
        ...

    def deviations(self, temperature: Floats, rate: Floats) -> Mapping[str, Floats]:
        """dk/dp · σ(p) for each of the law's own parameters, by source (1/h); ``rate`` is k there."""
        ...


def mean_exponential(x: Floats, square: Floats, steepest: float, out: Floats, scratch: Floats) -> None:
    """Write the mean of ``exp(x - x/(1+u))`` over u in [-w, w] into ``out``, for short ramps.

    ``x`` is B/T at the middle of the ramp, ``square`` is w², w half the ramp over that T; ``steepest``
    bounds x·w and decides how many of the even Laguerre terms (degree 6, 4, 2) are needed for 1e-13.
    """
    terms = [row for row, needed in _LAGUERRE if steepest > needed] or [_LAGUERRE[-1][0]]
    for number, row in enumerate(terms):
        target = scratch if number else out
        np.multiply(x, row[0], out=target)
        for coefficient in row[1:]:
            target += coefficient
            target *= x
        if number:
            out += scratch
        out *= square
    out += 1.0


@dataclass(frozen=True, slots=True)
class ArrheniusLaw:
    """k(T) = k_ref · exp[-Ea/R · (1/T - 1/T_ref)], with the uncertainty of both parameters.

    ``rate_at_reference`` in 1/h, ``activation_energy`` (not negative) and its sigma in J/mol, ``reference`` in K,
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
        return self.rate_at_reference * np.exp(b / self.reference - b / temperature)

    def slope(self, temperature: Floats, rate: Floats) -> Floats:
        """dk/dT, 1/(h K)."""
        b = self.activation_energy / GAS_CONSTANT
        return rate * b / (temperature * temperature)

    def mean(self, first: Floats, last: Floats) -> Floats:
        """Mean rate over ramps, exact to about 1e-13."""
        result = np.empty_like(first)
        buffers = np.empty((4, min(CACHED_VALUES, first.size)))
        for start in range(0, first.size, CACHED_VALUES):
            block = slice(start, start + CACHED_VALUES)
            self._mean_block(first[block], last[block], result[block], buffers)
        return result

    def _mean_block(self, first: Floats, last: Floats, result: Floats, buffers: Floats) -> None:
        """Write the mean of one block into ``result``; ``buffers`` are scratch, so nothing is allocated."""
        b = self.activation_energy / GAS_CONSTANT
        inverse, x, w, scratch = buffers[:, : first.size]
        np.add(first, last, out=inverse)
        np.divide(2.0, inverse, out=inverse)
        np.multiply(inverse, b, out=x)
        np.subtract(last, first, out=w)
        w *= inverse
        w *= 0.5
        np.subtract(b / self.reference, x, out=result)
        np.exp(result, out=result)
        np.abs(w, out=scratch)
        widest = float(scratch.max())
        steepest = widest * max(float(x.max()), _SHORT / _NARROW)
        w *= w
        # ``inverse`` is free from here on: it takes the series.
        mean_exponential(x, w, min(steepest, _SHORT), inverse, scratch)
        result *= inverse
        if steepest > _SHORT:
            self._mean_steep(first, last, result)
        result *= self.rate_at_reference

    def _mean_steep(self, first: Floats, last: Floats, result: Floats) -> None:
        """Overwrite the long ramps in ``result`` by the difference of antiderivatives, not yet times k."""
        b = self.activation_energy / GAS_CONSTANT
        w = np.abs(last - first) / (first + last)
        steep = w * np.maximum(2.0 * b / (first + last), _SHORT / _NARROW) > _SHORT
        low, high = first[steep], last[steep]
        area = high * expn(2, b / high) - low * expn(2, b / low)
        result[steep] = np.exp(b / self.reference) * area / (high - low)

    def deviations(self, temperature: Floats, rate: Floats) -> Mapping[str, Floats]:
        """From the rate at the reference, and from the activation energy."""
        lever = (1.0 / self.reference - 1.0 / temperature) / GAS_CONSTANT
        return {"rate": rate * self.relative_sigma, "activationEnergy": rate * lever * self.activation_energy_sigma}


@dataclass(frozen=True, slots=True)
class LinearLaw:
    """k(T) on the straight line through two measured rates; beyond them it can be negative."""

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

    def slope(self, temperature: Floats, rate: Floats) -> Floats:
        """dk/dT, 1/(h K)."""
        low, high = self.temperatures
        return np.full_like(temperature, (self.rates[1] - self.rates[0]) / (high - low))

    def mean(self, first: Floats, last: Floats) -> Floats:
        """Mean rate over ramps: the rate at the middle."""
        return self.rate(0.5 * (first + last))

    def deviations(self, temperature: Floats, rate: Floats) -> Mapping[str, Floats]:
        """From both measured rates, each at its own temperature."""
        share = self._share(temperature)
        low, high = (k * s for k, s in zip(self.rates, self.relative_sigmas, strict=True))
        return {f"rate@{self.temperatures[0]:g}": low * (1.0 - share), f"rate@{self.temperatures[1]:g}": high * share}


@dataclass(frozen=True, slots=True)
class ArrheniusPair(ArrheniusLaw):
    """The Arrhenius law that two measured rates imply; ``second`` in K and its rate's sigma are of the other one."""

    second: float = float("nan")
    second_sigma: float = 0.0

    @classmethod
    def through(
        cls, temperatures: tuple[float, float], rates: tuple[float, float], relative_sigmas: tuple[float, float]
    ) -> ArrheniusPair:
        """The law with ln k linear in 1/T through both rates."""
        (low, high), (k_low, k_high) = temperatures, rates
        energy = GAS_CONSTANT * float(np.log(k_high / k_low)) / (1.0 / low - 1.0 / high)
        return cls(k_low, energy, low, relative_sigmas[0], second=high, second_sigma=relative_sigmas[1])

    def deviations(self, temperature: Floats, rate: Floats) -> Mapping[str, Floats]:
        """From both measured rates, each at its own temperature."""
        low, high = self.reference, self.second
        share = (1.0 / low - 1.0 / temperature) / (1.0 / low - 1.0 / high)
        return {
            f"rate@{low:g}": rate * (1.0 - share) * self.relative_sigma,
            f"rate@{high:g}": rate * share * self.second_sigma,
        }


@dataclass(frozen=True, slots=True)
class ConstantLaw:
    """k constant beyond the end of another law's range (policy clamp)."""

    held: RateLaw
    at: float

    def rate(self, temperature: Floats) -> Floats:
        """The rate, the same at every temperature, 1/h."""
        return np.full_like(temperature, float(self.held.rate(np.array([self.at]))[0]))

    def slope(self, temperature: Floats, rate: Floats) -> Floats:
        """Zero."""
        return np.zeros_like(temperature)

    def mean(self, first: Floats, last: Floats) -> Floats:
        """The rate itself."""
        return self.rate(first)

    def deviations(self, temperature: Floats, rate: Floats) -> Mapping[str, Floats]:
        """The deviations of the held law at the temperature ``at``."""
        at = np.array([self.at])
        held = self.held.deviations(at, self.held.rate(at))
        return {source: np.full_like(temperature, float(value[0])) for source, value in held.items()}


@dataclass(frozen=True, slots=True)
class PiecewiseLaw:
    """Different laws in neighbouring temperature ranges: ``bounds`` ``(m - 1,)`` between ``m`` pieces."""

    bounds: tuple[float, ...]
    pieces: tuple[RateLaw, ...]

    def _choose(self, temperature: Floats, values: list[Floats]) -> Floats:
        index = np.searchsorted(np.asarray(self.bounds), temperature, side="right")
        return np.choose(index, values)

    def rate(self, temperature: Floats) -> Floats:
        """The rate k(T), 1/h."""
        return self._choose(temperature, [piece.rate(temperature) for piece in self.pieces])

    def slope(self, temperature: Floats, rate: Floats) -> Floats:
        """dk/dT, 1/(h K)."""
        return self._choose(temperature, [piece.slope(temperature, rate) for piece in self.pieces])

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
        return np.where(span > 0, total, flat)

    def deviations(self, temperature: Floats, rate: Floats) -> Mapping[str, Floats]:
        """The deviations of the piece that contains each temperature."""
        index = np.searchsorted(np.asarray(self.bounds), temperature, side="right")
        merged: dict[str, Floats] = {}
        for number, piece in enumerate(self.pieces):
            for source, value in piece.deviations(temperature, rate).items():
                target = merged.setdefault(source, np.zeros_like(temperature))
                np.copyto(target, value, where=index == number)
        return merged
