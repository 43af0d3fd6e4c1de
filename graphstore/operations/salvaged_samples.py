"""The samples that can be proved, from journals and sealed files, in the order of their commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pyoxigraph import NamedNode

from ...errors import StoreError
from ...ontology.literals import format_time, from_microseconds
from ..interfaces import Sample, SampleBatch
from ..series.archives.archive import SeriesArchive
from ..series.hot import Sealed
from ..series.rows import EMPTY, Rows, latest_values
from .pieces import JournalPieces, named_by_content, read_sealed

MOST_SINGLE: Final = 4096
"""Samples of a commit that are written one by one; more are a batch for each series."""

_TABLE: Final = """CREATE TABLE rows (sequence INTEGER, series TEXT, time INTEGER, value REAL,
                   PRIMARY KEY (sequence, series, time)) WITHOUT ROWID"""


@dataclass(frozen=True)
class Loss:
    """Something that could not be proved: its kind, its place, and what is known of it."""

    kind: str
    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.problem}"


class SampleHeap:
    """Rows of samples by commit, in a file of its own, since there may be many."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows = sqlite3.connect(file, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("BEGIN")
        self._rows.execute(_TABLE)

    def add(self, series: str, rows: Rows) -> None:
        """Add rows of one series; the same row twice is one."""
        columns = (rows.sequences.tolist(), rows.times.tolist(), rows.values.tolist())
        self._put((sequence, series, time, value) for sequence, time, value in zip(*columns, strict=True))

    def _put(self, rows: Iterator[tuple[int, str, int, float]]) -> None:
        self._rows.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?)", rows)

    def add_proved(self, source: JournalPieces, wanted: set[int]) -> None:
        """Add the rows that a journal has of some commits."""
        self._put(row for row in source.samples() if row[0] in wanted)

    def between(self, after: int, until: int) -> tuple[list[Sample], list[SampleBatch]]:
        """The samples of the commits after one, up to another; of several for a time, the newest."""
        query = "SELECT series, time, value FROM rows WHERE sequence > ? AND sequence <= ? ORDER BY sequence"
        newest = {(series, time): value for series, time, value in self._rows.execute(query, (after, until))}
        if len(newest) < MOST_SINGLE:
            return [Sample(NamedNode(series), time, value) for (series, time), value in newest.items()], []
        by_series: dict[str, list[tuple[int, float]]] = {}
        for (series, time), value in newest.items():
            by_series.setdefault(series, []).append((time, value))
        return [], [
            SampleBatch(NamedNode(series), *(np.array(column) for column in zip(*found, strict=True)))
            for series, found in by_series.items()
        ]

    def close(self) -> None:
        """Delete the file."""
        self._rows.close()
        self._file.unlink()


def collect(heap: SampleHeap, sources: Sequence[JournalPieces], archive: SeriesArchive) -> Iterator[Loss]:
    """Fill ``heap`` from journals, the fleet's own first, and from their files; what is lost.

    ``archive`` is the fleet's, for files that no journal registers any more.
    """
    missing: dict[int, int] = {}
    for number, source in enumerate(sources):
        sound, unproved = source.proved_samples()
        heap.add_proved(source, sound if not number else sound & missing.keys())
        missing = unproved if not number else {key: rows for key, rows in missing.items() if key not in sound}
        if number and not sources[0].last():
            heap.add_proved(source, sound)
            missing = unproved
    for sequence, rows in sorted(missing.items()):
        spans = _spans(sources[0], sequence) or f"{rows} rows are there"
        yield Loss("samples", f"commit {sequence}", f"do not match their hash, so none was taken; {spans}")
    yield from _sealed(heap, sources, archive)


def _spans(source: JournalPieces, sequence: int) -> str:
    """The series and times of a commit's rows in words."""
    found: dict[str, list[int]] = {}
    for at, series, time, _ in source.samples():
        if at == sequence:
            found.setdefault(series, []).append(time)
    return "; ".join(
        f"{series}: {len(times)} rows between {_time(min(times))} and {_time(max(times))} are there"
        for series, times in sorted(found.items())
    )


def _time(moment: int) -> str:
    return format_time(from_microseconds(moment))


def _sealed(heap: SampleHeap, sources: Sequence[JournalPieces], archive: SeriesArchive) -> Iterator[Loss]:
    archives = [archive, *(source.archive for source in sources)]
    known: set[str] = set()
    for source in [item for item in sources if item.last()][:1]:
        for item in source.sealed():
            known.add(item.file)
            series, rows = source.series_name(item.series), read_sealed(item, archives)
            if rows is None:
                rows = _older(item, archives)
                span = f"between {_time(item.first)} and {_time(item.last)}"
                problem = f"{item.file} is missing or damaged; {item.rows - len(rows)} of {item.rows} samples {span}"
                yield Loss("sealed file", series, f"{problem} are lost")
            heap.add(series, rows)
    if sources[0].last() and sources[0].sealed_whole():
        return
    for place in archives:
        for name in _names(place):
            if name in known or not name.endswith(".parquet"):
                continue
            known.add(name)
            named = _read_named(name, place)
            if named is None:
                yield Loss("sealed file", name, "is damaged, and no journal says which samples it had")
            else:
                heap.add(*named)


def _older(item: Sealed, archives: Sequence[SeriesArchive]) -> Rows:
    """The rows in earlier files of the same series and period, within the times of the lost one."""
    beginning, found = item.file.rpartition("-")[0], [EMPTY]
    for place in archives:
        for name in _names(place):
            named = _read_named(name, place) if name.startswith(beginning) else None
            found += [] if named is None else [named[1].within(item.first, item.last + 1)]
    return latest_values(found)


def _names(archive: SeriesArchive) -> list[str]:
    try:
        return sorted(archive.names())
    except StoreError:
        return []


def _read_named(name: str, archive: SeriesArchive) -> tuple[str, Rows] | None:
    import pyarrow as pa

    from ..series.parquet import decode, series_of

    try:
        data = archive.get(name)
        return (series_of(data), decode(data)) if named_by_content(name, data) else None
    except (StoreError, pa.ArrowException, KeyError, OSError, IndexError):
        return None
