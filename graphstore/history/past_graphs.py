r"""The content of graphs after any commit, read from the journal alone.

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from datetime import UTC, datetime
>>> from pyoxigraph import NamedNode
>>> from voltwin.graphstore.interfaces import Entry, GraphChange
>>> from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
>>> twin, when = NamedNode("https://fleet.example/twins/a"), datetime(2019, 4, 1, tzinfo=UTC)
>>> with TemporaryDirectory() as place:
...     journal = SqliteJournal.open(Path(place) / "journal.sqlite")
...     for change in (("", "<a:s> <a:p> <a:1> .\n"), ("<a:s> <a:p> <a:1> .\n", "<a:s> <a:p> <a:2> .\n")):
...         number = journal.append(Entry("anna", when, [GraphChange(twin, *change)]))
...     past = PastGraphs(journal.database, None)
...     past.graph(twin, 1), past.graph(twin, 2)
...     journal.close()
(b'<a:s> <a:p> <a:1> .\n', b'<a:s> <a:p> <a:2> .\n')

A graph as of commit ``n`` is its newest snapshot not after ``n`` plus every load and change up to ``n``.
Content is processed as lines of N-Triples: the journal's writers have one spelling for a triple, so that the same
triple is the same line; if a removal finds no such line, both are spelled again and compared as triples.

A commit's time is the clock's, which in a replay is the replayed time, and a clock may be set back. The state known
at a moment is therefore the state after the *highest* commit whose time is not after that moment.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pyoxigraph import NamedNode, RdfFormat, parse

from ...errors import InputError, MomentNotFoundError, StoreError
from ...ontology.literals import format_time, from_microseconds, parse_time, to_microseconds
from ..database.chain import HISTORY_BEGINS, WRONG_CHANGES, Fault
from ..database.hashes import change_hash, digest
from ..database.sqlite import Database
from ..journal.verification import refuse

AsOf = datetime | int
"""A moment in UTC, or the number of a commit."""

_NUMBER: Final = "SELECT id FROM graphs WHERE iri = ?"

_KNOWN_GRAPHS: Final = """
SELECT iri FROM graphs WHERE EXISTS (SELECT 1 FROM changes WHERE graph = id AND sequence <= :n)
    OR EXISTS (SELECT 1 FROM loads WHERE graph = id AND sequence <= :n)
    OR EXISTS (SELECT 1 FROM snapshots WHERE graph = id AND sequence <= :n) ORDER BY iri"""


class LoadReader(Protocol):
    """Access to the triples of bulk loads."""

    def read(self, file: str) -> bytes:
        """All N-Triples of one load."""
        ...


@dataclass(frozen=True)
class Moment:
    """A point of history: everything up to commit ``sequence``, requested as of ``time``."""

    sequence: int
    time: datetime


@dataclass(frozen=True)
class CommitRange:
    """The readable history: from the first commit with a known state to the newest one."""

    first: Moment
    last: Moment


class PastGraphs:
    """Reads past states from one journal; safe from any thread."""

    def __init__(self, database: Database, loads: LoadReader | None) -> None:
        self.database = database
        self._loads = loads

    @property
    def begins(self) -> int:
        """The last compacted commit, whose state is in snapshots; 0 without compaction."""
        return _begins(self.database.reader())

    def span(self) -> CommitRange | None:
        """The extent of the history; None in an empty journal."""
        with self.reading() as reader:
            return _span(reader)

    def find(self, wanted: AsOf) -> Moment:
        """The point of history for a moment or the number of a commit. Raises MomentNotFoundError."""
        with self.reading() as reader:
            span = _span(reader)
            if span is None:
                raise MomentNotFoundError(f"as of {as_of_text(wanted)}: nothing has been committed yet")
            if isinstance(wanted, datetime):
                return Moment(_sequence_at(reader, wanted, span), wanted)
            if not span.first.sequence <= wanted <= span.last.sequence:
                raise _outside(wanted, span)
            (time,) = reader.execute("SELECT time FROM commits WHERE sequence = ?", (wanted,)).fetchone()
            return Moment(wanted, from_microseconds(time))

    def sequence_at(self, time: datetime) -> int:
        """The highest commit whose time is not after ``time``. Raises MomentNotFoundError before the first."""
        return self.find(time).sequence

    def graphs(self, sequence: int) -> list[NamedNode]:
        """Graphs changed by a commit up to ``sequence``, by IRI; they may be empty by then."""
        with self.reading(sequence) as reader:
            return [NamedNode(iri) for (iri,) in reader.execute(_KNOWN_GRAPHS, {"n": sequence})]

    def graph(self, graph: NamedNode, sequence: int) -> bytes:
        """N-Triples of ``graph`` after commit ``sequence``, in the order of their lines; empty for an unknown graph.

        Raises MomentNotFoundError outside the history, StoreError if a load's file is missing.
        """
        return text_of(self.lines(graph, sequence))

    def lines(self, graph: NamedNode, sequence: int) -> set[str]:
        """The same content as :meth:`graph`, as lines without line feeds."""
        with self.reading(sequence) as reader:
            row = reader.execute(_NUMBER, (graph.value,)).fetchone()
            return set() if row is None else self._replay(reader, int(row[0]), graph.value, sequence)

    def state(self, sequence: int) -> Iterator[tuple[NamedNode, bytes]]:
        """Every journaled graph that was not empty after commit ``sequence``, with its N-Triples."""
        for graph in self.graphs(sequence):
            content = self.graph(graph, sequence)
            if content:
                yield graph, content

    def within(self, twin: NamedNode, sequence: int) -> list[NamedNode]:
        """The graphs of one twin that a commit up to ``sequence`` changed: its own and its companions."""
        low, high = f"{twin.value}/", f"{twin.value}0"  # "0" is the character after "/"
        with self.reading(sequence) as reader:
            rows = reader.execute(
                "SELECT iri FROM graphs WHERE iri = ? OR (iri > ? AND iri < ?)", (twin.value, low, high)
            )
            return [NamedNode(iri) for (iri,) in rows]

    def last_change(self, graph: NamedNode, sequence: int) -> int:
        """The newest commit up to ``sequence`` that changed ``graph`` (or compacted it); 0 if none."""
        newest = " UNION ALL ".join(
            f"SELECT max(sequence) AS n FROM {table} WHERE graph = (SELECT id FROM graphs WHERE iri = :iri) "  # noqa: S608
            "AND sequence <= :n"
            for table in ("changes", "loads", "snapshots")
        )
        with self.reading(sequence) as reader:
            row = reader.execute(f"SELECT max(n) FROM ({newest})", {"iri": graph.value, "n": sequence}).fetchone()  # noqa: S608
            return int(row[0] or 0)

    def _replay(self, reader: sqlite3.Connection, graph: int, iri: str, sequence: int) -> set[str]:
        row = reader.execute(
            "SELECT sequence, triples, size, proof FROM snapshots WHERE graph = ? AND sequence <= ? "
            "ORDER BY sequence DESC LIMIT 1",
            (graph, sequence),
        ).fetchone()
        if row and digest(iri, row[0], row[2], row[1]) != row[3]:
            refuse(self.database.file, iter([Fault(row[0], "a snapshot does not match its hash")]))
        start, lines = (int(row[0]), lines_of(unpack(row[1]))) if row else (0, set[str]())
        window = (graph, start, sequence)
        # Within a commit loads are first, as the triple store applies them.
        steps = reader.execute(
            "SELECT sequence, 0, rowid, removed, added, hash FROM changes "
            "WHERE graph = ? AND sequence > ? AND sequence <= ? UNION ALL "
            "SELECT sequence, -1, 0, file, '', x'' FROM loads WHERE graph = ? AND sequence > ? AND sequence <= ? "
            "ORDER BY 1, 2, 3",
            (*window, *window),
        )
        for number, kind, _, removed, added, hash_ in steps:
            if kind == -1:
                lines |= lines_of(self._loaded(removed))
                continue
            if change_hash(number, graph, removed, added) != hash_:
                refuse(self.database.file, iter([Fault(number, WRONG_CHANGES)]))
            lines = without(lines, removed)
            lines.update(added.split("\n"))
        lines.discard("")
        return lines

    def _loaded(self, file: str) -> str:
        if self._loads is None:
            raise StoreError(f"load {file}: this history was opened without the folder of bulk loads; give it one")
        return self._loads.read(file).decode()

    @contextmanager
    def reading(self, sequence: int | None = None) -> Iterator[sqlite3.Connection]:
        """One view of the journal, so that compaction cannot run between two reads.

        Raises MomentNotFoundError if commit ``sequence`` is before the history, StoreError.
        """
        reader = self.database.reader()
        if reader.in_transaction:  # a nested reading uses the same view
            yield reader
            return
        try:
            reader.execute("BEGIN")
            try:
                if sequence is not None and sequence < _begins(reader):
                    span = _span(reader)
                    assert span is not None
                    raise _outside(sequence, span)
                yield reader
            finally:
                reader.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"{self.database.file}: the history cannot be read: {error}") from error


def lines_of(text: str) -> set[str]:
    """N-Triples as a set of lines. Not ``splitlines``: literals may contain Unicode line separators."""
    lines = set(text.split("\n"))
    lines.discard("")
    return lines


def text_of(lines: Iterable[str]) -> bytes:
    """Lines as N-Triples, sorted, so that the same graph gives the same bytes."""
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def without(lines: set[str], removed: str) -> set[str]:
    """``lines`` without those of the text ``removed``; both are respelled if one of them seems to be missing."""
    gone = lines_of(removed)
    if not gone <= lines:
        lines, gone = _respelled(lines), _respelled(gone)
    lines -= gone
    return lines


def _respelled(lines: Iterable[str]) -> set[str]:
    return {f"{quad.triple} ." for quad in parse(text_of(lines), format=RdfFormat.N_TRIPLES)}


def pack(content: bytes) -> bytes:
    """The stored form of a snapshot."""
    return zlib.compress(content, 6)


def unpack(content: bytes) -> str:
    """The text stored by :func:`pack`."""
    return zlib.decompress(content).decode()


def parse_as_of(text: str) -> AsOf:
    """Parse the number of a commit, or a time with a zone. Raises InputError.

    >>> parse_as_of("4711"), parse_as_of("2019-04-01T06:00:00Z").year
    (4711, 2019)
    """
    if text.isascii() and text.removeprefix("-").isdigit():
        return int(text)
    try:
        return parse_time(text)
    except InputError:
        raise InputError(f"as of {text!r}: neither a commit's number nor a time such as 2019-06-01T00:00:00Z") from None


def as_of_text(wanted: AsOf) -> str:
    """The text form read by :func:`parse_as_of`."""
    return format_time(wanted) if isinstance(wanted, datetime) else str(wanted)


def _begins(reader: sqlite3.Connection) -> int:
    row = reader.execute("SELECT value FROM facts WHERE name = ?", (HISTORY_BEGINS,)).fetchone()
    return int(row[0]) if row else 0


def _span(reader: sqlite3.Connection) -> CommitRange | None:
    ends: Sequence[tuple[int, int]] = [
        row
        for order in ("ASC", "DESC")
        for row in reader.execute(
            f"SELECT sequence, time FROM commits WHERE sequence >= ? ORDER BY sequence {order} LIMIT 1",  # noqa: S608
            (_begins(reader),),
        )
    ]
    if not ends:
        return None
    first, last = (Moment(number, from_microseconds(time)) for number, time in ends)
    return CommitRange(first, last)


def _sequence_at(reader: sqlite3.Connection, time: datetime, span: CommitRange) -> int:
    query = "SELECT max(sequence) FROM commits WHERE time <= ? AND sequence >= ?"
    (found,) = reader.execute(query, (to_microseconds(time), span.first.sequence)).fetchone()
    if found is None:
        raise _outside(time, span)
    return int(found)


def _outside(wanted: AsOf, span: CommitRange) -> MomentNotFoundError:
    first, last = (f"commit {item.sequence} of {format_time(item.time)}" for item in (span.first, span.last))
    return MomentNotFoundError(
        f"as of {as_of_text(wanted)}: outside this fleet's history, which extends from {first} to {last}"
    )
