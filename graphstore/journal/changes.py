"""The changes of a commit, collected before anything is written.

A change set reads through to the store, so that several messages of one commit see each other's
effects; :meth:`ChangeSet.changes` returns, per graph, the triples really removed and added. A part
that fails half way is undone with :meth:`ChangeSet.savepoint`. Commit it with ``Entry.of``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from ...ontology.iris import RDF
from ..interfaces import GraphChange, Sample, SampleBatch, Term, TripleStore

Slot = tuple[NamedNode, NamedNode, NamedNode]
"""Graph, subject, predicate: the unit in which values are replaced."""

_NOTHING: Final[frozenset[Term]] = frozenset()


@dataclass
class ChangeSet:
    """A unit of work over one store; not thread-safe, lives for one commit."""

    store: TripleStore
    samples: list[Sample] = field(default_factory=list)
    batches: list[SampleBatch] = field(default_factory=list)
    _before: dict[Slot, frozenset[Term]] = field(default_factory=dict)
    _after: dict[Slot, frozenset[Term]] = field(default_factory=dict)
    _subjects: dict[tuple[NamedNode, NamedNode], Mapping[NamedNode, frozenset[Term]]] = field(default_factory=dict)
    _undo: dict[Slot, frozenset[Term]] | None = None

    def objects(self, subject: NamedNode, predicate: NamedNode, graph: NamedNode) -> frozenset[Term]:
        """The values as they will be after this commit."""
        slot = (graph, subject, predicate)
        if slot not in self._after:
            found = self._subject(graph, subject).get(predicate, _NOTHING)
            self._before[slot] = self._after[slot] = found
        return self._after[slot]

    def _subject(self, graph: NamedNode, subject: NamedNode) -> Mapping[NamedNode, frozenset[Term]]:
        """All values of a subject in the store: a writer of one mostly writes several."""
        known = self._subjects.get((graph, subject))
        if known is None:
            found: dict[NamedNode, set[Term]] = {}
            for quad in self.store.quads(subject, None, None, graph):
                if isinstance(quad.object, NamedNode | Literal):
                    found.setdefault(quad.predicate, set()).add(quad.object)
            known = {predicate: frozenset(values) for predicate, values in found.items()}
            self._subjects[(graph, subject)] = known
        return known

    def put(self, subject: NamedNode, predicate: NamedNode, values: Iterable[Term], graph: NamedNode) -> None:
        """Replace all values of ``predicate``."""
        before = self.objects(subject, predicate, graph)
        self._set((graph, subject, predicate), before, frozenset(values))

    def add(self, subject: NamedNode, predicate: NamedNode, value: Term, graph: NamedNode) -> None:
        """Add one value."""
        before = self.objects(subject, predicate, graph)
        self._set((graph, subject, predicate), before, before | {value})

    def assert_new(self, subject: NamedNode, predicate: NamedNode, value: Term, graph: NamedNode) -> None:
        """Add one value of a subject that is certainly new: the store is not read."""
        slot = (graph, subject, predicate)
        self._before.setdefault(slot, frozenset())
        before = self._after.get(slot, frozenset())
        self._set(slot, before, before | {value})

    def _set(self, slot: Slot, before: frozenset[Term], after: frozenset[Term]) -> None:
        if self._undo is not None:
            self._undo.setdefault(slot, before)
        self._after[slot] = after

    def exists(self, node: NamedNode, graph: NamedNode) -> bool:
        """Whether ``node`` has a type in ``graph``, after this commit."""
        return bool(self.objects(node, RDF.type, graph))

    def sample(self, series: NamedNode, time: int, value: float) -> None:
        """Add one sample: microseconds since 1970 UTC, value in the series' unit."""
        self.samples.append(Sample(series, time, value))

    def batch(self, series: NamedNode, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add many samples of one series."""
        self.batches.append(SampleBatch(series, times, values))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Keep all changes made inside, or none if it raises."""
        self._undo, samples, batches = {}, len(self.samples), len(self.batches)
        try:
            yield
        except BaseException:
            self._after |= self._undo
            del self.samples[samples:]
            del self.batches[batches:]
            raise
        finally:
            self._undo = None

    def touched(self) -> Iterator[Slot]:
        """The slots whose values change, without samples."""
        return (slot for slot, after in self._after.items() if after != self._before[slot])

    def changes(self) -> tuple[GraphChange, ...]:
        """The triples removed and added, a graph each, in a stable order."""
        removed: dict[NamedNode, list[str]] = {}
        added: dict[NamedNode, list[str]] = {}
        for slot in self.touched():
            graph, subject, predicate = slot
            before, after = self._before[slot], self._after[slot]
            for value in before - after:
                removed.setdefault(graph, []).append(f"{Triple(subject, predicate, value)} .\n")
            for value in after - before:
                added.setdefault(graph, []).append(f"{Triple(subject, predicate, value)} .\n")
        graphs = sorted(removed.keys() | added.keys(), key=lambda graph: graph.value)
        return tuple(
            GraphChange(graph, "".join(sorted(removed.get(graph, ()))), "".join(sorted(added.get(graph, ()))))
            for graph in graphs
        )


@dataclass(frozen=True)
class GraphChanges:
    """Changes of whole graphs, as loads and imports make them, with samples; those of graphs may be empty."""

    graphs: Sequence[GraphChange]
    samples: Sequence[Sample] = ()
    batches: Sequence[SampleBatch] = ()

    def changes(self) -> tuple[GraphChange, ...]:
        """The changes that are not empty."""
        return tuple(change for change in self.graphs if change.added or change.removed)

    def touched(self) -> list[Slot]:
        """The slots that the changes touch."""
        return touched_by(self.changes())


def touched_by(changes: Iterable[GraphChange]) -> list[Slot]:
    """The slots that journaled changes touch; those that cannot be parsed touch none."""
    slots: dict[Slot, None] = {}
    for change in changes:
        with suppress(*UNPARSABLE):
            for quad in parse(change.removed + change.added, format=RdfFormat.N_TRIPLES):
                if isinstance(quad.subject, NamedNode):
                    slots[(change.graph, quad.subject, quad.predicate)] = None
    return list(slots)


UNPARSABLE: Final = (SyntaxError, MemoryError)
"""The parser's errors for text that it does not take; the second one for a term that is too long for it."""


def is_parsable(change: GraphChange) -> bool:
    """Whether the parser takes a journaled change."""
    try:
        for _ in parse(f"{change.removed}\n{change.added}", format=RdfFormat.N_TRIPLES):
            pass
    except UNPARSABLE:
        return False
    return True


def load_change(graph: NamedNode, triples: Iterable[Triple], store: TripleStore) -> GraphChange:
    """The change that makes ``graph`` hold exactly ``triples`` (no blank nodes: see skolem)."""
    present = {quad.triple for quad in store.quads(None, None, None, graph)}
    wanted = set(triples)
    return GraphChange(
        graph,
        "".join(sorted(f"{triple} .\n" for triple in present - wanted)),
        "".join(sorted(f"{triple} .\n" for triple in wanted - present)),
    )
