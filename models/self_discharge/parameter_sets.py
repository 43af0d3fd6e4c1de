"""Parameter sets: rates with their source, range and uncertainty, and the rate law of each policy.

>>> from voltwin.models.self_discharge.parameter_sets import ParameterSets
>>> default = ParameterSets.shipped().get("generic-nmc-literature")
>>> round(default.rate_at_25 * 730 * 100, 4)     # percent per month
0.28

A file is JSON (the shipped ones in ``models/parameters`` serve as examples). Its rates hold at a state
of charge of 0.5, at one temperature together with an activation energy, or at two and more. Between and
beyond them the policy applies: ``arrhenius`` (ln k linear in 1/T), ``linear`` (k linear in T) or
``clamp`` (Arrhenius inside the range, the nearest end outside of it).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from ...errors import InputError
from ..base.json_fields import Fields
from ..base.library import Library
from ..base.units import ZERO_CELSIUS, convert
from .rate_laws import ArrheniusLaw, ArrheniusPair, ConstantLaw, LinearLaw, PiecewiseLaw, RateLaw
from .soc_laws import ExponentialFactor, SocFactor, TabulatedFactor

POLICIES: Final = ("arrhenius", "linear", "clamp")
REFERENCE: Final = 298.15  # K: equivalent age is in hours at 25 °C
DEFAULT_SET: Final = "generic-nmc-literature"


@dataclass(frozen=True, slots=True)
class MeasuredRate:
    """A rate at half charge (1/h), where it was measured (K), and its relative standard deviation."""

    temperature: float
    rate: float
    relative_sigma: float


@dataclass(frozen=True, slots=True)
class Film:
    """Loss into a film on the negative electrode: its rate law at half charge, and exp[beta (S - 0.5)]."""

    law: ArrheniusLaw
    beta: float
    beta_sigma: float


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """Parameters of the self-discharge of one kind of cell.

    Temperatures in kelvin, rates in 1/h, activation energy in J/mol (None when two or more rates imply
    it), ``soc_factor`` the dependence f(S) on the state of charge, ``time_exponent`` n of the power law in
    time (1: none), ``valid_temperature`` and ``valid_state_of_charge`` as (minimum, maximum).
    """

    name: str
    version: str
    citation: tuple[str, ...]
    notes: tuple[str, ...]
    rates: tuple[MeasuredRate, ...]
    activation_energy: float | None
    activation_energy_sigma: float
    soc_factor: SocFactor
    time_exponent: float
    film: Film | None
    valid_temperature: tuple[float, float]
    valid_state_of_charge: tuple[float, float]

    @property
    def rate_at_25(self) -> float:
        """K at 25 °C and half charge, 1/h, by the Arrhenius policy."""
        return float(self.law("arrhenius").rate(np.array([REFERENCE]))[0])

    def law(self, policy: str) -> RateLaw:
        """The rate law of this set under a policy.

        Raises InputError when the policy is unknown or the set holds too few rates for it.
        """
        if policy not in POLICIES:
            raise InputError(f"policy {policy!r} is not known; use one of {', '.join(POLICIES)}")
        points = self.rates
        if len(points) == 1:
            only = points[0]
            if policy == "linear":
                raise InputError(
                    f"parameter set {self.name}: policy linear needs rates at two or more temperatures, "
                    "this set has one; use arrhenius or clamp, or a set with more"
                )
            if self.activation_energy is None:
                raise InputError(f"parameter set {self.name}: one rate needs an activationEnergy")
            law: RateLaw = ArrheniusLaw(
                only.rate, self.activation_energy, only.temperature, only.relative_sigma, self.activation_energy_sigma
            )
            bounds = self.valid_temperature
        else:
            kind = LinearLaw if policy == "linear" else ArrheniusPair.through
            pieces: list[RateLaw] = [
                kind((a.temperature, b.temperature), (a.rate, b.rate), (a.relative_sigma, b.relative_sigma))
                for a, b in pairwise(points)
            ]
            inner = tuple(point.temperature for point in points[1:-1])
            law = PiecewiseLaw(inner, tuple(pieces)) if inner else pieces[0]
            bounds = (points[0].temperature, points[-1].temperature)
        if policy == "clamp":
            low, high = bounds
            return PiecewiseLaw(bounds, (ConstantLaw(law, low), law, ConstantLaw(law, high)))
        return law


def read_parameter_set(file: Path) -> ParameterSet:
    """The parameter set in one file. Raises InputError, naming file and field, when it is wrong."""
    fields = Fields.read(file)
    rates = sorted((_read_rate(item) for item in fields.children("rates")), key=lambda rate: rate.temperature)
    if not rates:
        raise fields.error("rates", "needs at least one rate")
    for a, b in pairwise(rates):
        if a.temperature == b.temperature:
            raise fields.error("rates", f"two rates at {a.temperature - ZERO_CELSIUS:g} °C; keep one")
        if b.rate < a.rate:
            raise fields.error(
                "rates",
                f"the rate falls from {a.temperature - ZERO_CELSIUS:g} to {b.temperature - ZERO_CELSIUS:g} °C; "
                "self-discharge does not slow down with heat: check values and units",
            )
    energy, energy_sigma = None, 0.0
    if "activationEnergy" in fields.data:
        energy, energy_sigma = _read_energy(fields)
    if len(rates) == 1 and energy is None:
        raise fields.error("activationEnergy", "missing: with a rate at one temperature only, it is needed")
    exponent = fields.number("timeExponent", 1.0)
    if not 0 < exponent <= 2:
        raise fields.error("timeExponent", f"must lie in (0, 2], is {exponent:g}")
    return ParameterSet(
        name=fields.text("name"),
        version=fields.text("version"),
        citation=fields.texts("citation"),
        notes=fields.texts("notes"),
        rates=tuple(rates),
        activation_energy=energy,
        activation_energy_sigma=energy_sigma,
        soc_factor=_read_soc_factor(fields),
        time_exponent=exponent,
        film=_read_film(fields.child("film")) if "film" in fields.data else None,
        valid_temperature=fields.range("validTemperature", "K"),
        valid_state_of_charge=fields.range("validStateOfCharge", "FRACTION"),
    )


def _read_rate(fields: Fields) -> MeasuredRate:
    rate = fields.quantity("rate", "PER-HR")
    if rate <= 0:
        raise fields.error("rate", f"must be positive, is {rate:g} per hour")
    sigma = fields.quantity("relativeSigma", "FRACTION") if "relativeSigma" in fields.data else 0.0
    return MeasuredRate(fields.quantity("temperature", "K"), rate, sigma)


def _read_energy(fields: Fields) -> tuple[float, float]:
    """The activation energy and its standard deviation, J/mol."""
    energy = fields.quantity("activationEnergy", "J-PER-MOL")
    if energy < 0:
        raise fields.error("activationEnergy", f"must not be negative, is {energy:g} J/mol")
    return energy, fields.quantity("activationEnergy", "J-PER-MOL", "sigma")


def _read_soc_factor(fields: Fields) -> SocFactor:
    if "socFactor" not in fields.data:
        beta = fields.child("beta")
        return ExponentialFactor(beta.number("value"), beta.number("sigma", 0.0))
    if "beta" in fields.data:
        raise fields.error("socFactor", "the set has a beta as well; keep one of the two")
    table = fields.child("socFactor")
    try:
        points = convert(np.asarray(table.get("stateOfCharge"), dtype=np.float64), table.text("unit"), "FRACTION")
        return TabulatedFactor.through(points, np.asarray(table.get("factor"), dtype=np.float64))
    except (InputError, ValueError, TypeError) as error:
        raise fields.error("socFactor", str(error)) from error


def _read_film(fields: Fields) -> Film:
    rate = _read_rate(fields)
    energy, sigma = _read_energy(fields)
    beta = fields.child("beta")
    return Film(
        ArrheniusLaw(rate.rate, energy, rate.temperature, rate.relative_sigma, sigma),
        beta.number("value"),
        beta.number("sigma", 0.0),
    )


class ParameterSets(Library[ParameterSet]):
    """Parameter sets by name."""

    __slots__ = ()
    kind = "parameter set"
    folder = "parameters"
    read = staticmethod(read_parameter_set)
