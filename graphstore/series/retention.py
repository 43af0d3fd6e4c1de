"""Letting go of old samples: out of the hot table and the sealed files, and out of the figures in the graph.

``retain_series`` changes the figures first, in a commit with an author, and the samples then. Killed in between, the
next one finds the same samples and comes to the same figures.
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
    """What is to go of one series: files altogether, part of one that is written anew, and everything hot before."""

    series: int
    before: int
    gone: Sequence[hot.Sealed]
    cut: tuple[hot.Sealed, hot.Sealed] | None = None


def plan(source: SampleSource, series: int, iri: str, before: int) -> DeletionPlan:
    """Find what is to go; the file that lies on both sides of ``before`` is written anew without its older part."""
    from .parquet import encode

    files = source.reading(lambda connection: hot.sealed_files(connection, series, FIRST, before))
    gone = [item for item in files if item.last < before]
    cut = None
    for old in files:
        if old.last >= before:
            rows = source.load(old).within(before, old.last + 1)
            data = encode(iri, rows)
            digest = hashlib.sha256(data).hexdigest()
            name = f"{old.file.rpartition('-')[0]}-{digest[:16]}.parquet"
            source.archive.put(name, data)
            new = replace(old, file=name, rows=len(rows), first=int(rows.times[0]), bytes=len(data), sha256=digest)
            cut = (old, new)
    return DeletionPlan(series, before, gone, cut)


def delete_before(writer: sqlite3.Connection, deletion: DeletionPlan, now: int) -> int:
    """Do it, inside a transaction; how many samples went."""
    window = (deletion.series, deletion.before)
    samples = writer.execute("DELETE FROM samples WHERE series = ? AND time < ?", window).rowcount
    writer.execute("DELETE FROM samples_replaced WHERE series = ? AND time < ?", window)
    for item in deletion.gone:
        writer.execute("DELETE FROM sealed WHERE series = ? AND period = ?", (item.series, item.period))
        hot.discard(writer, item.file, now)
        samples += item.rows
    if deletion.cut is not None:
        old, new = deletion.cut
        hot.register(writer, new, old, now)
        samples += old.rows - new.rows
    return samples
