"""The journal: one SQLite database per fleet with every group commit in one transaction.

When :meth:`SqliteJournal.append` returns, the entry is on disk (WAL, ``synchronous=FULL``); only then
may a message be acknowledged. The triple store is a view of it and can be rebuilt at any time.

The samples of the series live in the same database, so that graph and series cannot disagree.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from pyoxigraph import NamedNode

from ...errors import StoreError
from ...ontology.literals import from_microseconds, to_microseconds
from ..database import chain
from ..database.chain import HISTORY_BEGINS, Fault, StoredCommit
from ..database.hashes import CommitDigests, change_hash, content_digest, digest, list_digest, sample_digests
from ..database.sqlite import Database
from ..database.tables import VERSIONS
from ..interfaces import Commit, Due, Entry, GraphChange, GraphLoad, QueuedRun
from ..series.archives.archive import SeriesArchive
from ..series.sealing import PendingFiles
from ..series.store import SqliteSeries
from .bulk_files import place_of
from .verification import refuse

FORGOTTEN: Final = "forgotten:"
"""Facts with this prefix count the rows that compaction removed: messages, runs by state, dead letters."""

TAIL: Final = 16
"""Commits that are checked against their hashes on opening."""

_MAX_VARIABLES: Final = 500  # SQLite allows 32766 today; older builds 999


class SqliteJournal:
    """The journal in a SQLite file. One writer; reading is safe from any thread."""

    def __init__(self, database: Database, archive: SeriesArchive | None = None) -> None:
        self.database = database
        self._reader = database.reader
        self._lock = threading.Lock()
        damaged: dict[int, str] = {}
        self.damaged: Mapping[int, str] = damaged
        """Commits among the newest that were found damaged on opening, and the problem of each."""
        self._newest: Commit | None = None
        """The newest commit as read on opening, which opening a fleet needs twice; until the next one."""
        refuse(database.file, self._check_tail(damaged))
        self._last, self._hash = chain.head(self._reader())
        self.series = SqliteSeries.beside(database) if archive is None else SqliteSeries(database, archive)
        self._graphs: dict[NamedNode, int] = {}

    @classmethod
    def open(cls, file: Path, archive: SeriesArchive | None = None, *, create: bool | None = None) -> Self:
        """The journal in ``file``, created if there is none. Raises StoreError, FleetVersionError.

        By default none is created in the folder of a fleet, which has lost its journal.
        Sealed series lie in ``archive``, by default where fleet.json beside the file says: a folder ``series`` there.
        """
        create = not (file.parent / "fleet.json").exists() if create is None else create
        return cls._over(Database(file, VERSIONS, create=create), archive)

    @classmethod
    def read(cls, file: Path) -> Self:
        """The journal in ``file``, for reading: beside its writer, on a full disk, in a read-only folder."""
        return cls._over(Database(file, VERSIONS, writable=False), None)

    @classmethod
    def _over(cls, database: Database, archive: SeriesArchive | None) -> Self:
        try:
            return cls(database, archive)
        except BaseException:
            database.close()
            raise

    @property
    def last_sequence(self) -> int:
        """The number of the newest commit."""
        return int(self._last)

    @property
    def first(self) -> int:
        """The number of the first commit that is kept; 0 in an empty journal."""
        return int(self._reader().execute("SELECT coalesce(min(sequence), 0) FROM commits").fetchone()[0])

    def begin_after(self, sequence: int) -> None:
        """Number the commits of an empty journal from ``sequence`` on, as its checkpoint says."""
        assert not self.first, "the numbers of commits never change"
        self._last, self._hash = chain.head(self._reader())
        assert self._last == sequence

    def append(self, entry: Entry) -> int:
        """Make ``entry`` durable. Raises StoreError (disk full, file gone); then nothing is written."""
        with self._lock:
            sequence = int(self._last) + 1
            # Large batches are files by now; this transaction names them.
            with self.series.prepare(sequence, entry.batches) as prepared, self.database.transaction() as writer:
                graphs, digests = self._insert(writer, sequence, entry, prepared)
                made = digests.after(self._hash)
                writer.execute("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*digests, made))
            # Remembered only now: had the transaction failed, new numbers would be wrong for good.
            self._graphs |= graphs
            self._last, self._hash, self._newest = sequence, made, None
            return sequence

    def _insert(
        self, writer: sqlite3.Connection, sequence: int, entry: Entry, prepared: PendingFiles
    ) -> tuple[Mapping[NamedNode, int], CommitDigests]:
        many = writer.executemany
        touched = {change.graph for change in entry.changes} | {load.graph for load in entry.loads}
        graphs = self._numbers(writer, touched)
        changes = [(sequence, graphs[change.graph], change.removed, change.added) for change in entry.changes]
        hashes = [change_hash(*change) for change in changes]
        many(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?)",
            [(*change, hash_) for change, hash_ in zip(changes, hashes, strict=True)],
        )
        many(
            "INSERT INTO loads VALUES (?, ?, ?, ?)",
            [(sequence, graphs[load.graph], load.file, load.triples) for load in entry.loads],
        )
        # A file that compaction has discarded may be named again by the same load.
        many("DELETE FROM discarded WHERE file = ?", [(place_of(load.file),) for load in entry.loads])
        many("INSERT INTO messages VALUES (?, ?)", [(key, sequence) for key in entry.message_keys])
        samples = self.series.insert(writer, sequence, entry.samples, prepared)
        due = self._insert_due(writer, entry)
        content = content_digest(
            [change.graph.value for change in entry.changes],
            hashes,
            [(load.graph.value, load.file, load.triples) for load in entry.loads],
            list(samples.counts.items()),
        )
        proof, tally = sample_digests(samples.rows, samples.salts)
        return graphs, CommitDigests(
            sequence,
            to_microseconds(entry.time),
            entry.author,
            entry.dead_letters,
            content,
            proof,
            tally,
            samples.files,
            list_digest(sorted(entry.message_keys)),
            list_digest(*self._insert_runs(writer, sequence, entry)),
            list_digest(due),
        )

    @staticmethod
    def _insert_runs(writer: sqlite3.Connection, sequence: int, entry: Entry) -> tuple[list[Any], list[Any]]:
        """Queue and finish runs; return the rows of those that this commit really queued and finished."""
        queued = [
            (run.id, run.action.value, run.twin.value, to_microseconds(run.moment), run.cause) for run in entry.queued
        ]
        new = writer.executemany(
            # A run asked for twice (same action, twin and moment) is the same run.
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, 'queued', '', ?, NULL) ON CONFLICT DO NOTHING",
            [(*run, sequence) for run in queued],
        ).rowcount
        ended = writer.executemany(
            "UPDATE runs SET state = ?, reason = ?, finished = ? WHERE id = ? AND state = 'queued'",
            [(run.state, run.reason, sequence, run.id) for run in entry.finished],
        ).rowcount
        finished = [(run.id, run.state, run.reason) for run in entry.finished]
        if queued and new != len(queued):
            mine = "SELECT id, action, twin, moment, cause FROM runs WHERE id = ? AND queued = ?"
            queued = [row for id_ in {run[0] for run in queued} for row in writer.execute(mine, (id_, sequence))]
        if finished and ended != len(finished):
            mine = "SELECT id, state, reason FROM runs WHERE id = ? AND finished = ?"
            finished = [row for id_ in {run[0] for run in finished} for row in writer.execute(mine, (id_, sequence))]
        return sorted(queued), sorted(finished)

    @staticmethod
    def _insert_due(writer: sqlite3.Connection, entry: Entry) -> list[tuple[str, str, int | None]]:
        rows = [
            (due.action.value, due.twin.value, None if due.next is None else to_microseconds(due.next))
            for due in entry.due
        ]
        writer.executemany(
            "INSERT INTO due VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET next = excluded.next, proof = excluded.proof",
            [(*row, digest(*row)) for row in rows if row[2] is not None],
        )
        writer.executemany("DELETE FROM due WHERE action = ? AND twin = ?", [row[:2] for row in rows if row[2] is None])
        return rows

    def _numbers(self, writer: sqlite3.Connection, graphs: Collection[NamedNode]) -> dict[NamedNode, int]:
        numbers = {graph: self._graphs[graph] for graph in graphs if graph in self._graphs}
        new = [(graph.value,) for graph in graphs if graph not in numbers]
        writer.executemany("INSERT INTO graphs (iri) VALUES (?) ON CONFLICT DO NOTHING", sorted(new))
        for (iri,) in new:
            row = writer.execute("SELECT id FROM graphs WHERE iri = ?", (iri,)).fetchone()
            numbers[NamedNode(iri)] = int(row[0])
        return numbers

    def since(self, sequence: int) -> Iterator[Commit]:
        """All commits after ``sequence``, in order. Raises StoreError where compaction removed some of them."""
        begins = self._facts().get(HISTORY_BEGINS, 0)
        if max(sequence, 0) < begins:
            raise StoreError(
                f"{self.database.file}: the changes up to commit {begins} were compacted away, and a view at commit "
                f"{sequence} cannot catch up; rebuild it with `voltwin rebuild`"
            )
        return self._since(sequence)

    def _facts(self) -> Mapping[str, int]:
        return chain.facts(self._reader())

    def _check_tail(self, damaged: dict[int, str]) -> Iterator[Fault]:
        for found in chain.check_tail(self._reader(), TAIL):
            if isinstance(found, Fault):
                yield found
            elif not found.problem:
                self._newest = self._newest or _commit(found)
            elif found.contained:
                damaged[found.digests.sequence] = found.problem
            else:
                yield Fault(found.digests.sequence, found.problem)

    def _since(self, sequence: int) -> Iterator[Commit]:
        newest = self._newest
        if newest is not None and sequence == newest.sequence - 1 == self._last - 1:
            yield newest
            return
        later, previous = "SELECT sequence FROM commits WHERE sequence > ? ORDER BY sequence", None
        for (number,) in self._reader().execute(later, (sequence,)):
            stored = chain.read_commit(self._reader(), number, previous)
            if stored is None:
                return  # compacted meanwhile
            if stored.problem:
                refuse(self.database.file, iter([Fault(number, stored.problem)]))
            previous = chain.ChainLink(number, stored.hash)
            yield _commit(stored)

    def known_messages(self, keys: Sequence[str]) -> frozenset[str]:
        """The ``keys`` that some commit has already."""
        return self._known("SELECT key FROM messages WHERE key IN", keys)

    def known_runs(self, ids: Sequence[str]) -> frozenset[str]:
        """The ``ids`` that some commit has queued already, in any state."""
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
        reader, facts = self._reader(), self._facts()
        totals = {
            "commits": self.last_sequence,
            "messages": reader.execute("SELECT count(*) FROM messages").fetchone()[0],
            "samples": self.series.count(),
            "deadLetters": reader.execute("SELECT coalesce(sum(dead_letters), 0) FROM commits").fetchone()[0],
        }
        states = dict(reader.execute("SELECT state, count(*) FROM runs GROUP BY state"))
        totals |= {state: states.get(state, 0) for state in ("queued", "succeeded", "skipped", "failed")}
        # Compaction forgets rows, not that they were there.
        return {name: total + facts.get(FORGOTTEN + name, 0) for name, total in totals.items()}

    def close(self) -> None:
        """Close the file."""
        self.series.close()
        self.database.close()


def _commit(stored: StoredCommit) -> Commit:
    return Commit(
        stored.digests.sequence,
        stored.digests.author,
        from_microseconds(stored.digests.time),
        tuple(GraphChange(NamedNode(change.graph), change.removed, change.added) for change in stored.changes),
        tuple(GraphLoad(NamedNode(graph), file, triples) for graph, file, triples in stored.loads),
    )
