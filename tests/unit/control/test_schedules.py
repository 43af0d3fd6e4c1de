"""Schedules: evenly spaced, strictly onward, exact over years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from voltwin.control.actions.schedules import Absolute, Relative, parse_duration
from voltwin.errors import ActionError

MICROSECOND = timedelta(microseconds=1)
moments = st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes with it
periods = st.timedeltas(timedelta(milliseconds=1), timedelta(days=400))
relative = st.builds(Relative, st.integers(1, 1000), periods, moments)


@given(relative, moments)
def test_the_next_tick_is_strictly_later_and_at_most_one_spacing_away(schedule: Any, moment: Any) -> None:
    due = schedule.next_after(moment)
    assert moment < due <= moment + schedule.period / schedule.times + MICROSECOND


@given(relative, moments, st.integers(1, 60))
def test_ticks_are_evenly_spaced_and_never_drift(schedule: Any, moment: Any, count: Any) -> None:
    first = schedule.next_after(moment)
    due = first
    for _ in range(count):
        due = schedule.next_after(due)
    exact = count * schedule.period / schedule.times
    # Rounding to microseconds at both ends; nothing adds up.
    assert abs((due - first) - exact) <= MICROSECOND


@given(relative, moments)
def test_every_period_has_so_many_ticks(schedule: Any, moment: Any) -> None:
    count = ((moment - schedule.anchor) * schedule.times) // schedule.period
    assert schedule.next_after(schedule.anchor) > schedule.anchor
    at_period = schedule.anchor + (count // schedule.times) * schedule.period
    assert schedule.next_after(at_period - MICROSECOND) == at_period


@given(relative, moments, st.timedeltas(timedelta(0), timedelta(days=1000)))
def test_missed_ticks_count_as_the_latest_one(schedule: Any, moment: Any, late: Any) -> None:
    first = schedule.next_after(moment)
    now = first + late
    latest = schedule.latest_until(first, now)
    assert first <= latest <= now
    assert schedule.next_after(latest) > now - MICROSECOND


def test_five_per_hour_is_every_twelve_minutes_for_ten_years() -> None:
    schedule = Relative(5, timedelta(hours=1))
    due = datetime(2019, 4, 1, tzinfo=UTC)
    for number in range(1, 2000):
        due = schedule.next_after(due)  # type: ignore[assignment]  # the first value is narrower than those to come
        assert due == datetime(2019, 4, 1, tzinfo=UTC) + number * timedelta(minutes=12)
    assert schedule.next_after(datetime(2029, 1, 1, tzinfo=UTC)) == datetime(2029, 1, 1, 0, 12, tzinfo=UTC)


def test_seven_per_hour_come_round_to_the_hour() -> None:
    schedule = Relative(7, timedelta(hours=1))
    due = datetime(2019, 4, 1, tzinfo=UTC)
    ticks = []
    for _ in range(7 * 24):
        due = schedule.next_after(due)  # type: ignore[assignment]  # the first value is narrower than those to come
        ticks.append(due)
    assert ticks[-1] == datetime(2019, 4, 2, tzinfo=UTC)
    assert [tick for tick in ticks if (tick.minute, tick.second, tick.microsecond) == (0, 0, 0)] == [
        datetime(2019, 4, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(1, 25)
    ]


@given(st.lists(moments, max_size=6), moments)
def test_absolute_moments_come_one_by_one(at: Any, moment: Any) -> None:
    schedule = Absolute(tuple(at))
    seen = []
    due = schedule.next_after(moment)
    while due is not None:
        seen.append(due)
        due = schedule.next_after(due)
    assert seen == sorted({item for item in at if item > moment})


@given(moments, moments)
def test_a_late_absolute_moment_is_carried_out_for_itself(at: Any, now: Any) -> None:
    assume(at <= now)
    assert Absolute((at,)).latest_until(at, now) == at


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT1H", timedelta(hours=1)),
        ("P1D", timedelta(days=1)),
        ("P2W", timedelta(weeks=2)),
        ("P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        (" PT90M ", timedelta(minutes=90)),
    ],
)
def test_durations(text: Any, duration: Any) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "1H",
        "P1M",
        "P1Y",
        "PT-1H",
        "PT0S",
        "P1H",
        "PT1D",
        "P1.5D",
        "hourly",
        "PT1H-",
        "P" + "9" * 40 + "D",
    ],
)
def test_what_is_no_duration_of_fixed_length_is_refused(text: Any) -> None:
    with pytest.raises(ActionError, match="period"):
        parse_duration(text)


@pytest.mark.parametrize(("times", "period"), [(0, timedelta(hours=1)), (-1, timedelta(hours=1)), (10, MICROSECOND)])
def test_a_schedule_that_cannot_be_kept_is_refused(times: Any, period: Any) -> None:
    with pytest.raises(ActionError, match="schedule"):
        Relative(times, period)


@given(relative)
def test_no_tick_follows_the_end_of_the_calendar(schedule: Any) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert schedule.next_after(last) is None
    assert schedule.latest_until(schedule.anchor, last) <= last
