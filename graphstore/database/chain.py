"""The chain of a journal's commits: its head, its start, and single commits compared with their hashes.

A comparison never writes. Content that compaction, sealing or retention has deleted cannot be compared any more; the
digest of it stays in the chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from .hashes import DIGEST, START, UNREADABLE, CommitDigests, change_hash, content_digest, digest

HASHES_SINCE: Final = 3
"""The version of the tables that has hashes."""

HISTORY_BEGINS: Final = "history_begins"
"""The fact with the last commit whose changes are compacted into snapshots."""

MESSAGES_BEGIN: Final = "messages_begin"
"""The fact with the last commit whose messages' keys are deleted."""

RUNS_BEGIN: Final = "runs_begin"
"""The fact with the last commit whose finished runs are deleted."""

CHECKPOINT: Final = "checkpoint"
"""The text with the number and the hash of the last deleted commit."""

COLUMNS: Final = "sequence, time, author, dead_letters, content, samples, tally, files, messages, runs, due, hash"
"""The columns of a commit: its digests, and its hash."""

_MOST_CHANGES: Final = 64
"""Changes of graphs that are compared on opening."""


class Fault(NamedTuple):
    """A commit (0: rows of no commit) and what does not match its hash."""

    sequence: int
    problem: str


class ChainLink(NamedTuple):
    """A commit and its hash."""

    sequence: int
    hash: bytes


class StoredChange(NamedTuple):
    """The changes of a commit in one graph; ``sound``: it matches its own hash."""

    graph: str
    removed: str
    added: str
    sound: bool


class StoredCommit(NamedTuple):
    """One commit as it is in the tables; ``problem`` is what does not match its hash, empty if all does."""

    digests: CommitDigests
    hash: bytes
    changes: tuple[StoredChange, ...]
    loads: tuple[tuple[str, str, int], ...]
    """Graph, file, number of triples."""
    counts: tuple[tuple[str, int], ...]
    """Series, number of samples."""
    problem: str
    contained: bool
    """Whether a problem is of this commit alone, so that everything else can be used."""
    listed: bool
    """Whether changes, loads and counts are those of the commit, but for what single changes say."""


def checkpoint(reader: sqlite3.Connection) -> ChainLink:
    """The last deleted commit and its hash. Raises ValueError where the text is damaged."""
    row = reader.execute("SELECT value FROM meta WHERE name = ?", (CHECKPOINT,)).fetchone()
    if row is None:
        return ChainLink(0, START)
    sequence, _, hash_ = str(row[0]).partition(" ")
    return ChainLink(int(sequence), bytes.fromhex(hash_))


def head(reader: sqlite3.Connection) -> ChainLink:
    """The newest commit and its hash."""
    return link_before(reader, 2**62)


def link_before(reader: sqlite3.Connection, sequence: int) -> ChainLink:
    """The commit before number ``sequence``, which may be deleted, and its hash."""
    before = "SELECT sequence, hash FROM commits WHERE sequence < ? ORDER BY sequence DESC LIMIT 1"
    row = reader.execute(before, (sequence,)).fetchone()
    return checkpoint(reader) if row is None else ChainLink(*row)


def facts(reader: sqlite3.Connection) -> dict[str, int]:
    """The numbers about the journal itself."""
    return dict(reader.execute("SELECT name, value FROM facts"))


def texts(reader: sqlite3.Connection) -> dict[str, str]:
    """The texts about the journal itself."""
    return dict(reader.execute("SELECT name, value FROM meta"))


def set_meta(writer: sqlite3.Connection, name: str, value: str) -> None:
    """Store a text about the journal."""
    writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (name, value, digest(name, value)))


def read_commit(reader: sqlite3.Connection, sequence: int, previous: ChainLink | None = None) -> StoredCommit | None:
    """One commit with its changes, loads and counts, compared with its hash; None if there is none.

    ``previous``: the link before it, where it is known.
    """
    row = reader.execute(f"SELECT {COLUMNS} FROM commits WHERE sequence = ?", (sequence,)).fetchone()  # noqa: S608 - our own names
    if row is None:
        return None
    digests, hash_ = _typed(CommitDigests(*row[:-1])), row[-1]
    changes, hashes = [], []
    for iri, number, removed, added, own in reader.execute(_CHANGES, (sequence,)):
        changes.append(_change(sequence, iri, number, removed, added, own))
        hashes.append(own)
    loads = tuple(reader.execute(_LOADS, (sequence,)).fetchall())
    counts = tuple(reader.execute(_COUNTS, (sequence,)).fetchall())
    listed = sequence <= facts(reader).get(HISTORY_BEGINS, 0)  # those of compacted commits are deleted
    with suppress(*UNREADABLE):
        found = content_digest([change.graph for change in changes], hashes, loads, counts)
        listed = listed or found == digests.content
    before = previous or link_before(reader, sequence)
    problem, contained = "", before.sequence == sequence - 1
    if not contained:
        problem = f"commit {sequence - 1} is missing"
    elif digests.after(before.hash) != hash_:
        problem = WRONG_LINK
    elif not listed or not all(change.sound for change in changes):
        problem = WRONG_CHANGES
    return StoredCommit(digests, hash_, tuple(changes), loads, counts, problem, contained, listed)


def _typed(row: CommitDigests) -> CommitDigests:
    """The digests, or what can be shown of them where a damaged one is of another type."""
    texts, kinds = (row.author, row.files), (row.content, row.samples, row.tally, row.messages, row.runs, row.due)
    typed = (
        all(isinstance(text, str) for text in texts),
        all(isinstance(number, int) for number in (row.time, row.dead_letters)),
        all(kind is None or (isinstance(kind, bytes) and len(kind) == DIGEST) for kind in kinds),
    )
    if all(typed):
        return row
    time = row.time if isinstance(row.time, int) else 0
    return CommitDigests(row.sequence, time, f"{row.author}", 0, None, None, None, "", None, None, None)


def _change(sequence: int, iri: str, number: int, removed: str, added: str, own: bytes) -> StoredChange:
    if not all(isinstance(text, str) for text in (iri, removed, added)):
        return StoredChange(f"{iri}", "", "", sound=False)
    return StoredChange(iri, removed, added, change_hash(sequence, number, removed, added) == own)


WRONG_LINK: Final = "its number, time, author, digests or the hash before it do not match its hash"
WRONG_CHANGES: Final = "its changes do not match its hash"

_CHANGES: Final = (
    "SELECT coalesce(iri, ''), graph, removed, added, hash FROM changes LEFT JOIN graphs ON graphs.id = graph "
    "WHERE sequence = ? ORDER BY changes.rowid"
)
_LOADS: Final = (
    "SELECT coalesce(iri, ''), file, triples FROM loads LEFT JOIN graphs ON graphs.id = graph WHERE sequence = ?"
)
_COUNTS: Final = "SELECT coalesce(iri, ''), rows FROM commit_samples LEFT JOIN series ON id = series WHERE sequence = ?"


def check_tail(reader: sqlite3.Connection, commits: int) -> Iterator[StoredCommit | Fault]:
    """The last ``commits``, newest first, compared with their hashes, and faults that are of no single one of them.

    Fewer, where they have many changes: opening does not read a journal's large loads again.
    """
    last = head(reader).sequence
    for table in ("changes", "loads", "commit_samples"):
        (newest,) = reader.execute(f"SELECT max(sequence) FROM {table}").fetchone()  # noqa: S608 - our own names
        if newest is not None and newest > last:
            yield Fault(newest, f"rows of {table} have no commit")
    numbers = reader.execute(
        "SELECT sequence FROM commits WHERE sequence <= ? ORDER BY sequence DESC LIMIT ?", (last, commits)
    )
    total = 0
    for (sequence,) in numbers.fetchall():
        (changes,) = reader.execute("SELECT count(*) FROM changes WHERE sequence = ?", (sequence,)).fetchone()
        total += changes
        if total > _MOST_CHANGES and sequence < last:
            return
        stored = read_commit(reader, sequence)
        if stored is not None:
            yield stored
