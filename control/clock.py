"""The master's time: the system's, or that of the messages of a replay.

>>> from datetime import UTC, datetime
>>> from voltwin.control.clock import ReplayClock
>>> clock = ReplayClock()
>>> clock.now() is None
True
>>> clock.advance(datetime(2019, 4, 1, tzinfo=UTC)); clock.now().year
2019
"""

from __future__ import annotations

from datetime import UTC, datetime

from .interfaces import MasterClock


class SystemClock:
    """The time of day."""

    lockstep = False

    def now(self) -> datetime:
        """This moment in UTC."""
        return datetime.now(UTC)

    def advance(self, moment: datetime) -> None:
        """Do nothing: the time of day does not follow messages."""


class ReplayClock:
    """Follows the messages' own times; never runs backwards."""

    lockstep = True

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start

    def now(self) -> datetime | None:
        """The latest time of any message."""
        return self._now

    def advance(self, moment: datetime) -> None:
        """Move on to ``moment`` if that is later."""
        if self._now is None or moment > self._now:
            self._now = moment


def time_of(clock: MasterClock) -> datetime:
    """The clock's time; the time of day until a replay begins."""
    return clock.now() or datetime.now(UTC)
