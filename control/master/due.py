"""The due table in memory: the next moment of each scheduled action of each twin, in step with the journal."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pyoxigraph import NamedNode

from ...graphstore.interfaces import Due
from ..actions.action import Action, Actions

Key = tuple[NamedNode, NamedNode]
"""Action, twin."""


class DueTable:
    """A heap over (moment, action, twin); stale entries are skipped when they reach its top."""

    def __init__(self, rows: Iterable[Due]) -> None:
        self._next: dict[Key, datetime] = {}
        self._heap: list[tuple[datetime, str, str, Key]] = []
        self.update(rows)

    def update(self, rows: Iterable[Due]) -> None:
        """Apply rows that were committed."""
        for row in rows:
            key = (row.action, row.twin)
            if row.next is None:
                self._next.pop(key, None)
            else:
                self._next[key] = row.next
                heapq.heappush(self._heap, (row.next, row.action.value, row.twin.value, key))

    def __contains__(self, key: Key) -> bool:
        return key in self._next

    def __len__(self) -> int:
        return len(self._next)

    def next_moment(self) -> datetime | None:
        """The earliest moment at which something is due."""
        while self._heap and self._next.get(self._heap[0][3]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def until(self, moment: datetime) -> list[Due]:
        """Everything due by ``moment``, earliest first; it stays due until :meth:`update` changes it."""
        due = [Due(*key, when) for key, when in self._next.items() if when <= moment]
        return sorted(due, key=lambda row: (row.next, row.action.value, row.twin.value))


def first_due(actions: Iterable[Action], twin: NamedNode, now: datetime) -> list[Due]:
    """The rows for a new twin."""
    rows = []
    for action in actions:
        moment = action.schedule.next_after(now) if action.schedule else None
        if moment is not None:
            rows.append(Due(action.iri, twin, moment))
    return rows


class FollowUp(NamedTuple):
    """The moment that a due action runs for, None if it does not run any more, and the row that replaces its row."""

    moment: datetime | None
    replacement: Due


def follow_up(due: Due, actions: Actions, now: datetime) -> FollowUp:
    """The run of a due row and the row that replaces it; missed ticks count as one run."""
    action = actions.by_iri.get(due.action)
    if action is None or action.schedule is None or due.next is None:
        return FollowUp(None, Due(due.action, due.twin, None))
    moment = action.schedule.latest_until(due.next, now)
    return FollowUp(moment, Due(due.action, due.twin, action.schedule.next_after(moment)))
