"""Moving samples into files: hot rows of a period, or a batch that is large enough to go there at once.

In this order, so that a crash leaves at worst a file that nothing names: the file is written and synced; then one
transaction names it, takes away exactly the hot rows it holds, keeps the values that lost their place, and notes
the file it stands in for as discarded. Who seals holds :attr:`Sealer.lock` from reading to naming.
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
from .rows import EMPTY, Rows, differing, merge_versions, sort_and_deduplicate
from .source import SampleSource

LEAST_ROWS: Final = 4096
"""A period that is not over yet is sealed in pieces of so many rows at least, a batch goes to a file from here on."""


@dataclass(frozen=True)
class WrittenFile:
    """A file that is written and not yet named: what it holds, what it replaces, which hot rows it stands for."""

    series: str
    file: hot.Sealed
    old: hot.Sealed | None
    stands: Rows
    lost: Rows
    window: tuple[int, int]
    known_until: int
    """Hot rows in the window of commits up to this one are in the file."""
    moved: int
    """How many those are."""


@dataclass(frozen=True)
class _Present:
    """What there is of a series and period; ``number`` is 0 for a series without samples so far."""

    number: int
    old: hot.Sealed | None
    warm: Rows
    last: int


@dataclass(frozen=True)
class PendingFiles:
    """A commit's batches, ready for its transaction: files that are written, and rows too few for one."""

    pieces: Sequence[WrittenFile] = ()
    few: Sequence[tuple[str, Rows]] = ()
    counts: Sequence[tuple[str, int]] = ()
    """How many samples each batch brought that said something new."""


@dataclass
class Sealer:
    """Writes sealed files for one database and archive."""

    source: SampleSource
    lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def prepare(self, sequence: int, batches: Sequence[SampleBatch]) -> Iterator[PendingFiles]:
        """Write what ``batches`` of commit ``sequence`` come to; name it in the commit's transaction, inside.

        Raises InputError for samples that are none, StoreError where the archive refuses.
        """
        if not batches:
            yield PendingFiles()
            return
        with self.lock:
            pieces: list[WrittenFile] = []
            few: list[tuple[str, Rows]] = []
            counts: list[tuple[str, int]] = []
            for iri, rows in _gather(sequence, batches):
                count = 0
                for period, part in split(rows.times):
                    coming = self.source.reading(partial(self._news, iri, rows.pick(part)))
                    count += len(coming)
                    if len(coming) < LEAST_ROWS:
                        few.append((iri, coming))
                    elif piece := self._write(iri, period, bounds(period), coming):
                        pieces.append(piece)
                counts.append((iri, count))
            yield PendingFiles(pieces, few, counts)

    def _news(self, iri: str, rows: Rows, connection: sqlite3.Connection) -> Rows:
        number = hot.number_of(connection, iri)
        if number is None:
            return rows
        return differing(self.source.rows(connection, number, int(rows.times[0]), int(rows.times[-1]) + 1), rows)

    def seal(self, iri: str, period: str, end: int) -> WrittenFile | None:
        """Write the hot rows of a period before ``end`` together with what is sealed of it; None: nothing is hot."""
        start, close = bounds(period)
        return self._write(iri, period, (start, min(end, close)), EMPTY)

    def _write(self, iri: str, period: str, window: tuple[int, int], coming: Rows) -> WrittenFile | None:
        # Loaded with the first file that is written.
        from .parquet import encode

        present = self.source.reading(partial(self._present, iri, period, window))
        if not len(present.warm) and not len(coming):
            return None
        below = EMPTY if present.old is None else self.source.load(present.old)
        stands, lost = merge_versions([below, present.warm, coming])
        data = encode(iri, stands)
        digest = hashlib.sha256(data).hexdigest()
        name = f"{period}/{hashlib.sha256(iri.encode()).hexdigest()[:16]}-{digest[:16]}.parquet"
        self.source.archive.put(name, data)
        file = hot.Sealed(
            series=present.number,
            period=period,
            file=name,
            rows=len(stands),
            first=int(stands.times[0]),
            last=int(stands.times[-1]),
            sequence=int(stands.sequences.max()),
            bytes=len(data),
            sha256=digest,
        )
        return WrittenFile(iri, file, present.old, stands, lost, window, present.last, len(present.warm))

    @staticmethod
    def _present(iri: str, period: str, window: tuple[int, int], connection: sqlite3.Connection) -> _Present:
        last = int(connection.execute("SELECT coalesce(max(sequence), 0) FROM commits").fetchone()[0])
        number = hot.number_of(connection, iri)
        if number is None:
            return _Present(0, None, EMPTY, last)
        old, warm = hot.sealed_period(connection, number, period), hot.hot_rows(connection, number, *window)
        return _Present(number, old, warm, last)

    def name(self, writer: sqlite3.Connection, piece: WrittenFile, now: int) -> None:
        """Make a written file part of its series, inside a transaction."""
        number = piece.file.series or hot.give_number(writer, piece.series)
        writer.execute(
            # A row that a later commit has touched since is newer than the file's and stays.
            "DELETE FROM samples WHERE series = ? AND time >= ? AND time < ? AND sequence <= ?",
            (number, *piece.window, piece.known_until),
        )
        hot.keep_replaced(writer, number, piece.lost, piece.stands)
        hot.register(writer, replace(piece.file, series=number), piece.old, now)


def _gather(sequence: int, batches: Sequence[SampleBatch]) -> Iterator[tuple[str, Rows]]:
    """A series at a time, whatever number of batches it comes in; the last value for a time counts."""
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
