from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.errors import InputError
from voltwin.models.self_discharge.equivalent_age import exposure
from voltwin.models.self_discharge.parameter_sets import ParameterSets
from voltwin.models.self_discharge.shared_records import SharedTemperatureRecord
from voltwin.models.self_discharge.soc_laws import ExponentialFactor, TabulatedFactor
from voltwin.models.self_discharge.streaming import RunningExposure

from .samples import case_study, trends_of

LAW = ParameterSets.shipped().get("generic-nmc-literature").law("arrhenius")

segments = st.lists(
    st.tuples(st.floats(0.1, 100), st.floats(268, 320), st.floats(268, 320), st.booleans()), min_size=1, max_size=8
)


def total(parts: Any) -> Any:
    state = RunningExposure.empty()
    for hours, first, last, measured in parts:
        state = state.plus(LAW, hours, first, last, measured)
    return state


@given(segments, segments, st.randoms())
def test_readings_may_come_in_any_order_and_from_two_places(one: Any, two: Any, random: Any) -> None:
    both = [*one, *two]
    random.shuffle(both)
    merged = total(one).merged(total(two))
    assert total(both).exposure == pytest.approx(merged.exposure, rel=1e-12)
    assert total(both).hours == pytest.approx(merged.hours, rel=1e-12)
    assert total(both).measured_hours == pytest.approx(merged.measured_hours, rel=1e-12)


def test_a_running_sum_equals_the_whole_history() -> None:
    times, values = case_study(280)
    trends = trends_of((times, values))
    state = total(zip(np.diff(times) / 3600, trends.first, trends.last, trends.measured, strict=True))
    assert state.exposure == pytest.approx(exposure(trends, LAW)[0], rel=1e-13)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_stay_in_a_record_equals_the_same_history_of_its_own(a: Any, b: Any) -> None:
    times, values = case_study(280)
    begin, end = (times[0] + share * (times[-1] - times[0]) for share in sorted((a, b)))
    record = SharedTemperatureRecord.of(LAW, times, values + 273.15)
    stay = record.between(np.array([begin]), np.array([end]))[0]
    own = exposure(trends_of((times, values)).within(np.array([begin]), np.array([end])), LAW)[0]
    assert stay == pytest.approx(own, rel=1e-9, abs=1e-15)


@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=40), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_look_up_finds_its_segment_however_the_nodes_lie(steps: Any, shares: Any) -> None:
    """Even nodes are looked up through a guide, uneven ones by bisection."""
    nodes = np.cumsum([0.0, *steps])
    record = SharedTemperatureRecord.of(LAW, nodes, 280.0 + 20.0 * np.sin(np.arange(nodes.size)))
    times = np.concatenate([np.array(shares) * nodes[-1], nodes])
    found = record.until(times)
    index = np.clip(np.searchsorted(nodes, times, side="right") - 1, 0, nodes.size - 2)
    beyond = times - nodes[index]
    first = record.temperatures[index]
    mean = LAW.mean(first, first + record.slopes[index] * beyond)
    expected = record.running[index] + mean * beyond / 3600
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-18)


def test_stays_add_up() -> None:
    times, values = case_study(280)
    record = SharedTemperatureRecord.of(LAW, times, values + 273.15)
    cuts = np.linspace(times[0], times[-1], 1000)
    assert record.between(cuts[:-1], cuts[1:]).sum() == pytest.approx(record.running[-1], rel=1e-12)


def test_a_record_is_not_extrapolated() -> None:
    times, values = case_study(280)
    record = SharedTemperatureRecord.of(LAW, times, values + 273.15)
    with pytest.raises(InputError, match="asked outside"):
        record.between(times[:1] - 1, times[-1:])
    with pytest.raises(InputError, match="rise strictly"):
        SharedTemperatureRecord.of(LAW, times[[0, 0, 1]], values[[0, 0, 1]] + 273.15)


@given(st.floats(0.05, 1), st.floats(0, 0.01), st.floats(-2, 2))
def test_a_table_of_2001_points_agrees_with_the_closed_form(start: Any, k: Any, beta: Any) -> None:
    points = np.linspace(0, 1, 401)
    table = TabulatedFactor.through(points, np.exp(beta * (points - 0.5)))
    formula = ExponentialFactor(beta)
    s, x = np.array([start]), np.array([k])
    assert table.loss(s, x)[0] == pytest.approx(formula.loss(s, x)[0], abs=2.3e-8)
    a, b = table.response(s, x), formula.response(s, x)
    assert a.by_exposure[0] == pytest.approx(b.by_exposure[0], rel=1e-6)
    assert a.by_state_of_charge[0] == pytest.approx(b.by_state_of_charge[0], abs=1e-6)
    assert table.factor(s)[0] == pytest.approx(formula.factor(s)[0], rel=1e-6)


def test_a_table_says_when_nothing_is_left() -> None:
    table = TabulatedFactor.through(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    assert table.loss(np.array([0.5]), np.array([0.4]))[0] == pytest.approx(0.4)
    assert table.loss(np.array([0.5]), np.array([0.6]))[0] == np.inf
