"""Analytic standard deviations against Monte Carlo: same model, drawn inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from voltwin.models.arrival_gate.relaxation import Relaxations
from voltwin.models.base.columns import Trends
from voltwin.models.ocv_soc.files import CurveLibrary
from voltwin.models.self_discharge.loss import loss
from voltwin.models.self_discharge.parameter_sets import ParameterSets
from voltwin.models.self_discharge.rate_laws import ArrheniusLaw
from voltwin.models.service.requests import answer

from .samples import case_study, discharge_instance, gate_instance, quantity, trends_of, wire_trend

DRAWS = 40_000
AGE = 280.0
MEASURED = np.array([False, True, True, True, False])
ORIGINS = ["measured" if flag else "best guess" for flag in MEASURED]
SET = ParameterSets.shipped().get("generic-nmc-literature")


def history() -> Trends:
    return replace(trends_of(case_study(AGE)), measured=MEASURED)


def drawn_exposures(
    random: Any, *, rate: float = 0.0, energy: float = 0.0, measured: float = 0.0, guessed: float = 0.0
) -> Any:
    """Exposures of a history with drawn rate, activation energy and temperatures, ``(DRAWS,)``."""
    base = history()
    k25 = SET.rate_at_25 * (1 + rate * random.standard_normal(DRAWS))
    energies = np.maximum(50e3 + energy * random.standard_normal(DRAWS), 0.0)  # one draw in 60,000 is below
    shift_m, shift_g = measured * random.standard_normal(DRAWS), guessed * random.standard_normal(DRAWS)
    shift = np.where(MEASURED[None, :], shift_m[:, None], shift_g[:, None])
    total = np.empty(DRAWS)
    span = (base.end - base.start) / 3600
    if energy == 0.0:
        law = ArrheniusLaw(1.0, 50e3, 298.15)
        means = law.mean((base.first + shift).ravel(), (base.last + shift).ravel()).reshape(shift.shape)
        return k25 * (means @ span)
    for i in range(DRAWS):
        law = ArrheniusLaw(1.0, energies[i], 298.15)
        total[i] = k25[i] * (law.mean(base.first + shift[i], base.last + shift[i]) @ span)
    return total


def outputs(registry: Any, model: Any, instance: Any) -> Any:
    result = answer(registry, model, {"instances": [instance]})["results"][0]
    assert "outputs" in result, result
    return result["outputs"]


def loss_instance() -> Any:
    times, values = case_study(AGE)
    return discharge_instance(AGE, temperatureTrend=wire_trend(times, values, ORIGINS))


@pytest.mark.parametrize(
    ("port", "drawn", "share"),
    [
        ("lossSigmaRate", {"rate": 0.5}, 1),
        ("lossSigmaActivationEnergy", {"energy": 6e3}, 1 / 2),
        ("lossSigmaMeasuredTemperature", {"measured": 0.5}, 1),
        ("lossSigmaGuessedTemperature", {"guessed": 1.0}, 1 / 3),
    ],
)
def test_each_first_order_agrees_within_two_percent(registry: Any, port: Any, drawn: Any, share: Any) -> None:
    """A ``share`` of a deviation is drawn where the full size is beyond the first order."""
    k = drawn_exposures(np.random.default_rng(7), **drawn)
    sampled = loss(np.full(DRAWS, 0.5), k, 0.87).std() * 100 / share
    assert outputs(registry, "self-discharge", loss_instance())[port]["value"] == pytest.approx(sampled, rel=0.02)


def test_the_whole_sigma_of_the_loss_agrees_within_two_percent_at_full_size(registry: Any) -> None:
    random = np.random.default_rng(8)
    start = 0.5 + 0.01 * random.standard_normal(DRAWS)
    k = drawn_exposures(random, rate=0.5, energy=12e3, measured=0.5, guessed=3.0)
    beta = 0.87 + 0.3 * random.standard_normal(DRAWS)
    sampled = loss(start, k, beta).std() * 100
    instance = loss_instance()
    instance["inputs"]["socSigma"] = quantity([1.0], "PERCENT")
    found = outputs(registry, "self-discharge", instance)
    assert found["lossSigma"]["value"] == pytest.approx(sampled, rel=0.02)
    assert found["socSigma"]["value"][0] == pytest.approx(np.hypot(1.0, sampled), rel=0.02)


def test_the_sigmas_of_age_and_mean_kinetic_temperature_agree_within_two_percent(registry: Any) -> None:
    random = np.random.default_rng(11)
    found = outputs(registry, "self-discharge", loss_instance())
    tau = drawn_exposures(random, energy=12e3, measured=0.5, guessed=3.0) / SET.rate_at_25
    assert found["equivalentAgeSigma"]["value"] == pytest.approx(tau.std(), rel=0.02)
    tau = drawn_exposures(random, measured=0.5, guessed=3.0) / SET.rate_at_25
    b = 50e3 / 8.314462618
    kinetic = 1 / (1 / 298.15 - np.log(tau / AGE) / b)
    assert found["meanKineticTemperatureSigma"]["value"] == pytest.approx(kinetic.std(), rel=0.02)


def test_the_parts_of_a_loss_add_up_in_squares(registry: Any) -> None:
    found = outputs(registry, "self-discharge", loss_instance())
    parts = [value["value"] for name, value in found.items() if name.startswith("lossSigma") and name != "lossSigma"]
    assert len(parts) == 7
    assert found["lossSigma"]["value"] == pytest.approx(np.sqrt(np.sum(np.square(parts))), rel=1e-12)


@pytest.mark.parametrize(("voltage", "celsius"), [(3.55, 25.0), (3.67, 10.0), (3.9, 35.0)])
def test_the_sigma_of_a_state_of_charge_agrees_within_two_percent(registry: Any, voltage: Any, celsius: Any) -> None:
    curve = CurveLibrary.shipped().get("bpx-nmc111")
    random = np.random.default_rng(9)
    temperature = celsius + 273.15 + random.standard_normal(DRAWS)
    reading = voltage + 0.5e-3 * random.standard_normal(DRAWS)
    off = curve.curve_sigma * random.standard_normal(DRAWS)
    entropic = curve.entropy_sigma * random.standard_normal(DRAWS) * (celsius + 273.15 - curve.reference_temperature)
    sampled = curve.soc(reading + off + entropic, temperature).std() * 100
    instance = {"inputs": {"ocv": quantity([voltage], "V"), "temperature": quantity(celsius, "DEG_C")}}
    assert outputs(registry, "ocv-soc", instance)["socSigma"]["value"][0] == pytest.approx(sampled, rel=0.02)


@pytest.mark.parametrize("celsius", [22.0, 8.0])
def test_the_sigma_of_the_gate_agrees_within_two_percent(registry: Any, celsius: Any) -> None:
    """Draw the truth of a sound cell, measure it twice, and compare measured minus expected."""
    curve, law = CurveLibrary.shipped().get("bpx-nmc111"), Relaxations.shipped().get("partial-charge")
    random = np.random.default_rng(10)

    def noise(sigma: Any) -> Any:
        return sigma * random.standard_normal(DRAWS)

    warm, cold = np.full(DRAWS, 298.15), np.full(DRAWS, celsius + 273.15)
    amplitude = law.amplitude + noise(law.amplitude_sigma)
    entropy_off = noise(curve.entropy_sigma)
    before = np.full(DRAWS, 0.498)
    k = drawn_exposures(random, rate=0.5, energy=12e3, measured=0.5, guessed=3.0)
    after = before - loss(before, k, 0.87 + noise(0.3))
    early, late = law.factors(np.array([6.0]))[0], law.factors(np.array([AGE + 6]))[0]
    end_of_line = curve.voltage(before, warm) + amplitude * early
    arrival = curve.voltage(after, cold) + amplitude * late + entropy_off * (celsius - 25.0)
    # The gate's inputs: both voltages with noise, and both temperatures with an error.
    first_reading = end_of_line + noise(0.5e-3) + curve.entropic_coefficient(before, warm) * noise(0.5)
    second_reading = arrival + noise(0.5e-3) + curve.entropic_coefficient(after, cold) * noise(0.5)
    sampled = (second_reading - first_reading).std() * 1e3

    times, values = case_study(AGE)
    instance = gate_instance(
        AGE,
        1,
        temperatureTrend=wire_trend(times, values, ORIGINS),
        arrivalTemperature=quantity(celsius, "DEG_C"),
        endOfLineOcv=quantity([float(end_of_line.mean())], "V"),
        arrivalOcv=quantity([float(arrival.mean())], "V"),
        parameters={"cellSpread": quantity(0, "PERCENT")},
    )
    found = outputs(registry, "arrival-gate", instance)
    assert found["sigma"]["value"][0] == pytest.approx(sampled, rel=0.02)
    assert abs(found["zScore"]["value"][0]) < 0.05
