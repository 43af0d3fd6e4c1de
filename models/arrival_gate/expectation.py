"""Expected voltage of a sound cell at arrival, from its voltage at the end of the line.

>>> import numpy as np
>>> from voltwin.models.arrival_gate.expectation import CellLaws, Measurement, expect
>>> from voltwin.models.arrival_gate.relaxation import Relaxations
>>> from voltwin.models.ocv_soc.files import CurveLibrary
>>> from voltwin.models.self_discharge.soc_laws import ExponentialFactor
>>> curve, relaxation = CurveLibrary.shipped().get("bpx-nmc111"), Relaxations.shipped().get("partial-charge")
>>> end_of_line = Measurement(np.array([3.6729]), np.array([298.15]), np.array([6.0]))
>>> arrival = Measurement(np.array([np.nan]), np.array([295.15]), np.array([256.0]))
>>> laws = CellLaws(curve, relaxation, ExponentialFactor(0.87))
>>> found = expect(laws, end_of_line, arrival, np.array([8.47e-4]))
>>> [float(part[0] * 1000).__round__(2) for part in (found.self_discharge, found.entropic, found.relaxation)]
[-0.43, 0.26, -0.56]

Voltages in V, temperatures in K, rests in h, exposures as K = ∫k dt, all per cell ``(N,)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.columns import Floats
from ..ocv_soc.curve import OcvCurve
from ..self_discharge.soc_laws import LossResponse, SocFactor
from .relaxation import Relaxation


@dataclass(frozen=True, slots=True)
class CellLaws:
    """The laws of one kind of cell: OCV curve, relaxation, and the rate's dependence on the state of charge."""

    curve: OcvCurve
    relaxation: Relaxation
    factor: SocFactor


@dataclass(frozen=True, slots=True)
class Measurement:
    """An OCV test of cells: ``voltage`` (V), ``temperature`` (K) and ``rest`` since the last current (h)."""

    voltage: Floats
    temperature: Floats
    rest: Floats


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected arrival voltage and its three parts (V), the state of charge before and after, and slopes.

    ``voltage - end-of-line voltage = relaxation + entropic + self_discharge`` exactly. ``slope`` is
    dOCV/dSOC at arrival (V), ``loss`` the sensitivity of the loss.
    """

    voltage: Floats
    self_discharge: Floats
    entropic: Floats
    relaxation: Floats
    soc_before: Floats
    soc_after: Floats
    slope: Floats
    entropic_coefficient: Floats
    loss: LossResponse


def expect(laws: CellLaws, end_of_line: Measurement, arrival: Measurement, exposure: Floats) -> Expectation:
    """The expectation for each cell; NaN where the end-of-line voltage is not on the curve.

    The voltage of ``arrival`` is not used.
    """
    curve = laws.curve
    remaining = laws.relaxation.remaining(end_of_line.rest)
    before = curve.soc(end_of_line.voltage - remaining, end_of_line.temperature)
    after = before - laws.factor.loss(before, exposure)
    settled = curve.voltage(before, end_of_line.temperature)
    moved = curve.voltage(before, arrival.temperature)
    discharged = curve.voltage(after, arrival.temperature)
    relaxation = laws.relaxation.remaining(arrival.rest) - remaining
    return Expectation(
        voltage=end_of_line.voltage + relaxation + (moved - settled) + (discharged - moved),
        self_discharge=discharged - moved,
        entropic=moved - settled,
        relaxation=relaxation,
        soc_before=before,
        soc_after=after,
        slope=curve.slope(after, arrival.temperature),
        entropic_coefficient=curve.entropic_coefficient(after, arrival.temperature),
        loss=laws.factor.response(before, exposure),
    )


@dataclass(frozen=True, slots=True)
class Uncertainties:
    """Standard deviations of the gate's inputs, per cell ``(N,)``.

    ``voltage`` of one reading (V), ``temperature`` of one test (K), ``exposure`` (K of the history) by
    source, ``cell_spread`` of the rate from cell to cell (relative).
    """

    voltage: Floats
    temperature: Floats
    exposure: dict[str, Floats]
    cell_spread: Floats


def deviation_parts(
    laws: CellLaws, end_of_line: Measurement, arrival: Measurement, found: Expectation, uncertainties: Uncertainties
) -> dict[str, Floats]:
    """Standard deviations (V) of arrival minus expected for a sound cell, by component.

    ``measurement``: both voltmeters. ``selfDischarge``: rate law, beta and temperature history.
    ``entropic``: the coefficient over the temperature difference, and both thermometers. ``relaxation``:
    the amplitude over the two rests. First order; the components are independent.
    """
    earlier = laws.curve.slope(found.soc_before, end_of_line.temperature)
    carried = found.slope / earlier
    shared = sum((sigma * sigma for sigma in uncertainties.exposure.values()), np.zeros_like(found.slope))
    self_discharge = np.sqrt(
        shared * found.loss.by_exposure**2 + found.loss.shape_sigma**2 + _cell_loss(found, uncertainties) ** 2
    )
    difference = arrival.temperature - end_of_line.temperature
    thermometers = np.abs(found.entropic_coefficient) * uncertainties.temperature * np.sqrt(1.0 + carried**2)
    return {
        "measurement": uncertainties.voltage * np.sqrt(1.0 + carried**2),
        "selfDischarge": found.slope * self_discharge,
        "entropic": np.hypot(laws.curve.entropy_sigma * difference, thermometers),
        "relaxation": laws.relaxation.difference_sigma(end_of_line.rest, arrival.rest),
    }


def own_deviation(found: Expectation, parts: dict[str, Floats], uncertainties: Uncertainties) -> Floats:
    """Standard deviation (V) of a cell's deviation from the other cells of its module."""
    return np.hypot(parts["measurement"], found.slope * _cell_loss(found, uncertainties))


def _cell_loss(found: Expectation, uncertainties: Uncertainties) -> Floats:
    """Standard deviation of the loss (fraction) from cell to cell of one module."""
    return (found.soc_before - found.soc_after) * uncertainties.cell_spread
