"""What a commit is to change, collected before anything is written.

A change set reads through to the store, so that several messages of one commit see each other's
effects; :meth:`ChangeSet.changes` then tells, per graph, which quads really come and go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode, Triple

from ..ontology.iris import RDF
from .interfaces import GraphChange, Sample, Term, TripleStore

Slot = tuple[NamedNode, NamedNode, NamedNode]
"""Graph, subject, predicate: the unit in which values are replaced."""


@dataclass
class ChangeSet:
    """A unit of work over one store; not thread-safe, lives for one commit."""

    store: TripleStore
    samples: list[Sample] = field(default_factory=list)
    _before: dict[Slot, frozenset[Term]] = field(default_factory=dict)
    _after: dict[Slot, set[Term]] = field(default_factory=dict)

    def objects(self, subject: NamedNode, predicate: NamedNode, graph: NamedNode) -> set[Term]:
        """The values as they will be after this commit (the caller may change the set)."""
        slot = (graph, subject, predicate)
        if slot not in self._after:
            found = frozenset(
                quad.object
                for quad in self.store.quads(subject, predicate, None, graph)
                if isinstance(quad.object, NamedNode | Literal)
            )
            self._before[slot] = found
            self._after[slot] = set(found)
        return self._after[slot]

    def put(self, subject: NamedNode, predicate: NamedNode, values: Iterable[Term], graph: NamedNode) -> None:
        """Replace all values of ``predicate``."""
        current = self.objects(subject, predicate, graph)
        current.clear()
        current.update(values)

    def add(self, subject: NamedNode, predicate: NamedNode, value: Term, graph: NamedNode) -> None:
        """Add one value."""
        self.objects(subject, predicate, graph).add(value)

    def exists(self, node: NamedNode, graph: NamedNode) -> bool:
        """Whether ``node`` has a type in ``graph``, after this commit."""
        return bool(self.objects(node, RDF.type, graph))

    def sample(self, series: NamedNode, time: int, value: float) -> None:
        """Add one sample: microseconds since 1970 UTC, value in the series' unit."""
        self.samples.append(Sample(series, time, value))

    def touched(self) -> Iterator[Slot]:
        """The slots whose values change, samples not among them."""
        return (slot for slot, after in self._after.items() if after != self._before[slot])

    def changes(self) -> tuple[GraphChange, ...]:
        """What comes and goes, a graph each, in a stable order."""
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


def load_changes(graph: NamedNode, triples: Iterable[Triple], store: TripleStore) -> GraphChange:
    """The change that makes ``graph`` hold exactly ``triples`` (no blank nodes: see skolem)."""
    present = {quad.triple for quad in store.quads(None, None, None, graph)}
    wanted = set(triples)
    return GraphChange(
        graph,
        "".join(sorted(f"{triple} .\n" for triple in present - wanted)),
        "".join(sorted(f"{triple} .\n" for triple in wanted - present)),
    )
