"""The one way to write: into the journal first, then into its view, then to whoever follows.

:class:`Committer` holds the lock of the fleet's one writer. When :meth:`Committer.commit` returns,
the entry is durable, the triple store has it, and the followers (the reasoner) have seen it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import StoreError
from .changes import Slot, touched_by
from .interfaces import Commit, Entry, GraphChange, GraphLoad, Journal, TripleStore
from .loads import LoadFiles

Follower = Callable[[int, Sequence[Slot]], None]
"""Told of every commit: its number and the (graph, subject, predicate) slots that changed.

Of a commit with bulk loads it is told several times, a part of the slots each.
"""


@dataclass
class Committer:
    """Takes entries for one journal and one triple store."""

    journal: Journal
    store: TripleStore
    loads: LoadFiles | None = None
    """Where the triples of bulk loads are; without it no commit may have any."""
    followers: list[Follower] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Hold it from building a change set to committing it, so that nothing changes in between."""

    def commit(self, entry: Entry, touched: Sequence[Slot] = ()) -> int:
        """Make ``entry`` durable and visible; returns its number. Raises StoreError if it was not taken.

        ``touched`` are the slots of its changes; those of its loads are found here.
        """
        with self.lock:
            sequence = self.journal.append(entry)
            self._apply(sequence, entry.changes, entry.loads)
            for follow in self.followers:
                follow(sequence, touched)
            for load, piece in self._pieces(entry.loads):
                slots = touched_by([GraphChange(load.graph, "", piece.decode())])
                for follow in self.followers:
                    follow(sequence, slots)
            return sequence

    def catch_up(self) -> int:
        """Give the store every commit it has not taken in; how many there were."""
        with self.lock:
            behind = 0
            for commit in self.journal.since(self.store.last_applied()):
                self.take_in(commit)
                behind += 1
            return behind

    def take_in(self, commit: Commit) -> None:
        """Give the store one commit of the journal, which it may have already."""
        with self.lock:
            self._apply(commit.sequence, commit.changes, commit.loads)

    def _apply(self, sequence: int, changes: Sequence[GraphChange], loads: Sequence[GraphLoad]) -> None:
        # The number comes with the changes, last: ended before that, the loads are taken in again.
        for load, piece in self._pieces(loads):
            self.store.load(load.graph, piece)
        self.store.apply(sequence, changes)

    def _pieces(self, loads: Sequence[GraphLoad]) -> Iterator[tuple[GraphLoad, bytes]]:
        for load in loads:
            if self.loads is None:
                raise StoreError(f"load {load.file}: this fleet was opened without the folder of its bulk loads")
            for piece in self.loads.pieces(load.file):
                yield load, piece
