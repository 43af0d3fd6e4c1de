from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from voltwin.control.actions.messages import schema_names
from voltwin.simulator.journey import World, module_truth
from voltwin.simulator.messages import schema
from voltwin.simulator.physics import VOLTAGE_NOISE, terminal_voltage
from voltwin.simulator.plan import CLOCK_TAIL, ReplaySettings, plan_fleet
from voltwin.simulator.replay import Tally, message_count, replay, truth

VALIDATORS = {kind: Draft202012Validator(schema(kind)) for kind in schema_names()}
LIFE = [
    "module-birth",
    "module-end-of-line",
    "storage-begin",
    "storage-end",
    "transport-begin",
    "transport-end",
    "storage-begin",
    "storage-end",
    "module-arrival",
]


@st.composite
def fleets(draw: Any) -> Any:
    modules = draw(st.integers(1, 200))
    return ReplaySettings(
        modules=modules,
        cells=draw(st.integers(1, 24)),
        seed=draw(st.integers(0, 2**63 - 1)),
        leaky=draw(st.integers(0, min(modules, 5))),
    )


@pytest.fixture(scope="module")
def case_study() -> Any:
    plan = plan_fleet(ReplaySettings())
    return plan, list(replay(plan))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleets())
def test_any_fleet_is_ordered_valid_unique_and_repeatable(chosen: Any) -> None:
    plan = plan_fleet(chosen)
    messages = list(replay(plan))
    assert all(a.order < b.order for a, b in pairwise(messages))
    assert len({message.body["id"] for message in messages}) == len(messages) == message_count(plan)
    lives = defaultdict(list)
    for message in messages:
        VALIDATORS[message.kind].validate(json.loads(message.encode()))
        if message.topic.startswith("voltwin/modules/"):
            lives[message.topic.split("/")[2]].append(message.kind)
    assert len(lives) == chosen.modules
    assert all(life == LIFE for life in lives.values())
    again = replay(plan_fleet(chosen))
    assert all(a.record() == b.record() for a, b in zip(messages, again, strict=True))


def test_two_processes_give_the_same_bytes() -> None:
    script = (
        "import sys\nfrom voltwin.simulator.plan import ReplaySettings, plan_fleet\n"
        "from voltwin.simulator.replay import replay\n"
        "sys.stdout.writelines(m.record() for m in replay(plan_fleet(ReplaySettings(modules=5))))"
    )
    digests = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
        )
        assert len(done.stdout) > 100_000
        digests.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(digests) == 1


def test_another_seed_gives_other_measurements() -> None:
    first, second = (list(replay(plan_fleet(ReplaySettings(modules=2, seed=seed)))) for seed in (1, 2))
    assert [m.body for m in first if m.kind == "module-arrival"] != [
        m.body for m in second if m.kind == "module-arrival"
    ]


def test_the_case_study_runs_from_birth_to_twelve_hours_behind_the_last_test(case_study: Any) -> None:
    plan, messages = case_study
    tally = Tally()
    for message in messages:
        tally.add(message)
    summary = tally.summary()
    counts = {kind: LIFE.count(kind) * 181 for kind in set(LIFE)}
    assert {kind: summary.by_kind[kind] for kind in counts} == counts
    assert summary.by_kind["transport-sample"] == sum(
        (truck.unloaded - truck.loading) // timedelta(minutes=5) + 1 for truck in plan.trucks
    )
    assert messages[-1].body["final"] is True
    last_test = max(message.time for message in messages if message.kind == "module-arrival")
    assert messages[-1].time == last_test + CLOCK_TAIL
    assert [m.body.get("final") for m in messages].count(True) == 1
    hours = [message.time for message in messages if message.kind == "clock"]
    assert messages[0].time == hours[0]
    assert all(b - a == timedelta(hours=1) for a, b in pairwise(hours[:-1]))
    assert hours[-1] - hours[-2] <= timedelta(hours=1)


def test_a_truck_is_heard_of_before_anything_is_loaded_and_its_log_has_no_gap(case_study: Any) -> None:
    plan, messages = case_study
    for truck in plan.trucks:
        topic = f"voltwin/trucks/{truck.key}/sample"
        times = [message.time for message in messages if message.topic == topic]
        assert all(b - a == timedelta(minutes=5) for a, b in pairwise(times))
        aboard = [module for module in plan.modules if module.truck == truck.key]
        assert times[0] <= min(module.loaded for module in aboard)
        assert times[-1] > max(module.unloaded for module in aboard) - timedelta(minutes=5)


def test_the_coldest_sample_is_near_five_degrees_and_one_truck_stays_above_six(case_study: Any) -> None:
    _, messages = case_study
    lowest: Any = defaultdict(lambda: 99.0)
    for message in messages:
        if message.kind == "transport-sample":
            lowest[message.topic] = min(lowest[message.topic], message.body["temperature"])
    assert len(lowest) == 4
    assert 4.5 <= min(lowest.values()) <= 5.5
    assert max(lowest.values()) > 6.0


def test_a_modules_voltage_is_the_sum_of_its_cells(case_study: Any) -> None:
    _, messages = case_study
    tests = [m.body for m in messages if m.kind in ("module-end-of-line", "module-arrival")]
    assert len(tests) == 362
    for body in tests:
        assert body["ocv"] == pytest.approx(sum(cell["voltage"] for cell in body["cells"].values()), abs=1e-9)
        assert len(body["cells"]) == 12


def test_rest_goes_on_between_the_tests(case_study: Any) -> None:
    plan, messages = case_study
    rest = {(m.kind, m.topic.split("/")[2]): m.body["rest"] for m in messages if "rest" in m.body}
    for module in plan.modules:
        before, after = rest["module-end-of-line", module.key], rest["module-arrival", module.key]
        assert 5.5 < before < 6.5
        assert after - before == pytest.approx(module.age / timedelta(hours=1), abs=0.001)


def test_what_is_measured_is_the_truth_with_the_instruments_noise(case_study: Any) -> None:
    plan, messages = case_study
    world = World.of(plan)
    arrivals = {m.topic.split("/")[2]: m.body for m in messages if m.kind == "module-arrival"}
    errors = []
    for module in plan.modules:
        state, body = module_truth(world, module), arrivals[module.key]
        true = terminal_voltage(state.arrival_soc, state.at_arrival, body["rest"])
        errors.append(np.array([cell["voltage"] for cell in body["cells"].values()]) - true)
        assert body["temperature"] == pytest.approx(state.at_arrival, abs=0.3)
        assert state.at_arrival == pytest.approx(22.0, abs=0.7)
    scatter = np.concatenate(errors)
    assert scatter.std() == pytest.approx(VOLTAGE_NOISE, rel=0.05)
    assert scatter.mean() == pytest.approx(0.0, abs=2e-5)


def test_planted_leaks_show_in_the_messages_and_stand_in_the_truth(case_study: Any) -> None:
    plan, messages = case_study
    leaks = truth(plan)["leakyCells"]
    assert [leak["voltageDropMillivolt"] for leak in leaks] == [5.0, 15.0]
    cells = {(m.kind, m.topic.split("/")[2]): m.body["cells"] for m in messages if "cells" in m.body}
    for leak in leaks:
        before, after = (cells[kind, leak["module"]] for kind in ("module-end-of-line", "module-arrival"))
        changes = {cell: after[cell]["voltage"] - before[cell]["voltage"] for cell in before}
        low = changes.pop(leak["cell"])
        missing = 1000.0 * (float(np.mean(list(changes.values()))) - low)
        # two readings and the mean of eleven others: five standard deviations of the noise
        assert missing == pytest.approx(leak["voltageDropMillivolt"], abs=5 * 0.3 * 1.5)


def test_healthy_cells_lose_about_a_tenth_of_a_percent(case_study: Any) -> None:
    plan, _ = case_study
    values = truth(plan)
    leaky = {leak["module"] for leak in values["leakyCells"]}
    for key, module in values["modules"].items():
        if key in leaky:
            continue
        loss = np.subtract(module["endOfLineStateOfCharge"], module["arrivalStateOfCharge"])
        assert ((loss > 0.05) & (loss < 0.16)).all()
        assert module["equivalentAgeHours"] < module["ageHours"] + 10.0


def test_one_more_module_leaves_the_noise_of_the_others_alone() -> None:
    few, more = (World.of(plan_fleet(ReplaySettings(modules=n, leaky=0))) for n in (8, 12))
    for index in range(8):
        first, second = (module_truth(world, world.plan.modules[index]).cells for world in (few, more))
        assert (first.soc == second.soc).all()
        assert (first.rate == second.rate).all()


def test_an_empty_tally_has_no_summary() -> None:
    with pytest.raises(ValueError, match="nothing was counted"):
        Tally().summary()
