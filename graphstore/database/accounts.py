"""Accounts of rows that change without a commit: what left a commit's samples, and the sums over whole tables.

They are kept by triggers of the writer's own connection, so that no statement of the journal can forget them, and are
written once, at the end of each transaction. A row that is lost, added or changed by anything else is found by
comparison (:mod:`.check`).
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Final

from .tables import PROVED
from .tally import add, pack, subtract, tally_row, total, unpack

DELETED: Final = 0
"""The number under which ``moved`` keeps the samples of all deleted commits together."""

_CHECKPOINT: Final = "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'checkpoint'"
_IRI: Final = "(SELECT iri FROM series WHERE id = {row}.series)"
_SAMPLE: Final = f"SELECT note_sample({{sign}}, {{row}}.sequence, {_IRI}, {{row}}.time, {{row}}.value);"


class Accounts:
    """The accounts of one writing connection."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        self._writer = writer
        self._rows: Counter[str] = Counter()
        self._samples: Counter[int] = Counter()
        writer.create_function("note_row", 3, self._note_row)
        writer.create_function("note_sample", 5, self._note_sample)
        writer.execute("PRAGMA temp_store = MEMORY")
        writer.execute("PRAGMA recursive_triggers = ON")  # else a row that is replaced is not seen to go
        for name, (event, body) in _triggers().items():
            writer.execute(f"CREATE TEMP TRIGGER {name} AFTER {event} BEGIN {body} END")

    def _note_row(self, table: str, sign: int, proof: bytes) -> None:
        self._rows[table] += sign * int.from_bytes(proof, "little")

    def _note_sample(self, sign: int, sequence: int, series: str, time: int, value: float) -> None:
        self._samples[sequence] += sign * tally_row(series, time, value)

    def clear(self) -> None:
        """Forget what a transaction noted."""
        self._rows.clear()
        self._samples.clear()

    def write(self) -> None:
        """Write what the transaction under way noted, as its last statements."""
        # Reading of a total notes nothing, so the order does not matter.
        for table, change in self._rows.items():
            raise_total(self._writer, table, change)
        if self._samples:
            row = self._writer.execute(_CHECKPOINT).fetchone()
            last = 0 if row is None else int(row[0])
            for sequence, change in self._samples.items():
                raise_moved(self._writer, DELETED if sequence <= last else sequence, change)
        self.clear()


def _triggers() -> dict[str, tuple[str, str]]:
    found = {}
    for table in PROVED:
        gone, come = (f"SELECT note_row('{table}', {sign}, {row}.proof);" for sign, row in ((-1, "old"), (1, "new")))
        found[f"{table}_come"] = (f"INSERT ON main.{table}", come)
        found[f"{table}_gone"] = (f"DELETE ON main.{table}", gone)
        found[f"{table}_changed"] = (f"UPDATE ON main.{table}", gone + come)
    left, back = _SAMPLE.format(sign=1, row="old"), _SAMPLE.format(sign=-1, row="new")
    found["samples_left"] = ("DELETE ON main.samples", left)
    # The old value goes into samples_replaced, which notes it as back.
    found["samples_over"] = ("UPDATE ON main.samples WHEN old.sequence < new.sequence", left)
    found["replaced_left"] = ("DELETE ON main.samples_replaced", left)
    found["replaced_back"] = ("INSERT ON main.samples_replaced", back)
    return found


def raise_total(writer: sqlite3.Connection, table: str, change: int) -> None:
    """Add to the total of a table."""
    row = writer.execute("SELECT total FROM totals WHERE name = ?", (table,)).fetchone()
    new = pack(add(unpack(row and row[0]), change)) or b""
    writer.execute("INSERT OR REPLACE INTO totals VALUES (?, ?)", (table, new))


def raise_moved(writer: sqlite3.Connection, sequence: int, change: int) -> None:
    """Add to the tally of the samples that left a commit."""
    row = writer.execute("SELECT tally FROM moved WHERE sequence = ?", (sequence,)).fetchone()
    tally = pack(add(unpack(row and row[0]), change))
    if tally is None:
        writer.execute("DELETE FROM moved WHERE sequence = ?", (sequence,))
    else:
        writer.execute("INSERT OR REPLACE INTO moved VALUES (?, ?)", (sequence, tally))


def forget_commits(writer: sqlite3.Connection, before: int) -> None:
    """Keep the samples of commits that are about to be deleted under one number."""
    had = writer.execute("SELECT tally FROM commits WHERE sequence < ? AND tally IS NOT NULL", (before,))
    left = writer.execute("SELECT tally FROM moved WHERE sequence < ? AND sequence != ?", (before, DELETED))
    present = subtract(*(total(unpack(stored) for (stored,) in rows.fetchall()) for rows in (had, left)))
    writer.execute("DELETE FROM moved WHERE sequence < ? AND sequence != ?", (before, DELETED))
    raise_moved(writer, DELETED, -present)
