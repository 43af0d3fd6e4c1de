"""Units of quantities, by the local names of QUDT units, and their conversion; constants of physics and time.

>>> from voltwin.models.base.units import convert
>>> convert(3650.0, "MilliV", "V")
3.65
>>> round(convert(298.15, "K", "DEG_C"), 9)
25.0

A small table instead of a units library: each unit is ``base = factor * value + offset`` within one
dimension. Two units that do not share a dimension are refused, and a missing unit is never guessed.
A month of self-discharge is 730 h throughout (QUDT's own month is an astronomical one).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...errors import UnitError

#: 0 °C in kelvin.
ZERO_CELSIUS: Final = 273.15
SECONDS_PER_HOUR: Final = 3600.0
HOURS_PER_MONTH: Final = 730.0

_Number = TypeVar("_Number", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: ``base = factor * value + offset`` in the base unit of ``dimension``."""

    name: str
    dimension: str
    factor: float
    offset: float = 0.0


def _table(*units: Unit) -> dict[str, Unit]:
    return {unit.name: unit for unit in units}


UNITS: Final = _table(
    Unit("V", "voltage", 1.0),
    Unit("MilliV", "voltage", 1e-3),
    Unit("MicroV", "voltage", 1e-6),
    Unit("K", "temperature", 1.0),
    Unit("DEG_C", "temperature", 1.0, ZERO_CELSIUS),
    Unit("DEG_F", "temperature", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    Unit("UNITLESS", "fraction", 1.0),
    Unit("FRACTION", "fraction", 1.0),
    Unit("PERCENT", "fraction", 1e-2),
    Unit("SEC", "time", 1.0),
    Unit("MIN", "time", 60.0),
    Unit("HR", "time", SECONDS_PER_HOUR),
    Unit("DAY", "time", 86400.0),
    Unit("A-HR", "charge", SECONDS_PER_HOUR),
    Unit("MilliA-HR", "charge", 3.6),
    Unit("C", "charge", 1.0),
    Unit("A", "current", 1.0),
    Unit("MilliA", "current", 1e-3),
    Unit("MicroA", "current", 1e-6),
    Unit("PER-HR", "rate", 1.0 / SECONDS_PER_HOUR),
    Unit("PERCENT-PER-HR", "rate", 1e-2 / SECONDS_PER_HOUR),
    Unit("PERCENT-PER-DAY", "rate", 1e-2 / 86400.0),
    Unit("PERCENT-PER-MO", "rate", 1e-2 / (HOURS_PER_MONTH * SECONDS_PER_HOUR)),
    Unit("J-PER-MOL", "molar energy", 1.0),
    Unit("KiloJ-PER-MOL", "molar energy", 1e3),
    Unit("V-PER-K", "entropic coefficient", 1.0),
    Unit("MilliV-PER-K", "entropic coefficient", 1e-3),
)


def unit_named(name: str) -> Unit:
    """The unit of that QUDT local name.

    Raises UnitError, with the known names, for any other text.
    """
    try:
        return UNITS[name]
    except KeyError:
        raise UnitError(f"unit {name!r} is not known; use one of {', '.join(sorted(UNITS))}") from None


def scale(source: str, target: str) -> tuple[float, float]:
    """Factor and offset that take a value in ``source`` to ``target``.

    Raises UnitError when one is unknown or the two have different dimensions.
    """
    given, wanted = unit_named(source), unit_named(target)
    if given.dimension != wanted.dimension:
        usable = ", ".join(u.name for u in UNITS.values() if u.dimension == wanted.dimension)
        raise UnitError(
            f"unit {source!r} measures {given.dimension}, wanted is {wanted.dimension}: use one of {usable}"
        )
    return given.factor / wanted.factor, (given.offset - wanted.offset) / wanted.factor


def convert(value: _Number, source: str, target: str) -> _Number:
    """``value`` (a float or an array) from one unit to another; UnitError when their dimensions differ."""
    factor, offset = scale(source, target)
    return value * factor + offset


def convert_difference(value: _Number, source: str, target: str) -> _Number:
    """A difference of two values, such as a standard deviation: the offset does not apply."""
    factor, _ = scale(source, target)
    return value * factor
