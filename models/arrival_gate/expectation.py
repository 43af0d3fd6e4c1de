"""What a sound cell's voltage should be at arrival, out of what it was at the end of the line.

>>> import numpy as np
>>> from voltwin.models.arrival_gate.expectation import Measurement, expect
>>> from voltwin.models.arrival_gate.relaxation import Relaxations
>>> from voltwin.models.ocv_soc.files import CurveLibrary
>>> from voltwin.models.self_discharge.soc_laws import ExponentialFactor
>>> curve, law = CurveLibrary.shipped().get("bpx-nmc111"), Relaxations.shipped().get("partial-charge")
>>> left = Measurement(np.array([3.6729]), np.array([298.15]), np.array([6.0]))
>>> there = Measurement(np.array([np.nan]), np.array([295.15]), np.array([256.0]))
>>> found = expect(curve, law, left, there, ExponentialFactor(0.87), np.array([8.47e-4]))
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
class Measurement:
    """An OCV test of cells: ``voltage`` (V), ``temperature`` (K) and ``rest`` since the last current (h)."""

    voltage: Floats
    temperature: Floats
    rest: Floats


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected arrival voltage and its three parts (V), the charge before and after, and slopes.

    ``voltage - end-of-line voltage = relaxation + entropic + self_discharge`` exactly. ``slope`` is
    dOCV/dSOC at arrival (V), ``loss`` how the loss answers to exposure and charge.
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


def expect(
    curve: OcvCurve,
    law: Relaxation,
    left: Measurement,
    there: Measurement,
    factor: SocFactor,
    exposure: Floats,
) -> Expectation:
    """The expectation for each cell; NaN where the end-of-line voltage is not on the curve."""
    still_to_lose = law.remaining(left.rest)
    before = curve.soc(left.voltage - still_to_lose, left.temperature)
    after = before - factor.loss(before, exposure)
    settled = curve.voltage(before, left.temperature)
    moved = curve.voltage(before, there.temperature)
    discharged = curve.voltage(after, there.temperature)
    relaxation = law.remaining(there.rest) - still_to_lose
    return Expectation(
        voltage=left.voltage + relaxation + (moved - settled) + (discharged - moved),
        self_discharge=discharged - moved,
        entropic=moved - settled,
        relaxation=relaxation,
        soc_before=before,
        soc_after=after,
        slope=curve.slope(after, there.temperature),
        entropic_coefficient=curve.entropic_coefficient(after, there.temperature),
        loss=factor.response(before, exposure),
    )


@dataclass(frozen=True, slots=True)
class Uncertainties:
    """Standard deviations the gate starts from, per cell ``(N,)``.

    ``voltage`` of one reading (V), ``temperature`` of one test (K), ``exposure`` (K of the history) by
    source, ``cell_spread`` of the rate from cell to cell (relative).
    """

    voltage: Floats
    temperature: Floats
    exposure: dict[str, Floats]
    cell_spread: Floats


def deviation_parts(
    curve: OcvCurve,
    law: Relaxation,
    left: Measurement,
    there: Measurement,
    found: Expectation,
    doubts: Uncertainties,
) -> dict[str, Floats]:
    """Standard deviations (V) of arrival minus expected for a sound cell, by component.

    ``measurement``: both voltmeters. ``selfDischarge``: rate law, beta and temperature history.
    ``entropic``: the coefficient over the temperature difference, and both thermometers. ``relaxation``:
    the amplitude over the two rests. First order; the components are independent.
    """
    earlier = curve.slope(found.soc_before, left.temperature)
    carried = found.slope / earlier
    shared = sum((sigma * sigma for sigma in doubts.exposure.values()), np.zeros_like(found.slope))
    self_discharge = np.sqrt(
        shared * found.loss.by_exposure**2 + found.loss.shape_sigma**2 + _cell_loss(found, doubts) ** 2
    )
    difference = there.temperature - left.temperature
    thermometers = np.abs(found.entropic_coefficient) * doubts.temperature * np.sqrt(1.0 + carried**2)
    return {
        "measurement": doubts.voltage * np.sqrt(1.0 + carried**2),
        "selfDischarge": found.slope * self_discharge,
        "entropic": np.hypot(curve.entropy_sigma * difference, thermometers),
        "relaxation": law.difference_sigma(left.rest, there.rest),
    }


def own_deviation(found: Expectation, parts: dict[str, Floats], doubts: Uncertainties) -> Floats:
    """Standard deviation (V) of what a cell does not share with the others of its module."""
    result: Floats = np.hypot(parts["measurement"], found.slope * _cell_loss(found, doubts))
    return result


def _cell_loss(found: Expectation, doubts: Uncertainties) -> Floats:
    """Standard deviation of the loss (fraction) from cell to cell of one module."""
    result: Floats = (found.soc_before - found.soc_after) * doubts.cell_spread
    return result
