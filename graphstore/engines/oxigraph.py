"""Oxigraph as the embedded triple store, on disk or in memory.

>>> from voltwin.graphstore.engines.oxigraph import OxigraphStore
>>> store = OxigraphStore(None, "https://fleet.example/")
>>> store.last_applied()
0

One writer: two threads updating an Oxigraph folder at once can lose writes without an error, so
all writes share one lock here.
"""

from __future__ import annotations

import gc
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple

from ...errors import FleetLockedError, GraphBehindError, QueryError, StoreError
from ...ontology.iris import PREFIXES, VT
from ...ontology.naming import Naming
from ..interfaces import Function, GraphChange, QueryResult, Term, TripleStore
from ..sparql.binding import Bindable, bind
from ..sparql.syntax_errors import query_problem
from .damage import DamageWatch, graph_damaged, is_damage

FLUSH_EVERY: Final = 10_000
"""Triples removed between two flushes: accumulated tombstones make an Oxigraph folder slow."""

RELEASE_SECONDS: Final = 30.0
"""The longest wait for readers of a damaged graph to end."""

TIDY_EVERY: Final = 1000
"""Commits between two removals of old marks, if commits only add triples."""

_FORGET_MARKS: Final = "DELETE WHERE { GRAPH $state { $base vt:appliedSequence ?old } }"


class OxigraphStore:
    """A :class:`~voltwin.graphstore.interfaces.TripleStore`; ``folder=None`` keeps it in memory.

    ``frozen`` reads a folder as it is now, even if another process holds and changes it.
    """

    def __init__(self, folder: Path | None, base: str, *, frozen: bool = False) -> None:
        self._where = "memory" if folder is None else str(folder)
        self._folder = folder
        self._store: Store | None = Store() if folder is None else open_files(folder, frozen=frozen)
        self.watch = DamageWatch(self._where)
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
        with self.watch.watching():
            return evaluate(self._engine, text, union, functions)

    def quads(
        self,
        subject: NamedNode | None,
        predicate: NamedNode | None,
        object: Term | None,
        graph: NamedNode | None,
    ) -> Iterator[Quad]:
        """Quads that match the pattern."""
        with self.watch.watching():
            found = self._engine.quads_for_pattern(subject, predicate, object, graph)
        return self._watched(found)

    def _watched(self, found: Iterator[Quad]) -> Iterator[Quad]:
        try:
            yield from found
        except (RuntimeError, OSError) as error:
            if not is_damage(error):
                raise
            reason = str(error)
        else:
            return
        del found  # it would keep the store open as long as the error is kept
        raise self.watch.notice(reason)

    def named_graphs(self) -> set[NamedNode]:
        """The engine's own list of graphs, also of those that have become empty."""
        with self.watch.watching():
            return {graph for graph in self._engine.named_graphs() if isinstance(graph, NamedNode)}

    def apply(self, sequence: int, changes: Iterable[GraphChange]) -> None:
        """Apply one commit and record its number, in one atomic update."""
        state, base = self._names.state_graph, NamedNode(self._names.base)
        mark = GraphChange(state, "", f"{Triple(base, VT.appliedSequence, Literal(sequence))} .\n")
        applied = [*changes, mark]
        self._refuse_if_frozen()
        with self._lock, self.watch.watching():
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
        with self._lock, self.watch.watching():
            self._writes += 1
            self._engine.bulk_load(triples, RdfFormat.N_TRIPLES, to_graph=graph)

    def replace(self, graph: NamedNode, triples: Iterable[Triple]) -> bool:
        """Make ``graph`` hold exactly ``triples``; only the difference is written."""
        wanted = {Quad(t.subject, t.predicate, t.object, graph) for t in triples}
        with self._lock, self.watch.watching():
            present = set(self._engine.quads_for_pattern(None, None, None, graph))
            if present == wanted:
                return False
            self._refuse_if_frozen()
            for quad in present - wanted:
                self._engine.remove(quad)
            self._engine.extend(wanted - present)
            self._count(len(present ^ wanted))
        return True

    def _refuse_if_frozen(self) -> None:
        if self._frozen:
            raise GraphBehindError(f"{self._where}: the graph is behind its journal and open for reading only")

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
        with self._lock, self.watch.watching():
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
        with self._lock, self.watch.watching():
            try:
                if self._frozen and self._folder is not None:
                    folder.mkdir()
                    for file in self._folder.iterdir():  # also from another disk, and they do not change
                        (folder / file.name).symlink_to(file.absolute())
                elif self.on_disk:
                    self._engine.backup(str(folder))
                else:
                    Store(str(folder)).bulk_load(self._engine.dump(format=RdfFormat.N_QUADS), RdfFormat.N_QUADS)
            except (OSError, RuntimeError) as error:
                if is_damage(error):
                    raise
                raise StoreError(f"{folder}: cannot take a snapshot of the triple store: {error}") from error

    def flush(self) -> None:
        """Write through to disk."""
        with self._lock, self.watch.watching():
            self._engine.flush()

    def optimize(self) -> None:
        """Merge the data of many commits: less space on disk, faster reading. Slow."""
        with self._lock, self.watch.watching():
            self._engine.optimize()

    def swap(self, made: Path) -> None:
        """Put the finished graph in the folder ``made`` in place of the damaged one, which is deleted.

        Raises StoreError if readers keep the damaged one open for more than half a minute.
        """
        assert self._folder is not None
        with self._lock:
            self._store = None
            wait_until_released(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
            made.rename(self._folder)
            self._store = open_files(self._folder, frozen=False)
            self._writes += 1
            self.watch.mended()

    def close(self) -> None:
        """Close the folder. Unfinished iterators of a caller keep it open: exhaust them first."""
        with self._lock:
            # A damaged graph loses nothing: it is a view and is made again.
            if self._store is not None and self.on_disk and not self._frozen and self.watch.problem is None:
                try:
                    self._store.flush()
                except (RuntimeError, OSError) as error:
                    # On a full disk the log keeps what cannot be moved into the files.
                    if not is_damage(error) and not isinstance(error, OSError):
                        raise
            self._store = None


def watch_of(store: TripleStore) -> DamageWatch:
    """The watch over ``store``; another engine has none of its own."""
    return store.watch if isinstance(store, OxigraphStore) else DamageWatch("graph")


def open_files(folder: Path, *, frozen: bool) -> Store:
    """Open the files of a graph. Raises GraphDamagedError, FleetLockedError, StoreError."""
    try:
        return Store.read_only(str(folder)) if frozen else Store(str(folder))
    except (OSError, RuntimeError) as error:
        if _is_locked(error):
            raise FleetLockedError(f"{folder}: another process holds the triple store; stop it first") from error
        # RocksDB itself says of some damage that the folder is in the way of a new database.
        if is_damage(error) or isinstance(error, RuntimeError):
            raise graph_damaged(str(folder), error) from error
        raise StoreError(
            f"{folder}: cannot open the triple store: {error}; check that the disk has space and that this user may "
            "read and write the folder"
        ) from error


def _is_locked(error: Exception) -> bool:
    return isinstance(error, OSError) and any(words in str(error) for words in ("While lock file", "lock hold by"))


def wait_until_released(folder: Path) -> None:
    """Wait until no reader of this process has the graph in ``folder`` open, which a rename would harm.

    Unfinished iterators keep it open; a request that reads with one ends soon.
    """
    deadline = time.monotonic() + RELEASE_SECONDS
    while True:
        gc.collect()
        try:
            open_files(folder, frozen=False)
        except FleetLockedError:
            if time.monotonic() > deadline:
                raise StoreError(f"{folder}: readers keep the damaged graph open; restart the server") from None
            time.sleep(0.1)
        except StoreError:
            return  # damaged, and so not in use
        else:
            return


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
        if is_damage(error):
            raise
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
