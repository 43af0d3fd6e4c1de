"""Sealing of samples into files: the hot rows of a period, or a batch that is large enough for a file of its own.

The order ensures that a crash leaves at worst an unregistered file: the file is written and synced; then one
transaction registers it, deletes exactly the hot rows it contains, keeps superseded values, and discards the file
it replaces. A sealing holds :attr:`Sealer.lock` from reading to registering.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np

from ...errors import InputError
from ..interfaces import SampleBatch
from . import hot
from .periods import bounds, split
from .rows import EMPTY, MergedRows, Rows, differing, merge_versions, sort_and_deduplicate
from .source import SampleSource

LEAST_ROWS: Final = 4096
"""The minimum of rows of a batch, or of a period that is not over yet, that are written to a file."""


@dataclass(frozen=True)
class WrittenFile:
    """A Parquet file written but not yet registered: its rows, the file it replaces, the hot rows it covers."""

    series: str
    file: hot.Sealed
    old: hot.Sealed | None
    rows: MergedRows
    window: tuple[int, int]
    known_until: int
    """Hot rows in the window of commits up to this one are in the file."""
    moved: int
    """The number of these rows."""


@dataclass(frozen=True)
class _Present:
    """The stored samples of a series and period; ``number`` is 0 for a series without samples so far."""

    number: int
    old: hot.Sealed | None
    hot_rows: Rows
    last: int


@dataclass(frozen=True)
class PendingFiles:
    """A commit's batches, ready for its transaction: written files, and rows too few for a file."""

    files: Sequence[WrittenFile] = ()
    few: Sequence[tuple[str, Rows]] = ()
    counts: Sequence[tuple[str, int]] = ()
    """The number of new or changed samples of each series."""


@dataclass
class Sealer:
    """Writes sealed files for one database and archive."""

    source: SampleSource
    lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def prepare(self, sequence: int, batches: Sequence[SampleBatch]) -> Iterator[PendingFiles]:
        """Write the files for ``batches`` of commit ``sequence``; the commit's transaction, inside, registers them.

        Raises InputError for invalid samples, StoreError if the archive refuses.
        """
        if not batches:
            yield PendingFiles()
            return
        with self.lock:
            files: list[WrittenFile] = []
            few: list[tuple[str, Rows]] = []
            counts: list[tuple[str, int]] = []
            for iri, rows in _gather(sequence, batches):
                count = 0
                for period, part in split(rows.times):
                    new = self.source.reading(partial(self._changed, iri, rows.pick(part)))
                    count += len(new)
                    if len(new) < LEAST_ROWS:
                        few.append((iri, new))
                    elif file := self._write(iri, period, bounds(period), new):
                        files.append(file)
                counts.append((iri, count))
            yield PendingFiles(files, few, counts)

    def _changed(self, iri: str, rows: Rows, connection: sqlite3.Connection) -> Rows:
        number = hot.number_of(connection, iri)
        if number is None:
            return rows
        return differing(self.source.rows(connection, number, int(rows.times[0]), int(rows.times[-1]) + 1), rows)

    def seal(self, iri: str, period: str, end: int) -> WrittenFile | None:
        """Write the hot rows of a period before ``end`` together with its sealed rows; None without hot rows."""
        start, close = bounds(period)
        return self._write(iri, period, (start, min(end, close)), EMPTY)

    def _write(self, iri: str, period: str, window: tuple[int, int], new: Rows) -> WrittenFile | None:
        # Imported with the first file that is written.
        from .parquet import encode

        present = self.source.reading(partial(self._present, iri, period, window))
        if not len(present.hot_rows) and not len(new):
            return None
        sealed = EMPTY if present.old is None else self.source.load(present.old)
        merged = merge_versions([sealed, present.hot_rows, new])
        rows = merged.current
        data = encode(iri, rows)
        digest = hashlib.sha256(data).hexdigest()
        name = f"{period}/{hashlib.sha256(iri.encode()).hexdigest()[:16]}-{digest[:16]}.parquet"
        self.source.archive.put(name, data)
        file = hot.Sealed(
            series=present.number,
            period=period,
            file=name,
            rows=len(rows),
            first=int(rows.times[0]),
            last=int(rows.times[-1]),
            sequence=int(rows.sequences.max()),
            bytes=len(data),
            sha256=digest,
        )
        return WrittenFile(iri, file, present.old, merged, window, present.last, len(present.hot_rows))

    @staticmethod
    def _present(iri: str, period: str, window: tuple[int, int], connection: sqlite3.Connection) -> _Present:
        last = int(connection.execute("SELECT coalesce(max(sequence), 0) FROM commits").fetchone()[0])
        number = hot.number_of(connection, iri)
        if number is None:
            return _Present(0, None, EMPTY, last)
        old, rows = hot.sealed_period(connection, number, period), hot.hot_rows(connection, number, *window)
        return _Present(number, old, rows, last)

    def register(self, writer: sqlite3.Connection, written: WrittenFile, now: int) -> None:
        """Register a written file, inside a transaction."""
        number = written.file.series or hot.give_number(writer, written.series)
        writer.execute(
            # A row changed by a later commit since is newer than the file's and stays.
            "DELETE FROM samples WHERE series = ? AND time >= ? AND time < ? AND sequence <= ?",
            (number, *written.window, written.known_until),
        )
        hot.keep_superseded(writer, number, written.rows)
        hot.register(writer, replace(written.file, series=number), written.old, now)


def _gather(sequence: int, batches: Sequence[SampleBatch]) -> Iterator[tuple[str, Rows]]:
    """The rows of each series over all its batches; the last value for a time counts."""
    parts: dict[str, list[SampleBatch]] = {}
    for batch in batches:
        parts.setdefault(batch.series.value, []).append(batch)
    for iri, items in parts.items():
        try:
            times, values = sort_and_deduplicate(
                np.concatenate([item.times for item in items]), np.concatenate([item.values for item in items])
            )
        except InputError as error:
            raise InputError(f"series {iri}: {error}") from None
        if len(times):
            yield iri, Rows(times, values, np.full(len(times), sequence, np.int64))
