"""Giving room back: history nobody asks for, samples into files, files that nothing names, the databases' slack."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ...errors import FleetLockedError
from ..folder import FleetFolder
from ..history.snapshots import Compacted, History, Retention
from ..interfaces import RetentionResult, Sealing
from ..journal.commit import Committer
from ..journal.sqlite_journal import SqliteJournal
from ..series.options import read_options
from . import backup_lock
from .progress import Progress, no_progress
from .retention import retain_series

AUTHOR: Final = "voltwin compact"
"""Whose commit says in the graph that samples are gone."""


@dataclass(frozen=True)
class CompactionOptions:
    """What to compact: days of history to keep (None: all), samples to seal (None: as fleet.json says)."""

    history: Retention
    seal_before: datetime | None = None


@dataclass(frozen=True)
class CompactionResult:
    """What a compaction came to; sizes in bytes of the whole folder."""

    history: Compacted
    retained: RetentionResult
    """Samples older than what fleet.json keeps; none where it says nothing."""
    sealed: Sealing
    deleted: int
    """Files that nothing named."""
    backup_running: bool
    """Whether they had to stay because a backup was under way."""
    before: int
    after: int


def compact(
    folder: FleetFolder,
    committer: Committer,
    journal: SqliteJournal,
    history: History,
    optimize_store: Callable[[], None],
    wanted: CompactionOptions,
    now: datetime,
    progress: Progress = no_progress,
) -> CompactionResult:
    """Compact a fleet that this process holds. Every step is safe to be killed in. Raises StoreError (disk full)."""
    before = size_of(folder.path)
    progress("forgetting history", 0, 0)
    forgotten = history.keep(wanted.history, now)
    series = read_options(folder.path)
    retained = RetentionResult()
    if series.keep_days is not None:
        progress("letting go of old samples", 0, 0)
        retained = retain_series(committer, now - timedelta(days=series.keep_days), AUTHOR, now)
    progress("sealing samples", 0, 0)
    sealed = journal.series.seal(wanted.seal_before or now - timedelta(days=series.hot_days))
    progress("deleting files", 0, 0)
    deleted, running = 0, True
    with suppress(FleetLockedError), backup_lock.exclusive(folder.path):
        deleted, running = _delete(folder, journal), False
    progress("tidying the databases", 0, 0)
    optimize_store()
    journal.database.maintain("VACUUM")
    journal.database.maintain("PRAGMA wal_checkpoint(TRUNCATE)")
    return CompactionResult(forgotten, retained, sealed, deleted, running, before, size_of(folder.path))


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
        with suppress(FileNotFoundError):  # it went while we looked
            total += file.stat().st_size if file.is_file() else 0
    return total
