"""Samples beside the triples: (series, time) -> value, in the journal's own database.

A series is named by the IRI of its node in the graph. Times are microseconds since 1970 UTC, values
are in the series' unit (the graph says which), an interval is [start, end).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import NamedNode

from ...errors import InputError
from ..interfaces import Sample

FIRST: Final = -(2**63)
LAST: Final = 2**63 - 1

_AGGREGATES: Final = {
    "min": "SELECT min(value) FROM samples WHERE series = ? AND time >= ? AND time < ?",
    "max": "SELECT max(value) FROM samples WHERE series = ? AND time >= ? AND time < ?",
    "mean": "SELECT avg(value) FROM samples WHERE series = ? AND time >= ? AND time < ?",
    "sum": "SELECT sum(value) FROM samples WHERE series = ? AND time >= ? AND time < ?",
    "count": "SELECT nullif(count(*), 0) FROM samples WHERE series = ? AND time >= ? AND time < ?",
}


class SeriesTable:
    """The two tables ``series`` and ``samples``; ``reader`` gives the calling thread's connection."""

    def __init__(self, reader: Callable[[], sqlite3.Connection]) -> None:
        self._reader = reader
        self._ids: dict[NamedNode, int] = {}

    def insert(self, writer: sqlite3.Connection, sequence: int, samples: Sequence[Sample]) -> None:
        """Add samples inside the writer's transaction; a later value for the same time replaces it."""
        ids: dict[NamedNode, int] = {}
        for sample in samples:
            if sample.series not in ids:
                ids[sample.series] = self._ids.get(sample.series) or self._create(writer, sample.series)
        writer.executemany(
            "INSERT INTO samples VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET value = excluded.value, sequence = excluded.sequence",
            [(ids[sample.series], sample.time, sample.value, sequence) for sample in samples],
        )

    def _create(self, writer: sqlite3.Connection, series: NamedNode) -> int:
        # Not remembered here: should the transaction fail, the number would be wrong for good.
        writer.execute("INSERT INTO series (iri) VALUES (?) ON CONFLICT DO NOTHING", (series.value,))
        row = writer.execute("SELECT id FROM series WHERE iri = ?", (series.value,)).fetchone()
        return int(row[0])

    def _id(self, series: NamedNode) -> int | None:
        known = self._ids.get(series)
        if known is None:
            row = self._reader().execute("SELECT id FROM series WHERE iri = ?", (series.value,)).fetchone()
            if row is None:
                return None
            known = self._ids[series] = int(row[0])
        return known

    def read(
        self, series: NamedNode, start: int | None = None, end: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times (n,) and values (n,), ascending in time; empty for an unknown series."""
        number = self._id(series)
        rows = (
            []
            if number is None
            else self._reader()
            .execute(
                "SELECT time, value FROM samples WHERE series = ? AND time >= ? AND time < ? ORDER BY time",
                (number, FIRST if start is None else start, LAST if end is None else end),
            )
            .fetchall()
        )
        if not rows:
            return np.empty(0, np.int64), np.empty(0, np.float64)
        times, values = zip(*rows, strict=True)
        return np.array(times, np.int64), np.array(values, np.float64)

    def aggregate(
        self, series: NamedNode, function: str, start: int | None = None, end: int | None = None
    ) -> float | None:
        """One figure over [start, end); None where there is no sample."""
        if function not in _AGGREGATES:
            raise InputError(f"aggregate {function!r}: unknown; there are {', '.join(_AGGREGATES)}")
        number = self._id(series)
        if number is None:
            return None
        window = (number, FIRST if start is None else start, LAST if end is None else end)
        value = self._reader().execute(_AGGREGATES[function], window).fetchone()[0]
        return None if value is None else float(value)

    def at(self, series: NamedNode, time: int) -> float | None:
        """The latest value not after ``time``."""
        number = self._id(series)
        if number is None:
            return None
        row = (
            self._reader()
            .execute(
                "SELECT value FROM samples WHERE series = ? AND time <= ? ORDER BY time DESC LIMIT 1",
                (number, time),
            )
            .fetchone()
        )
        return None if row is None else float(row[0])
