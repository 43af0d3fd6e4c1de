"""The snapshot that readers answer from: one folder of hard links, taken anew when the store has changed.

It is taken under the writer's lock, so it holds every commit acknowledged before. A folder goes when no query
uses it and a newer one has taken its place. What a killed process left behind goes on opening.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..interfaces import Snapshots


@dataclass
class _Snapshot:
    folder: Path
    writes: int
    users: int = 0


class CurrentSnapshot:
    """Lends out the newest snapshot of ``store``, which it keeps below ``folder``."""

    def __init__(self, store: Snapshots, folder: Path, writing: AbstractContextManager[object]) -> None:
        self._store, self._folder, self._writing = store, folder, writing
        self._lock = threading.Lock()
        self._all: list[_Snapshot] = []
        self._taken = 0
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lent(self) -> Iterator[Path]:
        """A folder that stays as it is as long as the context lasts. Raises StoreError."""
        snapshot = self._borrow_newest() or self._take()
        try:
            yield snapshot.folder
        finally:
            with self._lock:
                snapshot.users -= 1
                self._remove(keep=1)

    def _borrow_newest(self) -> _Snapshot | None:
        with self._lock:
            newest = self._all[-1] if self._all else None
            # A commit that is not in the store yet is not acknowledged yet either.
            if newest is None or newest.writes != self._store.writes:
                return None
            newest.users += 1
            return newest

    def _take(self) -> _Snapshot:
        # The writer's lock comes first: whoever holds it may be asking here too.
        with self._writing:
            found = self._borrow_newest()
            if found is not None:
                return found
            with self._lock:
                self._taken += 1
                self._folder.mkdir(parents=True, exist_ok=True)
                made = _Snapshot(self._folder / str(self._taken), self._store.writes, users=1)
                self._store.snapshot(made.folder)
                self._all.append(made)
                self._remove(keep=1)
                return made

    def _remove(self, keep: int) -> None:
        """Remove what nobody uses, except for the newest ``keep``."""
        for snapshot in self._all[: len(self._all) - keep]:
            if not snapshot.users:
                shutil.rmtree(snapshot.folder)
                self._all.remove(snapshot)

    def drop(self) -> None:
        """Give the disk space back; the next query takes a new snapshot."""
        with self._lock:
            self._remove(keep=0)

    def close(self) -> None:
        """Remove all of it; nobody may use it any more."""
        with self._lock:
            self._all.clear()
            shutil.rmtree(self._folder, ignore_errors=True)
