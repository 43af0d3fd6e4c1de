"""The chain of a journal's commits: computed for an older journal, and checked against the rows that are there.

A check never writes. Content that compaction, sealing or retention has deleted cannot be checked any more; the digest
of it stays in the chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

from .hashes import START, CommitDigests, content_digest, digest, list_digest, samples_digest
from .tables import PROVED

HASHES_SINCE: Final = 3
"""The version of the tables that has hashes."""

HISTORY_BEGINS: Final = "history_begins"
"""The fact with the last commit whose changes are compacted into snapshots."""

MESSAGES_BEGIN: Final = "messages_begin"
"""The fact with the last commit whose messages' keys are deleted."""

RUNS_BEGIN: Final = "runs_begin"
"""The fact with the last commit whose finished runs are deleted."""

SEALED_BEFORE: Final = "sealed_before_hashes"
"""The fact with the last commit that had a hash computed when some of its samples could be in files already."""

CHECKPOINT: Final = "checkpoint"
"""The text with the number and the hash of the last deleted commit."""

_MOST_CHANGES: Final = 500
"""Changes of graphs that are checked on opening."""

_COLUMNS: Final = "sequence, head, content, rows, samples, files, messages, runs, due, hash"


class Fault(NamedTuple):
    """A commit (0: rows of no commit) and what does not match its hash."""

    sequence: int
    problem: str


class ChainLink(NamedTuple):
    """A commit and its hash."""

    sequence: int
    hash: bytes


def checkpoint(reader: sqlite3.Connection) -> ChainLink:
    """The last deleted commit and its hash. Raises ValueError where the text is damaged."""
    row = reader.execute("SELECT value FROM meta WHERE name = ?", (CHECKPOINT,)).fetchone()
    if row is None:
        return ChainLink(0, START)
    sequence, _, hash_ = str(row[0]).partition(" ")
    return ChainLink(int(sequence), bytes.fromhex(hash_))


def head(reader: sqlite3.Connection) -> ChainLink:
    """The newest commit and its hash."""
    row = reader.execute("SELECT sequence, hash FROM hashes ORDER BY sequence DESC LIMIT 1").fetchone()
    return checkpoint(reader) if row is None else ChainLink(*row)


def fill_hashes(writer: sqlite3.Connection) -> None:
    """Compute the hashes of every commit of an older journal, inside the transaction of its upgrade."""
    first = writer.execute("SELECT min(sequence) FROM commits").fetchone()[0]
    previous = START
    if first is not None and first > 1:
        set_meta(writer, CHECKPOINT, f"{first - 1} {START.hex()}")
    for parts in list(_RecomputedDigests(writer, 0).parts()):
        previous = insert_hashes(writer, parts, previous)
    if first is not None and writer.execute("SELECT 1 FROM sealed LIMIT 1").fetchone():
        put = "INSERT INTO facts SELECT ?, max(sequence), row_hash(?, max(sequence)) FROM commits"
        writer.execute(put, (SEALED_BEFORE, SEALED_BEFORE))


def insert_hashes(writer: sqlite3.Connection, parts: CommitDigests, previous: bytes) -> bytes:
    """Store a commit's digests and hash; return the hash."""
    made = parts.after(previous)
    writer.execute("INSERT INTO hashes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*parts, made))
    return made


def set_meta(writer: sqlite3.Connection, name: str, value: str) -> None:
    """Store a text about the journal."""
    writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (name, value, digest(name, value)))


def check_tail(reader: sqlite3.Connection, commits: int) -> Iterator[Fault]:
    """The faults of the last ``commits``, without the content whose tables have no index by commit.

    Fewer, where they have many changes: opening does not read a journal's large loads again.
    """
    last = head(reader).sequence
    after, total = last - commits, 0
    counts = "SELECT sequence, count(*) FROM changes WHERE sequence > ? GROUP BY sequence ORDER BY sequence DESC"
    for sequence, count in reader.execute(counts, (after,)):
        total += count
        if total > _MOST_CHANGES and sequence < last:
            after = sequence
            break
    yield from _check(reader, after, everything=False)


def check_all(reader: sqlite3.Connection) -> Iterator[Fault]:
    """Every fault of the chain, of the content it covers, and of rows with a proof of their own."""
    for table, columns in PROVED.items():
        wrong = f"SELECT count(*) FROM {table} WHERE proof IS NOT row_hash({columns})"  # noqa: S608 - our own names
        (count,) = reader.execute(wrong).fetchone()
        if count:
            yield Fault(0, f"{count} rows of {table} do not match their hash")
    yield from _check(reader, 0, everything=True)


def check_commit(reader: sqlite3.Connection, sequence: int) -> Iterator[Fault]:
    """The faults of one commit's head, changes and loads."""
    yield from _check(reader, sequence - 1, everything=False, until=sequence)


def _check(reader: sqlite3.Connection, after: int, *, everything: bool, until: int = 2**62) -> Iterator[Fault]:
    try:
        start = checkpoint(reader)
    except ValueError:
        yield Fault(0, "the checkpoint cannot be read")
        return
    row = reader.execute("SELECT sequence, hash FROM hashes WHERE sequence = ?", (after,)).fetchone()
    number, previous = start if row is None else ChainLink(*row)
    facts = dict(reader.execute("SELECT name, value FROM facts"))
    rows = reader.execute(f"SELECT {_COLUMNS} FROM hashes WHERE sequence > ? AND sequence <= ?", (number, until))  # noqa: S608 - our own names
    stored = {row[0]: row for row in rows}
    found = _RecomputedDigests(reader, number, until, everything=everything)
    for parts in found.parts():
        sequence = parts.sequence
        for missing in range(number + 1, min(sequence, number + 4)):
            yield Fault(missing, f"commit {missing} is missing")
        number = sequence
        if sequence not in stored:
            yield Fault(sequence, "it has no hash")
            continue
        *values, hash_ = stored.pop(sequence)
        wanted = CommitDigests(*values)
        if wanted.after(previous) != hash_:
            yield Fault(sequence, "its hash does not follow from the commit before it")
        previous = hash_
        problems = list(_differences(parts, wanted, facts, everything))
        problems += ["changes"] * (sequence in found.changed)
        if problems:
            yield Fault(sequence, f"its {', '.join(dict.fromkeys(problems))} do not match its hash")
    for sequence in stored:
        yield Fault(sequence, f"commit {sequence} is missing")
    for table, numbers in found.strays().items():
        yield Fault(numbers[0], f"rows of {table} have no commit")


def _differences(found: CommitDigests, wanted: CommitDigests, facts: dict[str, int], everything: bool) -> Iterator[str]:
    if found.head != wanted.head:
        yield "number, time or author"
    if found.sequence > facts.get(HISTORY_BEGINS, 0) and found.content != wanted.content:
        yield "changes"
    if not everything:
        return
    moved = found.rows < wanted.rows or wanted.files
    unknown = found.rows > wanted.rows and found.sequence <= facts.get(SEALED_BEFORE, 0)
    if not moved and not unknown and found.samples != wanted.samples:
        yield "samples"
    if found.sequence > facts.get(MESSAGES_BEGIN, 0) and found.messages != wanted.messages:
        yield "messages"
    if found.sequence > facts.get(RUNS_BEGIN, 0) and found.runs != wanted.runs:
        yield "runs"


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

    def _pass(self) -> None:
        assert self._current is not None
        self.strays.append(int(self._current[0]))
        self._current = next(self._groups, None)

    def end(self) -> list[int]:
        """The numbers of all rows without a commit."""
        while self._current is not None:
            self._pass()
        return self.strays


class _RecomputedDigests:
    """The digests of commits, computed from the rows that are there."""

    def __init__(self, reader: sqlite3.Connection, after: int, until: int = 2**62, *, everything: bool = True) -> None:
        self._everything = everything
        self.changed: set[int] = set()
        """Commits with a change that does not match its own hash."""
        window = {"after": after, "until": until}
        self._commits = reader.execute(
            "SELECT sequence, time, author, dead_letters FROM commits WHERE sequence > :after AND sequence <= :until "
            "ORDER BY sequence",
            window,
        )
        scans = dict(_CONTENT)
        if everything:
            scans |= _REST
        self._rows = {name: _Grouped(reader.execute(text, window)) for name, text in scans.items()}

    def _take(self, name: str, sequence: int) -> list[tuple[Any, ...]]:
        return self._rows[name].take(sequence) if name in self._rows else []

    def strays(self) -> dict[str, list[int]]:
        """The numbers of commits that rows of a table have and that do not exist."""
        return {name: found for name, rows in self._rows.items() if (found := rows.end())}

    def parts(self) -> Iterator[CommitDigests]:
        """Each commit's digests, in order."""
        for sequence, time, author, letters in self._commits:
            changes = []
            for iri, hash_, graph, removed, added in self._take("changes", sequence):
                if digest(sequence, graph, removed, added) != hash_:
                    self.changed.add(sequence)
                changes.append((iri or "", hash_))
            loads, counts = self._take("loads", sequence), self._take("commit_samples", sequence)
            samples = self._take("samples", sequence)
            keys = sorted(key for (key,) in self._take("messages", sequence))
            runs = [sorted(self._take(name, sequence)) for name in ("queued runs", "finished runs")]
            yield CommitDigests(
                sequence,
                digest(sequence, time, author, letters),
                content_digest(changes, loads, counts),
                len(samples),
                samples_digest(samples),
                "",
                list_digest(keys),
                list_digest(*runs),
                None,
            )


_CONTENT: Final = {
    "changes": """SELECT sequence, iri, hash, graph, removed, added FROM changes LEFT JOIN graphs ON graphs.id = graph
        WHERE sequence > :after AND sequence <= :until ORDER BY sequence, changes.rowid""",
    "loads": """SELECT sequence, coalesce(iri, ''), file, triples FROM loads LEFT JOIN graphs ON graphs.id = graph
        WHERE sequence > :after AND sequence <= :until ORDER BY sequence""",
    "commit_samples": """SELECT sequence, coalesce(iri, ''), rows FROM commit_samples LEFT JOIN series ON id = series
        WHERE sequence > :after AND sequence <= :until ORDER BY sequence""",
}

_REST: Final = {
    "messages": "SELECT sequence, key FROM messages WHERE sequence > :after AND sequence <= :until ORDER BY sequence",
    "samples": """SELECT sequence, series, time, value FROM samples WHERE sequence > :after AND sequence <= :until
        UNION SELECT sequence, series, time, value FROM samples_replaced
        WHERE sequence > :after AND sequence <= :until ORDER BY sequence""",
    "queued runs": """SELECT queued, id, action, twin, moment, cause FROM runs
        WHERE queued > :after AND queued <= :until ORDER BY queued""",
    "finished runs": """SELECT finished, id, state, reason FROM runs
        WHERE finished > :after AND finished <= :until ORDER BY finished""",
}
