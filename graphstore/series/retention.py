"""Deletion of old samples from the hot table and the sealed files.

``operations/retention.py`` updates the statistics in the graph first, in a commit with an author. After an
interruption the next retention finds the same samples and computes the same statistics.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import hot
from .rows import FIRST
from .source import SampleSource


@dataclass(frozen=True)
class DeletionPlan:
    """The deletions of one series: whole files, the older part of one file, and all hot rows before a moment."""

    series: int
    before: int
    files: Sequence[hot.Sealed]
    shortened: tuple[hot.Sealed, hot.Sealed] | None = None
    """The file on both sides of the moment, and the new file that replaces it."""


def plan(source: SampleSource, series: int, iri: str, before: int) -> DeletionPlan:
    """Plan the deletion; a file on both sides of ``before`` is written again without its older part."""
    from .parquet import encode

    found = source.reading(lambda connection: hot.sealed_files(connection, series, FIRST, before))
    files = [item for item in found if item.last < before]
    shortened = None
    for old in found:
        if old.last >= before:
            rows = source.load(old).within(before, old.last + 1)
            data = encode(iri, rows)
            digest = hashlib.sha256(data).hexdigest()
            name = f"{old.file.rpartition('-')[0]}-{digest[:16]}.parquet"
            source.archive.put(name, data)
            new = replace(old, file=name, rows=len(rows), first=int(rows.times[0]), bytes=len(data), sha256=digest)
            shortened = (old, new)
    return DeletionPlan(series, before, files, shortened)


def delete_before(writer: sqlite3.Connection, deletion: DeletionPlan, now: int) -> int:
    """Delete inside a transaction and return the number of samples deleted."""
    window = (deletion.series, deletion.before)
    samples = writer.execute("DELETE FROM samples WHERE series = ? AND time < ?", window).rowcount
    writer.execute("DELETE FROM samples_replaced WHERE series = ? AND time < ?", window)
    for item in deletion.files:
        writer.execute("DELETE FROM sealed WHERE series = ? AND period = ?", (item.series, item.period))
        hot.discard(writer, item.file, now)
        samples += item.rows
    if deletion.shortened is not None:
        old, new = deletion.shortened
        hot.register(writer, new, old, now)
        samples += old.rows - new.rows
    return samples
