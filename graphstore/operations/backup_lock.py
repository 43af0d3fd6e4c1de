"""Files of a fleet that nothing names any more wait for compaction; while a backup runs they stay.

A backup reads the journal at one commit and then copies the files that the journal named then. Sealing and
compaction go on meanwhile, and what they no longer need is noted in ``discarded``. It is deleted only by who has
the fleet's ``backup.lock`` alone.
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
    """While this is open nobody deletes files of the fleet in ``folder``. Waits for who is deleting."""
    with _held(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """While this is open no backup starts. Raises FleetLockedError where one is under way."""
    with _held(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        yield


@contextmanager
def _held(folder: Path, mode: int) -> Iterator[None]:
    try:
        file = (folder / _LOCK).open("a")
    except OSError as error:
        raise StoreError(
            f"{folder / _LOCK}: cannot be opened: {error}; who backs a fleet up must write there"
        ) from error
    with file:
        try:
            fcntl.flock(file, mode)
        except BlockingIOError:
            raise FleetLockedError(f"{folder}: a backup is under way; wait for its end") from None
        yield
