"""The self-discharge model: charge at the start and a temperature history in, charge now out.

>>> from voltwin.models.self_discharge.model import SelfDischargeModel
>>> [port.name for port in SelfDischargeModel.shipped().inputs][:3]
['soc', 'temperatureTrend', 'until']
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ...errors import VoltwinError
from ..columns import Flags, Floats, Integers, Ragged, Trends, absent
from ..protocol import Answer, Batch, Column, Parameter, Port, Problems, answer_good
from .equivalent_age import (
    TemperatureDoubt,
    exposure,
    exposure_sigma,
    mean_kinetic_temperature,
    measured_share,
    temperature_extremes,
)
from .histories import check_trends, outside, refuse_gaps
from .loss import loss, loss_slopes, powered_exposure, powered_slope
from .parameter_sets import DEFAULT_SET, POLICIES, ParameterSet, ParameterSets

_KELVIN: Final = 273.15

#: Sources of uncertainty in the loss, and the output port each has.
SOURCES: Final = {
    "rate": "lossSigmaRate",
    "activationEnergy": "lossSigmaActivationEnergy",
    "beta": "lossSigmaBeta",
    "measuredTemperature": "lossSigmaMeasuredTemperature",
    "guessedTemperature": "lossSigmaGuessedTemperature",
    "gapTemperature": "lossSigmaGapTemperature",
    "stateOfCharge": "lossSigmaStateOfCharge",
}

PARAMETERS: Final = (
    Parameter("parameterSet", DEFAULT_SET, description="name of the parameter set"),
    Parameter("policy", "arrhenius", description="between and beyond the set's temperatures", choices=POLICIES),
    Parameter(
        "measuredTemperatureSigma",
        0.5,
        "K",
        "standard deviation of a sensor, one offset a history",
        minimum=0,
        maximum=20,
    ),
    Parameter(
        "guessedTemperatureSigma",
        3.0,
        "K",
        "standard deviation of a best guess, one offset a history",
        minimum=0,
        maximum=50,
    ),
)


@dataclass(frozen=True, slots=True)
class Exposures:
    """What histories did, per instance ``(n,)``: exposure K with its sigmas by source, age and shares."""

    exposure: Floats
    equivalent_age: Floats
    sigmas: dict[str, Floats]
    mean_kinetic: Floats
    measured: Floats
    extrapolated: Flags
    age: Floats
    beta: Floats
    beta_sigma: Floats


@dataclass(frozen=True, slots=True)
class SelfDischargeModel:
    """Self-discharge over a temperature history, closed form, any number of twins in one call."""

    sets: ParameterSets
    name: str = "self-discharge"
    version: str = "1.0.0"
    description: str = "Charge a resting cell loses over its temperature history, with its uncertainty."
    inputs: tuple[Port, ...] = (
        Port(
            "soc",
            "cells",
            "PERCENT",
            "state of charge of each cell when the history begins",
            minimum=0,
            maximum=100,
        ),
        Port("temperatureTrend", "trend", "DEG_C", "segments from the start on, without gaps"),
        Port("until", "scalar", "SEC", "the moment the estimate is for, seconds since 1970-01-01 UTC"),
        Port("socSigma", "cells", "PERCENT", "standard deviation of soc", optional=True, minimum=0, maximum=100),
        Port(
            "ageBefore",
            "scalar",
            "HR",
            "hours at 25 °C before the history (power law only)",
            optional=True,
            minimum=0,
        ),
    )
    outputs: tuple[Port, ...] = (
        Port("loss", "scalar", "PERCENT", "mean loss over the cells, percentage points of state of charge"),
        Port("soc", "cells", "PERCENT", "state of charge of each cell now"),
        Port("stateOfCharge", "scalar", "PERCENT", "state of charge of the weakest cell now"),
        Port("weakestCell", "scalar", "UNITLESS", "its position, from 1"),
        Port("imbalance", "scalar", "PERCENT", "highest minus lowest cell now"),
        Port("cellLoss", "cells", "PERCENT", "loss of each cell, percentage points"),
        Port("equivalentAge", "scalar", "HR", "hours at 25 °C that would lose as much"),
        Port("age", "scalar", "HR", "hours of the history"),
        Port("meanKineticTemperature", "scalar", "DEG_C", "constant temperature that would lose as much"),
        Port("measuredShare", "scalar", "PERCENT", "share of the history that was measured"),
        Port("lossSigma", "scalar", "PERCENT", "standard deviation of loss"),
        Port("socSigma", "cells", "PERCENT", "standard deviation of soc"),
        *(Port(port, "scalar", "PERCENT", f"part of lossSigma from {source}") for source, port in SOURCES.items()),
        Port("flags", "texts", None, "EXTRAPOLATED_T, EXTRAPOLATED_SOC"),
    )
    parameters: tuple[Parameter, ...] = PARAMETERS

    @classmethod
    def shipped(cls, more: Iterable[Path] = ()) -> SelfDischargeModel:
        """With the shipped parameter sets, and those in ``more``."""
        return cls(ParameterSets.shipped(more))

    def run(self, batch: Batch) -> Answer:
        """Answer all instances at once."""
        problems = Problems()
        trends, soc, given = batch.trend("temperatureTrend"), batch.cells("soc"), batch.cells("socSigma")
        begin, until = trends.begins(), batch.scalar("until")
        check_trends(trends, "temperatureTrend", problems)
        problems.flag(until < begin, "until", "lies before the history begins; check both times and their zone")
        refuse_gaps(trends, begin, until, "temperatureTrend", problems)
        problems.flag(soc.lengths == 0, "soc", "is empty; give one value per cell")
        unpaired = (given.lengths > 0) & (given.lengths != soc.lengths)
        problems.flag(unpaired, "socSigma", "must have as many values as soc")
        check_laws(self.sets, batch, problems)
        return answer_good(batch, problems, self._compute)

    def _compute(self, batch: Batch, problems: Problems) -> dict[str, Column]:
        trends, soc = batch.trend("temperatureTrend"), batch.cells("soc")
        cut = trends.within(trends.begins(), batch.scalar("until"))
        doubts = [
            TemperatureDoubt("measuredTemperature", cut.measured, batch.numbers("measuredTemperatureSigma")),
            TemperatureDoubt("guessedTemperature", ~cut.measured, batch.numbers("guessedTemperatureSigma")),
        ]
        before = np.nan_to_num(batch.scalar("ageBefore"), nan=0.0)
        found = expose(self.sets, batch, cut, doubts, before, problems)

        start = soc.values / 100.0
        lost = loss(start, soc.spread(found.exposure), soc.spread(found.beta))
        now = start - lost
        empty = soc.with_values(now).minimum() < 0
        problems.flag(empty, "soc", "falls below 0 % within the history; check start, rates and times")
        slopes = loss_slopes(start, soc.spread(found.exposure), soc.spread(found.beta))
        mean_factor = soc.with_values(slopes.by_exposure).mean()
        parts = {source: mean_factor * sigma for source, sigma in found.sigmas.items()}
        parts["beta"] = np.abs(soc.with_values(slopes.by_beta).mean()) * found.beta_sigma
        start_sigma = _aligned(batch.cells("socSigma"), soc) / 100.0
        parts["stateOfCharge"] = np.sqrt(
            soc.with_values((slopes.by_state_of_charge * start_sigma) ** 2).sum()
        ) / np.maximum(soc.lengths, 1)
        shared = sum((sigma * sigma for sigma in found.sigmas.values()), np.zeros(batch.size))
        cell_variance = (
            (1.0 - slopes.by_state_of_charge) ** 2 * start_sigma**2
            + slopes.by_exposure**2 * soc.spread(shared)
            + (slopes.by_beta * soc.spread(found.beta_sigma)) ** 2
        )
        columns: dict[str, Column] = {
            "loss": soc.with_values(lost).mean() * 100,
            "soc": soc.with_values(now * 100),
            "stateOfCharge": soc.with_values(now).minimum() * 100,
            "weakestCell": soc.with_values(-now).argmax() + 1.0,
            "imbalance": (soc.with_values(now).maximum() - soc.with_values(now).minimum()) * 100,
            "cellLoss": soc.with_values(lost * 100),
            "equivalentAge": found.equivalent_age,
            "age": found.age,
            "meanKineticTemperature": found.mean_kinetic - _KELVIN,
            "measuredShare": found.measured * 100,
            "lossSigma": np.sqrt(sum((part * part for part in parts.values()), np.zeros(batch.size))) * 100,
            "socSigma": soc.with_values(np.sqrt(cell_variance) * 100),
            "flags": self._flags(batch, found, soc.with_values(start)),
        }
        for source, port in SOURCES.items():
            columns[port] = parts[source] * 100 if source in parts else np.full(batch.size, np.nan)
        return columns

    def _flags(self, batch: Batch, found: Exposures, start: Ragged) -> list[list[str]]:
        low, high = start.minimum(), start.maximum()
        flags: list[list[str]] = []
        for i, name in enumerate(batch.words("parameterSet")):
            valid = self.sets.get(name).valid_state_of_charge
            row = ["EXTRAPOLATED_T"] if found.extrapolated[i] else []
            row += ["EXTRAPOLATED_SOC"] if low[i] < valid[0] or high[i] > valid[1] else []
            flags.append(row)
        return flags


def check_laws(sets: ParameterSets, batch: Batch, problems: Problems) -> None:
    """Note the instances whose parameter set is unknown, or cannot serve their policy."""
    keys = list(zip(batch.words("parameterSet"), batch.words("policy"), strict=True))
    for key in dict.fromkeys(keys):
        field, message = "", ""
        try:
            field = "parameterSet"
            chosen = sets.get(key[0])
            field = "policy"
            chosen.law(key[1])
        except VoltwinError as error:
            message = str(error)
        for row in [i for i, item in enumerate(keys) if message and item == key]:
            problems.add(row, field, message)


def expose(
    sets: ParameterSets,
    batch: Batch,
    trends: Trends,
    doubts: list[TemperatureDoubt],
    age_before: Floats,
    problems: Problems,
) -> Exposures:
    """Run every history through its instance's parameter set and policy, both known to be there.

    Instances are grouped by (set, policy), of which a fleet has a handful; each group is one vectorised
    pass.
    """
    size = batch.size
    result = Exposures(
        exposure=absent(size),
        equivalent_age=absent(size),
        sigmas={},
        mean_kinetic=absent(size),
        measured=absent(size),
        extrapolated=np.zeros(size, dtype=np.bool_),
        age=absent(size),
        beta=absent(size),
        beta_sigma=absent(size),
    )
    keys = list(zip(batch.words("parameterSet"), batch.words("policy"), strict=True))
    groups = dict.fromkeys(keys)
    for key in groups:
        rows = np.flatnonzero(np.array([item == key for item in keys]))
        chosen = sets.get(key[0])
        part, local = trends, doubts
        if len(groups) > 1:
            part, local = trends.take(rows), [_take_doubt(doubt, trends, rows) for doubt in doubts]
        _fill(result, rows, chosen, key[1], part, local, age_before[rows], problems)
    return result


def _fill(
    result: Exposures,
    rows: Integers,
    chosen: ParameterSet,
    policy: str,
    trends: Trends,
    doubts: list[TemperatureDoubt],
    age_before: Floats,
    problems: Problems,
) -> None:
    law = chosen.law(policy)
    coldest, warmest = temperature_extremes(trends)
    # A history of no length loses nothing, at whatever temperature.
    still = ~np.isfinite(coldest)
    coldest, warmest = np.where(still, 298.15, coldest), np.where(still, 298.15, warmest)
    for index in np.flatnonzero(law.rate(coldest) <= 0).tolist():
        problems.add(
            int(rows[index]),
            "policy",
            f"{policy} makes the rate of {chosen.name} negative at {coldest[index] - _KELVIN:.1f} °C; "
            "use arrhenius or clamp",
        )
    simple = exposure(trends, law)
    k25 = chosen.rate_at_25
    tau = simple / k25
    age = (trends.ends() - trends.begins()) / 3600.0
    result.exposure[rows] = powered_exposure(tau, k25, chosen.time_exponent, age_before)
    result.equivalent_age[rows] = tau
    stretch = powered_slope(tau, chosen.time_exponent, age_before)
    for source, sigma in exposure_sigma(trends, law, doubts).items():
        target = result.sigmas.setdefault(source, np.zeros(result.exposure.shape))
        target[rows] = stretch * sigma
    mean_rate = np.divide(simple, age, out=law.rate(coldest), where=age > 0)
    kinetic = mean_kinetic_temperature(mean_rate, coldest, warmest, law)
    result.mean_kinetic[rows] = np.where(still, np.nan, kinetic)
    result.measured[rows] = measured_share(trends)
    result.extrapolated[rows] = outside(trends, *chosen.valid_temperature)
    result.age[rows] = age
    result.beta[rows] = chosen.beta
    result.beta_sigma[rows] = chosen.beta_sigma


def _take_doubt(doubt: TemperatureDoubt, trends: Trends, rows: Integers) -> TemperatureDoubt:
    touches = Ragged(doubt.touches.astype(np.float64), trends.offsets).take(rows).values > 0
    return TemperatureDoubt(doubt.source, touches, doubt.sigma[rows])


def _aligned(sigma: Ragged, soc: Ragged) -> Floats:
    """Sigmas per cell ``(N,)``: zero where an instance gave none."""
    result = np.zeros_like(soc.values)
    result[np.repeat(sigma.lengths > 0, soc.lengths)] = sigma.values
    return result
