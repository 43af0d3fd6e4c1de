"""The tables of samples in the journal's database: hot rows, superseded values, and the registered sealed files.

Statements only: each takes the connection of its reader or writer. A value superseded by a later commit is kept
by the trigger ``samples_keep`` (see tables.py), a repeated value changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
from pyoxigraph import NamedNode

from ...errors import StoreError
from ..database.hashes import SampleRow
from ..interfaces import Sample
from .rows import EMPTY, MergedRows, Rows, latest_values

PLACE: Final = "series/"
"""The prefix of sealed files in the table ``discarded``."""

_ROW: Final = np.dtype([("time", np.int64), ("value", np.float64), ("sequence", np.int64)])
_COLUMNS: Final = "SELECT time, value, sequence FROM"
_WINDOW: Final = "WHERE series = ? AND time >= ? AND time < ? ORDER BY time"


@dataclass(frozen=True)
class Sealed:
    """One file: a series' samples of one period. ``first``, ``last``: their times; ``sequence``: its newest commit."""

    series: int
    period: str
    file: str
    rows: int
    first: int
    last: int
    sequence: int
    bytes: int
    sha256: str


_SEALED: Final = "SELECT series, period, file, rows, first, last, sequence, bytes, sha256 FROM sealed"
_REGISTER: Final = """INSERT OR REPLACE INTO sealed VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
    row_hash((SELECT iri FROM series WHERE id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))"""


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run several statements over the same state: a row is either still hot or already sealed, never neither."""
    if connection.in_transaction:
        yield connection
        return
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.execute("ROLLBACK")  # it only read


def number_of(connection: sqlite3.Connection, series: str) -> int | None:
    """The number of a series' IRI; None for a series without samples."""
    row = connection.execute("SELECT id FROM series WHERE iri = ?", (series,)).fetchone()
    return None if row is None else int(row[0])


def give_number(writer: sqlite3.Connection, series: str) -> int:
    """The number of a series; a new one is assigned if it has none."""
    writer.execute("INSERT INTO series (iri) VALUES (?) ON CONFLICT DO NOTHING", (series,))
    return int(writer.execute("SELECT id FROM series WHERE iri = ?", (series,)).fetchone()[0])


def give_numbers(
    writer: sqlite3.Connection, samples: Sequence[Sample], known: Mapping[NamedNode, int]
) -> dict[NamedNode, int]:
    """The numbers of the series of some samples."""
    numbers: dict[NamedNode, int] = {}
    for sample in samples:
        if sample.series not in numbers:
            numbers[sample.series] = known.get(sample.series) or give_number(writer, sample.series.value)
    return numbers


def insert_rows(writer: sqlite3.Connection, sequence: int, rows: Sequence[SampleRow]) -> list[SampleRow]:
    """Add rows of series' number, time and value; return those that are new or changed.

    A later value for the same time replaces the earlier one.
    """
    if not rows:
        return []
    changed = writer.executemany(
        "INSERT INTO samples VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET value = excluded.value, sequence = excluded.sequence WHERE value <> excluded.value",
        [(series, time, value, sequence) for series, time, value in rows],
    ).rowcount
    latest = {(series, time): value for series, time, value in rows}
    if changed == len(rows):
        return [(*key, value) for key, value in latest.items()]
    stored = "SELECT series, time, value FROM samples WHERE series = ? AND time = ? AND sequence = ?"
    found = (writer.execute(stored, (*key, sequence)).fetchone() for key in latest)
    return [row for row in found if row is not None]


def hot_rows(connection: sqlite3.Connection, series: int, start: int, end: int) -> Rows:
    """The hot rows of one series in [start, end), ascending."""
    return _rows(connection.execute(f"{_COLUMNS} samples {_WINDOW}", (series, start, end)))


def superseded_rows(connection: sqlite3.Connection, series: int, start: int, end: int) -> Rows:
    """Values of one series in [start, end) that later commits superseded."""
    return _rows(connection.execute(f"{_COLUMNS} samples_replaced {_WINDOW}", (series, start, end)))


def nearest_hot(connection: sqlite3.Connection, series: int, time: int, as_of: int | None, *, before: bool) -> Rows:
    """The nearest hot row on one side of ``time``, or, as of a commit, the nearest superseded one."""
    side, order = ("<", "DESC") if before else (">", "ASC")
    limit = f"AND sequence <= ? ORDER BY time {order}, sequence DESC LIMIT 1"
    tables = ("samples",) if as_of is None else ("samples", "samples_replaced")
    until = 2**63 - 1 if as_of is None else as_of
    return latest_values(
        [
            _rows(
                connection.execute(
                    f"{_COLUMNS} {table} WHERE series = ? AND time {side} ? {limit}", (series, time, until)
                )
            )
            for table in tables
        ]
    )


def _rows(cursor: sqlite3.Cursor) -> Rows:
    try:
        table = np.fromiter(cursor, _ROW)
    except (ValueError, TypeError, OverflowError) as error:
        raise StoreError(f"samples in the journal are damaged ({error}); run `voltwin fsck`") from error
    if not len(table):
        return EMPTY
    return Rows(*(np.ascontiguousarray(table[name]) for name in ("time", "value", "sequence")))


def sealed_files(connection: sqlite3.Connection, series: int, start: int, end: int) -> list[Sealed]:
    """The files of one series that may hold samples in [start, end), in order of time."""
    statement = f"{_SEALED} WHERE series = ? AND last >= ? AND first < ? ORDER BY first"
    return [Sealed(*row) for row in connection.execute(statement, (series, start, end))]


def sealed_period(connection: sqlite3.Connection, series: int, period: str) -> Sealed | None:
    """The file of one series and period."""
    row = connection.execute(f"{_SEALED} WHERE series = ? AND period = ?", (series, period)).fetchone()
    return None if row is None else Sealed(*row)


def all_sealed(connection: sqlite3.Connection) -> list[Sealed]:
    """Every registered file."""
    return [Sealed(*row) for row in connection.execute(f"{_SEALED} ORDER BY series, first")]


def register(writer: sqlite3.Connection, item: Sealed, old: Sealed | None, now: int) -> None:
    """Register a file in place of ``old``, which is then no longer needed."""
    writer.execute(_REGISTER, astuple(item))
    if old is not None and old.file != item.file:
        discard(writer, old.file, now)
    writer.execute("DELETE FROM discarded WHERE file = ?", (PLACE + item.file,))


def discard(writer: sqlite3.Connection, file: str, now: int) -> None:
    """List a file for deletion; a running backup may still be copying it."""
    put = "INSERT OR REPLACE INTO discarded VALUES (?1, ?2, row_hash(?1, ?2))"
    writer.execute(put, (PLACE + file, now))


def keep_superseded(writer: sqlite3.Connection, series: int, versions: MergedRows) -> None:
    """Keep superseded values, each with the commit that superseded it."""
    current, superseded = versions
    newer = current.sequences[np.searchsorted(current.times, superseded.times)]
    columns = (superseded.times, superseded.values, superseded.sequences, newer)
    writer.executemany(
        # A third value may have existed between the two, which then superseded it.
        "INSERT OR IGNORE INTO samples_replaced SELECT ?1, ?2, ?3, ?4, coalesce((SELECT min(sequence) "
        "FROM samples_replaced WHERE series = ?1 AND time = ?2 AND sequence > ?4), ?5)",
        ((series, *row) for row in zip(*(column.tolist() for column in columns), strict=True)),
    )
