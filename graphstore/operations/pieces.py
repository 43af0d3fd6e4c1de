"""The pieces that one journal can prove: each commit's changes, keys and runs, rows of samples, due times.

A piece that cannot be read counts as one that does not match: a damaged page stops nothing but what is on it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import NamedNode

from ...errors import StoreError
from ...ontology.literals import from_microseconds
from ..database import chain
from ..database.accounts import DELETED
from ..database.hashes import UNREADABLE, digest, list_digest
from ..database.sqlite import Database
from ..database.tables import PROVED
from ..database.tally import add, tally_row, total, unpack
from ..interfaces import Due, FinishedRun, GraphChange, GraphLoad, QueuedRun
from ..journal.bulk_files import LoadFiles
from ..series.archives.archive import SeriesArchive
from ..series.hot import Sealed
from ..series.rows import Rows
from ..series.source import decode_file


@dataclass(frozen=True)
class CommitPieces:
    """The provable pieces of one commit; None where a kind is not provable."""

    number: int
    time: int
    author: str
    dead_letters: int
    chained: bool
    """Whether number, time and author are proved by the chain."""
    changes: Sequence[GraphChange]
    loads: Sequence[GraphLoad]
    lost_graphs: Sequence[str] | None
    """Graphs whose changes do not match their hash; None: which graphs it changed is not known either."""
    keys: Sequence[str] | None
    queued: Sequence[QueuedRun] | None
    finished: Sequence[FinishedRun] | None

    @property
    def whole(self) -> bool:
        """Whether all of it is proved, but for its samples."""
        return self.chained and self.lost_graphs == () and self.keys is not None and self.queued is not None


@dataclass(frozen=True)
class JournalPieces:
    """One journal, on a copy of its own, with the files it names."""

    name: str
    database: Database
    loads: LoadFiles
    archive: SeriesArchive

    def _rows(self, text: str, *values: Any) -> list[Any] | None:
        """The rows of a question; None if the place where they are cannot be read."""
        try:
            return self.database.reader().execute(text, values).fetchall()
        except UNREADABLE:
            return None

    @property
    def facts(self) -> Mapping[str, int]:
        """The journal's numbers about itself."""
        return dict(self._rows("SELECT name, value FROM facts") or ())

    @property
    def texts(self) -> Mapping[str, str]:
        """The journal's texts about itself."""
        return dict(self._rows("SELECT name, value FROM meta") or ())

    @property
    def begins(self) -> int:
        """The last compacted commit."""
        return self.facts.get(chain.HISTORY_BEGINS, 0)

    def last(self) -> int:
        """The newest commit that can be found; 0 if there is none."""
        newest = self._rows("SELECT coalesce(max(sequence), 0) FROM commits") or [(0,)]
        return int(newest[0][0])

    def commit(self, number: int) -> CommitPieces | None:
        """The provable pieces of one commit; None if it has no row."""
        try:
            stored = chain.read_commit(self.database.reader(), number)
        except UNREADABLE:
            return None
        if stored is None:
            return None
        head, lost = stored.digests, tuple(change.graph for change in stored.changes if not change.sound)
        changes = [
            GraphChange(NamedNode(item.graph), item.removed, item.added) for item in stored.changes if item.sound
        ]
        loads = [GraphLoad(NamedNode(graph), file, triples) for graph, file, triples in stored.loads]
        runs, facts = self._runs(number, head.runs), self.facts
        return CommitPieces(
            number,
            head.time,
            head.author,
            head.dead_letters,
            stored.problem != chain.WRONG_LINK and stored.contained,
            changes if stored.listed else (),
            loads if stored.listed else (),
            lost if stored.listed else None,
            [] if number <= facts.get(chain.MESSAGES_BEGIN, 0) else self._keys(number, head.messages),
            *((None, None) if runs is None and number > facts.get(chain.RUNS_BEGIN, 0) else runs or ((), ())),
        )

    def _keys(self, number: int, wanted: bytes | None) -> Sequence[str] | None:
        found = self._rows("SELECT key FROM messages WHERE sequence = ?", number)
        if found is None or list_digest(keys := sorted(key for (key,) in found)) != wanted:
            return None
        return keys

    def _runs(self, number: int, wanted: bytes | None) -> tuple[list[QueuedRun], list[FinishedRun]] | None:
        came = self._rows("SELECT id, action, twin, moment, cause FROM runs WHERE queued = ?", number)
        went = self._rows("SELECT id, state, reason FROM runs WHERE finished = ?", number)
        if came is None or went is None or list_digest(sorted(came), sorted(went)) != wanted:
            return None
        return [_queued(row) for row in came], [FinishedRun(*row) for row in went]

    def old_runs(self, until: int) -> list[QueuedRun]:
        """Runs queued up to a commit that no later one finishes."""
        text = "SELECT id, action, twin, moment, cause FROM runs WHERE queued <= ?1 AND coalesce(finished, ?1 + 1) > ?1"
        return [_queued(row) for row in self._rows(text, until) or ()]

    def old_keys(self, until: int) -> list[str]:
        """Keys of messages of the commits up to one."""
        return [key for (key,) in self._rows("SELECT key FROM messages WHERE sequence <= ?", until) or ()]

    def due(self) -> list[Due]:
        """The due times that match their hash."""
        return [
            Due(NamedNode(action), NamedNode(twin), from_microseconds(moment))
            for action, twin, moment, proof in self._rows("SELECT action, twin, next, proof FROM due") or ()
            if isinstance(moment, int) and digest(action, twin, moment) == proof
        ]

    def samples(self) -> Iterator[tuple[int, str, int, float]]:
        """Rows of samples in the journal: commit, series, time, value; those of a damaged page are left out."""
        for number, iri in self._rows("SELECT id, iri FROM series") or ():
            for table in ("samples", "samples_replaced"):
                text = f"SELECT sequence, time, value FROM {table} WHERE series = ?"  # noqa: S608 - our own names
                for sequence, time, value in self._rows(text, number) or ():
                    if isinstance(sequence, int) and isinstance(time, int) and isinstance(value, float):
                        yield sequence, iri, time, value

    def proved_samples(self) -> tuple[set[int], dict[int, int]]:
        """The commits whose samples in the journal are all there and unchanged; the rows found of the others."""
        present: Counter[int] = Counter()
        rows: Counter[int] = Counter()
        for sequence, iri, time, value in self.samples():
            present[sequence] += tally_row(iri, time, value)
            rows[sequence] += 1
        wanted = dict(self._rows("SELECT sequence, tally FROM commits") or ())
        moved = dict(self._rows("SELECT sequence, tally FROM moved") or ())
        sound = {
            sequence
            for sequence, tally in wanted.items()
            if add(present[sequence], unpack(moved.get(sequence))) == unpack(tally)
        }
        deleted = {sequence for sequence in rows if sequence < min(wanted, default=0)}
        if deleted and not add(*(present[sequence] for sequence in deleted), unpack(moved.get(DELETED))):
            sound |= deleted
        return sound, {sequence: rows[sequence] for sequence in (wanted.keys() | rows.keys()) - sound}

    def sealed(self) -> list[Sealed]:
        """The registered files whose registration matches its hash."""
        return [Sealed(*row) for row in self._rows(_SEALED) or ()]

    def sealed_whole(self) -> bool:
        """Whether no registration of a file was lost or added."""
        found = self._rows("SELECT proof FROM sealed")
        noted = self._rows("SELECT total FROM totals WHERE name = 'sealed'")
        if found is None or not noted:
            return False
        return total(int.from_bytes(proof, "little") for (proof,) in found) == unpack(noted[0][0])

    def series_name(self, number: int) -> str:
        """The IRI of a series."""
        found = self._rows("SELECT iri FROM series WHERE id = ?", number)
        return str(found[0][0]) if found else f"series {number}"


_SEALED: Final = f"""SELECT series, period, file, rows, first, last, sequence, bytes, sha256 FROM sealed
    WHERE proof = row_hash({PROVED["sealed"]})"""  # noqa: S608 - our own names


def _queued(row: tuple[str, str, str, int, str]) -> QueuedRun:
    id_, action, twin, moment, cause = row
    return QueuedRun(id_, NamedNode(action), NamedNode(twin), from_microseconds(moment), cause)


def read_sealed(item: Sealed, archives: Sequence[SeriesArchive]) -> Rows | None:
    """The rows of a registered file from the first archive that has it unchanged."""
    for archive in archives:
        try:
            return decode_file(item, archive.get(item.file), archive.address)
        except StoreError:
            continue
    return None


def named_by_content(file: str, data: bytes) -> bool:
    """Whether a sealed file holds what its name says."""
    return file.rpartition("-")[2] == f"{hashlib.sha256(data).hexdigest()[:16]}.parquet"
