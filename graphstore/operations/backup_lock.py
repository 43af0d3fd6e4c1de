"""A lock between backups and compaction: unused files of a fleet are not deleted while a backup copies them.

A backup reads the journal at one commit and then copies the files that the journal named then. Sealing and
compaction continue meanwhile and list files they no longer need in ``discarded``. A file on that list may be deleted
only under the exclusive lock on the fleet's ``backup.lock``.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ...errors import FleetLockedError, StoreError

_LOCK: Final = "backup.lock"


@contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Prevent the deletion of files of the fleet in ``folder``; waits for a deletion in progress."""
    with _held(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Prevent backups from starting. Raises FleetLockedError while one is running."""
    with _held(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        yield


@contextmanager
def _held(folder: Path, mode: int) -> Iterator[None]:
    try:
        file = (folder / _LOCK).open("a")
    except OSError as error:
        raise StoreError(
            f"{folder / _LOCK}: cannot be opened: {error}; a backup needs permission to write there"
        ) from error
    with file:
        try:
            fcntl.flock(file, mode)
        except BlockingIOError:
            raise FleetLockedError(f"{folder}: a backup is running; wait until it has finished") from None
        yield
