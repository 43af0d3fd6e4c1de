"""The master's commits: results of work with the runs that follow and the schedules of the twins created."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ...graphstore.interfaces import Due, Entry, QueuedRun
from ...graphstore.journal.changes import Slot
from ...graphstore.journal.commit import Committer
from ..actions.action import Actions
from ..clock import time_of
from ..interfaces import MasterClock
from .runs import WorkResult
from .schedules import DueRuns, Schedules

_LOG: Final = logging.getLogger(__name__)
AUTHOR: Final = "control master"


@dataclass(frozen=True)
class Commits:
    """Commits in the master's name; the due table follows each."""

    committer: Committer
    actions: Actions
    schedules: Schedules
    clock: MasterClock

    def commit(self, result: WorkResult) -> list[QueuedRun]:
        """Commit a result; return the runs that follow from it, which are queued in the same commit.

        The caller holds the committer's lock since it began with the result's changes.
        """
        now = time_of(self.clock)
        failed = [run for run in result.finished if run.state == "failed"]
        if failed:
            first = failed[0]
            _LOG.warning(
                "%d of %d runs failed, the first (%s): %s", len(failed), len(result.finished), first.id, first.reason
            )
        followers = self._new(result.consecutive(self.actions))
        entry = Entry.of(
            result.changes,
            AUTHOR,
            now,
            message_keys=result.message_keys,
            queued=[*result.queued, *followers],
            finished=result.finished,
            due=self.schedules.first_due(result.created, result.changes, now),
            dead_letters=result.dead_letters,
        )
        self._commit(entry, tuple(result.changes.touched()))
        return followers

    def commit_due(self, due: DueRuns, now: datetime) -> list[QueuedRun]:
        """Queue runs that are due; return those that are new."""
        with self.committer.lock:
            new = self._new(due.runs)
            self._commit(Entry(AUTHOR, now, queued=new, due=due.rows))
        return new

    def register(self, rows: Sequence[Due], now: datetime) -> None:
        """Add rows to the due table."""
        if rows:
            self._commit(Entry(AUTHOR, now, due=rows))

    def _new(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        """The runs never queued before: a run is carried out once, however many messages trigger it."""
        known = self.committer.journal.known_runs([run.id for run in runs])
        return [run for run in runs if run.id not in known]

    def _commit(self, entry: Entry, touched: Sequence[Slot] = ()) -> None:
        self.committer.commit(entry, touched)
        self.schedules.table.update(entry.due)
