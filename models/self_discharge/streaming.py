"""Running exposure of a twin: one more reading costs the same, however long the history.

>>> import numpy as np
>>> from voltwin.models.self_discharge.parameter_sets import ParameterSets
>>> from voltwin.models.self_discharge.streaming import RunningExposure
>>> chosen = ParameterSets.shipped().get("generic-nmc-literature")
>>> law = chosen.law("arrhenius")
>>> state = RunningExposure.empty()
>>> state = state.plus(law, hours=24.0, first=298.15, last=278.15, measured=True)
>>> state = state.plus(law, hours=24.0, first=278.15, last=278.15, measured=True)
>>> round(state.equivalent_age(chosen.rate_at_25), 4)
18.5024

Exposure is additive, so readings may arrive late, out of order or from two places: ``plus`` and ``merged``
commute. Only three sums are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .rate_laws import RateLaw


@dataclass(frozen=True, slots=True)
class RunningExposure:
    """Sums over a twin's history so far: K = ∫k dt, its length and its measured length in hours."""

    exposure: float
    hours: float
    measured_hours: float

    @classmethod
    def empty(cls) -> RunningExposure:
        """An empty history."""
        return cls(0.0, 0.0, 0.0)

    def plus(self, law: RateLaw, hours: float, first: float, last: float, measured: bool) -> RunningExposure:
        """The sums with one more ramp, ``hours`` long, from ``first`` to ``last`` (K)."""
        rate = float(law.mean(np.array([first]), np.array([last]))[0])
        return RunningExposure(
            self.exposure + rate * hours, self.hours + hours, self.measured_hours + (hours if measured else 0.0)
        )

    def merged(self, other: RunningExposure) -> RunningExposure:
        """The sums of both histories, which must not overlap in time."""
        return RunningExposure(
            self.exposure + other.exposure, self.hours + other.hours, self.measured_hours + other.measured_hours
        )

    def equivalent_age(self, rate_at_25: float) -> float:
        """Hours at 25 °C with the same exposure; ``rate_at_25`` in 1/h."""
        return self.exposure / rate_at_25
