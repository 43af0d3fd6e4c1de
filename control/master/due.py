"""The due table in memory: which scheduled action of which twin is next, kept in step with the journal."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime

from pyoxigraph import NamedNode

from ...graphstore.interfaces import Due
from ..actions.action import Action, Actions

Key = tuple[NamedNode, NamedNode]
"""Action, twin."""


class DueTable:
    """A heap over (moment, action, twin); stale entries are skipped when they come up."""

    def __init__(self, rows: Iterable[Due]) -> None:
        self._next: dict[Key, datetime] = {}
        self._heap: list[tuple[datetime, str, str, Key]] = []
        self.update(rows)

    def update(self, rows: Iterable[Due]) -> None:
        """Take in rows that were committed."""
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
        """When something is next due."""
        while self._heap and self._next.get(self._heap[0][3]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def until(self, moment: datetime) -> list[Due]:
        """Everything due by ``moment``, earliest first; it stays due until :meth:`update` says otherwise."""
        due = [(when, key) for key, when in self._next.items() if when <= moment]
        due.sort(key=lambda item: (item[0], item[1][0].value, item[1][1].value))
        return [Due(action, twin, when) for when, (action, twin) in due]


def first_due(actions: Iterable[Action], twin: NamedNode, now: datetime) -> list[Due]:
    """The rows for a twin that has just been born, or is seen for the first time."""
    rows = []
    for action in actions:
        moment = action.schedule.next_after(now) if action.schedule else None
        if moment is not None:
            rows.append(Due(action.iri, twin, moment))
    return rows


def follow_up(due: Due, actions: Actions, now: datetime) -> tuple[datetime | None, Due]:
    """The moment a due row is to be carried out for (missed ticks count as one), and the row that replaces it."""
    action = actions.by_iri.get(due.action)
    if action is None or action.schedule is None or due.next is None:
        return None, Due(due.action, due.twin, None)
    moment = action.schedule.latest_until(due.next, now)
    return moment, Due(due.action, due.twin, action.schedule.next_after(moment))
