"""Schedules tick neither faster than runs can follow nor slower than anybody waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from ...actions.schedules import Relative
from .finding import DesignFinding, DesignUnderCheck, at

SHORTEST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(days=36_525)


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each schedule out of bounds, and for one of a push action, which messages trigger."""
    for action in design.actions.values():
        schedule = action.schedule
        if schedule is not None and action.kind == "push":
            yield DesignFinding("error", at(action), "has a schedule; a push action is triggered by messages alone")
        if isinstance(schedule, Relative):
            if schedule.period < schedule.times * SHORTEST:
                message = f"schedule: {schedule.times} times in {schedule.period}; at most once in {SHORTEST}"
                yield DesignFinding("error", at(action), message)
            if schedule.period > LONGEST:
                message = f"schedule: a period of {schedule.period}; at most {LONGEST.days} days"
                yield DesignFinding("error", at(action), message)
