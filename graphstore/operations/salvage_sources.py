"""The sources of a salvage: the pieces of a folder's journal, and a copy of its graph. The folder stays as it is."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from ...errors import StoreError
from ..database.sqlite import Database
from ..database.tables import VERSIONS
from ..engines.registry import DEFAULT, open_store
from ..folder import FleetFolder, read_folder
from ..interfaces import TripleStore
from ..journal.bulk_files import LoadFiles
from ..series.archives.registry import open_archive
from ..series.options import read_options
from .backup import JOURNAL
from .pieces import JournalPieces


def read_pieces(name: str, folder: Path, scratch: Path, opened: ExitStack) -> JournalPieces:
    """A folder's journal on a copy; an empty one where it cannot be opened, and its files all the same."""
    scratch.mkdir()
    for suffix in ("", "-wal"):  # what is in SQLite's log is part of it
        with suppress(FileNotFoundError):
            shutil.copyfile(folder / f"{JOURNAL}{suffix}", scratch / f"{JOURNAL}{suffix}")
    try:
        database = Database(scratch / JOURNAL, VERSIONS, create=False)
    except StoreError:
        database = Database(scratch / "empty.sqlite", VERSIONS)
    opened.enter_context(closing(database))
    archive = opened.enter_context(closing(open_archive(read_options(folder).archive, folder / "series")))
    return JournalPieces(name, database, LoadFiles(folder / "loads"), archive)


def refuse_foreign(folder: FleetFolder, backup: Path, sources: Sequence[JournalPieces]) -> None:
    """Raise StoreError if ``backup``, the second of ``sources``, is of another fleet than ``folder``."""
    mine, theirs = (source.texts for source in sources)
    for name, other in (("base", read_folder(backup).base), ("fleet", theirs.get("fleet", ""))):
        wanted = folder.base if name == "base" else mine.get("fleet", folder.id)
        if other and wanted and other != wanted:
            raise StoreError(f"{backup}: is of the {name} {other}, and {folder.path} is {wanted}; name its own backup")


def copied_view(folder: FleetFolder, copy: Path, opened: ExitStack) -> TripleStore | None:
    """The fleet's graph, of an embedded one a copy; None if it cannot be read."""
    if folder.store.engine == DEFAULT and not folder.graph.exists():
        return None
    try:
        if folder.store.engine == DEFAULT:
            shutil.copytree(folder.graph, copy)
        store = opened.enter_context(closing(open_store(folder.store, copy, folder.base)))
        # An engine that has applied nothing says nothing.
        return store if store.last_applied() else None
    except (StoreError, OSError, RuntimeError):
        return None
