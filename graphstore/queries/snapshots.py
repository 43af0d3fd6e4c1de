"""The snapshot for query workers: one folder of hard links, replaced when the store has changed.

It is taken under the writer's lock, so it contains every commit acknowledged before. A folder is deleted when no
query uses it and a newer one exists. Folders left by a killed process are deleted on opening.
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
    """Provides the newest snapshot of ``store``, stored below ``folder``."""

    def __init__(self, store: Snapshots, folder: Path, writing: AbstractContextManager[object]) -> None:
        self._store, self._folder, self._writing = store, folder, writing
        self._lock = threading.Lock()
        self._all: list[_Snapshot] = []
        self._taken = 0
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lent(self) -> Iterator[Path]:
        """A folder that does not change during the context. Raises StoreError."""
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
            # A commit missing in the store is not acknowledged yet either.
            if newest is None or newest.writes != self._store.writes:
                return None
            newest.users += 1
            return newest

    def _take(self) -> _Snapshot:
        # The writer's lock is taken first: its holder may call this method too.
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
        """Delete unused snapshots, except for the newest ``keep``."""
        for snapshot in self._all[: len(self._all) - keep]:
            if not snapshot.users:
                shutil.rmtree(snapshot.folder)
                self._all.remove(snapshot)

    def drop(self) -> None:
        """Delete unused snapshots; the next query takes a new one."""
        with self._lock:
            self._remove(keep=0)

    def close(self) -> None:
        """Delete all snapshots, which may not be used any more."""
        with self._lock:
            self._all.clear()
            shutil.rmtree(self._folder, ignore_errors=True)
