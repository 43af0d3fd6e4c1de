"""Hashes of rows and commits: BLAKE2b over values that each carry their length, so that no two lists are alike.

>>> digest("ab", "c") == digest("a", "bc")
False

A commit's hash covers the hash before it and a digest for each kind of its content (:class:`CommitDigests`). So the
chain can be checked when compaction, sealing or retention has deleted some content; the rest has its digests.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

START: Final = bytes(32)
"""The hash before the first commit."""

SQL_NAME: Final = "row_hash"
"""The SQL function of :func:`digest`."""

_ROW: Final = 16

Value = bytes | str | int | float | None
SampleRow = tuple[int, int, float]
"""Number of the series, time, value."""


def digest(*values: Value, size: int = _ROW) -> bytes:
    """The hash of some values in their order."""
    made = hashlib.blake2b(digest_size=size)
    for value in values:
        data = value if isinstance(value, bytes) else b"" if value is None else str(value).encode()
        made.update(b"%d:" % len(data))
        made.update(data)
    return made.digest()


def list_digest(*lists: Sequence[object]) -> bytes | None:
    """The hash of lists of texts and numbers; None if all are empty."""
    return digest(json.dumps(lists)) if any(lists) else None


def content_digest(
    changes: Iterable[tuple[str, bytes]], loads: Iterable[tuple[str, str, int]], counts: Iterable[tuple[str, int]]
) -> bytes | None:
    """The hash of a commit's content by name: graphs with the hashes of their changes, loads, samples by series."""
    return list_digest([(graph, hash_.hex()) for graph, hash_ in changes], sorted(loads), sorted(counts))


def samples_digest(rows: Sequence[SampleRow]) -> bytes | None:
    """The hash of a commit's rows of samples, in any order."""
    if not rows:
        return None
    ordered = sorted(rows)
    made = hashlib.blake2b(digest_size=_ROW)
    for column, code in enumerate("qqd"):
        made.update(array(code, [row[column] for row in ordered]).tobytes())
    return made.digest()


class CommitDigests(NamedTuple):
    """The digests of one commit by kind, as the table ``hashes`` has them; None: it has nothing of that kind."""

    sequence: int
    head: bytes
    """Number, time, author, dead letters."""
    content: bytes | None
    rows: int
    """The number of rows under ``samples``."""
    samples: bytes | None
    files: str
    """The files of its batches, which are named by their content."""
    messages: bytes | None
    runs: bytes | None
    due: bytes | None

    def after(self, previous: bytes) -> bytes:
        """The commit's hash, after the hash of the commit before it."""
        return digest(previous, *self, size=32)


def teach(connection: sqlite3.Connection) -> None:
    """Make :func:`digest` available in SQL."""
    connection.create_function(SQL_NAME, -1, digest, deterministic=True)
