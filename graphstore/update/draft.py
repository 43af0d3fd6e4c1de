"""The state of a store after some operations of an update, as the quads removed and added so far.

Nothing is written before the whole update is evaluated. An operation that reads graphs changed by an earlier one of
the same update reads a copy in memory, of the graphs that it can see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import NamedNode, Quad, QuerySolutions, Triple

from ...errors import QueryError
from ...ontology.naming import Naming
from ..engines.oxigraph import OxigraphStore
from ..interfaces import GraphChange, Term, TripleStore
from ..journal.changes import Slot
from .protected import check_writable

QUADS_AT_MOST: Final = 100_000
"""The most quads that one update may remove and add."""

COPIED_AT_MOST: Final = 1_000_000
"""The most quads copied for one operation to see the changes of earlier ones."""

_GRAPHS: Final = "SELECT DISTINCT ?graph WHERE { GRAPH ?graph { ?s ?p ?o } }"


@dataclass
class Draft:
    """Collects quads removed from and added to ``store``; for one update, under the writer's lock."""

    store: TripleStore
    names: Naming
    _added: dict[NamedNode, set[Triple]] = field(default_factory=dict)
    _removed: dict[NamedNode, set[Triple]] = field(default_factory=dict)
    _processed: int = 0

    def remove(self, quads: Iterable[Quad]) -> None:
        """Remove those of ``quads`` that exist."""
        for quad in self._counted(quads):
            graph, triple = _graph(quad), quad.triple
            if triple in self._added.get(graph, ()):
                self._added[graph].remove(triple)
            elif self._stored(quad):
                self._removed.setdefault(graph, set()).add(triple)

    def insert(self, quads: Iterable[Quad]) -> None:
        """Add those of ``quads`` that do not exist."""
        for quad in self._counted(quads):
            graph, triple = _graph(quad), quad.triple
            if triple in self._removed.get(graph, ()):
                self._removed[graph].remove(triple)
            elif not self._stored(quad):
                self._added.setdefault(graph, set()).add(triple)

    def _counted(self, quads: Iterable[Quad]) -> Iterator[Quad]:
        for quad in quads:
            self._processed += 1
            if self._processed > QUADS_AT_MOST:
                raise QueryError(too_many())
            check_writable(_graph(quad), self.names)
            yield quad

    def _stored(self, quad: Quad) -> bool:
        """Whether the store has the quad, without earlier operations."""
        if isinstance(quad.object, Triple):
            return any(found.object == quad.object for found in self._found(quad, None))
        return isinstance(quad.object, Term) and any(self._found(quad, quad.object))

    def _found(self, quad: Quad, object_: Term | None) -> Iterator[Quad]:
        assert isinstance(quad.subject, NamedNode)
        return self.store.quads(quad.subject, quad.predicate, object_, _graph(quad))

    def triples(self, graph: NamedNode) -> Iterator[Triple]:
        """The content of ``graph``."""
        removed = self._removed.get(graph, set())
        for quad in self.store.quads(None, None, None, graph):
            if quad.triple not in removed:
                yield quad.triple
        yield from self._added.get(graph, ())

    def graphs(self) -> list[NamedNode]:
        """Every non-empty graph, in the order of their IRIs."""
        known = graphs_of(self.store) | self._added.keys()
        return sorted((graph for graph in known if any(self.triples(graph))), key=lambda graph: graph.value)

    def reading(self, graphs: frozenset[NamedNode] | None) -> TripleStore:
        """A store for reading the drafted state of ``graphs`` (None: any)."""
        changed = {graph for part in (self._added, self._removed) for graph, triples in part.items() if triples}
        if not changed or (graphs is not None and not changed & graphs):
            return self.store
        copy, copied = OxigraphStore(None, self.names.base), 0
        for graph in self.graphs() if graphs is None else graphs:
            triples = list(self.triples(graph))
            copied += len(triples)
            if copied > COPIED_AT_MOST:
                raise QueryError(
                    f"update: an operation reads the changes of an earlier one, over more than {COPIED_AT_MOST} "
                    "quads; name its graphs (WITH, USING, GRAPH <…>), or send the operations one by one"
                )
            copy.replace(graph, triples)
        return copy

    def changes(self) -> tuple[GraphChange, ...]:
        """The quads removed and added, by graph, in a stable order."""
        graphs = sorted(self._added.keys() | self._removed.keys(), key=lambda graph: graph.value)
        changes = (GraphChange(g, _lines(self._removed.get(g, ())), _lines(self._added.get(g, ()))) for g in graphs)
        return tuple(change for change in changes if change.removed or change.added)

    def touched(self) -> list[Slot]:
        """The changed slots."""
        slots: dict[Slot, None] = {}
        for part in (self._removed, self._added):
            for graph, triples in part.items():
                for triple in triples:
                    assert isinstance(triple.subject, NamedNode)
                    slots[(graph, triple.subject, triple.predicate)] = None
        return list(slots)

    def counts(self) -> tuple[int, int]:
        """The numbers of quads added and removed."""
        return sum(map(len, self._added.values())), sum(map(len, self._removed.values()))


def graphs_of(store: TripleStore) -> set[NamedNode]:
    """Every non-empty named graph of a store."""
    rows = store.query(_GRAPHS, union=False)
    assert isinstance(rows, QuerySolutions)
    return {row["graph"] for row in rows}


def too_many() -> str:
    """The message for an update that is too large."""
    return (
        f"update: changes more than {QUADS_AT_MOST} quads; change fewer at once (name a twin), "
        "or load a file with `voltwin load FILE --graph IRI`, with --replace to remove existing triples"
    )


def _graph(quad: Quad) -> NamedNode:
    assert isinstance(quad.graph_name, NamedNode)
    return quad.graph_name


def _lines(triples: Iterable[Triple]) -> str:
    return "".join(sorted(f"{triple} .\n" for triple in triples))
