"""Every protocol of the graph store, and the values that pass through them, on one page.

A commit flows one way: a :class:`ChangeSet <voltwin.graphstore.journal.changes.ChangeSet>` collects changes,
the :class:`Journal` makes them durable as an :class:`Entry` and numbers it, and each :class:`TripleStore`
applies it as a view. Nothing writes to a triple store in any other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable
from typing import Literal as OneOf

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QueryBoolean, QuerySolutions, Triple

if TYPE_CHECKING:
    import pyarrow as pa

Term = NamedNode | Literal
Node = NamedNode | BlankNode | Literal | Triple
QueryResult = QuerySolutions | QueryBoolean | Iterator[Triple]
"""Of SELECT, of ASK, of CONSTRUCT and DESCRIBE; the first two are also what a remote engine's answer is read as."""
Function = Callable[..., Node | None]
RunState = OneOf["queued", "succeeded", "skipped", "failed"]


@dataclass(frozen=True)
class GraphChange:
    """The triples that one commit removes from and adds to one named graph, as N-Triples text."""

    graph: NamedNode
    removed: str
    added: str


@dataclass(frozen=True)
class GraphLoad:
    """A file whose triples one commit adds to one graph; the journal names it, and does not copy it.

    ``file`` is the SHA-256 of its N-Triples (hex): :class:`~voltwin.graphstore.journal.bulk_files.LoadFiles` finds it.
    """

    graph: NamedNode
    file: str
    triples: int


@dataclass(frozen=True)
class Sample:
    """One sample of one series: value in the series' unit, time in microseconds since 1970 UTC."""

    series: NamedNode
    time: int
    value: float


@dataclass(frozen=True)
class SampleBatch:
    """Many samples of one series at once: times (n,) in microseconds since 1970 UTC, values (n,) in its unit."""

    series: NamedNode
    times: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class QueuedRun:
    """A queued run. ``moment``: the time its results are valid for. ``cause``: the message or run that triggered it."""

    id: str
    action: NamedNode
    twin: NamedNode
    moment: datetime
    cause: str


@dataclass(frozen=True)
class FinishedRun:
    """A run that a commit ends."""

    id: str
    state: RunState
    reason: str = ""


@dataclass(frozen=True)
class Due:
    """When an action of a twin is next due; ``None`` removes it from the table."""

    action: NamedNode
    twin: NamedNode
    next: datetime | None


class PendingChanges(Protocol):
    """Changes that are not committed yet: those of graphs, and samples."""

    @property
    def samples(self) -> Sequence[Sample]:
        """Single samples."""
        ...

    @property
    def batches(self) -> Sequence[SampleBatch]:
        """Many samples of one series each."""
        ...

    def changes(self) -> Sequence[GraphChange]:
        """The changes of graphs that are not empty."""
        ...


@dataclass(frozen=True)
class Entry:
    """One group commit, durable whole or not at all; made of a whole change set by :meth:`of`."""

    author: str
    time: datetime
    changes: Sequence[GraphChange] = ()
    samples: Sequence[Sample] = ()
    message_keys: Sequence[str] = ()
    queued: Sequence[QueuedRun] = ()
    finished: Sequence[FinishedRun] = ()
    due: Sequence[Due] = ()
    dead_letters: int = 0
    loads: Sequence[GraphLoad] = ()
    batches: Sequence[SampleBatch] = ()

    @classmethod
    def of(
        cls,
        changes: PendingChanges,
        author: str,
        time: datetime,
        *,
        message_keys: Sequence[str] = (),
        queued: Sequence[QueuedRun] = (),
        finished: Sequence[FinishedRun] = (),
        due: Sequence[Due] = (),
        dead_letters: int = 0,
    ) -> Entry:
        """The entry that commits all of ``changes``: graphs, samples and batches of samples."""
        graphs, samples, batches = tuple(changes.changes()), tuple(changes.samples), tuple(changes.batches)
        return cls(author, time, graphs, samples, message_keys, queued, finished, due, dead_letters, batches=batches)


@dataclass(frozen=True)
class Commit:
    """An entry as the journal holds it."""

    sequence: int
    author: str
    time: datetime
    changes: Sequence[GraphChange]
    loads: Sequence[GraphLoad] = ()


class Samples(NamedTuple):
    """Samples of one series, ascending in time: times (n,) in microseconds since 1970 UTC, values (n,)."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]


class SeriesReader(Protocol):
    """Reads samples; times are microseconds since 1970 UTC, an interval is [start, end).

    The *course* of a series is linear between neighbouring samples; there is none before its first and after its
    last sample (docs/series.md).
    """

    def read(self, series: NamedNode, start: int | None = None, end: int | None = None) -> Samples:
        """The samples in the interval; empty for an unknown series."""
        ...

    def aggregate(
        self, series: NamedNode, function: str, start: int | None = None, end: int | None = None
    ) -> float | None:
        """One figure over the interval; None where there is nothing.

        ``min``, ``max``, ``mean``, ``sum``, ``count``, ``first``, ``last`` are those of the samples, ``integral`` is
        that of the course, in the series' unit times seconds.
        """
        ...

    def at(self, series: NamedNode, time: int) -> float | None:
        """The value of the course at ``time``; None outside of it."""
        ...

    def duration_below(
        self, series: NamedNode, limit: float, start: int | None = None, end: int | None = None
    ) -> float | None:
        """The seconds of the interval in which the course lies below ``limit``; None where there is no course."""
        ...


class SeriesStore(SeriesReader, Protocol):
    """All series of a fleet: read alone or together, as of now or of a commit; sealed into files; deleted."""

    def as_of(self, sequence: int) -> SeriesReader:
        """The samples as they were known after a commit."""
        ...

    def series(self) -> list[NamedNode]:
        """Every series that has samples, in the order of their IRIs."""
        ...

    def read_table(
        self, series: Iterable[NamedNode] | None = None, start: int | None = None, end: int | None = None
    ) -> pa.Table:
        """Samples of some series (None: of all): ``series``, ``time`` as timestamp[us, UTC], ``value``."""
        ...

    def resample(
        self,
        bucket: timedelta,
        function: str = "mean",
        series: Iterable[NamedNode] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> pa.Table:
        """A figure of the samples for each series and bucket of time that has some.

        Columns: ``series``, ``time`` (the bucket's start, aligned to 1970), ``value``, ``count``.
        """
        ...

    def seal(self, before: datetime, least_rows: int = ..., stop: Callable[[], bool] = ...) -> Sealing:
        """Move hot samples before a moment into files; what is sealed reads as before. ``stop`` ends it early."""
        ...

    def retain(self, before: datetime, series: Iterable[NamedNode] | None = None) -> RetentionResult:
        """Delete the samples before a moment, of some series or of all."""
        ...


@dataclass(frozen=True)
class Sealing:
    """Result of a sealing: files written, samples moved into them, bytes of those files."""

    files: int = 0
    samples: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class RetentionResult:
    """Result of a retention: samples deleted, series they belonged to, and files that held nothing else."""

    samples: int = 0
    series: int = 0
    files: int = 0


class Journal(Protocol):
    """The spine: appends entries in one transaction each and returns them in order."""

    damaged: Mapping[int, str]
    """Commits among the newest that were found damaged on opening, and the problem of each."""

    @property
    def series(self) -> SeriesStore:
        """The samples of its entries."""
        ...

    def append(self, entry: Entry) -> int:
        """Make ``entry`` durable; returns its sequence number once it is on disk."""
        ...

    def since(self, sequence: int) -> Iterator[Commit]:
        """All commits after ``sequence``, in order. Raises StoreError where compaction removed some of them."""
        ...

    @property
    def last_sequence(self) -> int:
        """The number of the newest commit; 0 in an empty journal."""
        ...

    def known_messages(self, keys: Sequence[str]) -> frozenset[str]:
        """The ``keys`` that some commit has already."""
        ...

    def known_runs(self, ids: Sequence[str]) -> frozenset[str]:
        """The ``ids`` that some commit has queued already, in any state."""
        ...

    def queued_runs(self) -> list[QueuedRun]:
        """Runs that are due and not finished, oldest first."""
        ...

    def due_table(self) -> list[Due]:
        """When each scheduled action of each twin is next due."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Totals for people: commits, messages, samples, dead letters, and runs by state."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class TripleStore(Protocol):
    """A view of the journal that answers SPARQL."""

    def query(
        self, text: str, *, union: bool = True, functions: Mapping[NamedNode, Function] | None = None
    ) -> QueryResult:
        """Answer a query; ``union``: the default graph is the union of all graphs, whatever its FROM says."""
        ...

    def quads(
        self, subject: NamedNode | None, predicate: NamedNode | None, object: Term | None, graph: NamedNode | None
    ) -> Iterator[Quad]:
        """Quads that match the pattern."""
        ...

    def apply(self, sequence: int, changes: Iterable[GraphChange]) -> None:
        """Apply one commit and record its number, in one atomic update."""
        ...

    def load(self, graph: NamedNode, triples: bytes) -> None:
        """Add N-Triples to ``graph`` in bulk; doing it again changes nothing."""
        ...

    def replace(self, graph: NamedNode, triples: Iterable[Triple]) -> bool:
        """Make ``graph`` hold exactly ``triples`` (for views only); return whether anything changed."""
        ...

    def last_applied(self) -> int:
        """The number of the last commit applied."""
        ...

    def clear(self) -> None:
        """Delete everything, so that the journal can be applied from its start."""
        ...

    def flush(self) -> None:
        """Write through to disk where that means something."""
        ...

    def close(self) -> None:
        """Close the store; every later call fails."""
        ...


@runtime_checkable
class Snapshots(Protocol):
    """Further abilities of a triple store whose present state other processes may read."""

    @property
    def on_disk(self) -> bool:
        """Whether a snapshot is cheap: hard links. Of a store in memory it is a copy."""
        ...

    @property
    def writes(self) -> int:
        """Grows with everything that changes the store."""
        ...

    def snapshot(self, folder: Path) -> None:
        """Copy the store's present state into ``folder``, which is new and on the store's own disk."""
        ...


@dataclass(frozen=True)
class QueryAnswer:
    """A SPARQL answer in the standard format that fits the query's form.

    ``body`` is SPARQL results (JSON, XML, CSV, TSV) for SELECT and ASK, RDF for CONSTRUCT and DESCRIBE.
    """

    media_type: str
    body: bytes


@dataclass(frozen=True)
class UpdateAnswer:
    """Result of a SPARQL update: its commit (None where nothing changed), quads added and removed."""

    sequence: int | None
    added: int
    removed: int


@dataclass(frozen=True)
class LoadAnswer:
    """Result of a load: its commit (None where nothing changed), triples read, triples removed."""

    sequence: int | None
    triples: int
    removed: int
