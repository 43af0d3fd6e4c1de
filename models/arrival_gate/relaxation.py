"""Voltage that still settles after the last current, before and between two measurements.

>>> import numpy as np
>>> from voltwin.models.arrival_gate.relaxation import Relaxations
>>> weng = Relaxations.shipped().get("weng-2021")
>>> float((weng.remaining(np.array([1.0])) - weng.remaining(np.array([6.0])))[0] * 1000).__round__(3)   # mV
9.468

Weng et al. 2021 found the decay after formation logarithmic in time: 12.02 mV + 5.284 mV · ln(t/h) from 1
to 6 h fits 39 cells to 0.037 mV rms (a root of time to 0.387, a line to 0.773). Only the difference
between two rests enters; beyond the range the data cover, the term is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ...errors import NotFoundError
from ..base.columns import Floats
from ..base.json_fields import Fields, json_files

DEFAULT_RELAXATION: Final = "partial-charge"
_SHIPPED: Final = Path(__file__).parent.parent / "relaxations"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A logarithmic decay: ``amplitude`` in V for each factor e of time, with its sigma.

    ``valid_rest`` in hours and ``valid_state_of_charge`` as a fraction say where it was fitted.
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
        """How many factors e of time a rest (h) lies before the end of the range; 0 beyond it.

        Rests shorter than the range are continued along the logarithm; callers say so.
        """
        result: Floats = np.maximum(np.log(self.valid_rest[1] / rest), 0.0)
        return result

    def remaining(self, rest: Floats) -> Floats:
        """Voltage still to be lost (V) after a rest of that many hours."""
        return self.amplitude * self.factors(rest)

    def difference_sigma(self, earlier: Floats, later: Floats) -> Floats:
        """Standard deviation (V) of the loss between two rests (h)."""
        return self.amplitude_sigma * np.abs(self.factors(later) - self.factors(earlier))


def read_relaxation(file: Path) -> Relaxation:
    """The decay in one file; InputError, naming file and field, when it cannot be one."""
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
        (fields.quantity("validRest", "HR", "minimum"), fields.quantity("validRest", "HR", "maximum")),
        (
            fields.quantity("validStateOfCharge", "FRACTION", "minimum"),
            fields.quantity("validStateOfCharge", "FRACTION", "maximum"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Relaxations:
    """Relaxation laws by name."""

    laws: Mapping[str, Relaxation]

    @classmethod
    def shipped(cls, more: Iterable[Path] = ()) -> Relaxations:
        """Those of the package, and those in ``more``: JSON files, or folders of them."""
        read = [read_relaxation(file) for file in json_files(_SHIPPED, more)]
        return cls({law.name: law for law in read})

    def get(self, name: str) -> Relaxation:
        """The law of that name; NotFoundError with the known names."""
        try:
            return self.laws[name]
        except KeyError:
            raise NotFoundError(f"relaxation {name!r} is not known; known are {', '.join(sorted(self.laws))}") from None
