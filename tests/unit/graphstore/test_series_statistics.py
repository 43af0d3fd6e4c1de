"""Laws of the figures: windows that adjoin add up, limits that hold everything hold the whole window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.graphstore.series.periods import bounds, period_of, split
from voltwin.graphstore.series.rows import Rows, latest_values, merge_versions, sort_and_deduplicate
from voltwin.graphstore.series.statistics import at, course, duration_below, integral

SECOND = 1_000_000
START = 1_554_076_800 * SECOND

logs = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(-50, 50)), min_size=1, max_size=12, unique_by=lambda pair: pair[0]
).map(sorted)
moment = st.integers(-2000, 12_000).map(lambda seconds: START + seconds * SECOND)


def arrays(log: Any) -> Any:
    times = np.array([START + seconds * SECOND for seconds, _ in log], np.int64)
    return times, np.array([value for _, value in log])


def over(figure: Any, log: Any, start: Any, end: Any, *more: Any) -> Any:
    """The figure of a window, 0 where there is no course in it."""
    times, values = course(*arrays(log), start, end)  # type: ignore[call-arg]  # built from a row of the table above
    return figure(times, values, *more)


@given(logs, moment, moment, moment, st.floats(-60, 60))
def test_adjoining_windows_add_up(log: Any, one: Any, two: Any, three: Any, limit: Any) -> None:
    start, middle, end = sorted((one, two, three))
    for figure, more in ((integral, ()), (duration_below, (limit,))):
        parts = over(figure, log, start, middle, *more) + over(figure, log, middle, end, *more)
        assert over(figure, log, start, end, *more) == pytest.approx(parts, abs=1e-4)


@given(logs, moment, moment)
def test_below_infinity_is_the_whole_window_where_there_is_a_course(log: Any, one: Any, two: Any) -> None:
    start, end = sorted((one, two))
    times, _ = arrays(log)
    covered = max(0, min(end, int(times[-1])) - max(start, int(times[0]))) / SECOND
    assert over(duration_below, log, start, end, np.inf) == pytest.approx(covered)
    assert over(duration_below, log, start, end, -np.inf) == 0
    assert over(duration_below, log, None, None, 51.0) == pytest.approx((int(times[-1]) - int(times[0])) / SECOND)


@given(logs, moment, moment, st.floats(-60, 60))
def test_duration_below_and_integral_agree_with_many_small_steps(log: Any, one: Any, two: Any, limit: Any) -> None:
    start, end = sorted((one, two))
    times, values = course(*arrays(log), start, end)  # type: ignore[call-arg]  # built from a row of the table above
    if len(times) < 2 or times[0] == times[-1]:
        return
    grid = np.linspace(0, float(times[-1] - times[0]), 20_001)
    middle = (grid[1:] + grid[:-1]) / 2
    known = np.interp(middle, (times - times[0]).astype(float), values)
    width = float(grid[1] - grid[0]) / SECOND
    assert integral(times, values) == pytest.approx(float(known.sum()) * width, rel=1e-3, abs=20 * 10 * width + 1e-6)
    # A crossing is off by one step at most.
    assert duration_below(times, values, limit) == pytest.approx(
        float((known < limit).sum()) * width, abs=(len(times) + 1) * width
    )


@given(logs, st.floats(-50, 50), moment, moment)
def test_a_shifted_course_has_a_shifted_integral(log: Any, shift: Any, one: Any, two: Any) -> None:
    start, end = sorted((one, two))
    times, values = course(*arrays(log), start, end)  # type: ignore[call-arg]  # built from a row of the table above
    seconds = (int(times[-1]) - int(times[0])) / SECOND if len(times) else 0.0
    assert integral(times, values + shift) == pytest.approx(integral(times, values) + shift * seconds, abs=1e-4)


@given(logs, moment)
def test_at_is_the_course_and_passes_through_every_sample(log: Any, time: Any) -> None:
    times, values = arrays(log)
    for known, value in zip(times.tolist(), values.tolist(), strict=True):
        assert at(times, values, known) == pytest.approx(value, abs=1e-9)
    inside = times[0] <= time <= times[-1]
    found = at(times, values, time)
    assert (found is not None) == inside
    if found is not None:
        assert values.min() - 1e-9 <= found <= values.max() + 1e-9


def test_a_level_stretch_at_the_limit_is_not_below_it() -> None:
    times, values = np.array([0, 10 * SECOND]), np.array([5.0, 5.0])
    assert duration_below(times, values, 5.0) == 0.0
    assert duration_below(times, values, np.nextafter(5.0, 6)) == 10.0


@given(st.lists(st.integers(-(10**15), 4 * 10**15), min_size=1, max_size=30, unique=True).map(sorted))
def test_months_divide_times_and_hold_them(times: Any) -> None:
    parts = list(split(np.array(times, np.int64)))
    assert [time for _, part in parts for time in times[part]] == times
    for period, part in parts:
        start, end = bounds(period)
        assert all(start <= time < end and period_of(time) == period for time in times[part])
    assert len({period for period, _ in parts}) == len(parts)


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=6), max_size=4))
def test_of_several_values_for_a_time_the_newest_stands_and_none_gets_lost(commits: Any) -> None:
    parts = []
    for sequence, commit in enumerate(commits):
        pairs = dict(commit)
        times = np.array(sorted(pairs), np.int64)
        values = np.array([float(pairs[time]) for time in sorted(pairs)])
        parts.append(Rows(times, values, np.full(len(times), sequence)))
    if not parts:
        return
    known = {time: float(value) for commit in commits for time, value in commit}
    merged = latest_values(parts)
    assert dict(zip(merged.times.tolist(), merged.values.tolist(), strict=True)) == known
    stands, lost = merge_versions(parts)
    assert stands.values.tolist() == merged.values.tolist()
    assert len(stands) + len(lost) == sum(map(len, parts))


def test_tidy_orders_times_and_lets_the_last_value_count() -> None:
    times, values = sort_and_deduplicate(np.array([3, 1, 3]), np.array([1.0, 2.0, 9.0]))
    assert (times.tolist(), values.tolist()) == ([1, 3], [2.0, 9.0])
