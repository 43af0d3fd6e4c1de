"""Going back to an earlier commit by a new one: history is never rewritten.

The design (ontology, shapes, actions with their schedules, rules) becomes what it was. With the data the statements of
all other graphs do too, twins created since are taken back, and samples added since are withdrawn. The record of what
happened (runs, dead letters) stays, and so do message keys: a message that was taken is not taken again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from ...errors import InputError
from ...ontology.naming import Naming
from ..interfaces import Entry, GraphChange, Sample, SeriesStore
from ..journal.changes import GraphChanges
from ..series.rows import WITHDRAWN
from ..update.protected import design_graphs
from ..update.session import UpdateSession
from .past_graphs import PastGraphs

_SERIES_SINCE: Final = (
    "SELECT DISTINCT iri FROM commit_samples JOIN series ON id = series WHERE sequence > ? ORDER BY iri"
)


@dataclass(frozen=True)
class RollbackAnswer:
    """Result of a rollback: its commit (None where nothing differed), the one it went back to, and what it changed."""

    sequence: int | None
    to: int
    graphs: int
    added: int
    removed: int
    samples: int
    """Samples withdrawn or given their earlier value."""


def roll_back(session: UpdateSession, past: PastGraphs, to: int, data: bool) -> RollbackAnswer:
    """Go back to commit ``to``. Raises MomentNotFoundError, and the errors of updates."""
    committer, names = session.committer, session.names
    if isinstance(to, bool) or to < 1:
        raise InputError(f"rollback to {to}: give the number of a commit, such as `voltwin log` prints")
    with committer.lock:
        last, to = committer.journal.last_sequence, past.find(to).sequence
        wanted = [graph for graph in _graphs(past, names, last, data) if past.last_change(graph, last) > to]
        changes = GraphChanges(
            [_change(graph, _triples(past, graph, last), _triples(past, graph, to)) for graph in wanted],
            list(_samples(committer.journal.series, past, to)) if data else [],
        )
        graphs = changes.changes()
        if not graphs and not changes.samples:
            return RollbackAnswer(None, to, 0, 0, 0, 0)
        sequence = session.commit_entry(Entry.of(changes, session.author, session.time), changes.touched())
    added, removed = (sum(text.count("\n") for text in texts) for texts in zip(*_texts(graphs), strict=True))
    return RollbackAnswer(sequence, to, len(graphs), added, removed, len(changes.samples))


def _texts(graphs: Iterable[GraphChange]) -> list[tuple[str, str]]:
    return [("", ""), *((change.added, change.removed) for change in graphs)]


def _graphs(past: PastGraphs, names: Naming, last: int, data: bool) -> list[NamedNode]:
    if not data:
        return list(design_graphs(names))
    record = (names.runs_graph, names.dead_letters_graph)
    return [graph for graph in past.graphs(last) if graph not in record]


def _triples(past: PastGraphs, graph: NamedNode, sequence: int) -> set[Triple]:
    return {quad.triple for quad in parse(past.graph(graph, sequence), format=RdfFormat.N_TRIPLES)}


def _change(graph: NamedNode, now: set[Triple], then: set[Triple]) -> GraphChange:
    removed, added = ("".join(sorted(f"{triple} .\n" for triple in part)) for part in (now - then, then - now))
    return GraphChange(graph, removed, added)


def _samples(series: SeriesStore, past: PastGraphs, to: int) -> Iterator[Sample]:
    """The samples that make every series what it was after commit ``to``."""
    before = series.as_of(to)
    with past.reading() as reader:
        changed = [NamedNode(iri) for (iri,) in reader.execute(_SERIES_SINCE, (to,))]
    for iri in changed:
        now, then = series.read(iri), before.read(iri)
        for time in np.setdiff1d(now.times, then.times).tolist():
            yield Sample(iri, time, WITHDRAWN)
        present = dict(zip(now.times.tolist(), now.values.tolist(), strict=True))
        for time, value in zip(then.times.tolist(), then.values.tolist(), strict=True):
            if present.get(time) != value:
                yield Sample(iri, time, value)
