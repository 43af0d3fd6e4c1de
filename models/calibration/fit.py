"""Fit of a plant's parameters to its own tests: k25, activation energy and beta with their intervals.

    voltwin models fit --fleet http://plant:8000 --name plant-2026 --out plant-2026.json
    voltwin models fit tests.json

``tests.json`` is a request to the arrival gate: modules with both their OCV tests and the history between.
Each module contributes the median over its cells of arrival minus expected voltage, which a leaky cell does
not move. Least squares finds the rate, the activation energy and beta that bring these to zero. Effects that one
lot cannot separate from self-discharge are nuisance parameters with the sigmas given in their files; they widen
the intervals: the relaxation amplitude, the entropic coefficient, and the error of each store room's set point.

Parameters that the data do not identify are reported, not guessed: modules all at one temperature do not
determine the activation energy, all at one state of charge not beta. Such a parameter keeps its start value,
with the uncertainty of the set it is from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.optimize import least_squares
from scipy.special import stdtrit

from ...errors import InputError
from ..arrival_gate.expectation import CellLaws, Measurement, expect
from ..base.columns import Floats, Ragged
from ..base.units import HOURS_PER_MONTH, ZERO_CELSIUS
from ..self_discharge.equivalent_age import exposure, exposure_sigma, hours
from ..self_discharge.parameter_sets import REFERENCE, ParameterSet
from ..self_discharge.rate_laws import ArrheniusLaw
from ..self_discharge.soc_laws import ExponentialFactor
from .lots import Lot

#: Wider than this (one standard deviation) a parameter counts as not identified: a factor of 1.6 in the
#: rate, half the span of published activation energies, a beta that could as well be zero or double.
_WIDEST: Final = {"k25": 0.5, "activationEnergy": 15e3, "beta": 0.6}
_SCALES: Final = {"k25": 0.3, "activationEnergy": 10e3, "beta": 0.3}
_NAMES: Final = ("k25", "activationEnergy", "beta")
_FEWEST: Final = 6


@dataclass(frozen=True, slots=True)
class Estimate:
    """One parameter: value and 95 % interval in its unit, or no interval and the reason in ``remark``."""

    name: str
    unit: str
    value: float
    low: float | None
    high: float | None
    identified: bool
    remark: str


@dataclass(frozen=True, slots=True)
class Fit:
    """The estimates, the number of modules, and the goodness of fit (1: as good as the noise allows)."""

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


def fit(lot: Lot, start: ParameterSet) -> Fit:
    """Estimate k25, activation energy and beta, holding at its start value what the data do not identify.

    Raises InputError for fewer than 6 modules, or a start set that is not Arrhenius and exponential.
    """
    modules = len(lot.end_of_line_ocv)
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
    sigma = _module_sigma(lot, start)
    free = list(_NAMES)
    dropped: dict[str, float] = {}
    while True:
        solution = _solve(lot, held, free, known, sigma)
        widths = {name: solution.deviations[name] / _WIDEST[name] for name in free}
        worst = max(widths, key=lambda name: widths[name], default="")
        if not worst or widths[worst] <= 1.0:
            break
        dropped[worst] = solution.deviations[worst]
        free.remove(worst)
    quantile = float(stdtrit(max(modules - len(free), 1), 0.975))
    estimates = tuple(_estimate(name, solution, quantile, dropped.get(name), lot) for name in _NAMES)
    return Fit(estimates, modules, solution.reduced_chi_square)


def _module_sigma(lot: Lot, start: ParameterSet) -> Floats:
    """Noise of each module's deviation (V): voltmeters over its cells, thermometers, temperatures of its history."""
    ocv = lot.end_of_line_ocv
    cells = np.maximum(ocv.lengths, 1)
    # The median of normal values scatters by the root of pi/2 more than their mean.
    voltmeters = lot.voltage_sigma * np.sqrt(2.0 * np.pi / 2.0 / cells)
    parts = exposure_sigma(lot.trends, start.law("arrhenius"), lot.uncertainties).by_source
    history = np.sqrt(sum((parts[item.source] ** 2 for item in lot.uncertainties), np.zeros(len(cells))))
    soc, arrival = lot.end_of_line_soc, ocv.spread(lot.arrival_temperature)
    slope = ocv.with_values(lot.curve.slope(soc, arrival)).mean()
    entropic = ocv.with_values(lot.curve.entropic_coefficient(soc, arrival)).mean()
    thermometers = np.abs(entropic) * lot.temperature_sigma * np.sqrt(2.0)
    return np.asarray(np.sqrt(voltmeters**2 + (slope * history) ** 2 + thermometers**2))


@dataclass(frozen=True, slots=True)
class _Solution:
    """``values`` of all parameters (k25 in logarithm), standard ``deviations`` of the free ones."""

    values: Mapping[str, float]
    deviations: Mapping[str, float]
    reduced_chi_square: float


def _solve(
    lot: Lot, held: Mapping[str, float], free: Sequence[str], known: Mapping[str, float], sigma: Floats
) -> _Solution:
    """Least squares over the free parameters and the nuisances.

    ``known`` are the standard deviations of parameters held at their start values.
    """
    others = [name for name in _NAMES if name not in free]
    scales = {name: _SCALES[name] if name in free else known[name] for name in _NAMES}
    order = [*free, *others]

    def residuals(x: Floats) -> Floats:
        values = {name: held[name] + x[i] * scales[name] for i, name in enumerate(order)}
        nuisances = x[len(_NAMES) :]
        found = _deviation(lot, values, nuisances[0], nuisances[1], nuisances[2:])
        return np.concatenate([found / sigma, x[len(free) :]])

    size = len(_NAMES) + 2 + lot.room_count
    lowest = np.full(size, -np.inf)
    if scales["activationEnergy"] > 0:
        lowest[order.index("activationEnergy")] = -held["activationEnergy"] / scales["activationEnergy"]
    solved = least_squares(residuals, np.zeros(size), bounds=(lowest, np.inf), x_scale=1.0, xtol=1e-12)
    jacobian = np.asarray(solved.jac)
    # With a pseudo-inverse a flat direction would have no deviation at all: a floor keeps it practically infinite.
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    covariance = (vectors / np.maximum(values, 1e-12)) @ vectors.T
    degrees = max(len(sigma) - len(free), 1)
    chi = float(2.0 * solved.cost) / degrees
    widen = np.sqrt(max(chi, 1.0))
    result = {name: held[name] + float(solved.x[i]) * scales[name] for i, name in enumerate(free)}
    deviations = {name: float(np.sqrt(covariance[i, i])) * scales[name] * float(widen) for i, name in enumerate(free)}
    return _Solution({**held, **result}, deviations, chi)


def _deviation(lot: Lot, values: Mapping[str, float], amplitude: float, entropic: float, rooms: Floats) -> Floats:
    """Median over each module's cells of arrival minus expected (V); nuisances in units of their sigmas."""
    law = ArrheniusLaw(float(np.exp(values["k25"])), values["activationEnergy"], REFERENCE)
    shifted = lot.relaxation.amplitude + amplitude * lot.relaxation.amplitude_sigma
    laws = CellLaws(lot.curve, replace(lot.relaxation, amplitude=shifted), ExponentialFactor(values["beta"]))
    # Segments without a room have number -1, the last entry: no shift.
    shift = np.append(rooms * lot.room_sigma, 0.0)[lot.rooms]
    trends = replace(lot.trends, first=lot.trends.first + shift, last=lot.trends.last + shift)
    ocv = lot.end_of_line_ocv
    end_of_line, arrival = (
        Measurement(voltages.values, ocv.spread(temperature), ocv.spread(rest))
        for voltages, temperature, rest in (
            (ocv, lot.end_of_line_temperature, lot.end_of_line_rest),
            (lot.arrival_ocv, lot.arrival_temperature, lot.arrival_rest),
        )
    )
    found = expect(laws, end_of_line, arrival, ocv.spread(exposure(trends, law)))
    by_entropy = entropic * lot.curve.entropy_sigma * (lot.arrival_temperature - lot.end_of_line_temperature)
    return ocv.with_values(lot.arrival_ocv.values - found.voltage).median() - by_entropy


def _estimate(name: str, solution: _Solution, quantile: float, dropped: float | None, lot: Lot) -> Estimate:
    """The estimate of one parameter; ``dropped`` is its deviation when it was too wide to be identified."""
    unit = {"k25": "PERCENT-PER-MO", "activationEnergy": "KiloJ-PER-MOL", "beta": "UNITLESS"}[name]

    def shown(value: float) -> float:
        if name == "k25":
            return float(np.exp(np.minimum(value, 50.0))) * HOURS_PER_MONTH * 100
        return value / 1e3 if name == "activationEnergy" else value

    centre = solution.values[name]
    if dropped is None:
        half = quantile * solution.deviations[name]
        return Estimate(name, unit, shown(centre), shown(centre - half), shown(centre + half), True, "estimated")
    return Estimate(name, unit, shown(centre), None, None, False, _reason(name, dropped, lot))


def _reason(name: str, deviation: float, lot: Lot) -> str:
    """The reason why the data do not identify this parameter, and a remedy."""
    if name == "activationEnergy":
        span = hours(lot.trends)
        total = Ragged(span, lot.trends.offsets).sum()
        middle = 0.5 * (lot.trends.first + lot.trends.last)
        mean = Ragged(span * middle, lot.trends.offsets).sum() / total - ZERO_CELSIUS
        return (
            f"not identified (± {deviation / 1e3:.0f} kJ/mol): mean temperatures range from {mean.min():.1f} to "
            f"{mean.max():.1f} °C only; store some modules colder or warmer. Held at its start value"
        )
    if name == "beta":
        soc = lot.end_of_line_soc * 100
        return (
            f"not identified (± {deviation:.1f}): states of charge range from {soc.min():.0f} to {soc.max():.0f} % "
            "only; include modules far from each other. Held at its start value"
        )
    return (
        f"not identified (a factor of {np.exp(min(deviation, 50.0)):.1g}): the loss is below the noise; add modules, "
        "longer rests or a measured relaxation. Held at its start value"
    )


def parameter_file(fitted: Fit, start: ParameterSet, name: str) -> dict[str, Any]:
    """A parameter set file of the estimates, in the format of ``read_parameter_set``.

    Raises InputError when the rate itself was not identified.
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
