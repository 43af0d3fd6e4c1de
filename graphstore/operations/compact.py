"""Compaction: delete old history and samples, seal samples into files, delete unused files, shrink the databases."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ...errors import FleetLockedError
from ..engines.oxigraph import OxigraphStore
from ..folder import FleetFolder
from ..history.snapshots import Compacted, History, Retention
from ..interfaces import RetentionResult, Sealing
from ..journal.bulk_files import LoadFiles
from ..journal.commit import Committer
from ..journal.sqlite_journal import SqliteJournal
from ..series.options import read_options
from . import backup_lock
from .progress import Progress, no_progress
from .retention import retain_series

AUTHOR: Final = "voltwin compact"
"""The author of the commit that updates the statistics of shortened series."""


@dataclass(frozen=True)
class CompactionOptions:
    """The history to keep, and the time before which samples are sealed (None: as in fleet.json)."""

    history: Retention
    seal_before: datetime | None = None


@dataclass(frozen=True)
class CompactionResult:
    """The data that a compaction deleted or moved; sizes in bytes of the whole folder."""

    history: Compacted
    retained: RetentionResult
    """Samples deleted because they are older than fleet.json keeps them."""
    sealed: Sealing
    deleted: int
    """Unused files."""
    backup_running: bool
    """Whether unused files were kept because a backup was running."""
    before: int
    after: int


def compact(
    folder: FleetFolder,
    committer: Committer,
    options: CompactionOptions,
    now: datetime,
    progress: Progress = no_progress,
) -> CompactionResult:
    """Compact a fleet that this process holds. Every step may be killed. Raises StoreError (disk full)."""
    journal, store = committer.journal, committer.store
    assert isinstance(journal, SqliteJournal)
    before = size_of(folder.path)
    progress("deleting old history", 0, 0)
    history = History(journal.database, LoadFiles(folder.loads)).keep(options.history, now)
    series = read_options(folder.path)
    retained = RetentionResult()
    if series.keep_days is not None:
        progress("deleting old samples", 0, 0)
        retained = retain_series(committer, now - timedelta(days=series.keep_days), AUTHOR, now)
    progress("sealing samples", 0, 0)
    sealed = journal.series.seal(options.seal_before or now - timedelta(days=series.hot_days))
    progress("deleting files", 0, 0)
    deleted, running = 0, True
    with suppress(FleetLockedError), backup_lock.exclusive(folder.path):
        deleted, running = _delete(folder, journal), False
    progress("shrinking the databases", 0, 0)
    if isinstance(store, OxigraphStore):
        store.optimize()
    else:
        store.flush()
    journal.database.maintain("VACUUM")
    journal.database.maintain("PRAGMA wal_checkpoint(TRUNCATE)")
    return CompactionResult(history, retained, sealed, deleted, running, before, size_of(folder.path))


def _delete(folder: FleetFolder, journal: SqliteJournal) -> int:
    deleted = journal.series.files.delete_discarded()
    reader = journal.database.reader()
    loads = [file for (file,) in reader.execute("SELECT file FROM discarded WHERE file LIKE 'loads/%'")]
    for file in loads:
        (folder.path / file).unlink(missing_ok=True)
        with journal.database.transaction() as writer:
            writer.execute("DELETE FROM discarded WHERE file = ?", (file,))
    return deleted + len(loads)


def size_of(folder: Path) -> int:
    """Bytes of all files below ``folder``."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it was deleted meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total
