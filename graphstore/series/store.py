"""The default series store: hot samples in the journal's database, sealed ones in Parquet files, read together.

Only the journal writes: a commit's samples are inserted into the hot table inside its own transaction; a large batch
is written to a file, which that transaction registers. Sealing and retention are no commits: they move or delete
samples and assert nothing new.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from pyoxigraph import NamedNode

from ...errors import StoreError
from ...ontology.literals import to_microseconds
from ..database.hashes import SampleRow
from ..database.sqlite import Database
from ..database.tables import VERSIONS
from ..database.tally import salt
from ..interfaces import RetentionResult, Sample, SampleBatch, Sealing
from . import hot
from .archives.archive import SeriesArchive
from .archives.registry import open_archive
from .files import SealedFiles
from .options import read_options
from .periods import bounds, period_of
from .reading import SeriesReading
from .retention import delete_before, plan
from .sealing import LEAST_ROWS, PendingFiles, Sealer
from .source import SampleSource, chosen


@dataclass(frozen=True)
class StoredSamples:
    """A commit's samples as stored: its rows in the hot table, its counts by series, the files of its batches."""

    rows: Sequence[SampleRow]
    salts: Mapping[int, int]
    """The salts of the rows' series, for their tally."""
    counts: Mapping[str, int]
    files: str


class SqliteSeries(SeriesReading):
    """The protocol ``SeriesStore`` over one database and one archive."""

    def __init__(self, database: Database, archive: SeriesArchive) -> None:
        super().__init__(SampleSource(database, archive))
        self._sealer = Sealer(self._source)

    @classmethod
    def beside(cls, database: Database) -> Self:
        """The series in the journal's database, with the archive named by the fleet's fleet.json."""
        folder = database.file.parent
        return cls(database, open_archive(read_options(folder).archive, folder / "series"))

    @property
    def archive(self) -> SeriesArchive:
        """The archive of the sealed files."""
        return self._source.archive

    def as_of(self, sequence: int) -> SeriesReading:
        """The samples as known after commit ``sequence``, for reading."""
        return SeriesReading(self._source, sequence)

    def prepare(self, sequence: int, batches: Sequence[SampleBatch]) -> AbstractContextManager[PendingFiles]:
        """Write the batches of a commit to files; its transaction must run inside."""
        return self._sealer.prepare(sequence, batches)

    def insert(
        self, writer: sqlite3.Connection, sequence: int, samples: Sequence[Sample], prepared: PendingFiles
    ) -> StoredSamples:
        """Insert a commit's samples and batches, inside its transaction; return what is stored of it."""
        numbers = hot.give_numbers(writer, samples, self._source.numbers)
        rows = [(numbers[sample.series], sample.time, sample.value) for sample in samples]
        stored = hot.insert_rows(writer, sequence, rows)
        salts = {number: salt(series.value) for series, number in numbers.items()}
        for written in prepared.files:
            self._sealer.register(writer, written, _now())
        for iri, more in prepared.few:
            number = hot.give_number(writer, iri)
            salts[number] = salt(iri)
            columns = (more.times.tolist(), more.values.tolist())
            few = [(number, *row) for row in zip(*columns, strict=True)]
            stored += hot.insert_rows(writer, sequence, few)
        counted = Counter(sample.series.value for sample in samples)
        for iri, count in prepared.counts:
            counted[iri] += count
        writer.executemany(
            "INSERT INTO commit_samples SELECT ?, id, ? FROM series WHERE iri = ?",
            [(sequence, count, iri) for iri, count in counted.items() if count],
        )
        files = ",".join(written.file.file for written in prepared.files)
        return StoredSamples(stored, salts, {iri: count for iri, count in counted.items() if count}, files)

    def seal(self, before: datetime, least_rows: int = LEAST_ROWS, stop: Callable[[], bool] = lambda: False) -> Sealing:
        """Move hot samples before ``before`` into files, one for each series and month; readers see no difference.

        Months that are over by then are sealed whole; the current one from ``least_rows`` on. Each file is a step
        of its own; ``stop`` is called between them. Raises StoreError; samples sealed until then stay sealed.
        """
        moment = to_microseconds(before)
        done = Sealing()
        for iri, period in self._sealable(moment, least_rows):
            if stop():
                break
            with self._sealer.lock:
                written = self._sealer.seal(iri, period, moment)
                if written is None:
                    continue
                with self._source.database.transaction() as writer:
                    self._sealer.register(writer, written, _now())
            done = Sealing(done.files + 1, done.samples + written.moved, done.bytes + written.file.bytes)
        return done

    def _sealable(self, before: int, least_rows: int) -> list[tuple[str, str]]:
        """Series and months with enough hot rows to seal."""
        found: list[tuple[str, str]] = []
        current = period_of(before)
        reader = self._source.database.reader()
        for number, iri in chosen(self._source, reader, None):
            counts: dict[str, int] = {}
            start = reader.execute("SELECT min(time) FROM samples WHERE series = ?", (number,)).fetchone()[0]
            while start is not None and start < before:
                period = period_of(start)
                close = min(bounds(period)[1], before)
                window = (number, start, close)
                counts[period] = reader.execute(
                    "SELECT count(*) FROM samples WHERE series = ? AND time >= ? AND time < ?", window
                ).fetchone()[0]
                start = reader.execute(
                    "SELECT min(time) FROM samples WHERE series = ? AND time >= ?", (number, close)
                ).fetchone()[0]
            found += [(iri, period) for period, rows in counts.items() if period != current or rows >= least_rows]
        return found

    def retain(self, before: datetime, series: Iterable[NamedNode] | None = None) -> RetentionResult:
        """Delete the samples before ``before``, of some series or of all. Raises StoreError.

        :func:`~voltwin.graphstore.operations.retention.retain_series` also updates the statistics in the graph.
        """
        moment = to_microseconds(before)
        total = RetentionResult()
        wanted = None if series is None else list(series)
        reader = self._source.database.reader()
        for number, iri in chosen(self._source, reader, wanted):
            with self._sealer.lock:
                deletion = plan(self._source, number, iri, moment)
                with self._source.database.transaction() as writer:
                    samples = delete_before(writer, deletion, _now())
            if samples:
                total = RetentionResult(total.samples + samples, total.series + 1, total.files + len(deletion.files))
        return total

    def count(self) -> int:
        """The number of samples. A new one for a sealed time counts twice until it is sealed."""
        rows = "SELECT (SELECT count(*) FROM samples) + (SELECT coalesce(sum(rows), 0) FROM sealed)"
        return int(self._source.database.reader().execute(rows).fetchone()[0])

    @cached_property
    def files(self) -> SealedFiles:
        """The sealed files, for maintenance."""
        return SealedFiles(self._sealer)

    def close(self) -> None:
        """Close the archive; the caller closes the database."""
        self.archive.close()


class OpenSeries(SqliteSeries):
    """A fleet's series, opened for reading beside the process that writes them."""

    def close(self) -> None:
        """Close archive and database."""
        with closing(self._source.database):
            super().close()


def open_series(place: Path) -> OpenSeries:
    """The series of a fleet's folder (or its journal's file), read-only, also while a server writes them.

    Raises StoreError, FleetVersionError.
    """
    file = place / "journal.sqlite" if place.is_dir() else place
    if not file.is_file():
        raise StoreError(f"{place}: is neither a fleet's folder nor a journal")
    database = Database(file, VERSIONS, writable=False)
    try:
        return OpenSeries.beside(database)
    except BaseException:
        database.close()
        raise


def _now() -> int:
    return time.time_ns() // 1000
