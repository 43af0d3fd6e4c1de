"""A new journal with all that can be proved of a damaged fleet: by its journal and files, its graph, and a backup.

Every commit keeps its number, so that moments and events mean what they meant; one that is lost is empty and says so.
A commit's author says where it is from. What a hash proves comes first; the graph, which nothing proves, is asked only
for graphs whose changes are lost, in one commit at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pyoxigraph import NamedNode, RdfFormat, parse

from ...errors import StoreError
from ...ontology.literals import format_time, from_microseconds
from ...ontology.naming import Naming
from ..database.chain import CHECKPOINT, set_meta
from ..database.hashes import START
from ..history.past_graphs import PastGraphs, lines_of
from ..interfaces import Due, Entry, GraphChange, GraphLoad, TripleStore
from ..journal.bulk_files import LoadFiles
from ..journal.changes import UNPARSABLE, is_parsable
from ..journal.sqlite_journal import SqliteJournal
from ..update.draft import graphs_of
from ..update.protected import is_view
from .pieces import CommitPieces, JournalPieces
from .progress import Progress, no_progress
from .salvaged_samples import Loss, SampleHeap

NAME: Final = "voltwin salvage"


@dataclass(frozen=True)
class Salvaged:
    """The new journal's commits by origin, and what is lost."""

    first: int
    last: int
    whole: dict[str, int]
    """Commits that are proved whole, by where they are from."""
    partial: int
    from_graph: int
    """Triples added or removed as the graph has them."""
    losses: Sequence[Loss]


@dataclass
class Salvage:
    """One salvage into an open, empty journal."""

    journal: SqliteJournal
    loads: LoadFiles
    names: Naming
    sources: Sequence[JournalPieces]
    heap: SampleHeap
    view: TripleStore | None
    """The fleet's graph; None if it cannot be read."""
    now: datetime
    progress: Progress = no_progress
    losses: list[Loss] = field(default_factory=list)
    whole: dict[str, int] = field(default_factory=dict)
    partial: int = 0
    _suspect: set[str] | None = field(default_factory=set)
    """Graphs whose changes are lost somewhere; None: any."""
    _lost: list[int] = field(default_factory=list)

    def run(self) -> Salvaged:
        """Write the journal; the commits, and what is lost."""
        applied = 0 if self.view is None else self.view.last_applied()
        main = next((source for source in self.sources if source.last()), None)
        first = 1 if main is None else max(1, main.begins)
        last = max([applied, first, *(source.last() for source in self.sources)])
        if main is None:
            first = last  # nothing is known of any commit: the graph is the first one
        with self.journal.database.transaction() as writer:
            set_meta(writer, CHECKPOINT, f"{first - 1} {START.hex()}")
        self.journal.begin_after(first - 1)
        for number in range(first, last + 1):
            self.progress("writing commits", number - first, last - first + 1)
            start = number == first and (main is None or main.begins == number)
            entry = self._start(number, main) if start else self._commit(number)
            if start and main is not None:
                keys, runs = main.old_keys(number), main.old_runs(number)
                entry = replace(entry, message_keys=keys, queued=runs)
            after, until = 0 if number == first else number - 1, 2**62 if number == last else number
            samples, batches = self.heap.between(after, until)
            entry = replace(entry, samples=samples, batches=batches)
            self.journal.append(replace(entry, due=self._due(main)) if number == last else entry)
        self._name_lost_commits()
        taken = self._take_from_graph(applied, last)
        return Salvaged(first, last, self.whole, self.partial, taken, self.losses)

    def _start(self, number: int, main: JournalPieces | None) -> Entry:
        """The state at which the history begins."""
        if main is None:
            self._suspect = None
            self.losses.append(Loss("commits", f"1 to {number}", "no journal has any; the graph is what remains"))
            return Entry(f"{NAME}: begins with the graph alone", self.now)
        changes, known = [], main.commit(number)
        past = PastGraphs(main.database, _AnyLoads(self.sources))
        for graph in past.graphs(number):
            try:
                changes.append(GraphChange(graph, "", past.graph(graph, number).decode()))
            except (StoreError, *UNPARSABLE) as error:
                self._lose(graph.value, Loss("graph", graph.value, f"its state at commit {number}: {error}"))
        time = self.now if known is None else from_microseconds(known.time)
        return Entry(f"{NAME}: state after commit {number}, from the {main.name}", time, tuple(changes))

    def _commit(self, number: int) -> Entry:
        found = [(source, pieces) for source in self.sources if (pieces := source.commit(number)) is not None]
        if not found:
            self._lost.append(number)
            self._suspect = None
            return Entry(f"{NAME}: commit {number} is lost", self._time_beside(number))
        source, best = min(found, key=lambda item: _badness(item[1]))
        keys, queued, finished = (
            next((value for _, pieces in found if (value := getattr(pieces, kind)) is not None), None)
            for kind in ("keys", "queued", "finished")
        )
        loads = [load for load in best.loads if self._has(load, number)]
        entry = Entry(
            best.author, from_microseconds(best.time), tuple(best.changes), (), keys or (), queued or (),
            finished or (), (), best.dead_letters, tuple(loads),
        )  # fmt: skip
        problems = list(self._problems(best, keys, queued))
        for problem in problems:
            self.losses.append(Loss("commit", str(number), problem))
        if problems or len(loads) < len(best.loads):
            self.partial += 1
            return replace(entry, author=f"{best.author} ({NAME}: from the {source.name}, in part)")
        self.whole[source.name] = self.whole.get(source.name, 0) + 1
        return replace(entry, author=f"{best.author} ({NAME}: from the {source.name})")

    def _problems(self, best: CommitPieces, keys: Any, queued: Any) -> Iterator[str]:
        if not best.chained:
            yield "its number, time and author are not proved; they were taken as they stand"
        if best.lost_graphs is None:
            self._suspect = None
            yield "its changes do not match their hash, nor do the names of the graphs"
        for graph in best.lost_graphs or ():
            self._lose(graph)
            yield f"its changes of {graph} do not match their hash"
        for change in best.changes:
            if not is_parsable(change):
                self._lose(change.graph.value)
                yield f"its changes of {change.graph.value} cannot be parsed"
        if keys is None:
            yield "its message keys are lost: such a message would be taken again"
        if queued is None:
            yield "its runs are lost"

    def _lose(self, graph: str, loss: Loss | None = None) -> None:
        if self._suspect is not None:
            self._suspect.add(graph)
        if loss is not None:
            self.losses.append(loss)

    def _has(self, load: GraphLoad, number: int) -> bool:
        """Whether a load's file is anywhere, and copy it."""
        for source in self.sources:
            try:
                for _ in source.loads.pieces(load.file):
                    pass
            except StoreError:
                continue
            self.loads.folder.mkdir(exist_ok=True)
            shutil.copyfile(source.loads.path(load.file), self.loads.path(load.file))
            return True
        self._lose(
            load.graph.value,
            Loss("load", load.file, f"of commit {number} into {load.graph.value}: {load.triples} triples are lost"),
        )
        return False

    def _time_beside(self, number: int) -> datetime:
        row = self.journal.database.reader().execute("SELECT max(sequence), time FROM commits").fetchone()
        return self.now if row is None or row[1] is None else from_microseconds(row[1])

    def _name_lost_commits(self) -> None:
        times = dict(self.journal.database.reader().execute("SELECT sequence, time FROM commits"))
        for start, end in _runs_of(self._lost):
            before, after = (
                "the beginning" if start - 1 not in times else _moment(times[start - 1]),
                "now" if end + 1 not in times else _moment(times[end + 1]),
            )
            what = f"{start}" if start == end else f"{start} to {end}"
            self.losses.append(Loss("commits", what, f"are in no source; they were made between {before} and {after}"))

    def _due(self, main: JournalPieces | None) -> list[Due]:
        return [] if main is None else main.due()

    def _take_from_graph(self, applied: int, last: int) -> int:
        """Commit the graph's content where changes are lost; return the number of triples."""
        if self._suspect == set():
            return 0
        if self.view is None:
            named = "any graph" if self._suspect is None else ", ".join(sorted(self._suspect))
            self.losses.append(Loss("graph", named, "its changes are lost, and the graph cannot be read"))
            return 0
        past, changes = PastGraphs(self.journal.database, self.loads), []
        try:
            graphs = {graph.value for graph in graphs_of(self.view)}
        except (StoreError, OSError, RuntimeError) as error:
            self.losses.append(
                Loss("graph", "any graph", f"its changes are lost, and the graph cannot be read ({error})")
            )
            return 0
        graphs |= {graph.value for graph in past.graphs(last)}
        later = self._later(applied, last)
        for graph in sorted(graphs if self._suspect is None else graphs & self._suspect):
            if self._is_ours(graph):
                change = self._difference(NamedNode(graph), past, min(applied, last), later)
                changes += [] if change is None else [change]
        if not changes:
            return 0
        self.journal.append(Entry(f"{NAME}: from the graph, which nothing proves", self.now, tuple(changes)))
        taken = sum((change.added + change.removed).count("\n") for change in changes)
        self.losses.append(
            Loss("graph", f"{len(changes)} graphs", f"{taken} triples are as the graph has them, which nothing proves")
        )
        return taken

    def _is_ours(self, graph: str) -> bool:
        node = NamedNode(graph)
        return graph.startswith(self.names.base) and node != self.names.state_graph and not is_view(node, self.names)

    def _later(self, applied: int, last: int) -> set[str]:
        """The lines that commits change which the graph has not seen."""
        if applied >= last:
            return set()
        lines: set[str] = set()
        for commit in self.journal.since(max(applied, self.journal.first - 1)):
            for change in commit.changes:
                lines |= lines_of(change.removed + change.added)
            for load in commit.loads:
                lines |= lines_of(self.loads.read(load.file).decode())
        return lines

    def _difference(self, graph: NamedNode, past: PastGraphs, applied: int, later: set[str]) -> GraphChange | None:
        assert self.view is not None
        try:
            there = {f"{quad.triple} ." for quad in self.view.quads(None, None, None, graph)}
            text = past.graph(graph, max(applied, self.journal.first))
            here = {f"{quad.triple} ." for quad in parse(text, format=RdfFormat.N_TRIPLES)}
        except (StoreError, OSError, RuntimeError, *UNPARSABLE) as error:
            self.losses.append(Loss("graph", graph.value, f"cannot be compared with the graph ({error})"))
            return None
        removed, added = here - there - later, there - here - later
        if not removed and not added:
            return None
        return GraphChange(graph, *("".join(f"{line}\n" for line in sorted(lines)) for lines in (removed, added)))


@dataclass(frozen=True)
class _AnyLoads:
    """Loads from whichever folder has them."""

    sources: Sequence[JournalPieces]

    def read(self, file: str) -> bytes:
        """All N-Triples of one load. Raises StoreError."""
        for source in self.sources[:-1]:
            try:
                return source.loads.read(file)
            except StoreError:
                continue
        return self.sources[-1].loads.read(file)


def _badness(pieces: CommitPieces) -> tuple[bool, bool, int, bool]:
    return not pieces.whole, pieces.lost_graphs is None, len(pieces.lost_graphs or ()), not pieces.chained


def _runs_of(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Consecutive numbers as first and last.

    >>> list(_runs_of([3, 4, 7]))
    [(3, 4), (7, 7)]
    """
    start = None
    for index, number in enumerate(numbers):
        start = number if start is None else start
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            yield start, number
            start = None


def _moment(time: int) -> str:
    return format_time(from_microseconds(time))
