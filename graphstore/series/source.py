"""The sources of rows: the hot table, the sealed files, and, as of a commit, the superseded values.

A reading uses one snapshot of the database, so that rows being sealed are seen once. A file named by the snapshot
may have been replaced and deleted before it is opened; then the reading is repeated.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from pyoxigraph import NamedNode

from ...errors import StoreError
from ..database.sqlite import Database
from . import hot
from .archives.archive import SealedFileMissing, SeriesArchive
from .rows import FIRST, LAST, Rows, latest_values, not_withdrawn

CACHE_ROWS: Final = 4_000_000
"""Rows of sealed files kept in memory, 24 bytes each; a file never changes, so they cannot be stale."""

_TRIES: Final = 3

T = TypeVar("T")


class SampleSource:
    """Reads rows by series, for any thread."""

    def __init__(self, database: Database, archive: SeriesArchive, cache_rows: int = CACHE_ROWS) -> None:
        self.database = database
        self.archive = archive
        self._numbers: dict[NamedNode, int] = {}
        self._cache: OrderedDict[str, Rows] = OrderedDict()
        self._cached, self._cache_rows = 0, cache_rows
        self._lock = threading.Lock()

    def reading(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Call ``read`` inside one snapshot. Raises StoreError if a file is missing or damaged."""
        for _ in range(_TRIES - 1):
            try:
                return self._once(read)
            except SealedFileMissing:
                continue
        return self._once(read)

    def _once(self, read: Callable[[sqlite3.Connection], T]) -> T:
        with hot.snapshot(self.database.reader()) as connection:
            return read(connection)

    @property
    def numbers(self) -> dict[NamedNode, int]:
        """The cached numbers of series on disk."""
        return self._numbers

    def number(self, connection: sqlite3.Connection, series: NamedNode) -> int | None:
        """The number of a series; None if it has no samples."""
        known = self._numbers.get(series)
        if known is None:
            known = hot.number_of(connection, series.value)
            # A snapshot shows committed rows only, so a cached number stays valid.
            if known is not None:
                self._numbers[series] = known
        return known

    def rows(
        self, connection: sqlite3.Connection, series: int, start: int = FIRST, end: int = LAST, as_of: int | None = None
    ) -> Rows:
        """The rows in [start, end), as of now or of a commit."""
        parts = [self.load(item).within(start, end) for item in hot.sealed_files(connection, series, start, end)]
        parts.append(hot.hot_rows(connection, series, start, end))
        if as_of is not None:
            parts.append(hot.superseded_rows(connection, series, start, end))
        return not_withdrawn(latest_values(parts, as_of))

    def with_neighbours(
        self, connection: sqlite3.Connection, series: int, start: int | None, end: int | None, as_of: int | None
    ) -> Rows:
        """The rows in [start, end] and the next one on either side."""
        low, high = FIRST if start is None else start, LAST if end is None else end
        parts = [self.rows(connection, series, low, min(high, LAST - 1) + 1, as_of)]
        if start is not None:
            parts.insert(0, self._neighbour(connection, series, start, as_of, before=True))
        if end is not None:
            parts.append(self._neighbour(connection, series, end, as_of, before=False))
        return latest_values(parts)

    def _neighbour(
        self, connection: sqlite3.Connection, series: int, time: int, as_of: int | None, *, before: bool
    ) -> Rows:
        found = [hot.nearest_hot(connection, series, time, as_of, before=before)]
        window = (FIRST, time) if before else (time + 1, LAST)
        files = hot.sealed_files(connection, series, *window)
        for item in reversed(files) if before else files:
            rows = self.load(item).within(*window)
            rows = rows if as_of is None else rows.pick(rows.sequences <= as_of)
            if len(rows):
                found.append(rows.pick(slice(-1, None) if before else slice(1)))
                break
        rows = latest_values(found)
        nearest = rows.pick(slice(-1, None) if before else slice(1))
        if len(nearest) == len(not_withdrawn(nearest)):
            return nearest
        rows = self.rows(connection, series, *window, as_of)  # the nearest one was taken back: look at all of them
        return rows.pick(slice(-1, None) if before else slice(1))

    def load(self, item: hot.Sealed) -> Rows:
        """The rows of a sealed file. Raises SealedFileMissing, StoreError if it is damaged."""
        with self._lock:
            rows = self._cache.get(item.file)
            if rows is not None:
                self._cache.move_to_end(item.file)
                return rows
        rows = decode_file(item, self.archive.get(item.file), self.archive.address)
        with self._lock:
            if item.file not in self._cache:
                self._cache[item.file] = rows
                self._cached += len(rows)
            while self._cached > self._cache_rows and self._cache:
                self._cached -= len(self._cache.popitem(last=False)[1])
        return rows


def decode_file(item: hot.Sealed, data: bytes, address: str) -> Rows:
    """The rows of a file; its content is checked against its hash. Raises StoreError if it is damaged."""
    # Imported with the first sealed file: a fleet without any starts a fifth of a second sooner.
    import pyarrow as pa

    from .parquet import decode

    if hashlib.sha256(data).hexdigest() != item.sha256:
        raise StoreError(
            f"{address}: the sealed file {item.file} is damaged (its content has changed); "
            "take it from a backup, `voltwin fsck` lists its content"
        )
    try:
        return decode(data)
    except (pa.ArrowException, KeyError, OSError) as error:
        raise StoreError(f"{address}: the sealed file {item.file} cannot be read: {error}") from error


def chosen(
    source: SampleSource, connection: sqlite3.Connection, series: Sequence[NamedNode] | None
) -> list[tuple[int, str]]:
    """Number and IRI of some series (unknown ones are skipped) or of all series with samples, by IRI."""
    if series is not None:
        numbers = ((source.number(connection, item), item.value) for item in dict.fromkeys(series))
        return sorted(((n, iri) for n, iri in numbers if n is not None), key=lambda pair: pair[1])
    rows = connection.execute(
        "SELECT id, iri FROM series WHERE EXISTS (SELECT 1 FROM samples WHERE series = id) "
        "OR EXISTS (SELECT 1 FROM sealed WHERE series = id) ORDER BY iri"
    )
    return [(int(number), str(iri)) for number, iri in rows]
