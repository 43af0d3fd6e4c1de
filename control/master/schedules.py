"""Registering twins for the scheduled actions of their classes, and the runs that are due.

A twin that the master creates is registered in the commit that creates it; one that others create (a user's
write) is announced by :class:`Births` and registered in the master's next round.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pyoxigraph import NamedNode

from ...graphstore.interfaces import Due, FinishedRun, QueuedRun, TripleStore
from ...graphstore.journal.changes import ChangeSet, Slot
from ...graphstore.schema import twins_of
from ...ontology.iris import RDF
from ...ontology.literals import format_time
from ...ontology.naming import Naming
from ..actions.action import Actions
from .due import DueTable, first_due, follow_up
from .runs import WorkResult, run_id

_LOG: Final = logging.getLogger(__name__)


class Births:
    """The twins that commits of any author create, for the master to register; a follower of the committer."""

    def __init__(self) -> None:
        self._created: queue.SimpleQueue[NamedNode] = queue.SimpleQueue()

    def follow(self, _sequence: int, touched: Sequence[Slot]) -> None:
        """Remember the twins that a commit creates."""
        for graph, subject, predicate in touched:
            if predicate == RDF.type and graph == subject:
                self._created.put(subject)

    def take(self) -> list[NamedNode]:
        """The twins created since the last call."""
        return [self._created.get_nowait() for _ in range(self._created.qsize())]


@dataclass
class Schedules:
    """When each scheduled action of each twin is due."""

    store: TripleStore
    names: Naming
    actions: Actions
    table: DueTable
    births: Births
    ticks_skipped: int = field(default=0, init=False)
    """Ticks since the start that a replay did not walk, because they were too many."""
    _begun: bool = field(default=False, init=False)

    def reload(self, rows: Iterable[Due]) -> None:
        """Read the table again, and look at every twin once more: a commit failed, and what it held is unknown."""
        self.table, self._begun = DueTable(rows), False

    def first_due(self, twins: Iterable[NamedNode], changes: ChangeSet, now: datetime) -> list[Due]:
        """The rows of ``twins`` that the table lacks, by the types that they have after ``changes``."""
        rows = []
        for twin in twins:
            types = changes.objects(twin, RDF.type, twin)
            mine = (action for action in self.actions.by_iri.values() if action.applies_to in types)
            rows += first_due(mine, twin, now)
        return [row for row in rows if (row.action, row.twin) not in self.table]

    def unregistered(self, now: datetime) -> WorkResult:
        """The rows of twins that others have created; at first those of all twins that have none."""
        created = self.births.take()
        twins = created if self._begun else twins_of(self.store)
        self._begun = True
        changes = ChangeSet(self.store)
        return WorkResult(changes, self.names, due=self.first_due(dict.fromkeys(twins), changes, now))

    def due(self, now: datetime) -> WorkResult:
        """The runs that are due by ``now``, and the rows that replace theirs."""
        result = WorkResult(ChangeSet(self.store), self.names)
        for row in self.table.until(now):
            if not any(self.store.quads(row.twin, RDF.type, None, row.twin)):
                result.due.append(Due(row.action, row.twin, None))  # its birth was taken back, or its graph dropped
                continue
            moment, replacement = follow_up(row, self.actions, now)
            result.due.append(replacement)
            if moment is not None:
                identifier = run_id(self.actions.by_iri[row.action], self.names.twin_key(row.twin), moment)
                result.triggered.append(QueuedRun(identifier, row.action, row.twin, moment, "schedule"))
        return result

    def skipped(self, until: datetime, at_most: int) -> WorkResult | None:
        """The record that ticks up to ``until`` are skipped, if an action of a twin has more than ``at_most`` of them.

        The last tick of each is still run. Recorded is one skipped run, that of the first tick, with the reason.
        """
        counts = []
        for row in self.table.until(until):
            action = self.actions.by_iri.get(row.action)
            if action is not None and action.schedule is not None and row.next is not None:
                counts.append((action.schedule.ticks(row.next, until), row, action))
        if not counts or max(count for count, _, _ in counts) <= at_most:
            return None
        self.ticks_skipped += (total := sum(max(0, count - 1) for count, _, _ in counts))
        most, row, action = max(counts, key=lambda item: item[0])
        assert row.next is not None
        result = WorkResult(ChangeSet(self.store), self.names)
        identifier = run_id(action, self.names.twin_key(row.twin), row.next)
        run = QueuedRun(identifier, row.action, row.twin, row.next, "schedule")
        reason = (
            f"{total} ticks skipped: from {format_time(row.next)} to the message of {format_time(until)} this action "
            f"has {most}, more than {at_most} (catch_up_ticks); each action runs once for the last of them"
        )
        _LOG.warning("%s: %s", identifier, reason)
        result.queued.append(run)
        result.finish(run, FinishedRun(run.id, "skipped", reason))
        return result

    def ticks_after(self, now: datetime) -> Iterator[datetime]:
        """The next tick of every schedule, also of those that no twin has yet."""
        for action in self.actions.by_iri.values():
            tick = action.schedule.next_after(now) if action.schedule else None
            if tick is not None:
                yield tick
