"""Thermal exposure of every instance of a batch: exposure, equivalent age, mean temperature, uncertainties.

>>> from voltwin.models.self_discharge.thermal_exposure import PARAMETERS
>>> [parameter.name for parameter in PARAMETERS][:2]
['parameterSet', 'policy']

Shared by the self-discharge models and the arrival gate, with the ports and parameters they have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...errors import VoltwinError
from ..base.columns import Flags, Floats, Integers, Ragged, Trends, absent, grouped
from ..base.protocol import EARLIEST, LATEST, Batch, Column, Parameter, Port, Problems
from ..base.units import SECONDS_PER_HOUR, ZERO_CELSIUS
from .equivalent_age import (
    TemperatureUncertainty,
    exposure,
    exposure_sigma,
    mean_kinetic_temperature,
    measured_share,
    temperature_extremes,
)
from .histories import check_trends, outside, refuse_gaps
from .loss import powered_exposure, powered_slope
from .parameter_sets import DEFAULT_SET, POLICIES, REFERENCE, ParameterSet, ParameterSets
from .soc_laws import LossResponse, SocFactor

TREND: Final = Port("temperatureTrend", "trend", "DEG_C", "segments from the start on, without gaps")
UNTIL: Final = Port(
    "until",
    "scalar",
    "SEC",
    "the moment the estimate is for, seconds since 1970-01-01 UTC",
    minimum=EARLIEST,
    maximum=LATEST,
)
PARAMETERS: Final = (
    Parameter("parameterSet", DEFAULT_SET, description="name of the parameter set"),
    Parameter("policy", "arrhenius", description="between and beyond the set's temperatures", choices=POLICIES),
    Parameter(
        "measuredTemperatureSigma",
        0.5,
        "K",
        "standard deviation of a sensor, one offset per history",
        minimum=0,
        maximum=20,
    ),
    Parameter(
        "guessedTemperatureSigma",
        3.0,
        "K",
        "standard deviation of a best guess, one offset per history",
        minimum=0,
        maximum=50,
    ),
)


def exposure_ports(age: str) -> tuple[Port, ...]:
    """The output ports of ``ThermalExposure.columns``; ``age`` describes the length of the history."""
    return (
        Port("equivalentAge", "scalar", "HR", "hours at 25 °C that would lose as much"),
        Port("equivalentAgeSigma", "scalar", "HR", "its standard deviation; the rate scales both times alike"),
        Port("age", "scalar", "HR", age),
        Port("meanKineticTemperature", "scalar", "DEG_C", "constant temperature that would lose as much"),
        Port("meanKineticTemperatureSigma", "scalar", "K", "its standard deviation"),
        Port("measuredShare", "scalar", "PERCENT", "share of the history that was measured"),
    )


@dataclass(frozen=True, slots=True)
class ThermalExposure:
    """Results per instance ``(n,)``.

    ``exposure`` K with ``sigmas`` by source, ``equivalent_age`` and ``age`` in h, ``mean_kinetic`` in K,
    ``age_sigma`` (of the equivalent age) in h and ``mean_kinetic_sigma`` in K, ``measured`` as a share,
    ``extrapolated`` true outside the temperatures of the parameter set; ``factors`` has each parameter set's
    f(S) with its instances.
    """

    exposure: Floats
    equivalent_age: Floats
    age_sigma: Floats
    age: Floats
    mean_kinetic: Floats
    mean_kinetic_sigma: Floats
    measured: Floats
    extrapolated: Flags
    sigmas: dict[str, Floats]
    factors: Sequence[tuple[SocFactor, Integers]]

    def columns(self) -> dict[str, Column]:
        """Output columns by port, in the units of ``exposure_ports``."""
        return {
            "equivalentAge": self.equivalent_age,
            "equivalentAgeSigma": self.age_sigma,
            "age": self.age,
            "meanKineticTemperature": self.mean_kinetic - ZERO_CELSIUS,
            "meanKineticTemperatureSigma": self.mean_kinetic_sigma,
            "measuredShare": self.measured * 100,
        }

    def losses(self, soc: Ragged) -> tuple[Floats, LossResponse]:
        """Loss of every cell ``(N,)`` from its state of charge (fraction), and its sensitivity."""
        lost = np.empty_like(soc.values)
        response = LossResponse(np.empty_like(lost), np.empty_like(lost), np.empty_like(lost))
        owner = soc.rows
        for factor, rows in self.factors:
            where = np.isin(owner, rows)
            start, received = soc.values[where], self.exposure[owner[where]]
            part = factor.response(start, received)
            lost[where] = factor.loss(start, received)
            response.by_exposure[where] = part.by_exposure
            response.by_state_of_charge[where] = part.by_state_of_charge
            response.shape_sigma[where] = part.shape_sigma
        return lost, response


def check_until(batch: Batch, problems: Problems) -> None:
    """Note the instances whose ``temperatureTrend`` is not a history without gaps up to their ``until``."""
    trends, until = batch.trend("temperatureTrend"), batch.scalar("until")
    begin = trends.begins()
    check_trends(trends, "temperatureTrend", problems)
    problems.flag(until < begin, "until", "is before the history begins; check both times and their zone")
    refuse_gaps(trends, begin, until, "temperatureTrend", problems)


def check_laws(sets: ParameterSets, batch: Batch, problems: Problems) -> None:
    """Note the instances whose parameter set is unknown, or has too few rates for their policy."""
    for (name, policy), rows in grouped(_keys(batch)):
        field = "parameterSet"
        try:
            chosen = sets.get(name)
            field = "policy"
            chosen.law(policy)
        except VoltwinError as error:
            for row in rows.tolist():
                problems.add(row, field, str(error))


def _keys(batch: Batch) -> list[tuple[str, str]]:
    return list(zip(batch.words("parameterSet"), batch.words("policy"), strict=True))


def temperature_uncertainties(batch: Batch, measured: Flags, guessed: Flags) -> list[TemperatureUncertainty]:
    """The errors of sensors and of best guesses, which affect the segments in the masks ``(N,)``."""
    return [
        TemperatureUncertainty("measuredTemperature", measured, batch.numbers("measuredTemperatureSigma")),
        TemperatureUncertainty("guessedTemperature", guessed, batch.numbers("guessedTemperatureSigma")),
    ]


@dataclass(frozen=True, slots=True)
class _Group:
    """The instances ``rows`` ``(n,)``, which share a parameter set and a policy, with their histories.

    ``age_before`` ``(n,)`` in hours at 25 °C.
    """

    rows: Integers
    chosen: ParameterSet
    policy: str
    trends: Trends
    uncertainties: Sequence[TemperatureUncertainty]
    age_before: Floats


def integrate_exposure(
    sets: ParameterSets,
    batch: Batch,
    trends: Trends,
    uncertainties: Sequence[TemperatureUncertainty],
    age_before: Floats,
    problems: Problems,
) -> ThermalExposure:
    """The exposure of every history, by its instance's parameter set and policy, which must be known.

    Instances are grouped by (set, policy), of which a fleet has a handful; each group is one vectorised
    pass.
    """
    groups = list(grouped(_keys(batch)))
    a, b, c, d, e, f, g = (absent(batch.size) for _ in range(7))
    factors = [(sets.get(name).soc_factor, rows) for (name, _), rows in groups]
    result = ThermalExposure(a, b, c, d, e, f, g, np.zeros(batch.size, dtype=np.bool_), {}, factors)
    for (name, policy), rows in groups:
        part, local = trends, uncertainties
        if len(groups) > 1:
            part, local = trends.take(rows), [item.take(trends, rows) for item in uncertainties]
        _fill(result, _Group(rows, sets.get(name), policy, part, local, age_before[rows]), problems)
    return result


def _fill(result: ThermalExposure, group: _Group, problems: Problems) -> None:
    """Write the results of one group."""
    rows, chosen, trends = group.rows, group.chosen, group.trends
    law = chosen.law(group.policy)
    coldest, warmest = temperature_extremes(trends)
    # A history without length has no loss, at any temperature.
    still = ~np.isfinite(coldest)
    coldest, warmest = np.where(still, REFERENCE, coldest), np.where(still, REFERENCE, warmest)
    for index in np.flatnonzero(law.rate(coldest) <= 0).tolist():
        problems.add(
            int(rows[index]),
            "policy",
            f"{group.policy} makes the rate of {chosen.name} negative at {coldest[index] - ZERO_CELSIUS:.1f} °C; "
            "use arrhenius or clamp",
        )
    simple = exposure(trends, law)
    k25 = chosen.rate_at_25
    tau = simple / k25
    age = (trends.ends() - trends.begins()) / SECONDS_PER_HOUR
    result.exposure[rows] = powered_exposure(tau, k25, chosen.time_exponent, group.age_before)
    result.equivalent_age[rows] = tau
    stretch = powered_slope(tau, chosen.time_exponent, group.age_before)
    sigmas = exposure_sigma(trends, law, group.uncertainties)
    result.age_sigma[rows] = sigmas.at_known_rate / k25
    for source, sigma in sigmas.by_source.items():
        target = result.sigmas.setdefault(source, np.zeros(result.exposure.shape))
        target[rows] = stretch * sigma
    mean_rate = np.divide(simple, age, out=law.rate(coldest), where=age > 0)
    kinetic = mean_kinetic_temperature(mean_rate, coldest, warmest, law)
    result.mean_kinetic[rows] = np.where(still, np.nan, kinetic)
    # The rate scales the history and its reference alike: the mean kinetic temperature depends on temperatures alone.
    by_temperature = (sigmas.by_source[item.source] ** 2 for item in group.uncertainties)
    steepness = law.slope(kinetic, law.rate(kinetic)) * age
    result.mean_kinetic_sigma[rows] = np.divide(
        np.sqrt(sum(by_temperature, np.zeros(len(rows)))), steepness, out=absent(len(rows)), where=steepness > 0
    )
    result.measured[rows] = measured_share(trends)
    result.extrapolated[rows] = outside(trends, *chosen.valid_temperature)
    result.age[rows] = age
