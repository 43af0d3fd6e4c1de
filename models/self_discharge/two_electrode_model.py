"""The two-electrode model: self-discharge by shuttle and by film, and its effect on the voltage.

>>> from voltwin.models.self_discharge.two_electrode_model import TwoElectrodeModel
>>> [port.name for port in TwoElectrodeModel.shipped().outputs][:2]
['shuttleLoss', 'filmLoss']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from ..base.batches import BatchedModel
from ..base.columns import Floats, Trends, grouped
from ..base.protocol import Batch, Column, Parameter, Port, Problems
from ..base.units import ZERO_CELSIUS
from ..ocv_soc.files import CurveLibrary
from ..ocv_soc.model import CURVE_PARAMETER, TEMPERATURE
from .equivalent_age import TemperatureUncertainty, exposure, exposure_sigma
from .histories import outside
from .parameter_sets import ParameterSets
from .rate_laws import RateLaw
from .soc_laws import ExponentialFactor
from .thermal_exposure import PARAMETERS, TREND, UNTIL, check_laws, check_until, temperature_uncertainties
from .two_electrode import film_moments, two_losses

_CELLS: Final = ("shuttleLoss", "filmLoss", "ocv", "ocvChange", "ocvChangeShuttle", "ocvChangeFilm", "ocvChangeSigma")


@dataclass(frozen=True, slots=True)
class TwoElectrodeModel(BatchedModel):
    """Loss by shuttle and by film over a temperature history, and the voltage after both."""

    library: CurveLibrary
    sets: ParameterSets
    name: str = "self-discharge-two-electrode"
    version: str = "1.0.0"
    description: str = "Self-discharge split into a reversible shuttle and a film, and the voltage after it."
    inputs: tuple[Port, ...] = (
        Port("soc", "cells", "PERCENT", "state of charge of each cell at the start", minimum=0, maximum=100),
        TREND,
        UNTIL,
        TEMPERATURE,
    )
    outputs: tuple[Port, ...] = (
        Port("shuttleLoss", "cells", "PERCENT", "charge lost by both electrodes, percentage points"),
        Port("filmLoss", "cells", "PERCENT", "charge lost by the negative electrode alone, percentage points"),
        Port("shuttleLossSigma", "scalar", "PERCENT", "standard deviation of the mean shuttleLoss"),
        Port("filmLossSigma", "scalar", "PERCENT", "standard deviation of the mean filmLoss"),
        Port("ocv", "cells", "V", "open circuit voltage now"),
        Port("ocvChange", "cells", "MilliV", "change of the open circuit voltage"),
        Port("ocvChangeShuttle", "cells", "MilliV", "part of it from the shuttle"),
        Port("ocvChangeFilm", "cells", "MilliV", "part of it from the film"),
        Port("ocvChangeSigma", "cells", "MilliV", "standard deviation of ocvChange: rates and temperatures"),
        Port("flags", "texts", None, "EXTRAPOLATED_T"),
    )
    parameters: tuple[Parameter, ...] = (
        CURVE_PARAMETER,
        Parameter("parameterSet", "generic-nmc-two-electrode", description="name of a parameter set with a film"),
        *(parameter for parameter in PARAMETERS if parameter.name != "parameterSet"),
    )

    @classmethod
    def shipped(cls, folder: Path | None = None) -> Self:
        """With the shipped curves and parameter sets, and those in ``folder/curves`` and ``folder/parameters``."""
        return cls(CurveLibrary.shipped(folder), ParameterSets.shipped(folder))

    def _check(self, batch: Batch, problems: Problems) -> None:
        check_until(batch, problems)
        problems.flag(batch.cells("soc").lengths == 0, "soc", "is empty; give one value per cell")
        check_laws(self.sets, batch, problems)
        self.library.check(batch, problems)
        for row, name in enumerate(batch.words("parameterSet")):
            chosen = self.sets.entries.get(name)
            if chosen and (chosen.film is None or not isinstance(chosen.soc_factor, ExponentialFactor)):
                problems.add(row, "parameterSet", f"{name} has no film, or no beta; choose one with both")
        for row, name in enumerate(batch.words("curve")):
            curve = self.library.entries.get(name)
            if curve and curve.negative_spline is None:
                problems.add(row, "curve", f"{name} has no electrode potentials; choose one with U_neg_V")

    def _compute(self, batch: Batch, problems: Problems) -> dict[str, Column]:
        soc = batch.cells("soc")
        trends = batch.trend("temperatureTrend")
        cut = trends.within(trends.begins(), batch.scalar("until"))
        uncertainties = temperature_uncertainties(batch, cut.measured, ~cut.measured)
        flat = {port: np.empty_like(soc.values) for port in _CELLS}
        sigmas = {port: np.empty(batch.size) for port in ("shuttleLossSigma", "filmLossSigma")}
        flags: list[list[str]] = [[] for _ in range(batch.size)]
        keys = zip(batch.words("curve"), batch.words("parameterSet"), batch.words("policy"), strict=True)
        for (curve_name, set_name, policy), rows in grouped(list(keys)):
            chosen, curve = self.sets.get(set_name), self.library.get(curve_name)
            part, cells = cut.take(rows), soc.take(rows)
            where = np.isin(soc.rows, rows)
            assert chosen.film is not None
            moments = film_moments(part, chosen.law(policy), chosen.film.law)
            spread = np.stack([cells.spread(moment) for moment in moments.film])
            start = cells.values / 100.0
            shuttle, film = two_losses(chosen, start, cells.spread(moments.shuttle), spread)
            over = ~(cells.with_values(start - shuttle - film).minimum() >= 0)
            for position in np.flatnonzero(over).tolist():
                problems.add(
                    int(rows[position]), "soc", "loses nearly all within the history; check start, times and rates"
                )
            at = batch.scalar("temperature")[rows]
            kelvin = cells.spread(np.where(np.isnan(at), curve.reference_temperature, at + ZERO_CELSIUS))
            before = curve.voltage(start, kelvin)
            shuttled = curve.voltage(start - shuttle, kelvin)
            filmed = curve.negative_shift(start - shuttle, start - shuttle - film)
            local = [item.take(cut, rows) for item in uncertainties]
            sigma_shuttle = _relative_sigma(part, chosen.law(policy), local)
            sigma_film = _relative_sigma(part, chosen.film.law, local)
            by_shuttle, by_film = cells.spread(sigma_shuttle), cells.spread(sigma_film)
            results = {
                "shuttleLoss": shuttle * 100,
                "filmLoss": film * 100,
                "ocv": shuttled + filmed,
                "ocvChange": (shuttled + filmed - before) * 1e3,
                "ocvChangeShuttle": (shuttled - before) * 1e3,
                "ocvChangeFilm": filmed * 1e3,
                "ocvChangeSigma": np.hypot((shuttled - before) * by_shuttle, filmed * by_film) * 1e3,
            }
            for port, values in results.items():
                flat[port][where] = values
            sigmas["shuttleLossSigma"][rows] = cells.with_values(shuttle * 100).mean() * sigma_shuttle
            sigmas["filmLossSigma"][rows] = cells.with_values(film * 100).mean() * sigma_film
            beyond = outside(part, *chosen.valid_temperature)
            for row in rows[beyond].tolist():
                flags[row].append("EXTRAPOLATED_T")
        columns: dict[str, Column] = {port: soc.with_values(values) for port, values in flat.items()}
        return {**columns, **sigmas, "flags": flags}


def _relative_sigma(trends: Trends, law: RateLaw, uncertainties: Sequence[TemperatureUncertainty]) -> Floats:
    """Relative standard deviation of each exposure ``(n,)``: rate, activation energy, temperatures."""
    sigmas = exposure_sigma(trends, law, uncertainties).by_source
    squares = sum((sigma * sigma for sigma in sigmas.values()), np.zeros(len(trends)))
    total = exposure(trends, law)
    return np.divide(np.sqrt(squares), total, out=np.zeros_like(total), where=total > 0)
