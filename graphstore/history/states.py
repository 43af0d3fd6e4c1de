"""Past states of one fleet, built from the journal and cached."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pyoxigraph import NamedNode

from ...errors import StoreError
from ...ontology.naming import Naming
from ..engines.oxigraph import OxigraphStore
from ..interfaces import SeriesReader, TripleStore
from ..journal.changes import UNPARSABLE
from ..paths.resolver import Resolver
from ..queries.pool import PastSnapshot, QueryPool
from ..queries.snapshots import CurrentSnapshot
from ..schema import Schema, load_schema
from .past_graphs import PastGraphs, text_of

KEPT_TRIPLES: Final = 500_000
"""The most triples of all cached states together; the newest state is always kept."""


@dataclass(frozen=True)
class Reasoning:
    """The reasoner's functions over a past state; passed in, because this layer cannot import the reasoner."""

    derive: Callable[[TripleStore, Naming, Schema], object]
    """Derives values for every twin of a store, by the rules in it."""
    resolver: Callable[[TripleStore, SeriesReader, Naming, Callable[[], datetime]], Resolver]
    """Creates the resolver of inferred values until a moment."""


@dataclass(frozen=True)
class StateAt:
    """Graphs after one commit, including inferred values."""

    store: OxigraphStore
    schema: Schema
    triples: int


@dataclass
class StateCache:
    """Builds past states of one fleet and caches a few; safe from any thread."""

    graphs: PastGraphs
    names: Naming
    reasoning: Reasoning
    _kept: OrderedDict[tuple[int, NamedNode | None], StateAt] = field(default_factory=OrderedDict)
    _schemas: dict[int, Schema] = field(default_factory=dict)
    _snapshot: tuple[int, CurrentSnapshot] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def state(self, sequence: int, twin: NamedNode | None) -> StateAt:
        """The state after commit ``sequence``, complete or reduced to the graphs that paths into ``twin`` can reach."""
        with self._lock:
            for key in ((sequence, None), (sequence, twin)):
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            state = self._kept[(sequence, twin)] = self._build(sequence, twin)
            while len(self._kept) > 1 and sum(item.triples for item in self._kept.values()) > KEPT_TRIPLES:
                self._kept.popitem(last=False)
            return state

    def past(self, sequence: int, pool: QueryPool) -> PastSnapshot:
        """The snapshot for workers as of ``sequence``; the last one requested stays on disk."""
        store = self.state(sequence, None).store
        with self._lock:
            if self._snapshot is None or self._snapshot[0] != sequence:
                if self._snapshot is not None:
                    self._snapshot[1].drop()
                self._snapshot = (sequence, pool.beside(store))
            return PastSnapshot(self._snapshot[1], sequence)

    def _build(self, sequence: int, twin: NamedNode | None) -> StateAt:
        if twin is None:
            contents: Iterable[tuple[NamedNode, bytes]] = self.graphs.state(sequence)
        else:
            contents = self._reachable(twin, sequence)
        store, triples = OxigraphStore(None, self.names.base), 0
        for graph, content in contents:
            try:
                store.load(graph, content)
            except UNPARSABLE as error:
                raise StoreError(
                    f"as of commit {sequence}: graph {graph.value} cannot be parsed ({error}); other graphs can be read"
                ) from error
            triples += content.count(b"\n")
        schema = self._schema(store, sequence)
        self.reasoning.derive(store, self.names, schema)
        return StateAt(store, schema, triples)

    def _reachable(self, twin: NamedNode, sequence: int) -> Iterator[tuple[NamedNode, bytes]]:
        for graph in (self.names.ontology_graph, self.names.rules_graph, self.names.shapes_graph):
            yield graph, self.graphs.graph(graph, sequence)
        # A twin's graph names its neighbours; a literal that looks like one adds a superfluous twin, which is harmless.
        neighbour = re.compile(f"<({re.escape(self.names.twins)}[^/#>]+)".encode())
        waiting, seen = [twin], {twin}
        while waiting:
            for graph in self.graphs.within(waiting.pop(), sequence):
                content = text_of(self.graphs.lines(graph, sequence))
                new = {NamedNode(iri.decode()) for iri in neighbour.findall(content)} - seen
                seen |= new
                waiting += new
                yield graph, content

    def _schema(self, store: TripleStore, sequence: int) -> Schema:
        """Shared between states with the same ontology: paths are compiled once for each schema."""
        changed = self.graphs.last_change(self.names.ontology_graph, sequence)
        if changed not in self._schemas:
            self._schemas[changed] = load_schema(store, self.names)
        return self._schemas[changed]
