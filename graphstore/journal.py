"""The journal: one SQLite database per fleet that takes every group commit in one transaction.

When :meth:`SqliteJournal.append` returns, the entry is on disk (WAL, ``synchronous=FULL``); only then
may a message be acknowledged. The triple store is a view of it and can be made anew at any time.

The samples of the series live in the same database, so that graph and series cannot disagree.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import NamedNode

from ..errors import FleetVersionError, StoreError
from ..ontology.literals import from_microseconds, to_microseconds
from .interfaces import Commit, Due, Entry, GraphChange, QueuedRun
from .series import SeriesTable

SCHEMA_VERSION: Final = 1
_MAX_VARIABLES: Final = 500  # SQLite allows 32766 today; older builds 999

_SCHEMA: Final = """
CREATE TABLE commits (sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, author TEXT NOT NULL,
                      dead_letters INTEGER NOT NULL) STRICT;
CREATE TABLE changes (sequence INTEGER NOT NULL REFERENCES commits, graph TEXT NOT NULL,
                      removed TEXT NOT NULL, added TEXT NOT NULL) STRICT;
CREATE INDEX changes_by_sequence ON changes (sequence);
CREATE TABLE messages (key TEXT PRIMARY KEY, sequence INTEGER NOT NULL REFERENCES commits) STRICT, WITHOUT ROWID;
CREATE TABLE series (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE samples (series INTEGER NOT NULL REFERENCES series, time INTEGER NOT NULL, value REAL NOT NULL,
                      sequence INTEGER NOT NULL, PRIMARY KEY (series, time)) STRICT, WITHOUT ROWID;
CREATE TABLE runs (id TEXT PRIMARY KEY, action TEXT NOT NULL, twin TEXT NOT NULL, moment INTEGER NOT NULL,
                   cause TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
                   queued INTEGER NOT NULL REFERENCES commits,
                   finished INTEGER REFERENCES commits) STRICT, WITHOUT ROWID;
CREATE INDEX runs_open ON runs (queued) WHERE state = 'queued';
CREATE TABLE due (action TEXT NOT NULL, twin TEXT NOT NULL, next INTEGER NOT NULL,
                  PRIMARY KEY (action, twin)) STRICT, WITHOUT ROWID;
"""


class SqliteJournal:
    """The journal in a SQLite file. One writer; reading is safe from any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        try:
            self._writer = self._connect()
        except sqlite3.Error as error:
            raise StoreError(f"{file}: cannot open the journal: {error}") from error
        self._readers = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        self._prepare()
        self._last = self._writer.execute("SELECT coalesce(max(sequence), 0) FROM commits").fetchone()[0]
        self._series = SeriesTable(self._reader)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit that returned survives power loss, not only the end of the process.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = OFF")
        return connection

    def _prepare(self) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            self._writer.close()
            raise FleetVersionError(
                f"{self._file}: journal version {version} is newer than this voltwin's ({SCHEMA_VERSION}); "
                "upgrade voltwin"
            )
        if version == 0:
            self._writer.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"{self._file.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=30
            )
            self._readers.connection = connection
            with self._lock:
                self._open_readers.append(connection)
        return connection

    @property
    def last_sequence(self) -> int:
        """The number of the newest commit."""
        return int(self._last)

    def append(self, entry: Entry) -> int:
        """Make ``entry`` durable. Raises StoreError (disk full, file gone); then nothing was taken."""
        with self._lock:
            sequence = self._last + 1
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._insert(sequence, entry)
                self._writer.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                # Text and numbers that SQLite cannot hold are refused before they reach it.
                if isinstance(error, sqlite3.Error | UnicodeError | OverflowError):
                    raise StoreError(f"{self._file}: the commit was not taken: {error}") from error
                raise
            self._last = sequence
            return int(sequence)

    def _roll_back(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # closed: there is nothing to roll back
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def _insert(self, sequence: int, entry: Entry) -> None:
        execute, many = self._writer.execute, self._writer.executemany
        execute(
            "INSERT INTO commits VALUES (?, ?, ?, ?)",
            (sequence, to_microseconds(entry.time), entry.author, entry.dead_letters),
        )
        many(
            "INSERT INTO changes VALUES (?, ?, ?, ?)",
            [(sequence, change.graph.value, change.removed, change.added) for change in entry.changes],
        )
        many("INSERT INTO messages VALUES (?, ?)", [(key, sequence) for key in entry.message_keys])
        self._series.insert(self._writer, sequence, entry.samples)
        many(
            # A run asked for twice (same action, twin and moment) is the same run.
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, 'queued', '', ?, NULL) ON CONFLICT DO NOTHING",
            [
                (run.id, run.action.value, run.twin.value, to_microseconds(run.moment), run.cause, sequence)
                for run in entry.queued
            ],
        )
        many(
            "UPDATE runs SET state = ?, reason = ?, finished = ? WHERE id = ? AND state = 'queued'",
            [(run.state, run.reason, sequence, run.id) for run in entry.finished],
        )
        many(
            "INSERT INTO due VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
            [
                (due.action.value, due.twin.value, to_microseconds(due.next))
                for due in entry.due
                if due.next is not None
            ],
        )
        many(
            "DELETE FROM due WHERE action = ? AND twin = ?",
            [(due.action.value, due.twin.value) for due in entry.due if due.next is None],
        )

    def since(self, sequence: int) -> Iterator[Commit]:
        """All commits after ``sequence``, in order."""
        commits = self._reader().execute(
            "SELECT sequence, time, author FROM commits WHERE sequence > ? ORDER BY sequence", (sequence,)
        )
        for number, time, author in commits:
            rows = self._reader().execute(
                "SELECT graph, removed, added FROM changes WHERE sequence = ? ORDER BY rowid", (number,)
            )
            changes = tuple(GraphChange(NamedNode(graph), removed, added) for graph, removed, added in rows)
            yield Commit(number, author, from_microseconds(time), changes)

    def known_messages(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of ``keys`` that some commit has taken already."""
        return self._known("SELECT key FROM messages WHERE key IN", keys)

    def known_runs(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of ``ids`` that some commit has queued already, whatever became of them."""
        return self._known("SELECT id FROM runs WHERE id IN", ids)

    def _known(self, question: str, keys: Sequence[str]) -> frozenset[str]:
        known: set[str] = set()
        for start in range(0, len(keys), _MAX_VARIABLES):
            part = list(keys[start : start + _MAX_VARIABLES])
            marks = ",".join("?" * len(part))
            known.update(key for (key,) in self._reader().execute(f"{question} ({marks})", part))
        return frozenset(known)

    def queued_runs(self) -> list[QueuedRun]:
        """Runs that are due and not finished, oldest first."""
        rows = self._reader().execute(
            "SELECT id, action, twin, moment, cause FROM runs WHERE state = 'queued' ORDER BY queued, id"
        )
        return [
            QueuedRun(id_, NamedNode(action), NamedNode(twin), from_microseconds(moment), cause)
            for id_, action, twin, moment, cause in rows
        ]

    def due_table(self) -> list[Due]:
        """When each scheduled action of each twin is next due."""
        rows = self._reader().execute("SELECT action, twin, next FROM due ORDER BY next, action, twin")
        return [Due(NamedNode(action), NamedNode(twin), from_microseconds(moment)) for action, twin, moment in rows]

    def counts(self) -> Mapping[str, int]:
        """Totals: commits, messages, samples, dead letters, and runs by state."""
        reader = self._reader()
        totals = {
            "commits": self.last_sequence,
            "messages": reader.execute("SELECT count(*) FROM messages").fetchone()[0],
            "samples": reader.execute("SELECT count(*) FROM samples").fetchone()[0],
            "deadLetters": reader.execute("SELECT coalesce(sum(dead_letters), 0) FROM commits").fetchone()[0],
        }
        states = dict(reader.execute("SELECT state, count(*) FROM runs GROUP BY state"))
        return totals | {state: states.get(state, 0) for state in ("queued", "succeeded", "skipped", "failed")}

    def read(
        self, series: NamedNode, start: int | None = None, end: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times (n,) and values (n,) of ``series`` in [start, end)."""
        return self._series.read(series, start, end)

    def aggregate(
        self, series: NamedNode, function: str, start: int | None = None, end: int | None = None
    ) -> float | None:
        """One figure over [start, end)."""
        return self._series.aggregate(series, function, start, end)

    def at(self, series: NamedNode, time: int) -> float | None:
        """The value in force at ``time``."""
        return self._series.at(series, time)

    def close(self) -> None:
        """Let go of the file; readers of other threads are closed too."""
        with self._lock, closing(self._writer):
            for connection in self._open_readers:
                connection.close()
            self._open_readers.clear()
