from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from voltwin.models.base.columns import Trends, offsets_of
from voltwin.models.self_discharge.equivalent_age import exposure
from voltwin.models.self_discharge.loss import loss, loss_slopes
from voltwin.models.self_discharge.parameter_sets import ParameterSets
from voltwin.models.self_discharge.rate_laws import GAS_CONSTANT, ArrheniusLaw
from voltwin.models.service.requests import answer

from .samples import HOUR, case_study, discharge_instance, trends_of

K25 = 0.0028 / 730
LAW = ArrheniusLaw(K25, 50e3, 298.15)
BETA = 0.87

temperatures = st.floats(-20, 60)
histories = st.lists(st.tuples(st.floats(0.01, 200), temperatures), min_size=2, max_size=12)


def nodes(steps: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.cumsum([0.0] + [hours for hours, _ in steps[:-1]]) * 3600.0, np.array([t for _, t in steps])


@pytest.mark.parametrize(("age", "tau", "percent"), [(250, 220.7459, 0.084638), (300, 270.7459, 0.103801)])
def test_the_acceptance_history_gives_the_acceptance_figures(age: Any, tau: Any, percent: Any) -> None:
    k = exposure(trends_of(case_study(age)), LAW)
    assert k[0] / K25 == pytest.approx(tau, abs=5e-5)
    assert loss(np.array([0.5]), k, BETA)[0] * 100 == pytest.approx(percent, abs=5e-7)


@pytest.mark.parametrize("age", [250.0, 300.0])
def test_the_closed_form_agrees_with_an_integrator_to_1e_12(age: Any) -> None:
    times, values = case_study(age)
    k = exposure(trends_of((times, values)), LAW)
    state = np.array([0.5])
    for (t0, t1), (c0, c1) in zip(pairwise(times), pairwise(values), strict=True):
        span = (t1 - t0) / 3600

        def slope(t: Any, s: Any, c0: Any = c0, c1: Any = c1, span: Any = span) -> Any:
            temperature = 273.15 + c0 + (c1 - c0) * t / span
            rate = K25 * np.exp(-50e3 / GAS_CONSTANT * (1 / temperature - 1 / 298.15))
            return -rate * np.exp(BETA * (s - 0.5))

        state = solve_ivp(slope, (0, span), state, method="DOP853", rtol=1e-13, atol=1e-16).y[:, -1]
    assert abs(0.5 - loss(np.array([0.5]), k, BETA)[0] - state[0]) <= 1e-12


@given(temperatures, temperatures, st.floats(1e3, 120e3))
def test_a_ramp_is_integrated_exactly(first: Any, last: Any, energy: Any) -> None:
    law = ArrheniusLaw(1.0, energy, 298.15)
    t0, t1 = first + 273.15, last + 273.15
    got = law.mean(np.array([t0]), np.array([t1]))[0]
    expected = quad(lambda u: law.rate(np.array([t0 + u * (t1 - t0)]))[0], 0, 1, epsabs=0, epsrel=1e-13)[0]
    assert got == pytest.approx(expected, rel=1e-12)


@given(st.floats(-1e-2, 1e-2), temperatures)
def test_a_nearly_flat_ramp_loses_no_digits(step: Any, celsius: Any) -> None:
    middle = celsius + 273.15
    got = LAW.mean(np.array([middle - step / 2]), np.array([middle + step / 2]))[0]
    assert got == pytest.approx(LAW.rate(np.array([middle]))[0], rel=1e-7)
    assert got >= LAW.rate(np.array([middle]))[0] * (1 - 1e-14)


@given(histories, st.floats(0.05, 0.95), st.randoms())
def test_splitting_and_reordering_leave_the_exposure_equal(steps: Any, share: Any, random: Any) -> None:
    whole = trends_of(nodes(steps))
    k = exposure(whole, LAW)[0]
    cut = whole.start + share * (whole.end - whole.start)
    middle = whole.first + (cut - whole.start) / (whole.end - whole.start) * (whole.last - whole.first)
    start = np.concatenate([whole.start, cut])
    end = np.concatenate([cut, whole.end])
    first, last = np.concatenate([whole.first, middle]), np.concatenate([middle, whole.last])
    order = list(range(len(start)))
    random.shuffle(order)
    parts = Trends(
        start[order], end[order], first[order], last[order], np.ones(len(order), bool), offsets_of([len(order)])
    )
    assert exposure(parts, LAW)[0] == pytest.approx(k, rel=1e-12)


@given(histories, st.floats(0.1, 10), st.floats(0.01, 10))
def test_loss_grows_with_age_and_with_temperature(steps: Any, longer: Any, warmer: Any) -> None:
    times, values = nodes(steps)
    base = exposure(trends_of((times, values)), LAW)
    older = exposure(trends_of((np.append(times, times[-1] + longer * 3600), np.append(values, values[-1]))), LAW)
    hotter = exposure(trends_of((times, values + warmer)), LAW)
    start = np.array([0.5])
    assert loss(start, older, BETA)[0] > loss(start, base, BETA)[0]
    assert loss(start, hotter, BETA)[0] > loss(start, base, BETA)[0]


@given(st.floats(0.05, 1.0), st.floats(0, 0.02), st.floats(-3, 3))
def test_loss_derivatives_are_those_of_the_loss(start: Any, k: Any, beta: Any) -> None:
    s, x = np.array([start]), np.array([k + 1e-6])
    slopes = loss_slopes(s, x, beta)
    h = 1e-6

    def difference(f: Any) -> Any:
        return (f(h) - f(-h)) / (2 * h)

    assert slopes.by_exposure[0] == pytest.approx(difference(lambda d: loss(s, x + d / 10, beta)[0]) * 10, rel=1e-4)
    assert slopes.by_beta[0] == pytest.approx(difference(lambda d: loss(s, x, beta + d)[0]), rel=1e-3, abs=1e-9)
    expected = difference(lambda d: loss(s + d, x, beta)[0])
    assert slopes.by_state_of_charge[0] == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_an_exposure_beyond_all_measure_has_finite_derivatives_and_no_warning() -> None:
    slopes = loss_slopes(np.array([0.5, 0.5]), np.array([1e77, 1e160]), BETA)
    assert np.isfinite([slopes.by_exposure, slopes.by_beta, slopes.by_state_of_charge]).all()


def test_the_default_set_has_its_own_rate_at_25() -> None:
    chosen = ParameterSets.shipped().get("generic-nmc-literature")
    assert chosen.rate_at_25 * 730 * 100 == pytest.approx(0.28, rel=1e-12)


def test_a_batch_answers_each_instance_and_spoils_none(registry: Any) -> None:
    instances = [
        discharge_instance(250),
        discharge_instance(250, cells=[120.0]),
        discharge_instance(300, cells=[50.0, 60.0]),
        {"inputs": {}},
        discharge_instance(300, parameters={"parameterSet": "nobody-1900"}),
    ]
    results = answer(registry, "self-discharge", {"instances": instances})["results"]
    assert results[0]["outputs"]["loss"]["value"] == pytest.approx(0.084638, abs=5e-7)
    assert results[0]["outputs"]["equivalentAge"]["value"] == pytest.approx(220.7459, abs=5e-5)
    assert results[1]["error"]["field"] == "soc"
    assert "FRACTION" in results[1]["error"]["message"]
    assert results[2]["outputs"]["soc"]["value"][0] == pytest.approx(50 - 0.103801, abs=5e-7)
    assert results[2]["outputs"]["stateOfCharge"]["value"] == results[2]["outputs"]["soc"]["value"][0]
    assert results[3]["error"]["field"] == "soc"
    assert results[4]["error"]["field"] == "parameterSet"


def test_the_history_is_cut_at_the_moment_asked_for(registry: Any) -> None:
    times, _ = case_study(250)
    inputs = [discharge_instance(250, until={"value": float(times[0]) + h * 3600, "unit": "SEC"}) for h in (0, 90, 183)]
    results = answer(registry, "self-discharge", {"instances": inputs})["results"]
    ages = [result["outputs"]["equivalentAge"]["value"] for result in results]
    assert ages[0] == 0
    assert ages[1] == pytest.approx(90, abs=1e-9)
    warm = LAW.mean(np.array([298.15]), np.array([288.15]))[0] / K25
    assert ages[2] == pytest.approx(180 + 3 * warm, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"until": {"value": 1.4e9, "unit": "SEC"}}, "until", "before the history begins"),
        ({"until": {"value": 1.7e9, "unit": "SEC"}}, "temperatureTrend", "without a temperature"),
        ({"until": {"value": 1.7e9}}, "until", "no unit"),
        ({"until": {"value": 1.7e9, "unit": "V"}}, "until", "measures voltage"),
        ({"until": {"value": "now", "unit": "SEC"}}, "until", "finite number"),
        ({"soc": {"value": [50, None], "unit": "PERCENT"}}, "soc", "value 1 must be a finite number"),
        ({"soc": {"value": [], "unit": "PERCENT"}}, "soc", "is empty"),
        ({"parameters": {"policy": "quadratic"}}, "policy", "arrhenius, linear, clamp"),
        ({"parameters": {"policy": "linear"}}, "policy", "two or more temperatures"),
        ({"parameters": {"colour": 1}}, "colour", "not a parameter"),
        ({"colour": {"value": 1}}, "colour", "not an input"),
    ],
)
def test_what_is_wrong_is_named(registry: Any, change: Any, field: Any, words: Any) -> None:
    result = answer(registry, "self-discharge", {"instances": [discharge_instance(250, **change)]})["results"][0]
    assert result["error"]["field"] == field
    assert words in result["error"]["message"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda t: t.update(unit="K"), "given as K"),
        (lambda t: t.update(startValue=[v + 273.15 for v in t["startValue"]]), "kelvin"),
        (lambda t: t["end"].__setitem__(1, t["start"][1]), "must increase"),
        (lambda t: t["start"].__setitem__(2, t["start"][2] - 60), "must increase"),
        (lambda t: t["start"].__setitem__(2, t["start"][2] + 60), "60 s without a temperature"),
        (lambda t: t["origin"].__setitem__(2, "rumour"), "rumour"),
        (lambda t: t["origin"].__setitem__(2, None), "origin 2 must be"),
        (lambda t: t["startValue"].__setitem__(0, True), "finite number, not True"),
        (lambda t: t["origin"].pop(), "same length"),
        (lambda t: t.pop("end"), "end: missing"),
        (lambda t: t["endValue"].__setitem__(0, float("nan")), "finite"),
        (lambda t: t.pop("unit"), "no unit"),
    ],
)
def test_a_history_that_is_none_is_refused(registry: Any, edit: Any, words: Any) -> None:
    instance = discharge_instance(250)
    edit(instance["inputs"]["temperatureTrend"])
    sound = discharge_instance(300)
    results = answer(registry, "self-discharge", {"instances": [sound, instance]})["results"]
    assert "outputs" in results[0]
    assert results[1]["error"]["field"] == "temperatureTrend"
    assert words in results[1]["error"]["message"]


def test_a_history_cut_twice_is_the_history_cut_once() -> None:
    whole = trends_of(case_study(280))
    begin, middle = whole.begins(), whole.begins() + 200 * HOUR
    late = middle - 10 * HOUR
    # The first cut leaves segments of length 0; cutting those again must not divide by it.
    again, once = whole.within(begin, middle).within(late, middle), whole.within(late, middle)
    assert exposure(again, LAW) == pytest.approx(exposure(once, LAW), rel=1e-12)
