from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voltwin.models.arrival_gate.decision import any_of, false_reject_rate
from voltwin.models.service.requests import answer

from .samples import case_study, gate_instance, quantity, wire_trend


def run(registry: Any, *instances: Any) -> Any:
    return answer(registry, "arrival-gate", {"instances": list(instances)})["results"]


def value(result: Any, port: Any) -> Any:
    return result["outputs"][port]["value"]


def test_a_sound_module_is_accepted_with_its_figures(registry: Any) -> None:
    result = run(registry, gate_instance())[0]
    assert value(result, "decision") == "ACCEPT"
    assert value(result, "reasons") == ["EXTRAPOLATED_T"]
    parts = ("deltaSelfDischarge", "deltaEntropic", "deltaRelaxation")
    total = sum(value(result, part)[0] for part in parts) * 1e-3
    assert value(result, "expectedOcv")[0] == pytest.approx(3.6729 + total, abs=1e-12)
    own = value(result, "expectedOcv")[0] - 4e-3 * value(result, "sigma")[0]
    siblings = 3.6721 - 4e-3 * value(result, "sigmaSibling")[0]
    assert value(result, "lowerLimit")[0] == pytest.approx(max(own, siblings), abs=1e-12)
    names = ("Measurement", "SelfDischarge", "Entropic", "Relaxation")
    squares = sum(value(result, f"sigma{name}")[0] ** 2 for name in names)
    assert value(result, "sigma")[0] ** 2 == pytest.approx(squares, rel=1e-12)


def test_the_window_is_sharp_when_soaked_and_wide_when_cold(registry: Any) -> None:
    warm, cold = run(registry, gate_instance(), gate_instance(arrivalTemperature=quantity(8.0, "DEG_C")))
    assert value(warm, "sigma")[0] == pytest.approx(0.9, abs=0.1)
    assert value(cold, "sigma")[0] == pytest.approx(2.7, abs=0.1)
    assert "NOT_SOAKED" in value(cold, "reasons")
    assert value(cold, "decision") == "RETEST"


def test_a_leak_the_fixed_window_misses_is_found(registry: Any) -> None:
    leaky = [3.6721] * 11 + [3.6671]
    result = run(registry, gate_instance(arrivalOcv=quantity(leaky, "V")))[0]
    assert value(result, "decision") == "REJECT"
    assert value(result, "reasons")[0] == "LOW_OCV"
    assert value(result, "worstCell") == 12
    assert value(result, "fixedWindowDecision") == "ACCEPT"
    assert value(result, "leakCurrent")[-1] > 300


def test_a_cell_that_stands_away_from_its_siblings_is_found_where_the_shared_doubt_hides_it(registry: Any) -> None:
    cold = {"arrivalTemperature": quantity(8.0, "DEG_C"), "parameters": {"soakTolerance": quantity(30, "K")}}
    together = run(registry, gate_instance(**cold), gate_instance(arrivalOcv=quantity([3.6690] * 12, "V"), **cold))
    alone = run(registry, gate_instance(arrivalOcv=quantity([3.6721] * 11 + [3.6690], "V"), **cold))[0]
    assert [value(result, "decision") for result in together] == ["ACCEPT", "ACCEPT"]
    assert value(alone, "decision") == "REJECT"
    assert abs(value(alone, "zScore")[-1]) < 4 < abs(value(alone, "siblingZScore")[-1])
    assert value(alone, "lowerLimit")[-1] > 3.6690


def test_cells_in_parallel_hide_a_leak_and_the_module_adds_up(registry: Any) -> None:
    one, two = run(
        registry,
        gate_instance(moduleOcv=quantity(12 * 3.6721, "V")),
        gate_instance(parameters={"parallelCount": 2, "seriesCount": 12}),
    )
    for port in ("smallestDetectableLeak", "leakCurrentSigma", "leakCurrent"):
        assert np.array(value(two, port)) == pytest.approx(2 * np.array(value(one, port)))
    assert value(one, "moduleExpectedOcv") == pytest.approx(sum(value(one, "expectedOcv")))
    # Errors shared by the cells add up linearly, the others in squares.
    sigma, measured = value(one, "sigma")[0], value(one, "sigmaMeasurement")[0]
    shared = 144 * (sigma**2 - measured**2)
    assert value(one, "moduleSigma") == pytest.approx(np.sqrt(shared + 12 * measured**2), rel=1e-9)
    assert value(one, "leakCurrentSigma")[0] * (4 + 1.6449) > value(one, "smallestDetectableLeak")


def test_a_few_cells_have_no_siblings(registry: Any) -> None:
    three, four = run(registry, gate_instance(cells=3), gate_instance(cells=4))
    assert "siblingZScore" not in three["outputs"]
    assert len(value(four, "siblingZScore")) == 4
    assert value(four, "falseRejectRateCell") == pytest.approx(2 * value(three, "falseRejectRateCell"))
    assert value(three, "lowerLimit")[0] == pytest.approx(
        value(three, "expectedOcv")[0] - 4e-3 * value(three, "sigma")[0], abs=1e-12
    )


def test_doubt_leads_to_a_retest_unless_the_cell_is_far_off(registry: Any) -> None:
    short = {"arrivalRest": quantity(0.5, "HR")}
    slightly, far = [3.6721] * 11 + [3.667], [3.6721] * 11 + [3.60]
    results = run(
        registry,
        gate_instance(**short),
        gate_instance(arrivalOcv=quantity(slightly, "V"), **short),
        gate_instance(arrivalOcv=quantity(far, "V"), **short),
        gate_instance(arrivalOcv=quantity([3.6721] * 11 + [3.69], "V")),
    )
    assert [value(result, "decision") for result in results] == ["RETEST", "RETEST", "REJECT", "REJECT"]
    assert "INSUFFICIENT_REST" in value(results[0], "reasons")
    assert value(results[3], "reasons")[0] == "HIGH_OCV"


def test_a_gap_is_said_bridged_and_doubted(registry: Any) -> None:
    times, values = case_study(280.0)
    trend = wire_trend(times, values)
    for column in trend.values():
        if isinstance(column, list):
            del column[2]
    whole, gap = run(registry, gate_instance(), gate_instance(temperatureTrend=trend))
    assert value(gap, "decision") == "RETEST"
    assert "HISTORY_GAP" in value(gap, "reasons")
    assert value(gap, "gapShare") == pytest.approx(24 / 280 * 100)
    assert value(gap, "expectedOcv")[0] == pytest.approx(value(whole, "expectedOcv")[0], abs=1e-9)
    assert value(gap, "sigmaSelfDischarge")[0] > value(whole, "sigmaSelfDischarge")[0]


def test_a_history_that_starts_late_and_ends_early_is_a_gap_at_both_ends(registry: Any) -> None:
    times, values = case_study(280.0)
    trend = wire_trend(times[1:-1], values[1:-1])
    result = run(registry, gate_instance(temperatureTrend=trend), gate_instance())[0]
    assert value(result, "gapShare") == pytest.approx((210 + 38) / 280 * 100)
    assert value(result, "equivalentAge") == pytest.approx(value(run(registry, gate_instance())[0], "equivalentAge"))


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"arrivalTime": quantity(1.5e9, "SEC")}, "arrivalTime", "is not after"),
        ({"endOfLineOcv": quantity([44.0] * 12, "V")}, "endOfLineOcv", "cells in series"),
        ({"arrivalOcv": quantity([1.0] * 12, "V")}, "arrivalOcv", "outside curve"),
        ({"arrivalOcv": quantity([3.67] * 11, "V")}, "arrivalOcv", "as many values"),
        ({"arrivalTemperature": quantity(295.15, "DEG_C")}, "arrivalTemperature", "kelvin"),
        ({"capacity": quantity(0, "A-HR")}, "capacity", "or more"),
        ({"capacity": None}, "capacity", "missing"),
        ({"moduleOcv": quantity(3.6721, "V")}, "moduleOcv", "sum of arrivalOcv"),
        ({"parameters": {"seriesCount": 6}}, "endOfLineOcv", "seriesCount is 6"),
        ({"parameters": {"relaxation": "none"}}, "relaxation", "not known"),
        ({"parameters": {"z": -1}}, "z", "must be"),
        ({"parameters": {"voltageSigma": 0.3}}, "voltageSigma", "no unit"),
    ],
)
def test_what_is_wrong_is_named_and_spoils_nothing(registry: Any, change: Any, field: Any, words: Any) -> None:
    sound, bad = run(registry, gate_instance(), gate_instance(**change))
    assert value(sound, "decision") == "ACCEPT"
    assert bad["error"]["field"] == field
    assert words in bad["error"]["message"]


def test_false_reject_rates_are_those_of_the_normal_distribution() -> None:
    z = np.array([3.0, 3.29, 4.0])
    modules = 181 * any_of(false_reject_rate(z), np.full(3, 12.0))
    assert modules == pytest.approx([5.8, 2.2, 0.14], rel=0.02)


def test_instances_may_mix_curves_sets_and_cell_counts(registry: Any) -> None:
    mixed = [
        gate_instance(parameters={"curve": "samsung-94ah"}),
        gate_instance(cells=6),
        gate_instance(
            parameters={"curve": "chen-2020"},
            endOfLineOcv=quantity([3.6729] * 3, "V"),
            arrivalOcv=quantity([3.672] * 3, "V"),
        ),
        gate_instance(parameters={"policy": "clamp"}),
    ]
    together = run(registry, *mixed)
    alone = [run(registry, instance)[0] for instance in mixed]
    assert together == alone
    assert "NO_ENTROPY_DATA" in value(together[2], "reasons")
