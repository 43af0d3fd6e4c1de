from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from voltwin.models.self_discharge.parameter_sets import ParameterSets
from voltwin.models.self_discharge.two_electrode import film_moments, two_losses
from voltwin.models.service.requests import answer

from .samples import case_study, discharge_instance, quantity, trends_of, wire_trend

SET = ParameterSets.shipped().get("generic-nmc-two-electrode")


def integrate(times: Any, values: Any, start: Any) -> Any:
    """Both electrodes by an integrator, from the differential equations."""
    shuttle, film = SET.law("arrhenius"), SET.film
    state = np.array([start, start])
    for i in range(len(times) - 1):
        span = (times[i + 1] - times[i]) / 3600

        def slope(t: Any, s: Any, i: Any = i, span: Any = span) -> Any:
            kelvin = np.array([273.15 + values[i] + (values[i + 1] - values[i]) * t / span])
            moving = shuttle.rate(kelvin)[0] * np.exp(SET.soc_factor.beta * (s[0] - 0.5))
            growing = film.law.rate(kelvin)[0] * np.exp(film.beta * (s[1] - 0.5))
            return [-moving, -moving - growing]

        state = solve_ivp(slope, (0, span), state, method="DOP853", rtol=1e-12, atol=1e-16).y[:, -1]
    return start - state[0], state[0] - state[1]


@pytest.mark.parametrize("start", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("age", [280.0, 5000.0])
def test_both_losses_agree_with_an_integrator(start: Any, age: Any) -> None:
    times, values = case_study(age)
    # The running exposure is not linear within a segment of large loss: the segments here are short.
    fine = np.linspace(times[0], times[-1], 2001)
    nodes = np.union1d(fine, times)
    history = trends_of((nodes, np.interp(nodes, times, values)))
    moments = film_moments(history, SET.law("arrhenius"), SET.film.law)
    got = two_losses(SET, np.array([start]), moments.shuttle, moments.film)
    expected = integrate(times, values, start)
    assert got[0][0] == pytest.approx(expected[0], abs=1e-11)
    assert got[1][0] == pytest.approx(expected[1], rel=1e-7)


def test_coarse_segments_cost_little() -> None:
    times, values = case_study(280.0)
    moments = film_moments(trends_of((times, values)), SET.law("arrhenius"), SET.film.law)
    got = two_losses(SET, np.array([0.5]), moments.shuttle, moments.film)
    assert got[1][0] == pytest.approx(integrate(times, values, 0.5)[1], rel=1e-5)


def test_rows_do_not_leak_into_each_other() -> None:
    one, two = case_study(250.0), case_study(300.0)
    together = film_moments(trends_of(one, two), SET.law("arrhenius"), SET.film.law)
    for row, history in enumerate((one, two)):
        alone = film_moments(trends_of(history), SET.law("arrhenius"), SET.film.law)
        assert together.film[:, row] == pytest.approx(alone.film[:, 0], rel=1e-9)


def test_a_film_shows_less_in_the_voltage_than_a_shuttle_of_the_same_size(registry: Any) -> None:
    result = answer(
        registry, "self-discharge-two-electrode", {"instances": [discharge_instance(280, cells=[50.0, 80.0])]}
    )
    outputs = result["results"][0]["outputs"]
    for cell in range(2):
        per_shuttle = outputs["ocvChangeShuttle"]["value"][cell] / outputs["shuttleLoss"]["value"][cell]
        per_film = outputs["ocvChangeFilm"]["value"][cell] / outputs["filmLoss"]["value"][cell]
        assert 0 <= per_film / per_shuttle < 0.5
        total = outputs["ocvChangeShuttle"]["value"][cell] + outputs["ocvChangeFilm"]["value"][cell]
        assert outputs["ocvChange"]["value"][cell] == pytest.approx(total, abs=1e-9)
    mean = sum(outputs["filmLoss"]["value"]) / 2
    assert 0.7 < outputs["filmLossSigma"]["value"] / mean < 0.8


def test_a_history_that_takes_nearly_all_is_refused_not_extrapolated(registry: Any) -> None:
    times, _ = case_study(280.0)
    trend = wire_trend(np.array([times[0], times[0] + 200 * 8766 * 3600.0]), np.array([45.0, 45.0]))
    long = discharge_instance(280, temperatureTrend=trend)
    long["inputs"]["until"] = quantity(trend["end"][0], "SEC")
    results = answer(registry, "self-discharge-two-electrode", {"instances": [long, discharge_instance(280)]})[
        "results"
    ]
    assert results[0]["error"]["field"] == "soc"
    assert "loses nearly all" in results[0]["error"]["message"]
    assert "outputs" in results[1]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"parameterSet": "generic-nmc-literature"}, "parameterSet"), ({"curve": "samsung-94ah"}, "curve")],
)
def test_what_lacks_an_electrode_is_refused(registry: Any, parameters: Any, field: Any) -> None:
    instances = [discharge_instance(280), discharge_instance(280, parameters=parameters)]
    results = answer(registry, "self-discharge-two-electrode", {"instances": instances})["results"]
    assert "outputs" in results[0]
    assert results[1]["error"]["field"] == field
