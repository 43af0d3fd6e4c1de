"""A backup while the fleet runs: everything as of one commit, checked before it is complete.

    backup = back_up(read_folder(Path("plant")), Path("plant-2026-11-23"))

The journal is copied by SQLite's online backup inside one reading transaction, so the writer never waits and the
copy is the journal after one commit. It contains the hot samples; the sealed files and bulk loads that it names
are copied beside it: they never change, and are not deleted meanwhile (see backup_lock.py). The graph is a view of
the journal: it is not part of a backup, a restore builds it again.

Files in an archive at another address (S3 and the like) stay there; the manifest lists them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ...errors import StoreError
from ...ontology.literals import format_time
from ..database.sqlite import Database
from ..database.tables import VERSIONS
from ..folder import FleetFolder
from ..history.past_graphs import PastGraphs
from ..journal.bulk_files import LoadFiles, place_of
from ..journal.verification import prove
from ..series.options import read_options
from . import backup_lock
from .manifest import FileEntry, Manifest, copy_file, entry_of
from .progress import Progress, no_progress
from .target import new_folder

FORMAT: Final = "voltwin-backup"
JOURNAL: Final = "journal.sqlite"
_PAGES: Final = 2048


@dataclass(frozen=True)
class Backup:
    """The content of a backup: everything up to commit ``sequence``."""

    folder: Path
    sequence: int
    graphs: int
    triples: int
    files: int
    size: int
    elsewhere: int
    """Sealed files that stay at the archive's address."""


@dataclass(frozen=True)
class _NamedFiles:
    """The files named by a journal of ``sequence`` commits."""

    local: Mapping[str, str | None]
    """Files in the fleet's folder, with the SHA-256 if the journal has it."""
    elsewhere: Sequence[str]
    """Sealed files at the archive's address."""
    sequence: int


def back_up(
    folder: FleetFolder,
    destination: Path,
    *,
    progress: Progress = no_progress,
    compare: Callable[[Path], None] | None = None,
) -> Backup:
    """Back up the fleet in ``folder`` into ``destination``, which must be new.

    ``compare`` checks the copy before it is complete and raises StoreError if it is defective.
    Raises StoreError (disk full, a file missing or damaged); then nothing remains at ``destination``.
    """
    with backup_lock.shared(folder.path), new_folder(destination, "backup") as place:
        _copy_journal(folder.journal, place / JOURNAL, progress)
        named = _named_files(folder, place / JOURNAL)
        files = {"fleet.json": copy_file(folder.path / "fleet.json", place / "fleet.json")}
        for number, (name, sha256) in enumerate(named.local.items()):
            progress("copying files", number, len(named.local))
            files[name] = _copy(folder.path, place, name, sha256)
        graphs, triples = check_state(place / JOURNAL, place / "loads", named.sequence, progress)
        files[JOURNAL] = entry_of(place / JOURNAL)
        created = format_time(datetime.now(UTC).replace(microsecond=0))
        if compare is not None:
            compare(place)
        archive = read_options(folder.path).archive
        facts = {"graphs": graphs, "triples": triples, "archive": archive, "elsewhere": named.elsewhere}
        Manifest(FORMAT, folder.base, named.sequence, created, files, facts).write(place)
        size = sum(entry.size for entry in files.values())
    return Backup(destination, named.sequence, graphs, triples, len(files), size, len(named.elsewhere))


def _copy_journal(source: Path, target: Path, progress: Progress) -> None:
    # Opened the usual way first, for a clear error about the file or its version.
    Database(source, VERSIONS, writable=False).close()
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=30)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as writing,
    ):
        # One reading transaction over all steps: without it every commit meanwhile would restart the copy.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM facts").fetchone()
        reading.backup(
            writing,
            pages=_PAGES,
            progress=lambda _, left, total: progress("copying the journal", total - left, total),
        )
        reading.execute("COMMIT")
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        check_journal(writing, target)


def check_journal(connection: sqlite3.Connection, file: Path) -> None:
    """Check a journal's pages and indexes for consistency. Raises StoreError."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise StoreError(f"{file}: SQLite finds it damaged ({'; '.join(found)}); restore an earlier backup")


def _named_files(folder: FleetFolder, journal: Path) -> _NamedFiles:
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as reading:
        (sequence,) = reading.execute("SELECT coalesce(max(sequence), 0) FROM commits").fetchone()
        loads = [file for (file,) in reading.execute("SELECT DISTINCT file FROM loads ORDER BY file")]
        sealed = dict(reading.execute("SELECT DISTINCT file, sha256 FROM sealed ORDER BY file").fetchall())
    local: dict[str, str | None] = {place_of(file): None for file in loads}
    if read_options(folder.path).archive:
        return _NamedFiles(local, sorted(sealed), int(sequence))
    return _NamedFiles(local | {f"series/{file}": sha256 for file, sha256 in sealed.items()}, [], int(sequence))


def _copy(source: Path, target: Path, name: str, sha256: str | None) -> FileEntry:
    try:
        entry = copy_file(source / name, target / name)
    except FileNotFoundError:
        raise StoreError(
            f"{source / name}: the journal names it and it is missing; `voltwin fsck` lists its content"
        ) from None
    if sha256 is not None and entry.sha256 != sha256:
        raise StoreError(f"{source / name}: is damaged; take it from an older backup, `voltwin fsck` lists its content")
    return entry


def check_state(journal: Path, loads: Path, sequence: int, progress: Progress) -> tuple[int, int]:
    """Read every graph of a journal as of ``sequence``: the numbers of graphs and triples.

    Raises JournalDamagedError, or StoreError if a bulk load is missing or damaged: the view could not be built from it.
    """
    database = Database(journal, VERSIONS, writable=False)
    try:
        progress("checking hashes", 0, 0)
        prove(database)
        past = PastGraphs(database, LoadFiles(loads))
        names = past.graphs(sequence) if sequence else []
        graphs = triples = 0
        for number, name in enumerate(names):
            progress("checking graphs", number, len(names))
            found = len(past.lines(name, sequence))
            graphs, triples = graphs + bool(found), triples + found
        return graphs, triples
    finally:
        database.close()
