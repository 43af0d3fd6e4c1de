"""Shared temperature records: a warehouse or a truck leg is integrated once, for any number of twins.

>>> import numpy as np
>>> from voltwin.models.self_discharge.parameter_sets import ParameterSets
>>> from voltwin.models.self_discharge.shared_records import SharedTemperatureRecord
>>> law = ParameterSets.shipped().get("generic-nmc-literature").law("arrhenius")
>>> times, temperatures = np.array([0.0, 360_000.0]), np.array([298.15, 298.15])
>>> warehouse = SharedTemperatureRecord.of(law, times=times, temperatures=temperatures)
>>> stays = warehouse.between(np.array([0.0, 36_000.0]), np.array([72_000.0, 108_000.0]))
>>> (stays / law.rate(np.array([298.15]))).round(9).tolist()      # hours at 25 °C
[20.0, 20.0]

The exposure of a twin's stay is the difference of the record's running exposure at its two times. Between two
nodes the temperature is linear, and the integral is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...errors import InputError
from ..base.columns import CACHED_VALUES, Floats, Integers
from ..base.units import SECONDS_PER_HOUR
from .rate_laws import RateLaw

#: A guide up to this many times longer than the nodes is worth its memory; beyond it bisection is used.
_LONGEST_GUIDE: Final = 64


@dataclass(frozen=True, slots=True)
class SharedTemperatureRecord:
    """A temperature over time that many twins share: nodes ``(m,)``, linear in between.

    ``times`` in seconds since 1970-01-01 UTC, ``temperatures`` in K, ``running`` the exposure K from the
    first node on. ``guide`` and ``pace`` (buckets per second) give the segment of a time.
    """

    law: RateLaw
    times: Floats
    temperatures: Floats
    slopes: Floats
    running: Floats
    guide: Integers | None
    pace: float

    @classmethod
    def of(cls, law: RateLaw, times: Floats, temperatures: Floats) -> SharedTemperatureRecord:
        """Integrate a record once. Raises InputError unless the times rise strictly and there are two or more."""
        if times.size < 2 or np.any(np.diff(times) <= 0):
            raise InputError(
                "temperature record: times must rise strictly, two or more; sort them and remove duplicates"
            )
        steps = law.mean(temperatures[:-1], temperatures[1:]) * np.diff(times) / SECONDS_PER_HOUR
        running = np.concatenate([[0.0], np.cumsum(steps)])
        slopes = np.diff(temperatures) / np.diff(times)
        # Buckets no wider than the closest nodes contain one node at most: a look-up is one step, not a search.
        buckets = int(np.ceil((times[-1] - times[0]) / np.diff(times).min()))
        guide, pace = None, buckets / float(times[-1] - times[0])
        if buckets <= _LONGEST_GUIDE * times.size:
            edges = times[0] + np.arange(buckets + 1) / pace
            guide = np.searchsorted(times[1:-1], edges, side="right").astype(np.int64)
        return cls(law, times, temperatures, slopes, running, guide, pace)

    def until(self, times: Floats) -> Floats:
        """Exposure K from the first node to each time ``(N,)``.

        Raises InputError for a time outside the nodes: the record is not extrapolated.
        """
        if times.size and (times.min() < self.times[0] or times.max() > self.times[-1]):
            raise InputError(
                f"temperature record: covers {self.times[0]:.0f} to {self.times[-1]:.0f} s, asked outside; "
                "extend the record or shorten the stay"
            )
        result = np.empty_like(times)
        for start in range(0, times.size, CACHED_VALUES):
            part = slice(start, start + CACHED_VALUES)
            result[part] = self._until(times[part])
        return result

    def _until(self, times: Floats) -> Floats:
        index = self._segment(times)
        beyond = times - self.times[index]
        first = self.temperatures[index]
        last = self.slopes[index]
        last *= beyond
        last += first
        rate = self.law.mean(first, last)
        rate *= beyond
        rate /= SECONDS_PER_HOUR
        rate += self.running[index]
        return rate

    def _segment(self, times: Floats) -> Integers:
        """The segment of each time; at a node rounding may choose either side, where both agree."""
        if self.guide is None:
            return np.searchsorted(self.times[1:-1], times, side="right").astype(np.int64)
        index: Integers = self.guide[((times - self.times[0]) * self.pace).astype(np.int64)]
        index += times >= self.times[index + 1]
        return np.minimum(index, self.times.size - 2)

    def between(self, begin: Floats, end: Floats) -> Floats:
        """Exposure K of stays from ``begin`` to ``end`` ``(N,)``, seconds."""
        return self.until(end) - self.until(begin)
