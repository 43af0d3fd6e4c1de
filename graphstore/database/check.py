"""The check of a whole journal: every row of every table against the chain and the accounts.

What is lost, added or changed is found, but for rows that nothing reads: those of compacted commits, names of graphs
and series that no row refers to, and the commit that replaced a sample.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Final

from .accounts import DELETED, raise_moved, raise_total
from .chain import (
    CHECKPOINT,
    COLUMNS,
    HISTORY_BEGINS,
    MESSAGES_BEGIN,
    RUNS_BEGIN,
    WRONG_CHANGES,
    WRONG_LINK,
    ChainLink,
    Fault,
    checkpoint,
    facts,
    set_meta,
    texts,
)
from .hashes import START, CommitDigests, change_hash, content_digest, list_digest, sample_digests
from .tables import PROVED
from .tally import add, salt, total, unpack

RUNS_KEPT: Final = "runs_kept"
"""The text with the digest of the runs that compaction kept of the commits up to ``runs_begin``."""


def fill_hashes(writer: sqlite3.Connection) -> None:
    """Compute the hashes of every commit of an older journal, inside the transaction of its upgrade."""
    first = writer.execute("SELECT min(sequence) FROM commits").fetchone()[0]
    previous, last = START, 0
    if first is not None and first > 1:
        last = first - 1
        set_meta(writer, CHECKPOINT, f"{last} {START.hex()}")
    put = "UPDATE commits SET content = ?, samples = ?, tally = ?, files = ?, messages = ?, runs = ?, due = ?, hash = ?"
    scan = _Recomputed(writer, last)
    tally_of_deleted = scan.deleted
    for found, _ in list(scan.commits()):
        previous = found.after(previous)
        writer.execute(f"{put} WHERE sequence = ?", (*found[4:], previous, found.sequence))
    raise_moved(writer, DELETED, -tally_of_deleted)
    keep_runs(writer)
    for table in PROVED:
        raise_total(writer, table, _total(writer, table))


def keep_runs(writer: sqlite3.Connection) -> None:
    """Note the runs that remain of commits whose finished runs are deleted."""
    set_meta(writer, RUNS_KEPT, _runs_kept(writer))


def check_all(reader: sqlite3.Connection) -> Generator[Fault, None, None]:
    """Every fault of the chain, of the content it covers, and of tables with an account of their own."""
    with one_view(reader):
        try:
            start = checkpoint(reader)
        except ValueError:
            yield Fault(0, "the checkpoint cannot be read")
            return
        yield from _check_totals(reader, start.sequence)
        yield from _check_commits(reader, start)


def _check_commits(reader: sqlite3.Connection, start: ChainLink) -> Iterator[Fault]:
    number, previous = start
    bounds = facts(reader)
    stored = {row[0]: row[-1] for row in reader.execute("SELECT sequence, hash FROM commits")}
    wanted = (
        CommitDigests(*row)
        for row in reader.execute(f"SELECT {COLUMNS.removesuffix(', hash')} FROM commits ORDER BY sequence")  # noqa: S608 - our own names
    )
    scan = _Recomputed(reader, number)
    moved = {sequence: unpack(tally) for sequence, tally in reader.execute("SELECT sequence, tally FROM moved")}
    if add(scan.deleted, moved.pop(DELETED, 0)):
        yield Fault(0, "samples of deleted commits were lost, added or changed")
    for (found, changed), right in zip(scan.commits(), wanted, strict=True):
        sequence = right.sequence
        for missing in range(number + 1, min(sequence, number + 4)):
            yield Fault(missing, f"commit {missing} is missing")
        if right.after(previous) != stored[sequence]:
            yield Fault(sequence, WRONG_LINK)
        number, previous = sequence, stored[sequence]
        problems = list(_differences(found, right, bounds, moved.get(sequence, 0)))
        if changed and "changes" not in problems:
            problems.insert(0, "changes")
        if problems == ["changes"]:
            yield Fault(sequence, WRONG_CHANGES)
        elif problems:
            yield Fault(sequence, f"its {', '.join(problems)} do not match its hash")
    for table, numbers in scan.strays().items():
        yield Fault(numbers[0], f"rows of {table} have no commit")
    if unknown := sorted(moved.keys() - stored.keys()):
        yield Fault(unknown[0], "rows of moved have no commit")


@contextmanager
def one_view(reader: sqlite3.Connection) -> Iterator[None]:
    """All statements inside read the same state, also beside a process that writes."""
    if reader.in_transaction:
        yield
        return
    reader.execute("BEGIN")
    try:
        yield
    finally:
        reader.execute("ROLLBACK")  # it only read


def _check_totals(reader: sqlite3.Connection, deleted: int) -> Iterator[Fault]:
    totals = dict(reader.execute("SELECT name, total FROM totals"))
    if totals.keys() - PROVED.keys():
        yield Fault(0, "there are totals of unknown tables")
    for table, columns in PROVED.items():
        wrong = f"SELECT count(*) FROM {table} WHERE proof IS NOT row_hash({columns})"  # noqa: S608 - our own names
        (count,) = reader.execute(wrong).fetchone()
        if count:
            yield Fault(0, f"{count} rows of {table} do not match their hash")
        elif _total(reader, table) != unpack(totals.get(table)):
            yield Fault(0, f"rows of {table} were lost or added")
    broken = (
        "SELECT count(*) FROM runs WHERE (finished IS NULL) != (state = 'queued') OR finished IS NULL AND reason != ''"
    )
    if reader.execute(broken).fetchone()[0]:
        yield Fault(0, "queued runs have the state of finished ones, or the other way round")
    if texts(reader).get(RUNS_KEPT) != _runs_kept(reader):
        yield Fault(0, "runs that compaction kept were lost, added or changed")
    begins = facts(reader)
    kept = (("messages", "sequence", MESSAGES_BEGIN), ("runs", "finished", RUNS_BEGIN), ("runs", "queued", ""))
    for table, column, fact in kept:
        below = f"SELECT count(*) FROM {table} WHERE {column} <= ?"  # noqa: S608 - our own names
        if reader.execute(below, (max(begins.get(fact, 0), deleted),)).fetchone()[0]:
            yield Fault(0, f"rows of {table} are older than compaction has kept any")
    for table in ("changes", "loads"):
        # What a compaction that was interrupted has left lies below a snapshot of its graph, and is not read.
        bare = (
            f"SELECT count(*) FROM {table} AS row WHERE sequence <= ? AND NOT EXISTS "  # noqa: S608 - our own names
            "(SELECT 1 FROM snapshots WHERE snapshots.graph = row.graph AND snapshots.sequence >= row.sequence)"
        )
        if reader.execute(bare, (begins.get(HISTORY_BEGINS, 0),)).fetchone()[0]:
            yield Fault(0, f"rows of {table} are older than compaction has kept any")


def _total(reader: sqlite3.Connection, table: str) -> int:
    proofs = reader.execute(f"SELECT proof FROM {table}")  # noqa: S608 - our own names
    return total(int.from_bytes(proof, "little") for (proof,) in proofs)


def _runs_kept(reader: sqlite3.Connection) -> str:
    old = (
        "SELECT queued, id, action, twin, moment, cause FROM runs WHERE queued <= "
        "(SELECT value FROM facts WHERE name = ?) ORDER BY queued, id"
    )
    return (list_digest(reader.execute(old, (RUNS_BEGIN,)).fetchall()) or b"").hex()


def _differences(found: CommitDigests, wanted: CommitDigests, bounds: dict[str, int], moved: int) -> Iterator[str]:
    if found.sequence > bounds.get(HISTORY_BEGINS, 0) and found.content != wanted.content:
        yield "changes"
    present = add(unpack(found.tally), moved) == unpack(wanted.tally)
    if not present or (not moved and found.samples != wanted.samples):
        yield "samples"
    if found.sequence > bounds.get(MESSAGES_BEGIN, 0) and found.messages != wanted.messages:
        yield "messages"
    if found.sequence > bounds.get(RUNS_BEGIN, 0) and found.runs != wanted.runs:
        yield "runs"


class _Salts(dict[int, int]):
    """The salts of series by number; a number without a name has one that no name has."""

    def __init__(self, reader: sqlite3.Connection) -> None:
        super().__init__((number, salt(iri)) for number, iri in reader.execute("SELECT id, iri FROM series"))

    def __missing__(self, number: int) -> int:
        return 1


class _Grouped:
    """Rows in the order of the commit in their first column, taken commit by commit."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._groups = groupby(rows, key=lambda row: row[0])
        self._current = next(self._groups, None)
        self.strays: list[int] = []

    def take(self, sequence: int) -> list[tuple[Any, ...]]:
        """The rows of one commit, without it; those of commits passed over have no commit."""
        while self._current is not None and self._current[0] < sequence:
            self._pass()
        if self._current is None or self._current[0] != sequence:
            return []
        taken = [row[1:] for row in self._current[1]]
        self._current = next(self._groups, None)
        return taken

    def take_until(self, sequence: int) -> list[tuple[Any, ...]] | None:
        """The rows of the next commit up to ``sequence``; None if there is none."""
        return None if self._current is None or self._current[0] > sequence else self.take(self._current[0])

    def _pass(self) -> None:
        assert self._current is not None
        self.strays.append(int(self._current[0]))
        self._current = next(self._groups, None)

    def end(self) -> list[int]:
        """The numbers of all rows without a commit."""
        while self._current is not None:
            self._pass()
        return self.strays


class _Recomputed:
    """The digests of the commits after one, computed from the rows that are there."""

    def __init__(self, reader: sqlite3.Connection, after: int) -> None:
        self._salts = _Salts(reader)
        self._commits = reader.execute(
            "SELECT sequence, time, author, dead_letters, files, due FROM commits ORDER BY sequence"
        )
        self._rows = {name: _Grouped(reader.execute(text, (after,))) for name, text in _SCANS.items()}
        samples = self._rows["samples"] = _Grouped(reader.execute(_SAMPLES))
        groups = iter(lambda: samples.take_until(after), None)
        self.deleted = total(unpack(sample_digests(rows, self._salts)[1]) for rows in groups)
        """The tally of the samples of deleted commits."""

    def strays(self) -> dict[str, list[int]]:
        """The numbers of commits that rows of a table have and that do not exist."""
        return {name: found for name, rows in self._rows.items() if (found := rows.end())}

    def commits(self) -> Iterator[tuple[CommitDigests, bool]]:
        """Each commit's digests, in order, and whether one of its changes does not match its own hash."""
        for sequence, time, author, letters, files, due in self._commits:
            graphs, hashes, changed = [], [], False
            for iri, own, graph, removed, added in self._take("changes", sequence):
                changed |= change_hash(sequence, graph, removed, added) != own
                graphs.append(iri)
                hashes.append(own)
            samples, tally = sample_digests(self._take("samples", sequence), self._salts)
            content = content_digest(
                graphs, hashes, self._take("loads", sequence), self._take("commit_samples", sequence)
            )
            messages = list_digest(sorted(key for (key,) in self._take("messages", sequence)))
            runs = list_digest(*(sorted(self._take(name, sequence)) for name in ("queued runs", "finished runs")))
            yield (
                CommitDigests(
                    sequence, time, author, letters, content, samples, tally, files, messages,
                    runs, due,
                ),
                changed,
            )  # fmt: skip

    def _take(self, name: str, sequence: int) -> list[tuple[Any, ...]]:
        return self._rows[name].take(sequence)


_SAMPLES: Final = """SELECT sequence, series, time, value FROM samples
    UNION ALL SELECT sequence, series, time, value FROM samples_replaced ORDER BY sequence"""

_SCANS: Final = {
    "changes": """SELECT sequence, coalesce(iri, ''), hash, graph, removed, added FROM changes
        LEFT JOIN graphs ON graphs.id = graph WHERE sequence > ? ORDER BY sequence, changes.rowid""",
    "loads": """SELECT sequence, coalesce(iri, ''), file, triples FROM loads LEFT JOIN graphs ON graphs.id = graph
        WHERE sequence > ? ORDER BY sequence""",
    "commit_samples": """SELECT sequence, coalesce(iri, ''), rows FROM commit_samples LEFT JOIN series ON id = series
        WHERE sequence > ? ORDER BY sequence""",
    "messages": "SELECT sequence, key FROM messages WHERE sequence > ? ORDER BY sequence",
    "queued runs": "SELECT queued, id, action, twin, moment, cause FROM runs WHERE queued > ? ORDER BY queued",
    "finished runs": "SELECT finished, id, state, reason FROM runs WHERE finished > ? ORDER BY finished",
}
