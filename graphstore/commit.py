"""The one way to write: into the journal first, then into its view, then to whoever follows.

:class:`Committer` holds the lock of the fleet's one writer. When :meth:`Committer.commit` returns,
the entry is durable, the triple store has it, and the followers (the reasoner) have seen it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .changes import Slot
from .interfaces import Entry, Journal, TripleStore

Follower = Callable[[int, Sequence[Slot]], None]
"""Told of every commit: its number and the (graph, subject, predicate) slots that changed."""


@dataclass
class Committer:
    """Takes entries for one journal and one triple store."""

    journal: Journal
    store: TripleStore
    followers: list[Follower] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Hold it from building a change set to committing it, so that nothing changes in between."""

    def commit(self, entry: Entry, touched: Sequence[Slot] = ()) -> int:
        """Make ``entry`` durable and visible; returns its number. Raises StoreError if it was not taken."""
        with self.lock:
            sequence = self.journal.append(entry)
            self.store.apply(sequence, entry.changes)
            for follow in self.followers:
                follow(sequence, touched)
            return sequence

    def catch_up(self) -> int:
        """Give the store every commit it has not taken in; how many there were."""
        with self.lock:
            behind = 0
            for commit in self.journal.since(self.store.last_applied()):
                self.store.apply(commit.sequence, commit.changes)
                behind += 1
            return behind
