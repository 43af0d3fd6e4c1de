"""The fleet's history: past states that are quick to read, kept for the time of the retention.

    history = History(journal.database, loads)
    history.graph(twin, 4711)                        # N-Triples of a graph after commit 4711
    history.compact(datetime(2024, 1, 1, tzinfo=UTC))

A graph gets a snapshot when as many changes have accumulated as it has triples: reading a past state
costs at most a few times the state itself, and the snapshots together cost less than the changes they cover.

Compaction deletes the changes up to a horizon and keeps the resulting state. It runs in steps, a transaction each; it
may be killed between any two, and the next one finishes it. Nothing is deleted before snapshots replace it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pyoxigraph import NamedNode

from ...errors import InputError, MomentNotFoundError, StoreError
from ...ontology.literals import to_microseconds
from ..database.accounts import forget_commits
from ..database.chain import CHECKPOINT, HISTORY_BEGINS, MESSAGES_BEGIN, RUNS_BEGIN, link_before, set_meta
from ..database.check import keep_runs
from ..database.sqlite import Database
from ..journal.bulk_files import place_of
from ..journal.changes import Slot
from ..journal.sqlite_journal import FORGOTTEN
from .past_graphs import AsOf, LoadReader, PastGraphs, pack, text_of

_LOG: Final = logging.getLogger(__name__)

SNAPSHOT_AFTER: Final = 1000
"""Changed slots after which a graph gets a snapshot; for large graphs twice the number of their triples."""

SNAPSHOT_AT_ONCE: Final = 50_000
"""The most triples of a graph that a commit may wait for; compaction takes snapshots of larger ones."""

_ROWS_AT_ONCE: Final = 20_000
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Retention:
    """Days for which data is kept; None: for ever.

    ``history``: changes, for reading the past; ``messages``: keys, for recognising repeated messages; ``runs``:
    finished runs. The newest commit is always kept.
    """

    history: float | None = None
    messages: float | None = None
    runs: float | None = None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Retention:
        """Read the object ``history`` of fleet.json: ``{"keep_days": 90, "keep_messages_days": 30, …}``."""
        names = {"keep_days": "history", "keep_messages_days": "messages", "keep_runs_days": "runs"}
        unknown = sorted(document.keys() - names.keys())
        if unknown:
            raise InputError(f"history: {', '.join(unknown)} is unknown; there are {', '.join(names)}")
        for name, days in document.items():
            if days is not None and (isinstance(days, bool) or not isinstance(days, int | float) or days < 0):
                raise InputError(f"history: {name} is {days!r}; give a number of days, or null for ever")
        return cls(**{field: document.get(name) for name, field in names.items()})


@dataclass(frozen=True)
class Compacted:
    """The counts of deleted data, and the commit at which the history begins."""

    begins: int
    snapshots: int = 0
    changes: int = 0
    loads: int = 0
    commits: int = 0
    messages: int = 0
    runs: int = 0


class History(PastGraphs):
    """Past states of one journal, with snapshots and compaction by the journal's one writer."""

    def __init__(self, database: Database, loads: LoadReader | None) -> None:
        super().__init__(database, loads)
        self._changed: Counter[NamedNode] = Counter()
        self._sizes: dict[NamedNode, int] = {}

    def follow(self, sequence: int, touched: Sequence[Slot]) -> None:
        """Process one commit: take a snapshot of each graph with enough changes since its last one."""
        due = [graph for graph, slots in Counter(slot[0] for slot in touched).items() if self._due(graph, slots)]
        if not due:
            return
        try:
            self._take(due, sequence)
        except StoreError:
            # The commit itself is on disk; without the snapshot its state is only slower to read.
            _LOG.warning("no snapshot after commit %d; the next commits try again", sequence, exc_info=True)

    def _due(self, graph: NamedNode, slots: int) -> bool:
        if graph not in self._changed:
            self._changed[graph], self._sizes[graph] = self._since_snapshot(graph)
        self._changed[graph] += slots
        size = self._sizes[graph]
        return size <= SNAPSHOT_AT_ONCE and self._changed[graph] >= max(SNAPSHOT_AFTER, 2 * size)

    def _since_snapshot(self, graph: NamedNode) -> tuple[int, int]:
        """The changes of a graph since its last snapshot, and its triples then."""
        with self.reading() as reader:
            row = reader.execute("SELECT id FROM graphs WHERE iri = ?", (graph.value,)).fetchone()
            if row is None:
                return 0, 0
            (number,) = row
            newest = reader.execute(
                "SELECT sequence, size FROM snapshots WHERE graph = ? ORDER BY sequence DESC LIMIT 1", (number,)
            ).fetchone()
            sequence, size = newest or (0, 0)
            window = (number, sequence)
            (changes,) = reader.execute(
                "SELECT count(*) FROM changes WHERE graph = ? AND sequence > ?", window
            ).fetchone()
            (loaded,) = reader.execute(
                "SELECT coalesce(sum(triples), 0) FROM loads WHERE graph = ? AND sequence > ?", window
            ).fetchone()
            return int(changes), int(size) + int(loaded)

    def snapshot(self, graph: NamedNode, sequence: int) -> int:
        """Store the whole content of ``graph`` after commit ``sequence``; returns its number of triples."""
        self._take([graph], sequence)
        return self._sizes[graph]

    def _take(self, graphs: Sequence[NamedNode], sequence: int) -> None:
        contents = {graph: self.lines(graph, sequence) for graph in graphs}
        with self.database.transaction() as writer:
            writer.executemany(
                "INSERT OR REPLACE INTO snapshots SELECT id, ?1, ?2, ?3, row_hash(iri, ?1, ?2, ?3) FROM graphs "
                "WHERE iri = ?4",
                [(sequence, len(lines), pack(text_of(lines)), graph.value) for graph, lines in contents.items()],
            )
        for graph, lines in contents.items():
            self._changed[graph], self._sizes[graph] = 0, len(lines)

    def keep(self, retention: Retention, now: datetime) -> Compacted:
        """Delete the data that ``retention`` no longer keeps at ``now``."""
        before, messages, runs = (
            None if days is None else now - days * _DAY
            for days in (retention.history, retention.messages, retention.runs)
        )
        return self.compact(before, messages=messages, runs=runs, now=now)

    def compact(
        self, before: AsOf | None, *, messages: datetime | None = None, runs: datetime | None = None, now: datetime
    ) -> Compacted:
        """Delete the changes and loads of every commit up to ``before``, and keep the resulting state.

        Keys of messages and finished runs are deleted if their commits are not after ``messages`` and ``runs``. A
        moment before the history deletes nothing; the newest commit is always kept. Repeating it changes nothing.
        Raises StoreError (disk full); steps completed until then remain.
        """
        if self.span() is None:
            return Compacted(0)
        # Bounds first: finding a moment requires commits that are deleted below.
        bounds = [self._bound(item) for item in (before, messages, runs)]
        horizon = max(bounds[0], self.begins)
        snapshots = self._cover_with_snapshots(horizon)
        self._begin_at(horizon)
        changes = self._delete("changes", "sequence <= ?", horizon)
        loads = self._forget_loads(horizon, now)
        self._delete("commit_samples", "sequence <= ?", horizon, key="(sequence, series)")
        self._drop_superseded(horizon)
        deleted_messages = self._forget_messages(bounds[1])
        deleted_runs = self._forget_runs(bounds[2])
        commits = self._forget_commits(horizon)
        return Compacted(horizon, snapshots, changes, loads, commits, deleted_messages, deleted_runs)

    def _bound(self, wanted: AsOf | None) -> int:
        if wanted is None:
            return 0
        with self.reading() as reader:
            (newest,) = reader.execute("SELECT max(sequence) FROM commits").fetchone()
        most = int(newest) - 1
        if isinstance(wanted, int):
            return max(0, min(wanted, most))
        try:
            return min(self.sequence_at(wanted), most)
        except MomentNotFoundError:
            return 0

    def _cover_with_snapshots(self, horizon: int) -> int:
        """Take a snapshot of every graph that changed up to the horizon since its last one."""
        if not horizon:
            return 0
        taken = 0
        for graph in self.graphs(horizon) if horizon > self.begins else ():
            if self._is_behind(graph, horizon):
                self.snapshot(graph, horizon)
                taken += 1
        self._changed.clear()  # counted again: the counts may include changes after the horizon
        return taken

    def _is_behind(self, graph: NamedNode, horizon: int) -> bool:
        with self.reading() as reader:
            (number,) = reader.execute("SELECT id FROM graphs WHERE iri = ?", (graph.value,)).fetchone()
            window = (number, number, horizon)
            since = "graph = ? AND sequence > coalesce((SELECT max(sequence) FROM snapshots WHERE graph = ? AND sequence <= ?), 0) AND sequence <= ?"  # noqa: E501
            return any(
                reader.execute(f"SELECT 1 FROM {table} WHERE {since} LIMIT 1", (*window, horizon)).fetchone()  # noqa: S608
                for table in ("changes", "loads")
            )

    def _begin_at(self, horizon: int) -> None:
        with self.database.transaction() as writer:
            _raise(writer, HISTORY_BEGINS, horizon)

    def _delete(self, table: str, condition: str, bound: int, key: str = "rowid") -> int:
        """Delete rows of ``table`` in steps, so that no single transaction grows with the journal."""
        statement = (
            f"DELETE FROM {table} WHERE {key} IN (SELECT {key.strip('()')} FROM {table} WHERE {condition} LIMIT ?)"  # noqa: S608
        )
        total = 0
        while True:
            with self.database.transaction() as writer:
                gone = writer.execute(statement, (bound, _ROWS_AT_ONCE)).rowcount
            total += gone
            if gone < _ROWS_AT_ONCE:
                return total

    def _forget_loads(self, horizon: int, now: datetime) -> int:
        with self.database.transaction() as writer:
            files = [
                file for (file,) in writer.execute("SELECT DISTINCT file FROM loads WHERE sequence <= ?", (horizon,))
            ]
            gone = writer.execute("DELETE FROM loads WHERE sequence <= ?", (horizon,)).rowcount
            writer.executemany(
                "INSERT INTO discarded SELECT :place, :now, row_hash(:place, :now) "
                "WHERE NOT EXISTS (SELECT 1 FROM loads WHERE file = :file) ON CONFLICT DO NOTHING",
                [{"place": place_of(file), "now": to_microseconds(now), "file": file} for file in files],
            )
            return gone

    def _drop_superseded(self, horizon: int) -> None:
        with self.database.transaction() as writer:
            writer.execute(
                "DELETE FROM snapshots WHERE sequence < (SELECT max(newer.sequence) FROM snapshots AS newer "
                "WHERE newer.graph = snapshots.graph AND newer.sequence <= ?)",
                (horizon,),
            )
            # An empty graph without earlier changes needs no snapshot.
            writer.execute("DELETE FROM snapshots WHERE size = 0 AND sequence <= ?", (horizon,))

    def _forget_messages(self, bound: int) -> int:
        with self.database.transaction() as writer:
            gone = writer.execute("DELETE FROM messages WHERE sequence <= ?", (bound,)).rowcount
            _count(writer, f"{FORGOTTEN}messages", gone)
            _raise(writer, MESSAGES_BEGIN, bound)
        return gone

    def _forget_runs(self, bound: int) -> int:
        ended = "FROM runs WHERE state != 'queued' AND finished <= ?"
        with self.database.transaction() as writer:
            states = dict(writer.execute(f"SELECT state, count(*) {ended} GROUP BY state", (bound,)).fetchall())
            writer.execute(f"DELETE {ended}", (bound,))
            _raise(writer, RUNS_BEGIN, bound)
            keep_runs(writer)
            for state, gone in states.items():
                _count(writer, FORGOTTEN + state, gone)
        return sum(states.values())

    def _forget_commits(self, horizon: int) -> int:
        """Delete commits before the horizon that no message and no run refers to."""
        with self.database.transaction() as writer:
            row = writer.execute(
                "SELECT min(n) FROM (SELECT min(sequence) AS n FROM messages UNION ALL SELECT min(queued) FROM runs)"
            ).fetchone()
            before = horizon if row[0] is None else min(horizon, int(row[0]))
            gone = "FROM commits WHERE sequence < ?"
            (letters,) = writer.execute(f"SELECT coalesce(sum(dead_letters), 0) {gone}", (before,)).fetchone()
            _count(writer, f"{FORGOTTEN}deadLetters", letters)
            forget_commits(writer, before)
            last = link_before(writer, before)
            if last.sequence:
                set_meta(writer, CHECKPOINT, f"{last.sequence} {last.hash.hex()}")
            return writer.execute(f"DELETE {gone}", (before,)).rowcount


def _count(writer: sqlite3.Connection, fact: str, more: int) -> None:
    if more:
        writer.execute(
            "INSERT INTO facts VALUES (?1, ?2, row_hash(?1, ?2)) ON CONFLICT DO UPDATE "
            "SET value = value + excluded.value, proof = row_hash(name, value + excluded.value)",
            (fact, more),
        )


def _raise(writer: sqlite3.Connection, fact: str, bound: int) -> None:
    (present,) = writer.execute("SELECT coalesce(max(value), 0) FROM facts WHERE name = ?", (fact,)).fetchone()
    _count(writer, fact, max(0, bound - present))
