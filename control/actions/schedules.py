"""Schedules of actions: pure arithmetic on UTC instants.

>>> from datetime import UTC, datetime
>>> from voltwin.control.actions.schedules import Relative, parse_duration
>>> five_per_hour = Relative(5, parse_duration("PT1H"))
>>> five_per_hour.next_after(datetime(2019, 4, 1, 10, 0, tzinfo=UTC)).isoformat()
'2019-04-01T10:12:00+00:00'

A relative schedule ticks evenly from its anchor. Without one the anchor is 1970-01-01T00:00:00Z, so
all twins with the same schedule are due together and share one call of the model.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ...errors import ActionError
from ...ontology.literals import EPOCH

_MICROSECOND: Final = timedelta.resolution
_DURATION: Final = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration of weeks, days, hours, minutes, seconds. Raises ActionError.

    Months and years have no fixed length and are refused.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ActionError(f"period {text!r}: write an ISO 8601 duration without months and years, such as PT1H or P1D")
    try:
        duration = timedelta(**{name: float(number) for name, number in match.groupdict().items() if number})
    except OverflowError:
        raise ActionError(f"period {text!r}: is longer than {timedelta.max.days} days") from None
    if duration <= timedelta(0):
        raise ActionError(f"period {text!r}: must be longer than nothing")
    return duration


@dataclass(frozen=True)
class Relative:
    """``times`` evenly in each ``period``, counted from ``anchor``."""

    times: int
    period: timedelta
    anchor: datetime = EPOCH

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ActionError(f"schedule: {self.times} times in a period; at least 1 is needed")
        if self.period < self.times * timedelta.resolution:
            raise ActionError(f"schedule: {self.times} times in {self.period}; less than a microsecond between ticks")

    def next_after(self, moment: datetime) -> datetime | None:
        """The first tick later than ``moment``; exact for any age of the anchor, no error adds up.

        None where the calendar (year 9999) ends before it.
        """
        number = self._number(moment) + 1
        try:
            due = self._tick(number)
            # Rounding to microseconds can put a tick at or before the moment it should follow.
            return due if due > moment else self._tick(number + 1)
        except OverflowError:
            return None

    def latest_until(self, first: datetime, moment: datetime) -> datetime:
        """The last tick not after ``moment``, at least ``first``: missed ticks count as one."""
        return max(first, self._tick(self._number(moment)))

    def ticks(self, first: datetime, until: datetime) -> int:
        """The number of ticks from the tick ``first`` to ``until``, both included."""
        return max(0, self._reached(until) - self._reached(first) + 1)

    def _reached(self, moment: datetime) -> int:
        """The number of the last tick not after ``moment``; rounding can put the next one there too."""
        number = self._number(moment)
        return number + (self._elapsed(number + 1) <= (moment - self.anchor) // _MICROSECOND)

    # Counted in whole microseconds: a duration times a number can be longer than a timedelta may be.
    def _number(self, moment: datetime) -> int:
        return (moment - self.anchor) // _MICROSECOND * self.times // (self.period // _MICROSECOND)

    def _tick(self, number: int) -> datetime:
        return self.anchor + timedelta(microseconds=self._elapsed(number))

    def _elapsed(self, number: int) -> int:
        return (2 * number * (self.period // _MICROSECOND) + self.times) // (2 * self.times)


@dataclass(frozen=True)
class Absolute:
    """At given moments."""

    at: tuple[datetime, ...]

    def next_after(self, moment: datetime) -> datetime | None:
        """The first of the moments later than ``moment``; None when all have passed."""
        moments = sorted(self.at)
        index = bisect_right(moments, moment)
        return moments[index] if index < len(moments) else None

    def latest_until(self, first: datetime, moment: datetime) -> datetime:
        """Each given moment counts on its own, also when it is late."""
        del moment
        return first

    def ticks(self, first: datetime, until: datetime) -> int:
        """The number of moments from ``first`` to ``until``, both included."""
        return sum(first <= moment <= until for moment in self.at)


Schedule = Relative | Absolute
