"""The graph as the journal has it: building it again, and comparing two views."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode, Quad

from ...errors import StoreError
from ...ontology.naming import Naming
from ..engines.oxigraph import OxigraphStore
from ..history.past_graphs import PastGraphs
from ..interfaces import GraphChange, TripleStore
from ..journal.changes import UNPARSABLE
from ..update.draft import graphs_of
from ..update.protected import is_view
from .progress import Progress, no_progress

Derive = Callable[[TripleStore], object]
"""Adds the values that rules derive to a store."""

_TOGETHER: Final = 2 << 20
"""Bytes of small graphs that are written to a store together."""


@dataclass(frozen=True)
class Difference:
    """One graph that differs: the numbers of missing and extra triples in the present view, and an example."""

    graph: NamedNode
    missing: int
    extra: int
    example: str


def fill(store: TripleStore, past: PastGraphs, sequence: int, progress: Progress = no_progress) -> None:
    """Write every graph as of commit ``sequence`` into an empty store.

    The store's mark stays 0 until the end: after an interruption the next opening applies every commit.
    """
    try:
        _fill(store, past, sequence, progress)
    except UNPARSABLE as error:
        raise StoreError(
            f"{past.database.file}: the graphs as of commit {sequence} cannot be parsed ({error}); "
            "`voltwin salvage` leaves out what cannot"
        ) from error


def _fill(store: TripleStore, past: PastGraphs, sequence: int, progress: Progress) -> None:
    names = past.graphs(sequence) if sequence else []
    waiting: list[GraphChange] = []
    size = 0
    for number, name in enumerate(names):
        progress("building graphs", number, len(names))
        content = past.graph(name, sequence)
        if len(content) > _TOGETHER:
            store.load(name, content)
        elif content:
            waiting.append(GraphChange(name, "", content.decode()))
            size += len(content)
        if size > _TOGETHER:
            store.apply(0, waiting)
            waiting, size = [], 0
    store.apply(0, waiting)
    store.apply(sequence, ())


def compare(
    made: TripleStore, present: TripleStore, names: Naming, progress: Progress = no_progress, *, inferred: bool = True
) -> Iterator[Difference]:
    """Every graph in which ``present`` differs from ``made``, as sets of quads, except the stores' own marks."""
    graphs = sorted(graphs_of(made) | graphs_of(present), key=lambda graph: graph.value)
    # A remote engine may have graphs of its own.
    graphs = [graph for graph in graphs if graph.value.startswith(names.base)]
    for number, graph in enumerate(graphs):
        progress("comparing graphs", number, len(graphs))
        if graph == names.state_graph or (not inferred and is_view(graph, names)):
            continue
        wanted, found = _quads(made, graph), _quads(present, graph)
        if wanted != found:
            missing, extra = wanted - found, found - wanted
            yield Difference(graph, len(missing), len(extra), str(min(map(str, missing or extra))))


def _quads(store: TripleStore, graph: NamedNode) -> set[Quad]:
    return set(store.quads(None, None, None, graph))


def replace_folder(graph: Path, base: str, make: Callable[[TripleStore], object]) -> None:
    """Replace the embedded store at ``graph``; the old one is deleted when the new one is complete.

    After an interruption the old one or none exists; without one the next opening applies the whole journal.
    """
    made, old = graph.with_name("graph.new"), graph.with_name("graph.old")
    shutil.rmtree(made, ignore_errors=True)
    try:
        store = OxigraphStore(made, base)
        try:
            make(store)
        finally:
            store.close()
        shutil.rmtree(old, ignore_errors=True)
        if graph.exists():
            graph.rename(old)
        made.rename(graph)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{graph}: the view could not be built: {error}; the journal is unchanged") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
