"""Operating curves of the gates, leaks found against false rejects, on a simulated lot with planted leaks.

>>> from voltwin.models.arrival_gate.operating_curve import SimulatedLot, operate
>>> found = operate(SimulatedLot(modules=200, seed=1), leaks=(0.0, 800.0))
>>> bool(found.dynamic.detection(found.dynamic.threshold(0.01))[1] > 0.9)
True

The truth of every module is drawn: its rate, activation energy and beta, the errors of thermometers and
best guesses, relaxation, entropic coefficient, the noise of both voltmeters, each from the
distributions that the gate declares (its parameters and files), plus a spread of the rate from cell to cell.
Then one cell of each module gets a leak, from none to large. Both gates receive the same readings: the fixed
window uses arrival minus end-of-line voltage, the dynamic one the z scores of ``ArrivalGateModel``.
This tests the decision and its arithmetic, not nature: where the distributions are judgements (see the
parameter files), so is the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..base.columns import Floats, Ragged, Trends, offsets_of
from ..base.protocol import Batch
from ..base.units import SECONDS_PER_HOUR, ZERO_CELSIUS
from ..ocv_soc.curve import OcvCurve
from ..ocv_soc.files import DEFAULT_CURVE
from ..self_discharge.loss import loss
from ..self_discharge.rate_laws import ArrheniusLaw
from ..self_discharge.soc_laws import ExponentialFactor
from .decision import DETECTION
from .model import ArrivalGateModel

_EPOCH: Final = 1.56e9
_CELL_SPREAD: Final = 0.1
_MEASURED: Final = np.array([False, True, True, True, False])


@dataclass(frozen=True, slots=True)
class SimulatedLot:
    """A lot of modules to draw: ages 250 to 300 h, trucks down to 5 °C, arrival at ``arrival`` °C (minimum, maximum).

    ``soc`` (minimum, maximum) as fractions, ``rest`` at the end-of-line test in h.
    """

    modules: int = 2000
    cells: int = 12
    seed: int = 2019
    arrival: tuple[float, float] = (21.0, 23.0)
    soc: tuple[float, float] = (0.49, 0.51)
    rest: tuple[float, float] = (3.0, 12.0)
    capacity: float = 12.5


@dataclass(frozen=True, slots=True)
class Statistic:
    """A gate's largest statistic of each module, ``(leaks, modules)``; leak 0 first."""

    values: Floats

    def threshold(self, false_rejects: float) -> float:
        """The limit that rejects that share of the sound modules."""
        return float(np.quantile(self.values[0], 1.0 - false_rejects))

    def false_rejects(self, threshold: float) -> float:
        """Share of sound modules beyond the limit."""
        return float(np.mean(self.values[0] > threshold))

    def detection(self, threshold: float) -> Floats:
        """Share of modules beyond the limit, for each leak ``(leaks,)``."""
        result: Floats = np.mean(self.values > threshold, axis=1)
        return result

    def smallest_leak(self, leaks: Floats, threshold: float) -> float:
        """The smallest detectable leak (µA), interpolated between the simulated ones; NaN beyond them."""
        found = self.detection(threshold)
        if found[-1] < DETECTION:
            return float("nan")
        first = int(np.argmax(found >= DETECTION))
        if first == 0:
            return float(leaks[0])
        share = (DETECTION - found[first - 1]) / (found[first] - found[first - 1])
        return float(leaks[first - 1] + share * (leaks[first] - leaks[first - 1]))


@dataclass(frozen=True, slots=True)
class OperatingCurve:
    """Both gates over one lot: ``fixed`` in mV around the end-of-line voltage, ``dynamic`` in sigmas."""

    lot: SimulatedLot
    leaks: Floats
    fixed: Statistic
    dynamic: Statistic


def operate(lot: SimulatedLot, leaks: tuple[float, ...]) -> OperatingCurve:
    """Simulate the lot and run both gates for each leak (µA, ascending, the first must be 0)."""
    if not leaks or leaks[0] != 0 or np.any(np.diff(leaks) <= 0):
        raise ValueError("leaks must begin with 0 and rise")
    gate = ArrivalGateModel.shipped()
    curve = gate.library.get(DEFAULT_CURVE)
    world = _draw(gate, curve, lot)
    fixed, dynamic = [], []
    for leak in leaks:
        arrival = world.arrival(curve, leak, lot)
        columns = gate.run(world.batch(gate, arrival, lot)).raise_first().columns
        largest = np.zeros(lot.modules)
        for port in ("zScore", "siblingZScore"):
            scores = columns[port]
            assert isinstance(scores, Ragged)
            largest = np.fmax(largest, np.abs(scores.values.reshape(lot.modules, lot.cells)).max(axis=1))
        dynamic.append(largest)
        fixed.append(np.abs(arrival - world.end_of_line).max(axis=1) * 1e3)
    return OperatingCurve(lot, np.array(leaks), Statistic(np.stack(fixed)), Statistic(np.stack(dynamic)))


@dataclass(frozen=True, slots=True)
class _World:
    """The truth ``(modules, cells)`` or ``(modules,)``, and the readings at the end of the line.

    ``age`` and ``rest`` (before the end-of-line test) in h, ``nodes`` of the history in s with the temperatures
    ``recorded`` in K, ``end_of_line`` readings in V, ``after`` the state of charge at arrival without a leak.
    """

    age: Floats
    nodes: Floats
    recorded: Floats
    end_of_line_temperature: Floats
    arrival_temperature: Floats
    rest: Floats
    end_of_line: Floats
    after: Floats
    offset: Floats
    noise: Floats

    def arrival(self, curve: OcvCurve, leak: float, lot: SimulatedLot) -> Floats:
        """Arrival readings (V) with a leak of that many µA in the first cell of every module."""
        soc = self.after.copy()
        soc[:, 0] -= leak * 1e-6 * self.age / lot.capacity
        voltage = curve.voltage(soc.ravel(), np.repeat(self.arrival_temperature, lot.cells)).reshape(soc.shape)
        return voltage + self.offset[:, None] + self.noise

    def batch(self, gate: ArrivalGateModel, arrival: Floats, lot: SimulatedLot) -> Batch:
        """The readings as a request to the gate."""
        n, cells = lot.modules, lot.cells
        per_module = offsets_of([cells] * n)
        segments = len(_MEASURED)
        trends = Trends(
            self.nodes[:, :-1].ravel(),
            self.nodes[:, 1:].ravel(),
            self.recorded[:, :-1].ravel(),
            self.recorded[:, 1:].ravel(),
            np.tile(_MEASURED, n),
            offsets_of([segments] * n),
        )
        return Batch(
            n,
            {
                "endOfLineOcv": Ragged(self.end_of_line.ravel(), per_module),
                "endOfLineTemperature": self.end_of_line_temperature - ZERO_CELSIUS,
                "endOfLineTime": self.nodes[:, 0],
                "endOfLineRest": self.rest,
                "temperatureTrend": trends,
                "arrivalOcv": Ragged(arrival.ravel(), per_module),
                "arrivalTemperature": self.arrival_temperature - ZERO_CELSIUS,
                "arrivalTime": self.nodes[:, -1],
                "arrivalRest": self.rest + self.age,
                "capacity": np.full(n, lot.capacity),
                "moduleOcv": np.full(n, np.nan),
            },
            {p.name: [p.default] * n for p in gate.parameters},
        )


class _Random:
    """Draws for one lot, by the gate's own standard deviations."""

    def __init__(self, gate: ArrivalGateModel, lot: SimulatedLot) -> None:
        self.generator = np.random.default_rng(lot.seed)
        self.size = lot.modules
        self.defaults = {parameter.name: parameter.default for parameter in gate.parameters}

    def uniform(self, low: float, high: float, size: int | tuple[int, int] | None = None) -> Floats:
        return self.generator.uniform(low, high, self.size if size is None else size)

    def normal(self, sigma: float, size: int | tuple[int, int] | None = None) -> Floats:
        return sigma * self.generator.standard_normal(self.size if size is None else size)

    def error(self, parameter: str) -> Floats:
        """Errors ``(modules,)`` with the default of that parameter as standard deviation."""
        return self.normal(float(self.defaults[parameter]))


def _draw(gate: ArrivalGateModel, curve: OcvCurve, lot: SimulatedLot) -> _World:
    """Draw a lot. The order of the draws is part of the result: another order is another lot."""
    random = _Random(gate, lot)
    n, shape = lot.modules, (lot.modules, lot.cells)
    age = random.uniform(250.0, 300.0)
    legs = np.stack([0 * age, age - 70, age - 64, age - 40, age - 38, age], axis=1)
    store = random.uniform(*lot.arrival)
    floor = random.uniform(5.0, 12.0)
    recorded = np.stack([np.full(n, 25.0), np.full(n, 25.0), floor, floor, store, store], axis=1) + ZERO_CELSIUS
    before, after = _draw_charge(gate, lot, random, recorded, np.diff(legs, axis=1))

    law = gate.relaxations.get(str(random.defaults["relaxation"]))
    amplitude = np.maximum(law.amplitude + random.normal(law.amplitude_sigma), 0.0)
    rest = random.uniform(*lot.rest)
    warm, cold = np.full(n, 25.0 + ZERO_CELSIUS), store + ZERO_CELSIUS
    true_warm = np.repeat(warm + random.error("testTemperatureSigma"), lot.cells)
    true_cold = cold + random.error("testTemperatureSigma")
    noise = float(random.defaults["voltageSigma"]) * 1e-3
    end_of_line = (
        curve.voltage(before.ravel(), true_warm).reshape(shape)
        + (amplitude * law.factors(rest))[:, None]
        + random.normal(noise, shape)
    )
    coefficient = curve.entropic_coefficient(np.full(n, 0.5), cold)
    offset = (
        amplitude * law.factors(rest + age)
        + random.normal(curve.entropy_sigma) * (cold - warm)
        + coefficient * (true_cold - cold)
    )
    nodes = _EPOCH + legs * SECONDS_PER_HOUR
    return _World(age, nodes, recorded, warm, cold, rest, end_of_line, after, offset, random.normal(noise, shape))


def _draw_charge(
    gate: ArrivalGateModel, lot: SimulatedLot, random: _Random, recorded: Floats, hours: Floats
) -> tuple[Floats, Floats]:
    """States of charge ``(modules, cells)`` at the end of the line and at arrival, by each module's own law.

    ``recorded`` temperatures ``(modules, segments + 1)`` in K, ``hours`` ``(modules, segments)``.
    """
    errors = random.error("measuredTemperatureSigma"), random.error("guessedTemperatureSigma")
    shift = np.where(_MEASURED[None, :], errors[0][:, None], errors[1][:, None])
    chosen = gate.sets.get(str(random.defaults["parameterSet"]))
    (rate,) = chosen.rates
    factor = chosen.soc_factor
    assert isinstance(factor, ExponentialFactor)
    assert chosen.activation_energy is not None
    k25 = np.maximum(rate.rate * (1 + random.normal(rate.relative_sigma)), 0.0)
    energy = np.maximum(chosen.activation_energy + random.normal(chosen.activation_energy_sigma), 0.0)
    first, last = recorded[:, :-1] + shift, recorded[:, 1:] + shift
    laws = (ArrheniusLaw(k25[i], energy[i], rate.temperature) for i in range(lot.modules))
    exposure = np.array([(law.mean(first[i], last[i]) * hours[i]).sum() for i, law in enumerate(laws)])
    shape = (lot.modules, lot.cells)
    per_cell = exposure[:, None] * np.exp(random.normal(_CELL_SPREAD, shape))
    beta = factor.beta + random.normal(factor.sigma)
    before = random.uniform(*lot.soc, shape)
    return before, before - loss(before, per_cell, beta[:, None])
