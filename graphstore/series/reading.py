"""Reading of series, one or many: as of now, or as known after a commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pyoxigraph import NamedNode

from ...errors import InputError
from ..interfaces import Samples
from . import hot
from .rows import EMPTY, FIRST, LAST, WITHDRAWN, Rows, Times, Values
from .source import SampleSource, chosen
from .statistics import NAMES, OF_SAMPLES, at, course, duration_below, integral

if TYPE_CHECKING:
    import pyarrow as pa

_SQL_AGGREGATES: Final = {
    "min": "min(value)",
    "max": "max(value)",
    "mean": "avg(value)",
    "sum": "sum(value)",
    "count": "nullif(count(*), 0)",
}
_HOT_ROWS: Final = "FROM samples WHERE series = ? AND time >= ? AND time < ? AND value <> ?"


class SeriesReading:
    """All reading of samples (the protocol ``SeriesReader`` and the reading half of ``SeriesStore``)."""

    def __init__(self, source: SampleSource, as_of: int | None = None) -> None:
        self._source = source
        self._as_of = as_of

    def _rows(self, series: NamedNode, start: int | None, end: int | None) -> Rows:
        low, high = FIRST if start is None else start, LAST if end is None else end
        return self._of(
            series, lambda connection, number: self._source.rows(connection, number, low, high, self._as_of)
        )

    def _of(self, series: NamedNode, read: Callable[[sqlite3.Connection, int], Rows]) -> Rows:
        def with_number(connection: sqlite3.Connection) -> Rows:
            number = self._source.number(connection, series)
            return EMPTY if number is None else read(connection, number)

        return self._source.reading(with_number)

    def read(self, series: NamedNode, start: int | None = None, end: int | None = None) -> Samples:
        """The samples in [start, end); empty for an unknown series."""
        rows = self._rows(series, start, end)
        return Samples(rows.times, rows.values)

    def aggregate(
        self, series: NamedNode, function: str, start: int | None = None, end: int | None = None
    ) -> float | None:
        """A statistic over [start, end); None without samples. Raises InputError for an unknown statistic."""
        if function not in NAMES:
            raise InputError(f"aggregate {function!r}: unknown; there are {', '.join(NAMES)}")
        if function == "integral":
            times, values = self._course(series, start, end)
            return integral(times, values) if len(times) else None
        if function in _SQL_AGGREGATES and self._as_of is None:
            plain = self._hot_aggregate(series, function, start, end)
            if plain is not NotImplemented:
                return plain
        rows = self._rows(series, start, end)
        return OF_SAMPLES[function](rows.values) if len(rows) else None

    def _hot_aggregate(self, series: NamedNode, function: str, start: int | None, end: int | None) -> float | None:
        """The statistic by SQLite itself, ten times as fast as over rows; NotImplemented if some rows are sealed."""
        window = (FIRST if start is None else start, LAST if end is None else end)

        def read(connection: sqlite3.Connection) -> float | None:
            number = self._source.number(connection, series)
            if number is None:
                return None
            if hot.sealed_files(connection, number, *window):
                return NotImplemented  # type: ignore[no-any-return]  # the caller checks for it
            found = connection.execute(f"SELECT {_SQL_AGGREGATES[function]} {_HOT_ROWS}", (number, *window, WITHDRAWN))
            row = found.fetchone()
            return None if row[0] is None else float(row[0])

        return self._source.reading(read)

    def at(self, series: NamedNode, time: int) -> float | None:
        """The value of the course at ``time``; None before the first sample and after the last."""
        rows = self._with_neighbours(series, time, time)
        return at(rows.times, rows.values, time)

    def duration_below(
        self, series: NamedNode, limit: float, start: int | None = None, end: int | None = None
    ) -> float | None:
        """The seconds of [start, end) for which the course is below ``limit``; None without a course."""
        times, values = self._course(series, start, end)
        return duration_below(times, values, limit) if len(times) else None

    def _course(self, series: NamedNode, start: int | None, end: int | None) -> tuple[Times, Values]:
        if start is not None and end is not None and start > end:
            return EMPTY.times, EMPTY.values
        rows = self._with_neighbours(series, start, end)
        return course(rows.times, rows.values, start, end)

    def _with_neighbours(self, series: NamedNode, start: int | None, end: int | None) -> Rows:
        neighbours = self._source.with_neighbours
        return self._of(series, lambda at, number: neighbours(at, number, start, end, self._as_of))

    def series(self) -> list[NamedNode]:
        """Every series that has samples, in the order of their IRIs."""
        return self._source.reading(
            lambda connection: [NamedNode(iri) for _, iri in chosen(self._source, connection, None)]
        )

    def read_table(
        self, series: Iterable[NamedNode] | None = None, start: int | None = None, end: int | None = None
    ) -> pa.Table:
        """Samples of some series (None: of all) as one Arrow table: ``series``, ``time``, ``value``."""
        from .parquet import as_table

        wanted = None if series is None else list(series)
        low, high = FIRST if start is None else start, LAST if end is None else end

        def read(connection: sqlite3.Connection) -> pa.Table:
            parts = []
            for number, iri in chosen(self._source, connection, wanted):
                rows = self._source.rows(connection, number, low, high, self._as_of)
                parts.append((iri, rows.times, rows.values))
            return as_table(parts)

        return self._source.reading(read)

    def resample(
        self,
        bucket: timedelta,
        function: str = "mean",
        series: Iterable[NamedNode] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> pa.Table:
        """A statistic for each series and bucket of time with samples: ``series``, ``time``, ``value``, ``count``.

        Buckets are aligned to 1970-01-01T00:00Z. Raises InputError for an unknown statistic or an empty bucket.
        """
        from .buckets import resample

        wanted = None if series is None else list(series)
        window = (FIRST if start is None else start, LAST if end is None else end)
        return self._source.reading(
            lambda connection: resample(self._source, connection, bucket, function, wanted, window, self._as_of)
        )
