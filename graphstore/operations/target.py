"""Creation of a folder, complete or not at all: it is filled under another name and renamed at the end."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import StoreError
from ..series.archives.folder import sync_folder


@contextmanager
def new_folder(path: Path, what: str) -> Iterator[Path]:
    """A folder beside ``path``, renamed to ``path`` on success and deleted on failure.

    Raises StoreError if ``path`` exists already or the disk is full (``what`` names the work).
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StoreError(f"{path}: exists already; choose a new folder")
    unfinished = path.with_name(f"{path.name}.unfinished")
    if unfinished.exists():
        raise StoreError(f"{unfinished}: remains from interrupted work, or is in use; delete it if nothing runs")
    try:
        try:
            unfinished.mkdir(parents=True)
            yield unfinished
            if path.exists():
                path.rmdir()
            unfinished.rename(path)
            sync_folder(path.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)  # the first error is the one to report
            raise
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: the {what} failed and nothing of it remains: {error}") from error
