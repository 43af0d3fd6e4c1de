"""How small a leak each gate finds at how many false rejects: a simulated charge with planted leaky cells.

>>> from voltwin.models.arrival_gate.operating_curve import SimulatedLot, operate
>>> found = operate(SimulatedLot(modules=200, seed=1), leaks=(0.0, 800.0))
>>> bool(found.dynamic.detection(found.dynamic.threshold(0.01))[1] > 0.9)
True

The truth of every module is drawn: its rate, activation energy and beta, what the thermometers and the
best guesses got wrong, relaxation, entropic coefficient, the noise of both voltmeters, each from the very
distributions the gate declares (its parameters and files), plus a spread of the rate from cell to cell.
Then one cell of each module gets a leak, from none to large. Both gates see the same readings: the fixed
window looks at arrival minus end-of-line voltage, the dynamic one at the z scores of ``ArrivalGateModel``.
That makes it a test of the decision and of its arithmetic, not of nature: where the distributions are
judgements (see the parameter files), so is the figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..base.columns import Floats, Ragged, Trends, offsets_of
from ..base.protocol import Batch
from ..ocv_soc.curve import OcvCurve
from ..self_discharge.loss import loss
from ..self_discharge.rate_laws import ArrheniusLaw
from ..self_discharge.soc_laws import ExponentialFactor
from .model import ArrivalGateModel

_HOUR: Final = 3600.0
_KELVIN: Final = 273.15
_EPOCH: Final = 1.56e9
_CELL_SPREAD: Final = 0.1
_MEASURED: Final = np.array([False, True, True, True, False])


@dataclass(frozen=True, slots=True)
class SimulatedLot:
    """What is drawn: ages 250 to 300 h, trucks down to 5 °C, arrival at ``arrival`` °C (minimum, maximum).

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
    """The largest figure of each module that a gate looks at, ``(leaks, modules)``; leak 0 first."""

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

    def smallest_leak(self, leaks: Floats, threshold: float, probability: float = 0.95) -> float:
        """The leak (µA) found with that probability, read between the simulated ones; NaN beyond them."""
        found = self.detection(threshold)
        if found[-1] < probability:
            return float("nan")
        first = int(np.argmax(found >= probability))
        if first == 0:
            return float(leaks[0])
        share = (probability - found[first - 1]) / (found[first] - found[first - 1])
        return float(leaks[first - 1] + share * (leaks[first] - leaks[first - 1]))


@dataclass(frozen=True, slots=True)
class OperatingCurve:
    """Both gates over one charge: ``fixed`` in mV around the end-of-line voltage, ``dynamic`` in sigmas."""

    charge: SimulatedLot
    leaks: Floats
    fixed: Statistic
    dynamic: Statistic


def operate(charge: SimulatedLot, leaks: tuple[float, ...], curve_name: str = "bpx-nmc111") -> OperatingCurve:
    """Simulate the charge and run both gates for each leak (µA, ascending, the first must be 0)."""
    if not leaks or leaks[0] != 0 or np.any(np.diff(leaks) <= 0):
        raise ValueError("leaks must begin with 0 and rise")
    gate = ArrivalGateModel.shipped()
    curve = gate.library.get(curve_name)
    world = _draw(gate, curve, charge)
    fixed, dynamic = [], []
    for leak in leaks:
        arrival = world.arrival(curve, leak, charge)
        columns = gate.run(world.batch(gate, arrival, charge, curve_name)).raise_first().columns
        largest = np.zeros(charge.modules)
        for port in ("zScore", "siblingZScore"):
            scores = columns[port]
            assert isinstance(scores, Ragged)
            largest = np.fmax(largest, np.abs(scores.values.reshape(charge.modules, charge.cells)).max(axis=1))
        dynamic.append(largest)
        fixed.append(np.abs(arrival - world.left).max(axis=1) * 1e3)
    return OperatingCurve(charge, np.array(leaks), Statistic(np.stack(fixed)), Statistic(np.stack(dynamic)))


@dataclass(frozen=True, slots=True)
class _World:
    """The truth ``(modules, cells)`` or ``(modules,)``, and what the instruments made of it."""

    age: Floats
    nodes: Floats
    guessed: Floats
    warm: Floats
    cold: Floats
    rest: Floats
    left: Floats
    after: Floats
    offset: Floats
    noise: Floats

    def arrival(self, curve: OcvCurve, leak: float, charge: SimulatedLot) -> Floats:
        """Arrival readings (V) with a leak of that many µA in the first cell of every module."""
        soc = self.after.copy()
        soc[:, 0] -= leak * 1e-6 * self.age / charge.capacity
        voltage = curve.voltage(soc.ravel(), np.repeat(self.cold, charge.cells)).reshape(soc.shape)
        return voltage + self.offset[:, None] + self.noise

    def batch(self, gate: ArrivalGateModel, arrival: Floats, charge: SimulatedLot, curve: str) -> Batch:
        """The readings as the gate gets them."""
        n, cells = charge.modules, charge.cells
        per_module = offsets_of([cells] * n)
        segments = len(_MEASURED)
        temperatures = np.array(self.guessed)
        trends = Trends(
            self.nodes[:, :-1].ravel(),
            self.nodes[:, 1:].ravel(),
            temperatures[:, :-1].ravel(),
            temperatures[:, 1:].ravel(),
            np.tile(_MEASURED, n),
            offsets_of([segments] * n),
        )
        return Batch(
            n,
            {
                "endOfLineOcv": Ragged(self.left.ravel(), per_module),
                "endOfLineTemperature": self.warm - _KELVIN,
                "endOfLineTime": self.nodes[:, 0],
                "endOfLineRest": self.rest,
                "temperatureTrend": trends,
                "arrivalOcv": Ragged(arrival.ravel(), per_module),
                "arrivalTemperature": self.cold - _KELVIN,
                "arrivalTime": self.nodes[:, -1],
                "arrivalRest": self.rest + self.age,
                "capacity": np.full(n, charge.capacity),
                "moduleOcv": np.full(n, np.nan),
            },
            {p.name: [curve if p.name == "curve" else p.default] * n for p in gate.parameters},
        )


def _draw(gate: ArrivalGateModel, curve: OcvCurve, charge: SimulatedLot) -> _World:
    random = np.random.default_rng(charge.seed)
    n, shape = charge.modules, (charge.modules, charge.cells)
    defaults = {p.name: p.default for p in gate.parameters}

    def normal(sigma: float, size: int | tuple[int, int] = n) -> Floats:
        return sigma * random.standard_normal(size)

    def sigma(name: str) -> float:
        return float(defaults[name])

    age = random.uniform(250.0, 300.0, n)
    legs = np.stack([0 * age, age - 70, age - 64, age - 40, age - 38, age], axis=1)
    nodes = _EPOCH + legs * _HOUR
    store = random.uniform(charge.arrival[0], charge.arrival[1], n)
    floor = random.uniform(5.0, 12.0, n)
    believed = np.stack([np.full(n, 25.0), np.full(n, 25.0), floor, floor, store, store], axis=1) + _KELVIN
    shift = np.where(
        _MEASURED[None, :],
        normal(sigma("measuredTemperatureSigma"))[:, None],
        normal(sigma("guessedTemperatureSigma"))[:, None],
    )

    chosen = gate.sets.get(str(defaults["parameterSet"]))
    (rate,) = chosen.rates
    factor = chosen.soc_factor
    assert isinstance(factor, ExponentialFactor)
    assert chosen.activation_energy is not None
    k25 = np.maximum(rate.rate * (1 + normal(rate.relative_sigma)), 0.0)
    energy = np.maximum(chosen.activation_energy + normal(chosen.activation_energy_sigma), 0.0)
    span = np.diff(legs, axis=1)
    exposure = np.array(
        [
            (
                ArrheniusLaw(k25[i], energy[i], rate.temperature).mean(
                    believed[i, :-1] + shift[i], believed[i, 1:] + shift[i]
                )
                * span[i]
            ).sum()
            for i in range(n)
        ]
    )
    per_cell = exposure[:, None] * np.exp(normal(_CELL_SPREAD, shape))
    beta = factor.beta + normal(factor.sigma)
    before = random.uniform(charge.soc[0], charge.soc[1], shape)
    after = before - loss(before, per_cell, beta[:, None])

    law = gate.relaxations.get(str(defaults["relaxation"]))
    amplitude = np.maximum(law.amplitude + normal(law.amplitude_sigma), 0.0)
    rest = random.uniform(charge.rest[0], charge.rest[1], n)
    warm, cold = np.full(n, 25.0 + _KELVIN), store + _KELVIN
    at_left = np.repeat(warm + normal(sigma("testTemperatureSigma")), charge.cells)
    true_cold = cold + normal(sigma("testTemperatureSigma"))
    voltage = sigma("voltageSigma") * 1e-3
    left = (
        curve.voltage(before.ravel(), at_left).reshape(shape)
        + (amplitude * law.factors(rest))[:, None]
        + normal(voltage, shape)
    )
    coefficient = curve.entropic_coefficient(np.full(n, 0.5), cold)
    offset = (
        amplitude * law.factors(rest + age)
        + normal(curve.entropy_sigma) * (cold - warm)
        + coefficient * (true_cold - cold)
    )
    return _World(age, nodes, believed, warm, cold, rest, left, after, offset, normal(voltage, shape))
