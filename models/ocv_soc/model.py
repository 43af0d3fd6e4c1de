"""The OCV-SOC model: states of charge with their uncertainty, from measured cell voltages.

>>> from voltwin.models.ocv_soc.model import OcvSocModel
>>> [port.name for port in OcvSocModel.shipped().outputs][:2]
['soc', 'socSigma']
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from ..base.batches import BatchedModel
from ..base.columns import Floats, Integers, Ragged, grouped
from ..base.protocol import Batch, Column, Parameter, Port, Problems
from ..base.units import ZERO_CELSIUS
from .curve import OcvCurve
from .files import DEFAULT_CURVE, CurveLibrary

#: Below this slope (V per unit of state of charge, that is 2 mV per percent) a voltage hardly determines the charge.
FLAT: Final = 0.2

CURVE_PARAMETER: Final = Parameter("curve", DEFAULT_CURVE, description="name of the OCV curve")

#: The input of models that read a curve.
TEMPERATURE: Final = Port(
    "temperature",
    "scalar",
    "DEG_C",
    "cell temperature; without it the curve's reference temperature",
    optional=True,
    minimum=-60,
    maximum=120,
)

_SPLIT: Final = {
    "voltage": "socSigmaVoltage",
    "temperature": "socSigmaTemperature",
    "entropy": "socSigmaEntropy",
    "curve": "socSigmaCurve",
    "hysteresis": "socSigmaHysteresis",
}


@dataclass(frozen=True, slots=True)
class OcvSocModel(BatchedModel):
    """State of charge from open circuit voltage, by each instance's own curve."""

    library: CurveLibrary
    name: str = "ocv-soc"
    version: str = "1.0.0"
    description: str = "State of charge of resting cells from their open circuit voltage."
    inputs: tuple[Port, ...] = (Port("ocv", "cells", "V", "open circuit voltage of each cell"), TEMPERATURE)
    outputs: tuple[Port, ...] = (
        Port("soc", "cells", "PERCENT", "state of charge of each cell"),
        Port("socSigma", "cells", "PERCENT", "its standard deviation"),
        *(Port(port, "cells", "PERCENT", f"part of socSigma from {source}") for source, port in _SPLIT.items()),
        Port("meanSoc", "scalar", "PERCENT", "mean over the cells"),
        Port("temperatureUsed", "scalar", "DEG_C", "temperature at which the curve was read"),
        Port("curve", "text", None, "curve used"),
        Port("flags", "texts", None, "HYSTERESIS, OCV_FLAT, NO_ENTROPY_DATA, EXTRAPOLATED_T, REFERENCE_TEMPERATURE"),
    )
    parameters: tuple[Parameter, ...] = (
        CURVE_PARAMETER,
        Parameter("voltageSigma", 0.5, "MilliV", "standard deviation of the voltmeter", minimum=0, maximum=100),
        Parameter("temperatureSigma", 1.0, "K", "standard deviation of the cell temperature", minimum=0, maximum=30),
    )

    @classmethod
    def shipped(cls, folder: Path | None = None) -> Self:
        """With the shipped curves, and those in ``folder/curves``."""
        return cls(CurveLibrary.shipped(folder))

    def _check(self, batch: Batch, problems: Problems) -> None:
        problems.flag(batch.cells("ocv").lengths == 0, "ocv", "is empty; give one value per cell")
        self.library.check(batch, problems)

    def _compute(self, batch: Batch, problems: Problems) -> dict[str, Column]:
        ocv, given = batch.cells("ocv"), batch.scalar("temperature")
        soc = np.full_like(ocv.values, np.nan)
        parts = {source: np.zeros_like(ocv.values) for source in _SPLIT}
        used = np.full(batch.size, np.nan)
        flags: list[list[str]] = [[] for _ in range(batch.size)]
        for name, rows in grouped(batch.words("curve")):
            curve = self.library.get(name)
            kelvin = np.where(np.isnan(given[rows]), curve.reference_temperature, given[rows] + ZERO_CELSIUS)
            used[rows] = np.where(np.isnan(given[rows]), curve.reference_temperature - ZERO_CELSIUS, given[rows])
            cells = np.isin(ocv.rows, rows)
            part = ocv.take(rows)
            temperature = part.spread(kelvin)
            refuse_off_curve(curve, part, temperature, rows, "ocv", problems)
            state = curve.soc(part.values, temperature)
            soc[cells] = state
            slope = curve.slope(state, temperature)
            sigma_t = part.spread(batch.numbers("temperatureSigma")[rows])
            entropic = curve.entropic_coefficient(state, temperature)
            parts["voltage"][cells] = part.spread(batch.numbers("voltageSigma")[rows]) * 1e-3 / slope
            parts["temperature"][cells] = np.abs(entropic) * sigma_t / slope
            parts["entropy"][cells] = curve.entropy_sigma * np.abs(temperature - curve.reference_temperature) / slope
            parts["curve"][cells] = curve.curve_sigma / slope
            # Uniform between the two branches: width over the root of 12.
            parts["hysteresis"][cells] = (curve.hysteresis or 0.0) / np.sqrt(12.0) / slope
            flat = part.with_values(slope).minimum() < FLAT
            for position, row in enumerate(rows.tolist()):
                flags[row] = curve_flags(curve, float(kelvin[position]), bool(flat[position]))
                if np.isnan(given[row]):
                    flags[row].append("REFERENCE_TEMPERATURE")
        total = np.sqrt(sum((part * part for part in parts.values()), np.zeros_like(soc)))
        columns: dict[str, Column] = {
            "soc": ocv.with_values(soc * 100),
            "socSigma": ocv.with_values(total * 100),
            "meanSoc": ocv.with_values(soc).mean() * 100,
            "temperatureUsed": used,
            "curve": batch.words("curve"),
            "flags": flags,
        }
        for source, port in _SPLIT.items():
            columns[port] = ocv.with_values(parts[source] * 100)
        return columns


def refuse_off_curve(
    curve: OcvCurve, ocv: Ragged, temperature: Floats, rows: Integers, field: str, problems: Problems
) -> None:
    """Note the instances with a voltage outside the curve; the message recognises a module's voltage."""
    off = ~curve.covers(ocv.values, temperature)
    if not off.any():
        return
    owner = ocv.rows
    low, high = curve.bounds(temperature)
    half = curve.voltage(np.full_like(temperature, 0.5), temperature)
    for index in np.flatnonzero(off).tolist():
        value, top = float(ocv.values[index]), float(high[index])
        row = int(owner[index])
        hint = ""
        if value > 1.5 * top:
            count = max(round(value / float(half[index])), 2)
            hint = f"; is it in mV, or the voltage of {count} cells in series?"
        problems.add(
            int(rows[row]),
            field,
            f"value {index - int(ocv.offsets[row])} is {value:.6g} V, outside curve {curve.name} "
            f"({float(low[index]):.4f} to {top:.4f} V){hint}",
        )


def curve_flags(curve: OcvCurve, temperature: float, flat: bool) -> list[str]:
    """Flags of a result read from this curve at this temperature (K)."""
    low, high = curve.valid_temperature
    named: tuple[tuple[str, bool], ...] = (
        ("HYSTERESIS", curve.hysteresis is not None),
        ("OCV_FLAT", flat),
        ("NO_ENTROPY_DATA", curve.entropy == "none"),
        ("EXTRAPOLATED_T", not low <= temperature <= high),
    )
    return [name for name, holds in named if holds]
