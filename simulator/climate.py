"""Temperatures: the weather outside, the cargo space that follows it, and the store rooms.

>>> from datetime import UTC, datetime
>>> spring = weather_trace()
>>> spring.at(datetime(2019, 4, 11, 6, tzinfo=UTC))
2.44

The trace is measured weather of spring 2010, moved to the same days of 2019, the year of the case study:
the temperatures are real, the date is not. A time outside the trace is an error.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .physics import SECONDS_PER_HOUR

TRACE_FILE: Final = "weather-2010-spring.csv"
TRACE_SOURCE: Final = "windpowerlib example weather (coastDat-2), Germany, spring 2010, moved to 2019"
REPLAY_YEAR: Final = 2019

CARGO_TIME_CONSTANT: Final = 10.0 * SECONDS_PER_HOUR
"""Seconds in which the cargo space closes 63 % of its distance to the air outside: insulated and full."""

SOAK_TIME_CONSTANT: Final = 5.0 * SECONDS_PER_HOUR
"""Seconds in which an unpacked module closes 63 % of its distance to the store room."""

OUTDOOR_HUMIDITY: Final = 0.80
"""Relative humidity outdoors: not in the trace; 80 % is the usual spring mean of central Europe."""

CELL_PLANT_SET_POINT: Final = 25.0
SYSTEM_PLANT_SET_POINT: Final = 22.0
CARGO_STEP: Final = 300.0


@dataclass(frozen=True, eq=False)
class WeatherTrace:
    """Air temperature over time: ``seconds`` since 1970 (UTC), ``celsius``, both of shape (n,)."""

    seconds: NDArray[np.float64]
    celsius: NDArray[np.float64]

    def at(self, time: datetime) -> float:
        """The temperature in °C at ``time``; linear between the hours, InputError outside the trace."""
        if time.tzinfo is None:
            raise InputError(f"weather at {time}: the time has no time zone; give UTC, for example {time}Z")
        moment = time.timestamp()
        self._check(moment)
        return round(float(np.interp(moment, self.seconds, self.celsius)), 2)

    def _check(self, moment: float) -> None:
        first, last = float(self.seconds[0]), float(self.seconds[-1])
        if not first <= moment <= last:
            raise InputError(
                f"weather at {_iso(moment)}: the trace covers {_iso(first)} to {_iso(last)}; choose a time in between"
            )

    def interpolate(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Temperatures in °C at many moments (seconds since 1970); InputError outside the trace."""
        for moment in (float(seconds.min()), float(seconds.max())):
            self._check(moment)
        return np.interp(seconds, self.seconds, self.celsius)


@cache
def weather_trace() -> WeatherTrace:
    """The packaged trace, moved to the year of the replay."""
    text = files(__package__).joinpath("data", TRACE_FILE).read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    times: list[float] = []
    values: list[float] = []
    for row in rows:
        times.append(datetime.fromisoformat(row["time_utc"]).replace(year=REPLAY_YEAR).timestamp())
        values.append(float(row["temperature_degC"]))
    return WeatherTrace(np.array(times), np.array(values))


@dataclass(frozen=True, eq=False)
class CargoClimate:
    """True temperature (°C) and relative humidity (%) in one cargo space; all arrays of shape (n,)."""

    seconds: NDArray[np.float64]
    celsius: NDArray[np.float64]
    humidity: NDArray[np.float64]

    def temperature(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """The temperature in °C at moments within the trip."""
        return np.interp(seconds, self.seconds, self.celsius)


def cargo_climate(trace: WeatherTrace, start: datetime, end: datetime, initial: float) -> CargoClimate:
    """The cargo space from loading to unloading: first-order lag behind the air outside.

    ``initial`` is the temperature in °C at ``start``. Water vapour follows with the same lag, so the relative
    humidity rises while the cargo space cools.
    """
    first, last = start.timestamp(), end.timestamp()
    seconds = np.append(np.arange(first, last, CARGO_STEP), last)
    outside = trace.interpolate(seconds)
    vapour_outside = OUTDOOR_HUMIDITY * saturation_pressure(outside)
    # the cargo space starts with the store room's air: 40 % at the temperature of loading
    vapour_inside = 0.40 * float(saturation_pressure(np.array([initial]))[0])
    celsius = lag(seconds, outside, initial, CARGO_TIME_CONSTANT)
    vapour = lag(seconds, vapour_outside, vapour_inside, CARGO_TIME_CONSTANT)
    humidity = np.clip(100.0 * vapour / saturation_pressure(celsius), 0.0, 100.0)
    return CargoClimate(seconds, celsius, humidity)


def lag(
    seconds: NDArray[np.float64], target: NDArray[np.float64], initial: float, time_constant: float
) -> NDArray[np.float64]:
    """First-order lag behind ``target``, exact for a target that is constant over each step; shape (n,)."""
    out = np.empty_like(target)
    out[0] = value = initial
    for i in range(1, len(target)):
        keep = math.exp(-(seconds[i] - seconds[i - 1]) / time_constant)
        value = target[i] + (value - target[i]) * keep
        out[i] = value
    return out


def saturation_pressure(celsius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Saturation pressure of water vapour in hPa over water (Magnus formula, WMO No. 8, annex 4.B)."""
    return 6.112 * np.exp(17.62 * celsius / (243.12 + celsius))


def room_temperature(set_point: float, deviation: float, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """A store room's true temperature in °C: set point, a steady deviation, and a daily swing of 0.2 K.

    It is not measured; the backend knows only the set point.
    """
    return set_point + deviation + 0.2 * np.sin(2.0 * math.pi * seconds / 86400.0)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
