"""The tables of samples in the journal's database: what is hot, what was replaced, what is sealed where.

Statements only: each takes the connection of whoever reads or writes. A value that a later commit replaces is kept
by the trigger ``samples_keep`` (see tables.py), a value that comes again changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from pyoxigraph import NamedNode

from ..interfaces import Sample
from .rows import EMPTY, Rows, latest_values

PLACE: Final = "series/"
"""How the names of sealed files begin in the table ``discarded``."""

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


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Several statements that see the same state: a row is either still hot or already sealed, never neither."""
    if connection.in_transaction:
        yield connection
        return
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.execute("ROLLBACK")  # it only read


def number_of(connection: sqlite3.Connection, series: str) -> int | None:
    """The number that stands for a series' IRI; None for a series without samples."""
    row = connection.execute("SELECT id FROM series WHERE iri = ?", (series,)).fetchone()
    return None if row is None else int(row[0])


def give_number(writer: sqlite3.Connection, series: str) -> int:
    """The number of a series, a new one if it has none."""
    writer.execute("INSERT INTO series (iri) VALUES (?) ON CONFLICT DO NOTHING", (series,))
    return int(writer.execute("SELECT id FROM series WHERE iri = ?", (series,)).fetchone()[0])


def insert(
    writer: sqlite3.Connection, sequence: int, samples: Sequence[Sample], known: Mapping[NamedNode, int]
) -> None:
    """Add samples; a later value for the same time replaces the earlier one."""
    numbers: dict[NamedNode, int] = {}
    for sample in samples:
        if sample.series not in numbers:
            numbers[sample.series] = known.get(sample.series) or give_number(writer, sample.series.value)
    insert_rows(writer, sequence, ((numbers[sample.series], sample.time, sample.value) for sample in samples))


def insert_rows(writer: sqlite3.Connection, sequence: int, rows: Iterable[tuple[int, int, float]]) -> None:
    """Add rows of series' number, time and value."""
    writer.executemany(
        "INSERT INTO samples VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET value = excluded.value, sequence = excluded.sequence WHERE value <> excluded.value",
        ((series, time, value, sequence) for series, time, value in rows),
    )


def hot_rows(connection: sqlite3.Connection, series: int, start: int, end: int) -> Rows:
    """The hot rows of one series in [start, end), ascending."""
    return _rows(connection.execute(f"{_COLUMNS} samples {_WINDOW}", (series, start, end)))


def replaced_rows(connection: sqlite3.Connection, series: int, start: int, end: int) -> Rows:
    """Values of one series in [start, end) that later commits replaced."""
    return _rows(connection.execute(f"{_COLUMNS} samples_replaced {_WINDOW}", (series, start, end)))


def nearest_hot(connection: sqlite3.Connection, series: int, time: int, as_of: int | None, *, before: bool) -> Rows:
    """The hot row next to ``time`` on one side of it, and, as of a commit, the replaced one."""
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
    table = np.fromiter(cursor, _ROW)
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
    """Every file that is part of the series."""
    return [Sealed(*row) for row in connection.execute(f"{_SEALED} ORDER BY series, first")]


def register(writer: sqlite3.Connection, item: Sealed, old: Sealed | None, now: int) -> None:
    """Make a file part of the series in place of ``old``, which nothing refers to from here on."""
    writer.execute(
        "INSERT OR REPLACE INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            item.series,
            item.period,
            item.file,
            item.rows,
            item.first,
            item.last,
            item.sequence,
            item.bytes,
            item.sha256,
        ),
    )
    if old is not None and old.file != item.file:
        discard(writer, old.file, now)
    writer.execute("DELETE FROM discarded WHERE file = ?", (PLACE + item.file,))


def discard(writer: sqlite3.Connection, file: str, now: int) -> None:
    """Note a file for deletion; a backup that is under way may still be copying it."""
    writer.execute("INSERT OR REPLACE INTO discarded VALUES (?, ?)", (PLACE + file, now))


def keep_replaced(writer: sqlite3.Connection, series: int, lost: Rows, stands: Rows) -> None:
    """Keep values that lost their place to a newer one among ``stands``, each with the commit that replaced it."""
    newer = stands.sequences[np.searchsorted(stands.times, lost.times)]
    columns = (lost.times, lost.values, lost.sequences, newer)
    writer.executemany(
        # Between the two there may have been a third value, which then was what replaced it.
        "INSERT OR IGNORE INTO samples_replaced SELECT ?1, ?2, ?3, ?4, coalesce((SELECT min(sequence) "
        "FROM samples_replaced WHERE series = ?1 AND time = ?2 AND sequence > ?4), ?5)",
        ((series, *row) for row in zip(*(column.tolist() for column in columns), strict=True)),
    )
