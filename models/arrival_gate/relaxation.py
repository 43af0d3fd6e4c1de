"""Relaxation of the voltage after the last current, before and between two measurements.

>>> import numpy as np
>>> from voltwin.models.arrival_gate.relaxation import Relaxations
>>> weng = Relaxations.shipped().get("weng-2021")
>>> float((weng.remaining(np.array([1.0])) - weng.remaining(np.array([6.0])))[0] * 1000).__round__(3)   # mV
9.468

Weng et al. 2021 found the decay after formation logarithmic in time: 12.02 mV + 5.284 mV · ln(t/h) from 1
to 6 h fits 39 cells to 0.037 mV rms (a root of time to 0.387, a line to 0.773). Only the difference
between two rests is used; beyond the range of the data the term is constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..base.columns import Floats
from ..base.json_fields import Fields
from ..base.library import Library

DEFAULT_RELAXATION: Final = "partial-charge"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A logarithmic decay: ``amplitude`` in V for each factor e of time, with its sigma.

    ``valid_rest`` in hours and ``valid_state_of_charge`` as a fraction are the range of the fit.
    """

    name: str
    version: str
    citation: tuple[str, ...]
    notes: tuple[str, ...]
    amplitude: float
    amplitude_sigma: float
    valid_rest: tuple[float, float]
    valid_state_of_charge: tuple[float, float]

    def factors(self, rest: Floats) -> Floats:
        """Factors e of time between a rest (h) and the end of the range; 0 beyond it.

        Rests shorter than the range are extrapolated along the logarithm; callers report that.
        """
        return np.maximum(np.log(self.valid_rest[1] / rest), 0.0)

    def remaining(self, rest: Floats) -> Floats:
        """Voltage (V) that will still relax after a rest (h)."""
        return self.amplitude * self.factors(rest)

    def difference_sigma(self, earlier: Floats, later: Floats) -> Floats:
        """Standard deviation (V) of the relaxation between two rests (h)."""
        return self.amplitude_sigma * np.abs(self.factors(later) - self.factors(earlier))


def read_relaxation(file: Path) -> Relaxation:
    """The decay in one file. Raises InputError, naming file and field, when it is wrong."""
    fields = Fields.read(file)
    amplitude = fields.quantity("amplitude", "V")
    if amplitude < 0:
        raise fields.error("amplitude", "must not be negative: voltage falls at rest after a charge")
    return Relaxation(
        fields.text("name"),
        fields.text("version"),
        fields.texts("citation"),
        fields.texts("notes"),
        amplitude,
        fields.quantity("amplitude", "V", "sigma"),
        fields.range("validRest", "HR"),
        fields.range("validStateOfCharge", "FRACTION"),
    )


class Relaxations(Library[Relaxation]):
    """Relaxation laws by name."""

    __slots__ = ()
    kind = "relaxation"
    folder = "relaxations"
    read = staticmethod(read_relaxation)
