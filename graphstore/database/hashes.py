"""Hashes of rows and commits: BLAKE2b over an encoding in which no two contents are alike.

>>> digest("ab", "c") == digest("a", "bc")
False

A commit's hash covers the hash before it and a digest for each kind of its content (:class:`CommitDigests`). So the
chain can be checked when compaction, sealing or retention has deleted some content; the rest has its digests.
Each kind is encoded at once, since the cost of a hash is that of the calls, not of the bytes: by ``ascii``, which
writes a value as Python does, differently for any two, and the same with every version of Python.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from .tally import pack, tally

START: Final = bytes(32)
"""The hash before the first commit."""

SQL_NAME: Final = "row_hash"
"""The SQL function of :func:`digest`."""

CHANGE_SQL_NAME: Final = "change_hash"
"""The SQL function of :func:`change_hash`."""

DIGEST: Final = 16
"""Bytes of the digests of rows and kinds."""

_PACK: Final = struct.Struct("<qqd").pack
_HEAD: Final = struct.Struct("<qqqq16s16s16s16s16s16s").pack
_UNPACK: Final = struct.Struct("<qqQ").iter_unpack

UNREADABLE: Final = (sqlite3.Error, ValueError, OverflowError, TypeError, AttributeError, struct.error)
"""The errors of reading damaged rows, whose values may be of another type than their column."""

Value = bytes | str | int | float | None
SampleRow = tuple[int, int, float]
"""Number of the series, time, value."""


def digest(*values: Value) -> bytes:
    """The hash of some values in their order; each carries its length."""
    parts = []
    for value in values:
        if value is None:
            parts.append(b"-")
        else:
            data = value if isinstance(value, bytes) else str(value).encode()
            parts.append(b"%d:" % len(data) + data)
    return blake2b(b"".join(parts), digest_size=DIGEST).digest()


def change_hash(sequence: int, graph: int, removed: str, added: str) -> bytes:
    """The hash of one row of ``changes``; ``graph`` is its number."""
    return blake2b(f"{sequence} {graph} {len(removed)} {removed}{added}".encode(), digest_size=DIGEST).digest()


def list_digest(*lists: Sequence[object]) -> bytes | None:
    """The hash of lists of texts, numbers and tuples of them; None if all are empty."""
    if not any(lists):
        return None
    return blake2b(ascii(lists).encode(), digest_size=DIGEST).digest()


def content_digest(
    graphs: Sequence[str],
    hashes: Sequence[bytes],
    loads: Sequence[tuple[str, str, int]] = (),
    counts: Sequence[tuple[str, int]] = (),
) -> bytes | None:
    """The hash of a commit's content by name: graphs with the hashes of their changes, loads, samples by series."""
    if not (graphs or loads or counts):
        return None
    # The names end where their last bracket does: nothing can move between them and the hashes.
    named = ascii((graphs, sorted(loads), sorted(counts))).encode()
    return blake2b(named + b"".join(hashes), digest_size=DIGEST).digest()


def sample_digests(rows: Sequence[SampleRow], salts: Mapping[int, int]) -> tuple[bytes | None, bytes | None]:
    """The hash of a commit's rows of samples in any order, and their tally, from which single rows can be taken away.

    ``salts`` are those of the series' numbers (:func:`.tally.salt`).
    """
    if not rows:
        return None, None
    packed = b"".join([_PACK(*row) for row in sorted(rows)])
    return blake2b(packed, digest_size=DIGEST).digest(), pack(tally(salts, _UNPACK(packed)))


class CommitDigests(NamedTuple):
    """One commit by kind, as the table ``commits`` has it; None: it has nothing of that kind."""

    sequence: int
    time: int
    author: str
    dead_letters: int
    content: bytes | None
    samples: bytes | None
    tally: bytes | None
    """The tally of its rows of samples (:mod:`.tally`)."""
    files: str
    """The files of its batches, which are named by their content."""
    messages: bytes | None
    runs: bytes | None
    due: bytes | None

    def after(self, previous: bytes) -> bytes:
        """The commit's hash, after the hash of the commit before it."""
        sequence, time, author, letters, content, samples, tally, files, messages, runs, due = self
        name = author.encode()
        # What is missing stands as zeros, which no hash is.
        fixed = _HEAD(
            sequence, time, letters, len(name), content or b"", samples or b"", tally or b"", messages or b"",
            runs or b"", due or b"",
        )  # fmt: skip
        return blake2b(previous + fixed + name + files.encode(), digest_size=32).digest()


def teach(connection: sqlite3.Connection) -> None:
    """Make :func:`digest` and :func:`change_hash` available in SQL."""
    connection.create_function(SQL_NAME, -1, digest, deterministic=True)
    connection.create_function(CHANGE_SQL_NAME, 4, change_hash, deterministic=True)
