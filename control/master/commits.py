"""The master's commits: results of work with the runs that follow and the schedules of the twins created."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...graphstore.interfaces import Entry, QueuedRun
from ...graphstore.journal.commit import Committer
from ..actions.action import Actions
from ..clock import time_of
from ..interfaces import MasterClock
from .runs import WorkResult
from .schedules import Schedules

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
        """Commit a result; return the new runs that follow from it, which are queued in the same commit.

        The caller holds the committer's lock from the first of the result's changes on.
        """
        failed = [run for run in result.finished if run.state == "failed"]
        if failed:
            numbers, first = (len(failed), len(result.finished)), failed[0]
            _LOG.warning("%d of %d runs failed, the first (%s): %s", *numbers, first.id, first.reason)
        with self.committer.lock:
            now, followers = time_of(self.clock), self._new(result.followers(self.actions))
            entry = Entry.of(
                result.changes,
                AUTHOR,
                now,
                message_keys=result.message_keys,
                queued=[*result.queued, *followers],
                finished=result.finished,
                due=[*result.due, *self.schedules.first_due(result.created, result.changes, now)],
                dead_letters=result.dead_letters,
            )
            self.committer.commit(entry, tuple(result.changes.touched()))
        self.schedules.table.update(entry.due)
        return followers

    def _new(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        """The runs never queued before: a run is carried out once, however many messages trigger it."""
        known = self.committer.journal.known_runs([run.id for run in runs])
        return [run for run in runs if run.id not in known]
