"""Oxigraph as the embedded triple store, on disk or in memory.

>>> from voltwin.graphstore.engines.oxigraph import OxigraphStore
>>> store = OxigraphStore(None, "https://fleet.example/")
>>> store.last_applied()
0

One writer: two threads updating an Oxigraph folder at once can lose writes without an error, so
all writes share one lock here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple

from ...errors import FleetLockedError, QueryError, StoreError
from ...ontology.iris import PREFIXES, VT
from ...ontology.naming import Naming
from ..interfaces import Function, GraphChange, QueryResult, Term
from ..sparql.binding import Bindable, bind
from ..sparql.syntax_errors import query_problem

FLUSH_EVERY: Final = 10_000
"""Triples removed between two flushes: accumulated tombstones make an Oxigraph folder slow."""

TIDY_EVERY: Final = 1000
"""Commits between two removals of old marks, if commits only add triples."""

_FORGET_MARKS: Final = "DELETE WHERE { GRAPH $state { $base vt:appliedSequence ?old } }"


class OxigraphStore:
    """A :class:`~voltwin.graphstore.interfaces.TripleStore`; ``folder=None`` keeps it in memory.

    ``frozen`` reads a folder as it is now, even if another process holds and changes it.
    """

    def __init__(self, folder: Path | None, base: str, *, frozen: bool = False) -> None:
        self._where = "memory" if folder is None else str(folder)
        opening = Store.read_only if frozen else Store
        try:
            self._store: Store | None = Store() if folder is None else opening(str(folder))
        except (OSError, RuntimeError) as error:  # RocksDB reports damage as a RuntimeError
            if "lock" in str(error).lower():
                raise FleetLockedError(f"{folder}: another process holds the triple store; stop it first") from error
            raise StoreError(
                f"{folder}: cannot open the triple store: {error}; if it is damaged, `voltwin rebuild` builds it again"
            ) from error
        self._frozen = frozen
        self._names = Naming(base)
        self._lock = threading.Lock()
        self._since_flush = 0
        self._writes = 0

    @property
    def _engine(self) -> Store:
        if self._store is None:
            raise StoreError(f"{self._where}: the triple store is closed")
        return self._store

    def query(
        self, text: str, *, union: bool = True, functions: Mapping[NamedNode, Function] | None = None
    ) -> QueryResult:
        """Answer a query. Raises QueryError if the text is not SPARQL."""
        return evaluate(self._engine, text, union, functions)

    def quads(
        self,
        subject: NamedNode | None,
        predicate: NamedNode | None,
        object: Term | None,
        graph: NamedNode | None,
    ) -> Iterator[Quad]:
        """Quads that match the pattern."""
        return self._engine.quads_for_pattern(subject, predicate, object, graph)

    def apply(self, sequence: int, changes: Iterable[GraphChange]) -> None:
        """Apply one commit and record its number, in one atomic update."""
        state, base = self._names.state_graph, NamedNode(self._names.base)
        mark = GraphChange(state, "", f"{Triple(base, VT.appliedSequence, Literal(sequence))} .\n")
        applied = [*changes, mark]
        with self._lock:
            # Additions are faster by the parser than by SPARQL; the old marks stay until the next update.
            if sequence % TIDY_EVERY and not any(change.removed for change in applied):
                self._engine.load("".join(map(_trig, applied)), RdfFormat.TRIG)
            else:
                forget: dict[str, Bindable] = {"state": state, "base": base}
                parts = [bind(_FORGET_MARKS, forget), *(part for change in applied for part in _operations(change))]
                self._engine.update(" ;\n".join(parts), prefixes=PREFIXES)
            self._count(1 + sum(change.removed.count("\n") for change in applied))

    def load(self, graph: NamedNode, triples: bytes) -> None:
        """Add N-Triples to ``graph`` in bulk."""
        with self._lock:
            self._writes += 1
            self._engine.bulk_load(triples, RdfFormat.N_TRIPLES, to_graph=graph)

    def replace(self, graph: NamedNode, triples: Iterable[Triple]) -> bool:
        """Make ``graph`` hold exactly ``triples``; only the difference is written."""
        wanted = {Quad(t.subject, t.predicate, t.object, graph) for t in triples}
        with self._lock:
            present = set(self._engine.quads_for_pattern(None, None, None, graph))
            for quad in present - wanted:
                self._engine.remove(quad)
            self._engine.extend(wanted - present)
            self._count(len(present ^ wanted))
        return present != wanted

    def _count(self, writes: int) -> None:
        self._writes += writes
        self._since_flush += writes
        if self._since_flush >= FLUSH_EVERY:
            self._since_flush = 0
            self._engine.flush()

    def last_applied(self) -> int:
        """The number of the last commit applied."""
        marks = self.quads(NamedNode(self._names.base), VT.appliedSequence, None, self._names.state_graph)
        return max((int(quad.object.value) for quad in marks if isinstance(quad.object, Literal)), default=0)

    def clear(self) -> None:
        """Delete everything."""
        with self._lock:
            self._writes += 1
            self._engine.clear()

    @property
    def writes(self) -> int:
        """A counter that every change of the store increments."""
        return self._writes

    @property
    def on_disk(self) -> bool:
        """Whether a snapshot is cheap: hard links to the files of a folder."""
        return self._where != "memory"

    def snapshot(self, folder: Path) -> None:
        """Create hard links to the current files; from memory a copy. Raises StoreError: disk full, other disk."""
        with self._lock:
            try:
                if self.on_disk:
                    self._engine.backup(str(folder))
                else:
                    Store(str(folder)).bulk_load(self._engine.dump(format=RdfFormat.N_QUADS), RdfFormat.N_QUADS)
            except (OSError, RuntimeError) as error:
                raise StoreError(f"{folder}: cannot take a snapshot of the triple store: {error}") from error

    def flush(self) -> None:
        """Write through to disk."""
        with self._lock:
            self._engine.flush()

    def optimize(self) -> None:
        """Merge the data of many commits: less space on disk, faster reading. Slow."""
        with self._lock:
            self._engine.optimize()

    def close(self) -> None:
        """Close the folder. Unfinished iterators of a caller keep it open: exhaust them first."""
        with self._lock:
            if self._store is not None and self._where != "memory" and not self._frozen:
                self._store.flush()
            self._store = None


def evaluate(engine: Store, text: str, union: bool, functions: Mapping[NamedNode, Function] | None) -> QueryResult:
    """Answer a query. Raises QueryError if the text is not SPARQL, or calls an unknown function."""
    try:
        return engine.query(
            text,
            prefixes=PREFIXES,
            use_default_graph_as_union=union,
            custom_functions=dict(functions) if functions else None,
        )
    except SyntaxError as error:
        problem = QueryError(f"query: {query_problem(text, str(error))}")
    except RuntimeError as error:
        problem = QueryError(f"query: {error}")
    # A kept error keeps its traceback, which must not keep the store open.
    del engine
    raise problem


def _trig(change: GraphChange) -> str:
    return f"{change.graph} {{\n{change.added}}}\n"


def _operations(change: GraphChange) -> Iterator[str]:
    for operation, triples in (("DELETE", change.removed), ("INSERT", change.added)):
        if triples:
            yield f"{operation} DATA {{ GRAPH {change.graph} {{\n{triples}}} }}"
