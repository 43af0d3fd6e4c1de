"""A plant's own parameters from its own tests: k25, activation energy and beta with their intervals.

    voltwin models fit --fleet http://plant:8000 --name plant-2026 --out plant-2026.json
    voltwin models fit tests.json

``tests.json`` is a request to the arrival gate: modules with both their OCV tests and the history between.
Each module gives one figure, the median over its cells of arrival minus expected voltage (a leaky cell does
not move it). Least squares finds the rate, the activation energy and beta that bring these to zero. What a
charge cannot tell from a loss takes part with the sigmas its files state, and so widens the intervals as it
must: the relaxation amplitude, the entropic coefficient, and what each store room is off its set point by.

What the data cannot tell is said, not guessed: with all modules at one temperature there is no activation
energy in them, with all at one state of charge no beta. Such a parameter keeps its start value, and is held
to be known no better than the set it comes from says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.optimize import least_squares
from scipy.special import stdtrit

from ...errors import InputError
from ..arrival_gate.expectation import Measurement, expect
from ..base.columns import Floats, Ragged
from ..base.units import HOURS_PER_MONTH
from ..self_discharge.equivalent_age import exposure, exposure_sigma, hours
from ..self_discharge.parameter_sets import REFERENCE, ParameterSet
from ..self_discharge.rate_laws import ArrheniusLaw
from ..self_discharge.soc_laws import ExponentialFactor
from .lots import Lot

_KELVIN: Final = 273.15
#: Wider than this (one standard deviation) a parameter counts as not identified: a factor of 1.6 in the
#: rate, half the span of published activation energies, a beta that could as well be zero or double.
_WIDEST: Final = {"k25": 0.5, "activationEnergy": 15e3, "beta": 0.6}
_SCALES: Final = {"k25": 0.3, "activationEnergy": 10e3, "beta": 0.3}
_NAMES: Final = ("k25", "activationEnergy", "beta")
_FEWEST: Final = 6


@dataclass(frozen=True, slots=True)
class Estimate:
    """One parameter: value and 95 % interval in its unit, or (None) why the data do not identify it."""

    name: str
    unit: str
    value: float
    low: float | None
    high: float | None
    identified: bool
    remark: str


@dataclass(frozen=True, slots=True)
class Fit:
    """The estimates, how many modules they rest on, and how well they fit (1: as well as the noise allows)."""

    estimates: tuple[Estimate, ...]
    modules: int
    reduced_chi_square: float

    def estimate(self, name: str) -> Estimate:
        """The estimate of that name."""
        return next(item for item in self.estimates if item.name == name)

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        rows = [{field: getattr(item, field) for field in Estimate.__slots__} for item in self.estimates]
        return {"modules": self.modules, "reducedChiSquare": self.reduced_chi_square, "estimates": rows}


def fit(charge: Lot, start: ParameterSet) -> Fit:
    """Estimate k25, activation energy and beta, holding at its start value what the data do not identify.

    Raises InputError for fewer than 6 modules, or a start set that is not Arrhenius and exponential.
    """
    modules = len(charge.left)
    if modules < _FEWEST:
        raise InputError(f"instances: {modules} modules are too few to fit; give {_FEWEST} or more")
    if start.activation_energy is None or not isinstance(start.soc_factor, ExponentialFactor):
        raise InputError(f"parameter set {start.name}: needs an activationEnergy and a beta to start from")
    held = {
        "k25": float(np.log(start.rate_at_25)),
        "activationEnergy": start.activation_energy,
        "beta": start.soc_factor.beta,
    }
    known = {
        "k25": max(rate.relative_sigma for rate in start.rates) or 1.0,
        "activationEnergy": start.activation_energy_sigma,
        "beta": start.soc_factor.sigma,
    }
    sigma = _module_sigma(charge, start)
    free = list(_NAMES)
    dropped: dict[str, float] = {}
    while True:
        values, deviations, chi = _solve(charge, held, free, known, sigma)
        widths = {name: deviations[name] / _WIDEST[name] for name in free}
        worst = max(widths, key=lambda name: widths[name], default="")
        if not worst or widths[worst] <= 1.0:
            break
        dropped[worst] = deviations[worst]
        free.remove(worst)
    quantile = float(stdtrit(max(modules - len(free), 1), 0.975))
    estimates = tuple(_estimate(name, values, deviations, quantile, dropped.get(name), charge) for name in _NAMES)
    return Fit(estimates, modules, chi)


def _module_sigma(charge: Lot, start: ParameterSet) -> Floats:
    """Noise of each module's figure (V): voltmeters over its cells, thermometers, temperatures of its history."""
    cells = np.maximum(charge.left.lengths, 1)
    # The median of normal values scatters by the root of pi/2 more than their mean.
    voltmeters = charge.voltage_sigma * np.sqrt(2.0 * np.pi / 2.0 / cells)
    law = start.law("arrhenius")
    parts = exposure_sigma(charge.trends, law, charge.doubts).by_source
    history = np.sqrt(sum((parts[doubt.source] ** 2 for doubt in charge.doubts), np.zeros(len(cells))))
    soc = charge.curve.soc(charge.left.values, charge.left.spread(charge.warm))
    slope = charge.left.with_values(charge.curve.slope(soc, charge.left.spread(charge.cold))).mean()
    entropic = charge.curve.entropic_coefficient(soc, charge.left.spread(charge.cold))
    thermometers = np.abs(charge.left.with_values(entropic).mean()) * charge.temperature_sigma * np.sqrt(2.0)
    return np.asarray(np.sqrt(voltmeters**2 + (slope * history) ** 2 + thermometers**2))


def _solve(
    charge: Lot, held: Mapping[str, float], free: Sequence[str], known: Mapping[str, float], sigma: Floats
) -> tuple[dict[str, float], dict[str, float], float]:
    """Values and standard deviations of the free parameters (k25 in logarithm), and the reduced chi-square.

    ``known`` are the standard deviations of those that are held at their start values.
    """
    others = [name for name in _NAMES if name not in free]
    scales = {name: _SCALES[name] if name in free else known[name] for name in _NAMES}
    order = [*free, *others]

    def residuals(x: Floats) -> Floats:
        values = {name: held[name] + x[i] * scales[name] for i, name in enumerate(order)}
        nuisances = x[len(_NAMES) :]
        found = _deviation(charge, values, nuisances[0], nuisances[1], nuisances[2:])
        return np.concatenate([found / sigma, x[len(free) :]])

    size = len(_NAMES) + 2 + charge.room_count
    lowest = np.full(size, -np.inf)
    if scales["activationEnergy"] > 0:
        lowest[order.index("activationEnergy")] = -held["activationEnergy"] / scales["activationEnergy"]
    solved = least_squares(residuals, np.zeros(size), bounds=(lowest, np.inf), x_scale=1.0, xtol=1e-12)
    jacobian = np.asarray(solved.jac)
    # Standard deviations by the pseudo-inverse would call a flat direction exact: a floor keeps it infinite.
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    covariance = (vectors / np.maximum(values, 1e-12)) @ vectors.T
    degrees = max(len(sigma) - len(free), 1)
    chi = float(2.0 * solved.cost) / degrees
    widen = np.sqrt(max(chi, 1.0))
    result = {name: held[name] + float(solved.x[i]) * scales[name] for i, name in enumerate(free)}
    deviations = {name: float(np.sqrt(covariance[i, i])) * scales[name] * float(widen) for i, name in enumerate(free)}
    return {**held, **result}, deviations, chi


def _deviation(charge: Lot, values: Mapping[str, float], amplitude: float, entropic: float, rooms: Floats) -> Floats:
    """Median over each module's cells of arrival minus expected (V); the nuisances count in their sigmas."""
    law = ArrheniusLaw(float(np.exp(values["k25"])), values["activationEnergy"], REFERENCE)
    relaxation = replace(
        charge.relaxation,
        amplitude=charge.relaxation.amplitude + amplitude * charge.relaxation.amplitude_sigma,
    )
    # Room -1, which is none, takes the last of these: no shift.
    shift = np.append(rooms * charge.room_sigma, 0.0)[charge.rooms]
    trends = replace(charge.trends, first=charge.trends.first + shift, last=charge.trends.last + shift)
    spread = charge.left.spread
    left = Measurement(charge.left.values, spread(charge.warm), spread(charge.rest_left))
    there = Measurement(charge.arrived.values, spread(charge.cold), spread(charge.rest_there))
    factor = ExponentialFactor(values["beta"])
    found = expect(charge.curve, relaxation, left, there, factor, spread(exposure(trends, law)))
    by_entropy = entropic * charge.curve.entropy_sigma * (charge.cold - charge.warm)
    return charge.left.with_values(charge.arrived.values - found.voltage).median() - by_entropy


def _estimate(
    name: str,
    values: Mapping[str, float],
    deviations: Mapping[str, float],
    quantile: float,
    dropped: float | None,
    charge: Lot,
) -> Estimate:
    unit = {"k25": "PERCENT-PER-MO", "activationEnergy": "KiloJ-PER-MOL", "beta": "UNITLESS"}[name]

    def shown(value: float) -> float:
        if name == "k25":
            return float(np.exp(np.minimum(value, 50.0))) * HOURS_PER_MONTH * 100
        return value / 1e3 if name == "activationEnergy" else value

    centre = values[name]
    if dropped is None:
        half = quantile * deviations[name]
        return Estimate(name, unit, shown(centre), shown(centre - half), shown(centre + half), True, "estimated")
    return Estimate(name, unit, shown(centre), None, None, False, _why(name, dropped, charge))


def _why(name: str, deviation: float, charge: Lot) -> str:
    """Why the data do not tell this parameter, in figures a person can act on."""
    if name == "activationEnergy":
        span = hours(charge.trends)
        total = Ragged(span, charge.trends.offsets).sum()
        middle = 0.5 * (charge.trends.first + charge.trends.last)
        mean = Ragged(span * middle, charge.trends.offsets).sum() / total - _KELVIN
        return (
            f"not identified (± {deviation / 1e3:.0f} kJ/mol): mean temperatures run from {mean.min():.1f} to "
            f"{mean.max():.1f} °C only; store some modules colder or warmer. Held at its start value"
        )
    soc = charge.curve.soc(charge.left.values, charge.left.spread(charge.warm)) * 100
    if name == "beta":
        return (
            f"not identified (± {deviation:.1f}): states of charge run from {soc.min():.0f} to {soc.max():.0f} % "
            "only; include modules far from each other. Held at its start value"
        )
    return (
        f"not identified (a factor of {np.exp(min(deviation, 50.0)):.1g}): the loss is lost in noise; more modules, "
        "longer rests or a measured relaxation would tell. Held at its start value"
    )


def parameter_file(fitted: Fit, start: ParameterSet, name: str) -> dict[str, Any]:
    """A parameter set file of the estimates, in the format ``read_parameter_set`` reads; start values kept open.

    Raises InputError when the rate itself was not identified: a set without a rate of its own is none.
    """
    rate, energy, beta = (fitted.estimate(item) for item in _NAMES)
    if rate.low is None or rate.high is None:
        raise InputError(f"fit: k25 was {rate.remark[:1].lower()}{rate.remark[1:]}; no parameter set is written")
    assert isinstance(start.soc_factor, ExponentialFactor)

    def sigma(item: Estimate, otherwise: float) -> float:
        return otherwise if item.low is None or item.high is None else (item.high - item.low) / 2 / 1.96

    low, high = start.valid_temperature
    return {
        "name": name,
        "version": "1.0.0",
        "citation": [f"fitted to {fitted.modules} modules; started from {start.name} {start.version}"],
        "notes": [f"{item.name}: {item.remark}" for item in fitted.estimates],
        "validTemperature": {"minimum": low, "maximum": high, "unit": "K"},
        "validStateOfCharge": {
            "minimum": start.valid_state_of_charge[0],
            "maximum": start.valid_state_of_charge[1],
            "unit": "FRACTION",
        },
        "rates": [
            {
                "temperature": {"value": REFERENCE, "unit": "K"},
                "rate": {"value": rate.value, "unit": rate.unit},
                "relativeSigma": {"value": float(np.log(rate.high / rate.low)) / 2 / 1.96, "unit": "FRACTION"},
            }
        ],
        "activationEnergy": {
            "value": energy.value,
            "sigma": sigma(energy, start.activation_energy_sigma / 1e3),
            "unit": energy.unit,
        },
        "beta": {"value": beta.value, "sigma": sigma(beta, start.soc_factor.sigma)},
    }
