from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.errors import InputError
from voltwin.simulator.plan import OLDEST, YOUNGEST, ModulePlan, ReplaySettings, plan_fleet

fleets = st.builds(
    ReplaySettings,
    modules=st.integers(1, 200),
    cells=st.just(2),
    seed=st.integers(0, 2**63 - 1),
    leaky=st.just(0),
)


def moments(module: ModulePlan) -> list[object]:
    return [
        module.birth,
        module.end_of_line,
        module.stored_outbound,
        module.fetched_outbound,
        module.loaded,
        module.unloaded,
        module.stored_inbound,
        module.fetched_inbound,
        module.arrival_test,
    ]


@given(fleets)
def test_every_life_is_in_order_and_every_age_within_limits(settings: Any) -> None:
    plan = plan_fleet(settings)
    trucks = {truck.key: truck for truck in plan.trucks}
    for module in plan.modules:
        assert all(a < b for a, b in pairwise(moments(module)))
        assert YOUNGEST <= module.age <= OLDEST
        truck = trucks[module.truck]
        assert truck.loading < module.loaded < truck.departure
        assert truck.arrival < module.unloaded < truck.unloaded
    ages = [module.age for module in plan.modules]
    assert ages == sorted(ages, reverse=True)
    assert ages[0] == OLDEST
    if settings.modules > 1:
        assert ages[-1] == YOUNGEST


@given(fleets)
def test_modules_are_produced_and_tested_in_order_of_their_number(settings: Any) -> None:
    modules = plan_fleet(settings).modules
    assert [module.key for module in modules] == [f"module-{i + 1:04d}" for i in range(settings.modules)]
    for before, after in pairwise(modules):
        assert before.end_of_line < after.end_of_line
        assert before.arrival_test < after.arrival_test
        assert before.truck <= after.truck


def test_the_case_study_has_four_trucks_of_about_thirty_hours() -> None:
    plan = plan_fleet(ReplaySettings())
    assert [truck.key for truck in plan.trucks] == ["truck-01", "truck-02", "truck-03", "truck-04"]
    loads = [sum(module.truck == truck.key for module in plan.modules) for truck in plan.trucks]
    assert sum(loads) == 181
    assert max(loads) - min(loads) <= 1
    for module in plan.modules:
        assert timedelta(hours=29) < module.unloaded - module.loaded < timedelta(hours=31)


@pytest.mark.parametrize(("modules", "trucks"), [(1, 1), (3, 3), (4, 4), (400, 4), (401, 5), (10_000, 100)])
def test_as_many_trucks_as_the_fleet_needs(modules: Any, trucks: Any) -> None:
    assert len(plan_fleet(ReplaySettings(modules=modules, leaky=0)).trucks) == trucks


def test_a_seed_moves_the_ages_and_nothing_on_the_road() -> None:
    one, other = (plan_fleet(ReplaySettings(seed=seed)) for seed in (1, 2))
    assert one.trucks == other.trucks
    assert [module.age for module in one.modules] != [module.age for module in other.modules]


@pytest.mark.parametrize(
    "wrong",
    [
        {"modules": 0},
        {"modules": 10_001},
        {"cells": 0},
        {"cells": 100},
        {"seed": -1},
        {"leaky": 182},
        {"leaky": -1},
    ],
)
def test_settings_out_of_range_are_named(wrong: Any) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=f"^{name} = "):
        ReplaySettings(**wrong)
