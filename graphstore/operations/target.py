"""A new folder that is there whole or not at all: it is made under another name and renamed when it is done."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import StoreError
from .manifest import sync_folder


@contextmanager
def new_folder(path: Path, what: str) -> Iterator[Path]:
    """Gives a folder beside ``path``, which becomes ``path`` if all goes well and is taken away if not.

    Raises StoreError where ``path`` is there already, or the disk does not take it (``what`` names the work).
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StoreError(f"{path}: is there already; choose a new folder")
    unfinished = path.with_name(f"{path.name}.unfinished")
    if unfinished.exists():
        raise StoreError(f"{unfinished}: is left from work that was ended, or under way; delete it if nothing runs")
    try:
        try:
            unfinished.mkdir(parents=True)
            yield unfinished
            if path.exists():
                path.rmdir()
            unfinished.rename(path)
            sync_folder(path.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)  # what went wrong is what to tell of
            raise
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: the {what} was given up and nothing of it is left: {error}") from error
