from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.errors import InputError
from voltwin.simulator.climate import cargo_climate, lag, room_temperature, saturation_pressure, weather_trace
from voltwin.simulator.journey import World
from voltwin.simulator.plan import MOST_MODULES, ReplaySettings, plan_fleet

LOADING = datetime(2019, 4, 10, 6, tzinfo=UTC)


def test_the_trace_is_hourly_and_of_the_replayed_year() -> None:
    trace = weather_trace()
    assert set(np.diff(trace.seconds)) == {3600.0}
    assert datetime.fromtimestamp(trace.seconds[0], UTC) == datetime(2019, 3, 15, tzinfo=UTC)
    assert datetime.fromtimestamp(trace.seconds[-1], UTC) == datetime(2019, 5, 1, tzinfo=UTC)


def test_the_trace_covers_every_replay() -> None:
    plan = plan_fleet(ReplaySettings(modules=MOST_MODULES, leaky=0))
    trace = weather_trace()
    assert trace.seconds[0] <= plan.begin.timestamp()
    assert plan.end.timestamp() <= trace.seconds[-1]
    assert len(World.of(plan).cargo) == len(plan.trucks)


def test_between_the_hours_the_trace_is_linear() -> None:
    trace = weather_trace()
    at = datetime(2019, 4, 11, 6, tzinfo=UTC)
    middle = trace.at(at + timedelta(minutes=30))
    assert middle == pytest.approx((trace.at(at) + trace.at(at + timedelta(hours=1))) / 2, abs=0.011)


@pytest.mark.parametrize("outside", [datetime(2019, 3, 14, 23, tzinfo=UTC), datetime(2019, 5, 1, 1, tzinfo=UTC)])
def test_no_weather_outside_the_trace(outside: Any) -> None:
    with pytest.raises(InputError, match="the trace covers 2019-03-15T00:00:00"):
        weather_trace().at(outside)
    with pytest.raises(InputError, match="the trace covers 2019-03-15T00:00:00"):
        weather_trace().interpolate(np.array([LOADING.timestamp(), outside.timestamp()]))


def test_no_weather_without_a_time_zone() -> None:
    with pytest.raises(InputError, match="no time zone"):
        weather_trace().at(datetime(2019, 4, 11, 6))  # noqa: DTZ001 (the error is what is tested)


@given(st.floats(-20.0, 40.0), st.floats(-20.0, 40.0), st.floats(600.0, 1e6))
def test_lag_behind_a_constant_is_an_exponential(initial: Any, target: Any, time_constant: Any) -> None:
    seconds = np.array([0.0, 10.0, 300.0, 301.0, 7200.0, 1e5])
    values = lag(seconds, np.full(6, target), initial, time_constant)
    exact = target + (initial - target) * np.exp(-seconds / time_constant)
    assert values == pytest.approx(exact, abs=1e-9)


def test_the_cargo_space_follows_the_air_outside_and_never_overshoots() -> None:
    climate = cargo_climate(weather_trace(), LOADING, LOADING + timedelta(hours=30), 25.0)
    outside = weather_trace().interpolate(climate.seconds)
    assert climate.celsius[0] == 25.0
    assert climate.celsius.min() > outside.min()
    assert climate.celsius.max() == 25.0
    assert ((climate.humidity > 0.0) & (climate.humidity <= 100.0)).all()
    # relative humidity rises with cooling
    assert climate.humidity[-1] > climate.humidity[0]


def test_the_coldest_truck_falls_to_five_degrees_and_one_stays_above_six() -> None:
    trucks = plan_fleet(ReplaySettings()).trucks
    lowest = [
        float(cargo_climate(weather_trace(), truck.loading, truck.unloaded, 25.0).celsius.min()) for truck in trucks
    ]
    assert 4.5 <= min(lowest) <= 5.5
    assert max(lowest) > 6.0


def test_saturation_pressure_at_known_temperatures() -> None:
    # WMO tables: 6.11 hPa at 0 °C, 23.37 hPa at 20 °C, 42.43 hPa at 30 °C
    assert saturation_pressure(np.array([0.0, 20.0, 30.0])) == pytest.approx([6.11, 23.37, 42.43], rel=4e-3)


def test_a_store_room_stays_near_its_set_point() -> None:
    day = np.arange(0.0, 86400.0, 60.0)
    room = room_temperature(25.0, 0.3, day)
    assert room.mean() == pytest.approx(25.3)
    assert np.ptp(room) == pytest.approx(0.4, abs=1e-3)
