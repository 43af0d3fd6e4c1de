"""Dependence of the rate on the state of charge: exp[beta (S - 0.5)], or any positive table f(S).

>>> import numpy as np
>>> from voltwin.models.self_discharge.soc_laws import ExponentialFactor, TabulatedFactor
>>> points = np.linspace(0, 1, 101)
>>> table = TabulatedFactor.through(points, np.exp(0.87 * (points - 0.5)))
>>> start, exposure = np.array([0.5]), np.array([0.01])
>>> bool(abs(table.loss(start, exposure) - ExponentialFactor(0.87).loss(start, exposure))[0] < 1e-8)
True

For a table, S = G⁻¹(G(S0) - K) with G(S) = ∫dS/f. G is tabulated at 2001 points and read by cubics whose
slopes at the points, 1/f for G and f for its inverse, are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from ...errors import InputError
from ..base.columns import Floats
from .loss import loss, loss_slopes, soc_factor

_POINTS: Final = 2001
#: Gauss-Legendre on [0, 1], 4 points: exact to rounding over one two-thousandth of the range.
_GAUSS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True, slots=True)
class LossResponse:
    """Sensitivity of a loss, each in the shape of the loss.

    ``by_exposure`` dL/dK, ``by_state_of_charge`` dL/dS0, ``shape_sigma`` the standard deviation of the
    loss due to the factor itself.
    """

    by_exposure: Floats
    by_state_of_charge: Floats
    shape_sigma: Floats


class SocFactor(Protocol):
    """The dependence f(S) of the rate on the state of charge (fraction)."""

    def factor(self, state_of_charge: Floats) -> Floats:
        """f(S), dimensionless."""
        ...

    def loss(self, state_of_charge: Floats, exposure: Floats) -> Floats:
        """Charge lost (fraction) from ``state_of_charge`` under an exposure K; inf where all would be lost."""
        ...

    def response(self, state_of_charge: Floats, exposure: Floats) -> LossResponse:
        """Derivatives of that loss."""
        ...


@dataclass(frozen=True, slots=True)
class ExponentialFactor:
    """f(S) = exp[beta (S - 0.5)], with the standard deviation of beta."""

    beta: float
    sigma: float = 0.0

    def factor(self, state_of_charge: Floats) -> Floats:
        """f(S), dimensionless."""
        return soc_factor(state_of_charge, self.beta)

    def loss(self, state_of_charge: Floats, exposure: Floats) -> Floats:
        """Charge lost (fraction), closed form."""
        return loss(state_of_charge, exposure, self.beta)

    def response(self, state_of_charge: Floats, exposure: Floats) -> LossResponse:
        """Derivatives of that loss."""
        slopes = loss_slopes(state_of_charge, exposure, self.beta)
        return LossResponse(slopes.by_exposure, slopes.by_state_of_charge, np.abs(slopes.by_beta) * self.sigma)


@dataclass(frozen=True, slots=True)
class TabulatedFactor:
    """f(S) through points, with its integral G and the inverse of that."""

    shape: PchipInterpolator
    integral: CubicHermiteSpline
    inverse: CubicHermiteSpline

    @classmethod
    def through(cls, points: Floats, factors: Floats) -> TabulatedFactor:
        """Through ``points`` (fractions, ascending from 0 to 1) and positive ``factors``, both ``(m,)``.

        Raises InputError for points that do not rise from 0 to 1 or a factor that is not positive: with a rate
        of zero the integral would have no inverse.
        """
        if points.size < 2 or points[0] != 0 or points[-1] != 1 or np.any(np.diff(points) <= 0):
            raise InputError("the points of f(S) must rise strictly from 0 to 1")
        if factors.shape != points.shape or not np.all(factors > 0):
            raise InputError("f(S) needs one positive factor per point")
        shape = PchipInterpolator(points, factors)
        grid = np.linspace(0.0, 1.0, _POINTS)
        step = grid[1] - grid[0]
        nodes = 0.5 * (np.asarray(_GAUSS[0]) + 1.0)
        weights = 0.5 * np.asarray(_GAUSS[1])
        inside = grid[:-1, None] + step * nodes[None, :]
        area = np.concatenate([[0.0], np.cumsum(step * ((1.0 / shape(inside)) @ weights))])
        at_grid = shape(grid)
        return cls(shape, CubicHermiteSpline(grid, area, 1.0 / at_grid), CubicHermiteSpline(area, grid, at_grid))

    def factor(self, state_of_charge: Floats) -> Floats:
        """f(S), dimensionless."""
        return self.shape(state_of_charge)

    def loss(self, state_of_charge: Floats, exposure: Floats) -> Floats:
        """Charge lost (fraction); inf where the exposure exceeds the charge present."""
        target = self.integral(state_of_charge) - exposure
        return np.where(target >= 0.0, state_of_charge - self.inverse(np.maximum(target, 0.0)), np.inf)

    def response(self, state_of_charge: Floats, exposure: Floats) -> LossResponse:
        """Derivatives of that loss; the table itself counts as exact."""
        end = state_of_charge - np.minimum(self.loss(state_of_charge, exposure), state_of_charge)
        at_end = self.factor(end)
        return LossResponse(at_end, 1.0 - at_end / self.factor(state_of_charge), np.zeros_like(at_end))
