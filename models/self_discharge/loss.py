"""Loss of charge from exposure: the closed form, its power law in time, and its derivatives.

>>> from voltwin.models.self_discharge.loss import loss
>>> import numpy as np
>>> k25 = 0.0028 / 730
>>> float(loss(np.array([0.5]), np.array([k25 * 220.7459]), 0.87)[0] * 100).__round__(6)   # percent
0.084638

With dS/dt = -k(T) · exp[beta (S - 0.5)], S the state of charge (fraction) and K = ∫k dt:
S0 - S = ln(1 + beta K exp[beta (S0 - 0.5)]) / beta; K · f(S0) at beta = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.columns import Floats
from ..base.units import HOURS_PER_MONTH


def soc_factor(state_of_charge: Floats, beta: float | Floats) -> Floats:
    """f(S) = exp[beta (S - 0.5)], dimensionless."""
    return np.exp(beta * (state_of_charge - 0.5))


def loss(state_of_charge: Floats, exposure: Floats, beta: float | Floats) -> Floats:
    """Charge lost, as a fraction of capacity; shapes broadcast.

    Where the law has no solution (beta below 0 and a huge exposure) the result is inf.
    """
    b = np.asarray(beta, dtype=np.float64)
    y = exposure * soc_factor(state_of_charge, b)
    z = b * y
    with np.errstate(divide="ignore", invalid="ignore"):
        curved = np.where(z > -1.0, np.log1p(np.maximum(z, -1.0)) / b, np.inf)
    # Near beta = 0 the quotient would be 0/0; two terms of its series are exact to 1e-16 there.
    return np.where(np.abs(z) < 1e-8, y * (1.0 - 0.5 * z), curved)


@dataclass(frozen=True, slots=True)
class LossSlopes:
    """Derivatives of the loss, each in the shape of the loss: by exposure, by beta, by the state of charge before."""

    by_exposure: Floats
    by_beta: Floats
    by_state_of_charge: Floats


def loss_slopes(state_of_charge: Floats, exposure: Floats, beta: float | Floats) -> LossSlopes:
    """Exact first derivatives of ``loss`` at the same arguments."""
    b = np.asarray(beta, dtype=np.float64)
    factor = soc_factor(state_of_charge, b)
    y = exposure * factor
    z = b * y
    shrink = 1.0 / (1.0 + z)
    # (z/(1+z) - ln(1+z)) / b^2, by its series where the difference would cancel; each is evaluated everywhere.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        full = (z * shrink - np.log1p(z)) / (b * b)
        series = y * y * (-0.5 + z * (2.0 / 3.0 - 0.75 * z))
    direct = np.where(np.abs(z) < 1e-4, series, full)
    return LossSlopes(
        by_exposure=factor * shrink,
        by_beta=direct + shrink * y * (state_of_charge - 0.5),
        by_state_of_charge=b * y * shrink,
    )


def powered_exposure(
    equivalent_age: Floats, rate_at_25: float, exponent: float, age_before: float | Floats = 0.0
) -> Floats:
    """Exposure K under a power law in time: k25 · m · [((a + t)/m)^n - (a/m)^n], m = 730 h.

    ``equivalent_age`` t and ``age_before`` a (since the cell was made, before this history) in hours at
    25 °C. With n = 1 it is k25 · t; n = 0.5 is the square-root growth of a film.
    """
    if exponent == 1.0:
        return rate_at_25 * equivalent_age
    before = np.asarray(age_before, dtype=np.float64) / HOURS_PER_MONTH
    after = before + equivalent_age / HOURS_PER_MONTH
    return rate_at_25 * HOURS_PER_MONTH * (after**exponent - before**exponent)


def powered_slope(equivalent_age: Floats, exponent: float, age_before: float | Floats = 0.0) -> NDArray[np.float64]:
    """D powered_exposure / d(k25 · t): the factor on a small change of exposure."""
    if exponent == 1.0:
        return np.ones_like(equivalent_age)
    total = np.maximum((np.asarray(age_before) + equivalent_age) / HOURS_PER_MONTH, 1e-12)
    return exponent * total ** (exponent - 1.0)
