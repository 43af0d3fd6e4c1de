"""Two mechanisms of self-discharge: a shuttle discharges both electrodes, a film only the negative one.

>>> import numpy as np
>>> from voltwin.models.base.columns import Trends
>>> from voltwin.models.self_discharge.parameter_sets import ParameterSets
>>> from voltwin.models.self_discharge.two_electrode import film_moments, two_losses
>>> chosen = ParameterSets.shipped().get("generic-nmc-two-electrode")
>>> month = Trends(np.array([0.0]), np.array([730 * 3600.0]), np.array([298.15]), np.array([298.15]),
...                np.array([True]), np.array([0, 1]))
>>> moments = film_moments(month, chosen.law("arrhenius"), chosen.film.law)
>>> shuttle, film = two_losses(chosen, np.array([0.5]), moments.shuttle, moments.film)
>>> (shuttle * 100).round(3).tolist(), (film * 100).round(3).tolist()        # percent
([0.18], [0.1])

Both electrodes are expressed in the cell's state of charge, S+ and S-. The shuttle follows the closed form
of ``loss``: dS+/dt = -k f(S+). The film grows by k' g(S-), with S- = S+ - L and g = exp[b (S- - 0.5)], so
L = ln(1 + b ∫k' exp[b (S+ - 0.5)] dt) / b. Along the history exp[b (S+ - 0.5)] is (A + beta K)^(-b/beta)
with A = exp[-beta (S0 - 0.5)]: a binomial series in the shuttle's running exposure K, whose moments are one
pass over the history for all cells of a module. Four terms err by less than (beta K / A)^4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..base.columns import Floats, Trends, row_sums, running_sums
from .equivalent_age import hours
from .parameter_sets import ParameterSet
from .rate_laws import RateLaw
from .soc_laws import ExponentialFactor

_TERMS: Final = 4
#: Beyond this beta K / A the series is not used: its error would exceed one percent of the film's loss.
_FARTHEST: Final = 0.3


@dataclass(frozen=True, slots=True)
class FilmMoments:
    """Integrals over each history: the shuttle's exposure ``(n,)``, and ∫k'·K^m dt for m = 0..3, ``(4, n)``."""

    shuttle: Floats
    film: Floats


def film_moments(trends: Trends, shuttle: RateLaw, film: RateLaw) -> FilmMoments:
    """The integrals in one pass; the running exposure of a segment is taken at its middle."""
    span = hours(trends)
    steps = shuttle.mean(trends.first, trends.last) * span
    growth = film.mean(trends.first, trends.last) * span
    total = row_sums(steps, trends.offsets)
    running = running_sums(steps, trends.offsets) - 0.5 * steps
    return FilmMoments(total, np.stack([row_sums(growth * running**m, trends.offsets) for m in range(_TERMS)]))


def two_losses(
    chosen: ParameterSet, state_of_charge: Floats, shuttle: Floats, moments: Floats
) -> tuple[Floats, Floats]:
    """Charge lost to the shuttle and to the film ``(N,)``, fractions of capacity.

    ``state_of_charge`` at the start and ``shuttle`` exposure ``(N,)``, ``moments`` ``(4, N)``. The set must
    have a film and an exponential f(S). Where the shuttle's loss is too large for the series (about a fifth of
    the capacity), the film's loss is NaN.
    """
    if chosen.film is None or not isinstance(chosen.soc_factor, ExponentialFactor):
        raise TypeError(f"parameter set {chosen.name} has no film, or no exponential f(S)")
    beta, b = chosen.soc_factor.beta, chosen.film.beta
    level = state_of_charge - 0.5
    power = b / beta if beta else 0.0
    series = np.zeros_like(state_of_charge)
    coefficient = 1.0
    for m in range(_TERMS):
        series += coefficient * (beta * np.exp(beta * level)) ** m * moments[m]
        coefficient *= -(power + m) / (m + 1)
    exposure = np.exp(b * level) * series
    # With beta = 0 the shuttle's rate is constant: exp[b (S0 - K - 0.5)], whose series has the same moments.
    if not beta:
        even = sum((-b) ** m / float(np.prod(np.arange(1, m + 1))) * moments[m] for m in range(_TERMS))
        exposure = np.exp(b * level) * even
    covered = np.abs(beta * np.exp(beta * level) * shuttle) <= _FARTHEST
    covered &= b * exposure > -0.5
    film = np.log1p(np.where(covered, b * exposure, 0.0)) / b if b else exposure
    film = np.where(covered, film, np.nan)
    return chosen.soc_factor.loss(state_of_charge, shuttle), film
