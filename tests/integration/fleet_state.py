"""All that a fleet on disk knows, for tests that compare two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voltwin.assembly import open_fleet
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal


@dataclass(frozen=True)
class State:
    sequence: int
    quads: frozenset[Any]
    samples: frozenset[Any]
    counts: tuple[Any, ...]


def state(folder: Any) -> Any:
    """Graph, samples and totals of a fleet that nobody holds."""
    with open_fleet(folder) as fleet:
        journal = fleet.committer.journal
        samples = {
            (series.value, int(time), float(value))
            for series in journal.series.series()
            for time, value in zip(*journal.series.read(series), strict=True)
        }
        return State(journal.last_sequence, _quads(fleet), frozenset(samples), tuple(sorted(journal.counts().items())))


def quads(folder: Any) -> Any:
    """The graph of a fleet that nobody holds, the store's own marks left out."""
    with open_fleet(folder) as fleet:
        return _quads(fleet)


def _quads(fleet: Any) -> Any:
    found = fleet.committer.store.quads(None, None, None, None)
    return frozenset(quad for quad in found if quad.graph_name != fleet.names.state_graph)


def samples_of(file: Any) -> Any:
    """How many samples a journal's file has."""
    journal = SqliteJournal.open(file)
    try:
        return sum(len(journal.series.read(series)[0]) for series in journal.series.series())
    finally:
        journal.close()
