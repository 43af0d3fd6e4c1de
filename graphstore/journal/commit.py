"""The one way to write: first the journal, then its view, then the followers.

:class:`Committer` holds the lock of the fleet's one writer. When :meth:`Committer.commit` returns,
the entry is durable, the triple store has it, and the followers (the reasoner) have seen it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...errors import StoreError
from ...settings import InputLimits
from ..interfaces import Commit, Entry, GraphChange, GraphLoad, Journal, TripleStore
from ..sparql.gate import check_lines
from .bulk_files import LoadFiles
from .changes import UNPARSABLE, Slot, is_parsable, touched_by

Follower = Callable[[int, Sequence[Slot]], None]
"""Called with every commit: its number and the (graph, subject, predicate) slots that changed.

For a commit with bulk loads it is called several times, with a part of the slots each.
"""


@dataclass
class Committer:
    """Commits entries to one journal and one triple store."""

    journal: Journal
    store: TripleStore
    loads: LoadFiles | None = None
    """The files of bulk loads; without them no commit may have a load."""
    followers: list[Follower] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Hold it from building a change set to committing it, so that nothing changes in between."""
    inputs: InputLimits = field(default_factory=InputLimits)
    set_aside: dict[int, str] = field(default_factory=dict)
    """Commits that were not applied whole, and why."""
    _behind: bool = False
    """A commit is in the journal and may not be in the store, because the store failed."""

    def commit(self, entry: Entry, touched: Sequence[Slot] = ()) -> int:
        """Make ``entry`` durable and visible; return its number. Raises StoreError if it was not committed.

        Where the journal has it and the store failed, the next call applies it to the store and is refused itself,
        because its changes were built on the old state.

        ``touched`` are the slots of its changes; those of its loads are found here.
        """
        for change in entry.changes:
            check_lines(change.added, self.inputs)
        with self.lock:
            if self._behind:
                self.catch_up()
                raise StoreError(
                    "the triple store was one commit behind and has caught up; your change was based on the old state: "
                    "read again and retry"
                )
            sequence = self.journal.append(entry)
            self._behind = True
            self._apply(sequence, entry.changes, entry.loads)
            self._behind = False
            self._notify(sequence, touched, entry.loads)
            return sequence

    def _notify(self, sequence: int, touched: Sequence[Slot], loads: Sequence[GraphLoad]) -> None:
        for follow in self.followers:
            follow(sequence, touched)
        for load, piece in self._pieces(loads):
            slots = touched_by([GraphChange(load.graph, "", piece.decode())])
            for follow in self.followers:
                follow(sequence, slots)

    def catch_up(self) -> int:
        """Apply every commit that the store lacks and notify the followers; return how many there were.

        Where only the answer to an update was lost, the store has the newest commit and its followers have not seen
        it: they are notified once more, which changes nothing where they had.
        """
        with self.lock:
            applied, behind = self.store.last_applied(), 0
            for commit in self.journal.since(applied - 1 if self._behind and applied else applied):
                if commit.sequence > applied:
                    self._apply_parsable(commit)
                    behind += 1
                self._notify(commit.sequence, touched_by(commit.changes), commit.loads)
            self._behind = False
            return behind

    def _apply_parsable(self, commit: Commit) -> None:
        """Apply a commit without what the parser does not take, which an older version may have accepted."""
        try:
            self.apply_commit(commit)
        except (*UNPARSABLE, StoreError):
            aside = [change for change in commit.changes if not is_parsable(change)]
            if not aside:
                raise
            names = ", ".join(change.graph.value for change in aside)
            self.set_aside[commit.sequence] = f"its changes of {names} cannot be parsed, and are not in the graph"
            self.apply_commit(replace(commit, changes=[change for change in commit.changes if change not in aside]))

    def apply_commit(self, commit: Commit) -> None:
        """Apply one commit of the journal to the store, which may have it already."""
        with self.lock:
            self._apply(commit.sequence, commit.changes, commit.loads)

    def _apply(self, sequence: int, changes: Sequence[GraphChange], loads: Sequence[GraphLoad]) -> None:
        # The number is written with the changes, last: interrupted before that, the loads are applied again.
        for load, piece in self._pieces(loads):
            self.store.load(load.graph, piece)
        self.store.apply(sequence, changes)

    def _pieces(self, loads: Sequence[GraphLoad]) -> Iterator[tuple[GraphLoad, bytes]]:
        for load in loads:
            if self.loads is None:
                raise StoreError(f"load {load.file}: this fleet was opened without the folder of its bulk loads")
            for piece in self.loads.pieces(load.file):
                yield load, piece
