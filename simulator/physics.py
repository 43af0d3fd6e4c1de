"""Physics of the simulated cells, and the readings of an instrument.

>>> curve = ocv_curve()
>>> round(float(curve.voltage(np.array([0.5]), 25.0)[0]), 4)
3.6729
>>> round(float(curve.state_of_charge(np.array([3.6729208]))[0]), 4)
0.5

Each cell discharges itself, each a little differently, and a planted leak adds a constant current. None of
these values is ever sent; tests compare the backend's estimates with them.

Sources: self-discharge rate of 0.28 %/month at 25 °C and half charge with a dependence
exp(0.87 (S - 0.5)) from Zilberman et al. 2019 (MJ1 cells, 0.2 and 0.4 %/month at 10 and 90 %); activation
energy 50 kJ/mol, a judgement between calendar fade and leakage figures; relaxation after a small current
falls with the logarithm of time, the form that the post-formation data of Weng et al. 2021 show, with an
amplitude for half charge that is a judgement.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CURVE_FILE: Final = "ocv-nmc111.csv"
CURVE_NAME: Final = "bpx-nmc111"
CAPACITY: Final = 12.5
"""Ah."""

SECONDS_PER_HOUR: Final = 3600.0
HOURS_PER_MONTH: Final = 730.0
RATE_25: Final = 0.0028 / HOURS_PER_MONTH
"""Self-discharge at 25 °C and half charge, fraction of the capacity per hour."""

RATE_SPREAD: Final = 0.08
"""Relative standard deviation of the rate from cell to cell."""

BETA: Final = 0.87
ACTIVATION_ENERGY: Final = 50_000.0
"""J/mol."""

GAS_CONSTANT: Final = 8.314462618
KELVIN: Final = 273.15
REFERENCE_KELVIN: Final = 298.15

VOLTAGE_NOISE: Final = 0.0003
"""Standard deviation of a cell's voltage reading, V."""

RELAXATION_AMPLITUDE: Final = 0.00015
"""V lost for each factor e of rest time, at half charge after the small current that set it."""


@dataclass(frozen=True, eq=False)
class CellCurve:
    """Open circuit voltage (V) at 25 °C and its coefficient (V/K) over the state of charge (0..1)."""

    soc: Array
    ocv: Array
    coefficient: Array
    slope: Array

    def voltage(self, soc: Array, celsius: float) -> Array:
        """Equilibrium voltage in V at a state of charge (fraction, any shape) and a temperature in °C."""
        at_reference = _hermite(self.soc, self.ocv, self.slope, soc)
        warmer = celsius + KELVIN - REFERENCE_KELVIN
        return at_reference + np.interp(soc, self.soc, self.coefficient) * warmer

    def state_of_charge(self, ocv: Array) -> Array:
        """State of charge (fraction) of a voltage at 25 °C, by bisection; any shape."""
        low, high = np.zeros_like(ocv), np.ones_like(ocv)
        for _ in range(60):
            middle = 0.5 * (low + high)
            below = _hermite(self.soc, self.ocv, self.slope, middle) < ocv
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)


@cache
def ocv_curve() -> CellCurve:
    """The packaged NMC111 curve with slopes that make it monotone between the table's points."""
    text = files(__package__).joinpath("data", CURVE_FILE).read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    soc = np.array([float(row["soc"]) for row in rows])
    ocv = np.array([float(row["ocv_V"]) for row in rows])
    coefficient = np.array([float(row["dUdT_V_per_K"]) for row in rows])
    return CellCurve(soc, ocv, coefficient, _monotone_slopes(soc, ocv))


@dataclass(frozen=True, eq=False)
class CellTruth:
    """The true cells of one module, arrays of shape (cells,).

    ``soc`` at the end-of-line test (fraction), ``rate`` at 25 °C and half charge (1/h), ``leak`` in A.
    """

    soc: Array
    rate: Array
    leak: Array


def draw_cells(random: np.random.Generator, count: int) -> CellTruth:
    """Healthy cells at the end of the line: charged to 50 ± 1 %, with a spread of the rate."""
    module = random.normal(0.0, 0.0035)
    soc = 0.5 + np.clip(module + random.normal(0.0, 0.001, size=count), -0.01, 0.01)
    rate = RATE_25 * np.exp(random.normal(0.0, RATE_SPREAD, size=count))
    return CellTruth(soc, rate, np.zeros(count))


def with_leak(cells: CellTruth, cell: int, drop: float, equivalent_age: float, age: float) -> CellTruth:
    """``cells`` with a leak in one, sized so that its voltage is ``drop`` V low after ``age`` hours."""
    curve = ocv_curve()
    healthy = soc_after(cells, equivalent_age, age)[cell]
    target = curve.voltage(np.array([healthy]), REFERENCE_KELVIN - KELVIN) - drop
    missing = healthy - float(curve.state_of_charge(target)[0])
    leak = cells.leak.copy()
    leak[cell] = missing * CAPACITY / age
    return CellTruth(cells.soc, cells.rate, leak)


def equivalent_age(seconds: Array, celsius: Array) -> float:
    """Hours at 25 °C equivalent to a temperature history (seconds, °C, shape (n,)); trapezoid rule."""
    factor = np.exp(-ACTIVATION_ENERGY / GAS_CONSTANT * (1.0 / (celsius + KELVIN) - 1.0 / REFERENCE_KELVIN))
    return float(np.trapezoid(factor, seconds)) / SECONDS_PER_HOUR


def soc_after(cells: CellTruth, equivalent_hours: float, hours: float) -> Array:
    """State of charge (fraction, shape (cells,)) after ``hours``, equivalent to ``equivalent_hours`` at 25 °C.

    The self-discharge law dS/dt = -k exp(beta (S - 0.5)) in closed form, and the leak's current in addition.
    """
    aged = 0.5 - np.log(np.exp(-BETA * (cells.soc - 0.5)) + BETA * cells.rate * equivalent_hours) / BETA
    return np.asarray(aged - cells.leak * hours / CAPACITY)


def terminal_voltage(soc: Array, celsius: float, rest: float) -> Array:
    """True voltage in V of resting cells, ``rest`` hours after the last current (not yet fully relaxed)."""
    return ocv_curve().voltage(soc, celsius) - RELAXATION_AMPLITUDE * math.log(rest)


def reading(random: np.random.Generator, volts: Array) -> Array:
    """Readings of the tester: 0.3 mV of noise, a resolution of 10 µV."""
    return np.round(volts + random.normal(0.0, VOLTAGE_NOISE, size=volts.shape), 5)


def _monotone_slopes(x: Array, y: Array) -> Array:
    """Slopes of the monotone cubic through (x, y): weighted harmonic means (Fritsch and Butland 1984)."""
    step = np.diff(x)
    secant = np.diff(y) / step
    before, after = secant[:-1], secant[1:]
    weight_before = 2.0 * step[1:] + step[:-1]
    weight_after = step[1:] + 2.0 * step[:-1]
    inner = (weight_before + weight_after) / (weight_before / before + weight_after / after)
    return np.concatenate(([secant[0]], inner, [secant[-1]]))


def _hermite(x: Array, y: Array, slope: Array, at: Array) -> Array:
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h = x[i + 1] - x[i]
    t = (at - x[i]) / h
    t2, t3 = t * t, t * t * t
    return np.asarray(
        (2.0 * t3 - 3.0 * t2 + 1.0) * y[i]
        + (t3 - 2.0 * t2 + t) * h * slope[i]
        + (3.0 * t2 - 2.0 * t3) * y[i + 1]
        + (t3 - t2) * h * slope[i + 1]
    )
