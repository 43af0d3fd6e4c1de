from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voltwin.simulator.route import (
    AVERAGE_SPEED,
    BREAK,
    DAILY_REST,
    DRIVE_BEFORE_BREAK,
    DRIVE_PER_DAY,
    WROCLAW_TO_PARIS,
    WayPoint,
    distance,
    driven_hours,
    driving_schedule,
    is_driving,
    length,
    positions,
)


@given(st.floats(0.01, 60.0))
def test_drivers_keep_the_law(hours: Any) -> None:
    legs = driving_schedule(hours)
    assert sum(leg.end - leg.start for leg in legs) == pytest.approx(hours)
    today = 0.0
    for leg, after in pairwise((*legs, None)):
        assert leg.end - leg.start <= DRIVE_BEFORE_BREAK + 1e-9
        today += leg.end - leg.start
        assert today <= DRIVE_PER_DAY + 1e-9
        if after is None:
            break
        pause = after.start - leg.end
        assert pause >= BREAK - 1e-9
        if pause >= DAILY_REST - 1e-9:
            today = 0.0


@given(st.floats(0.5, 40.0))
@example(22.5078125)
def test_driven_hours_grow_only_while_driving(hours: Any) -> None:
    legs = driving_schedule(hours)
    # the ends of the legs are among the moments, so that no leg, however short, falls between two of them
    ends = [moment for leg in legs for moment in (leg.start, leg.end)]
    elapsed = np.unique(np.concatenate((np.linspace(-1.0, legs[-1].end + 1.0, 4001), ends)))
    done = driven_hours(legs, elapsed)
    assert done[0] == 0.0
    assert done[-1] == pytest.approx(hours)
    steps = np.diff(done)
    assert (steps >= 0.0).all()
    assert (steps[~is_driving(legs, elapsed)[1:] & ~is_driving(legs, elapsed)[:-1]] == 0.0).all()


def test_known_distance() -> None:
    # Berlin to Paris, city centres: about 878 km
    assert distance(WayPoint("Berlin", 52.52, 13.405), WayPoint("Paris", 48.8566, 2.3522)) == pytest.approx(878, abs=2)


def test_way_points_are_a_days_drive_at_most_and_lead_west() -> None:
    for a, b in pairwise(WROCLAW_TO_PARIS):
        assert 5.0 < distance(a, b) < 120.0
    assert WROCLAW_TO_PARIS[0].longitude > WROCLAW_TO_PARIS[-1].longitude


def test_positions_lie_on_the_road_at_an_even_pace() -> None:
    total = length(WROCLAW_TO_PARIS)
    travelled = np.linspace(0.0, total, 2001)
    places = positions(WROCLAW_TO_PARIS, travelled)
    first, last = WROCLAW_TO_PARIS[0], WROCLAW_TO_PARIS[-1]
    assert places[0] == pytest.approx([first.latitude, first.longitude])
    assert places[-1] == pytest.approx([last.latitude, last.longitude])
    steps = [distance(WayPoint("", *map(float, a)), WayPoint("", *map(float, b))) for a, b in pairwise(places)]
    # a step over a way point cuts its corner
    assert max(steps) == pytest.approx(total / 2000, rel=1e-6)
    assert sum(steps) == pytest.approx(total, rel=0.005)


def test_a_way_point_is_passed_when_its_distance_is_done() -> None:
    done = 0.0
    for a, b in pairwise(WROCLAW_TO_PARIS):
        done += distance(a, b)
        (place,) = positions(WROCLAW_TO_PARIS, np.array([done]))
        assert place == pytest.approx([b.latitude, b.longitude], abs=1e-9)


def test_the_truck_waits_at_both_ends() -> None:
    places = positions(WROCLAW_TO_PARIS, np.array([-5.0, 0.0, 1e6]))
    assert places[0] == pytest.approx(places[1])
    assert places[2] == pytest.approx([WROCLAW_TO_PARIS[-1].latitude, WROCLAW_TO_PARIS[-1].longitude])


def test_the_trip_takes_about_thirty_hours() -> None:
    assert 29.0 < driving_schedule(length(WROCLAW_TO_PARIS) / AVERAGE_SPEED)[-1].end < 30.5
