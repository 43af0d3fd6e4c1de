"""Retention of samples: first the statistics in the graph, in a commit with an author, then the samples."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pyoxigraph import Literal, NamedNode

from ...ontology.iris import VT
from ...ontology.literals import from_microseconds, to_literal, to_microseconds
from ..interfaces import Entry, RetentionResult, SeriesReader
from ..journal.changes import ChangeSet
from ..journal.commit import Committer


def retain_series(
    committer: Committer,
    before: datetime,
    author: str,
    now: datetime,
    series: Iterable[NamedNode] | None = None,
) -> RetentionResult:
    """Delete samples before ``before``, of some series or of all, and update their statistics. Raises StoreError."""
    store = committer.journal.series
    with committer.lock:
        wanted = store.series() if series is None else list(series)
        changes = ChangeSet(committer.store)
        for item in wanted:
            if store.aggregate(item, "count", None, to_microseconds(before)) is not None:
                for quad in list(committer.store.quads(item, VT.sampleCount, None, None)):
                    if isinstance(quad.graph_name, NamedNode):
                        _put_statistics(changes, store, item, quad.graph_name, to_microseconds(before))
        if touched := tuple(changes.touched()):
            committer.commit(Entry.of(changes, author, now), touched)
        return store.retain(before, wanted)


def _put_statistics(changes: ChangeSet, store: SeriesReader, series: NamedNode, graph: NamedNode, before: int) -> None:
    times, _ = store.read(series, before)
    changes.put(series, VT.sampleCount, [Literal(len(times))], graph)
    if len(times):
        changes.put(series, VT.firstTime, [to_literal(from_microseconds(int(times[0])))], graph)
        return
    for mark in (VT.firstTime, VT.lastTime, VT.lastValue):
        changes.put(series, mark, [], graph)
