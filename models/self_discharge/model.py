"""The self-discharge model: state of charge after a temperature history, from that at its start.

>>> from voltwin.models.self_discharge.model import SelfDischargeModel
>>> [port.name for port in SelfDischargeModel.shipped().inputs][:3]
['soc', 'temperatureTrend', 'until']
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from ..base.batches import BatchedModel
from ..base.columns import Floats, Ragged
from ..base.protocol import Batch, Column, Parameter, Port, Problems
from .parameter_sets import ParameterSets
from .thermal_exposure import (
    PARAMETERS,
    TREND,
    UNTIL,
    ThermalExposure,
    check_laws,
    check_until,
    exposure_ports,
    integrate_exposure,
    temperature_uncertainties,
)

#: Sources of uncertainty in the loss, and the output port of each.
SOURCES: Final = {
    "rate": "lossSigmaRate",
    "activationEnergy": "lossSigmaActivationEnergy",
    "beta": "lossSigmaBeta",
    "measuredTemperature": "lossSigmaMeasuredTemperature",
    "guessedTemperature": "lossSigmaGuessedTemperature",
    "interaction": "lossSigmaInteraction",
    "stateOfCharge": "lossSigmaStateOfCharge",
}


@dataclass(frozen=True, slots=True)
class SelfDischargeModel(BatchedModel):
    """Self-discharge over a temperature history, closed form, any number of twins in one call."""

    sets: ParameterSets
    name: str = "self-discharge"
    version: str = "1.0.0"
    description: str = "Charge a resting cell loses over its temperature history, with its uncertainty."
    inputs: tuple[Port, ...] = (
        Port("soc", "cells", "PERCENT", "state of charge of each cell when the history begins", minimum=0, maximum=100),
        TREND,
        UNTIL,
        Port("socSigma", "cells", "PERCENT", "standard deviation of soc", optional=True, minimum=0, maximum=100),
        Port(
            "ageBefore", "scalar", "HR", "hours at 25 °C before the history (power law only)", optional=True, minimum=0
        ),
    )
    outputs: tuple[Port, ...] = (
        Port("loss", "scalar", "PERCENT", "mean loss over the cells, percentage points of state of charge"),
        Port("soc", "cells", "PERCENT", "state of charge of each cell now"),
        Port("stateOfCharge", "scalar", "PERCENT", "state of charge of the weakest cell now"),
        Port("weakestCell", "scalar", "UNITLESS", "its position, from 1"),
        Port("imbalance", "scalar", "PERCENT", "highest minus lowest cell now"),
        Port("cellLoss", "cells", "PERCENT", "loss of each cell, percentage points"),
        *exposure_ports("hours of the history"),
        Port("lossSigma", "scalar", "PERCENT", "standard deviation of loss"),
        Port("socSigma", "cells", "PERCENT", "standard deviation of soc"),
        *(Port(port, "scalar", "PERCENT", f"part of lossSigma from {source}") for source, port in SOURCES.items()),
        Port("flags", "texts", None, "EXTRAPOLATED_T, EXTRAPOLATED_SOC"),
    )
    parameters: tuple[Parameter, ...] = PARAMETERS

    @classmethod
    def shipped(cls, folder: Path | None = None) -> Self:
        """With the shipped parameter sets, and those in ``folder/parameters``."""
        return cls(ParameterSets.shipped(folder))

    def _check(self, batch: Batch, problems: Problems) -> None:
        soc, given = batch.cells("soc"), batch.cells("socSigma")
        check_until(batch, problems)
        problems.flag(soc.lengths == 0, "soc", "is empty; give one value per cell")
        unpaired = (given.lengths > 0) & (given.lengths != soc.lengths)
        problems.flag(unpaired, "socSigma", "must have as many values as soc")
        check_laws(self.sets, batch, problems)

    def _compute(self, batch: Batch, problems: Problems) -> dict[str, Column]:
        trends, soc = batch.trend("temperatureTrend"), batch.cells("soc")
        cut = trends.within(trends.begins(), batch.scalar("until"))
        uncertainties = temperature_uncertainties(batch, cut.measured, ~cut.measured)
        before = np.nan_to_num(batch.scalar("ageBefore"), nan=0.0)
        found = integrate_exposure(self.sets, batch, cut, uncertainties, before, problems)

        start = soc.values / 100.0
        lost, response = found.losses(soc.with_values(start))
        now = start - lost
        empty = soc.with_values(now).minimum() < 0
        problems.flag(empty, "soc", "falls below 0 % within the history; check start, rates and times")
        mean_factor = soc.with_values(response.by_exposure).mean()
        parts = {source: mean_factor * sigma for source, sigma in found.sigmas.items()}
        parts["beta"] = soc.with_values(response.shape_sigma).mean()
        start_sigma = _aligned(batch.cells("socSigma"), soc) / 100.0
        from_start = soc.with_values((response.by_state_of_charge * start_sigma) ** 2).sum()
        parts["stateOfCharge"] = np.sqrt(from_start) / np.maximum(soc.lengths, 1)
        shared = sum((sigma * sigma for sigma in found.sigmas.values()), np.zeros(batch.size))
        cell_variance = (
            (1.0 - response.by_state_of_charge) ** 2 * start_sigma**2
            + response.by_exposure**2 * soc.spread(shared)
            + response.shape_sigma**2
        )
        columns: dict[str, Column] = {
            "loss": soc.with_values(lost).mean() * 100,
            "soc": soc.with_values(now * 100),
            "stateOfCharge": soc.with_values(now).minimum() * 100,
            "weakestCell": soc.with_values(-now).argmax() + 1.0,
            "imbalance": (soc.with_values(now).maximum() - soc.with_values(now).minimum()) * 100,
            "cellLoss": soc.with_values(lost * 100),
            **found.columns(),
            "lossSigma": np.sqrt(sum((part * part for part in parts.values()), np.zeros(batch.size))) * 100,
            "socSigma": soc.with_values(np.sqrt(cell_variance) * 100),
            "flags": self._flags(batch, found, soc.with_values(start)),
        }
        for source, port in SOURCES.items():
            columns[port] = parts.get(source, np.zeros(batch.size)) * 100
        return columns

    def _flags(self, batch: Batch, found: ThermalExposure, start: Ragged) -> list[list[str]]:
        low, high = start.minimum(), start.maximum()
        flags: list[list[str]] = []
        for i, name in enumerate(batch.words("parameterSet")):
            valid = self.sets.get(name).valid_state_of_charge
            row = ["EXTRAPOLATED_T"] if found.extrapolated[i] else []
            row += ["EXTRAPOLATED_SOC"] if low[i] < valid[0] or high[i] > valid[1] else []
            flags.append(row)
        return flags


def _aligned(sigma: Ragged, soc: Ragged) -> Floats:
    """Sigmas per cell ``(N,)``: zero for instances without any."""
    result = np.zeros_like(soc.values)
    result[np.repeat(sigma.lengths > 0, soc.lengths)] = sigma.values
    return result
