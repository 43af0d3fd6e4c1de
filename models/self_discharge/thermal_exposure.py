"""What histories did to their twins: exposure, age, shares and doubts of every instance of a batch.

>>> from voltwin.models.self_discharge.thermal_exposure import PARAMETERS
>>> [parameter.name for parameter in PARAMETERS][:2]
['parameterSet', 'policy']

Shared by the self-discharge model and the arrival gate, which ask the same question of a history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...errors import VoltwinError
from ..base.columns import Flags, Floats, Integers, Ragged, Trends, absent, grouped
from ..base.protocol import Batch, Parameter, Problems
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

_KELVIN: Final = 273.15

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
class ThermalExposure:
    """Results per instance ``(n,)``.

    ``exposure`` K with ``sigmas`` by source, ``equivalent_age`` and ``age`` in h, ``mean_kinetic`` in K,
    ``age_sigma`` (of the equivalent age) in h and ``mean_kinetic_sigma`` in K, ``measured`` as a share,
    ``extrapolated`` true where the parameter set does not reach; ``factors``
    holds each parameter set's f(S) with the instances it is for.
    """

    exposure: Floats
    equivalent_age: Floats
    age: Floats
    mean_kinetic: Floats
    measured: Floats
    extrapolated: Flags
    sigmas: dict[str, Floats]
    age_sigma: Floats
    mean_kinetic_sigma: Floats
    factors: Sequence[tuple[SocFactor, Integers]]

    def losses(self, soc: Ragged) -> tuple[Floats, LossResponse]:
        """Loss of every cell ``(N,)`` from its state of charge (fraction), and how it answers."""
        lost = np.empty_like(soc.values)
        response = LossResponse(np.empty_like(lost), np.empty_like(lost), np.empty_like(lost))
        owner = soc.rows
        for factor, rows in self.factors:
            where = np.isin(owner, rows)
            start, k = soc.values[where], self.exposure[owner[where]]
            part = factor.response(start, k)
            lost[where] = factor.loss(start, k)
            response.by_exposure[where] = part.by_exposure
            response.by_state_of_charge[where] = part.by_state_of_charge
            response.shape_sigma[where] = part.shape_sigma
        return lost, response


def check_until(batch: Batch, problems: Problems) -> None:
    """Note the instances whose ``temperatureTrend`` is no history up to their ``until``, or has a gap."""
    trends, until = batch.trend("temperatureTrend"), batch.scalar("until")
    begin = trends.begins()
    check_trends(trends, "temperatureTrend", problems)
    problems.flag(until < begin, "until", "lies before the history begins; check both times and their zone")
    refuse_gaps(trends, begin, until, "temperatureTrend", problems)


def check_laws(sets: ParameterSets, batch: Batch, problems: Problems) -> None:
    """Note the instances whose parameter set is unknown, or cannot serve their policy."""
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


def integrate_exposure(
    sets: ParameterSets,
    batch: Batch,
    trends: Trends,
    doubts: list[TemperatureUncertainty],
    age_before: Floats,
    problems: Problems,
) -> ThermalExposure:
    """Run every history through its instance's parameter set and policy, both known to be there.

    Instances are grouped by (set, policy), of which a fleet has a handful; each group is one vectorised
    pass.
    """
    groups = list(grouped(_keys(batch)))
    result = ThermalExposure(
        exposure=absent(batch.size),
        equivalent_age=absent(batch.size),
        age=absent(batch.size),
        mean_kinetic=absent(batch.size),
        measured=absent(batch.size),
        extrapolated=np.zeros(batch.size, dtype=np.bool_),
        sigmas={},
        age_sigma=absent(batch.size),
        mean_kinetic_sigma=absent(batch.size),
        factors=[(sets.get(name).soc_factor, rows) for (name, _), rows in groups],
    )
    for (name, policy), rows in groups:
        part, local = trends, doubts
        if len(groups) > 1:
            part, local = trends.take(rows), [_take_doubt(doubt, trends, rows) for doubt in doubts]
        _fill(result, rows, sets.get(name), policy, part, local, age_before[rows], problems)
    return result


def _fill(
    result: ThermalExposure,
    rows: Integers,
    chosen: ParameterSet,
    policy: str,
    trends: Trends,
    doubts: list[TemperatureUncertainty],
    age_before: Floats,
    problems: Problems,
) -> None:
    law = chosen.law(policy)
    coldest, warmest = temperature_extremes(trends)
    # A history of no length loses nothing, at whatever temperature.
    still = ~np.isfinite(coldest)
    coldest, warmest = np.where(still, REFERENCE, coldest), np.where(still, REFERENCE, warmest)
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
    sigmas = exposure_sigma(trends, law, doubts)
    # The rate scales the history and its reference alike; the mean kinetic temperature knows temperatures alone.
    of_temperature = sum((sigmas.by_source[doubt.source] ** 2 for doubt in doubts), np.zeros(len(rows)))
    result.age_sigma[rows] = sigmas.at_known_rate / k25
    for source, sigma in sigmas.by_source.items():
        target = result.sigmas.setdefault(source, np.zeros(result.exposure.shape))
        target[rows] = stretch * sigma
    mean_rate = np.divide(simple, age, out=law.rate(coldest), where=age > 0)
    kinetic = mean_kinetic_temperature(mean_rate, coldest, warmest, law)
    result.mean_kinetic[rows] = np.where(still, np.nan, kinetic)
    steepness = law.slope(kinetic, law.rate(kinetic)) * age
    result.mean_kinetic_sigma[rows] = np.divide(
        np.sqrt(of_temperature), steepness, out=absent(len(rows)), where=steepness > 0
    )
    result.measured[rows] = measured_share(trends)
    result.extrapolated[rows] = outside(trends, *chosen.valid_temperature)
    result.age[rows] = age


def _take_doubt(doubt: TemperatureUncertainty, trends: Trends, rows: Integers) -> TemperatureUncertainty:
    touches = Ragged(doubt.touches.astype(np.float64), trends.offsets).take(rows).values > 0
    return TemperatureUncertainty(doubt.source, touches, doubt.sigma[rows])
