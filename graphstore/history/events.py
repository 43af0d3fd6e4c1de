"""Events, one for each commit: read from the journal by subscribers, whom the writer wakes.

    with fleet.events(since=4711) as events:      # everything after commit 4711, then new commits
        for event in events:
            print(event.sequence, event.twins, event.properties)

A subscriber only has to remember the sequence number: a subscription with ``since`` continues without gaps and
repetitions. There is no queue besides the journal; a slow subscriber reads later and delays no other.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pyoxigraph import NamedNode

from ...errors import MomentNotFoundError, StoreError
from ...ontology.literals import format_time, from_microseconds, parse_time
from ...ontology.naming import Naming
from ..database.chain import read_commit
from ..interfaces import GraphChange
from ..journal.changes import Slot
from .past_graphs import PastGraphs

COMMITS_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Event:
    """One commit, reduced to the part a subscriber asked for.

    ``twins`` are keys, ``graphs`` the fleet's other graphs by their names below BASE (``rules``), ``properties`` the
    IRIs of properties with changed values; ``samples`` are counts by the series' path, ``loaded`` the numbers of
    triples of bulk loads by graph. ``changes`` is None unless requested; it excludes the triples of bulk loads.
    """

    sequence: int
    time: datetime
    author: str
    twins: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    samples: Mapping[str, int] = field(default_factory=dict)
    loaded: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[GraphChange, ...] | None = None
    damaged: str = ""
    """The part of the commit that does not match its hash; then the event has only the rest."""

    def to_json(self) -> dict[str, Any]:
        """As JSON, without empty fields."""
        document: dict[str, Any] = {
            "sequence": self.sequence,
            "time": format_time(self.time),
            "author": self.author,
            "twins": list(self.twins),
            "properties": list(self.properties),
            "samples": dict(self.samples),
        }
        document |= {"graphs": list(self.graphs)} if self.graphs else {}
        document |= {"loaded": dict(self.loaded)} if self.loaded else {}
        document |= {"damaged": self.damaged} if self.damaged else {}
        if self.changes is not None:
            document["changes"] = [
                {"graph": item.graph.value, "removed": item.removed, "added": item.added} for item in self.changes
            ]
        return document


def event_from_json(document: Mapping[str, Any]) -> Event:
    """The event written by :meth:`Event.to_json`."""
    changes = document.get("changes")
    return Event(
        document["sequence"],
        parse_time(document["time"]),
        document["author"],
        tuple(document["twins"]),
        tuple(document.get("graphs", ())),
        tuple(document["properties"]),
        document["samples"],
        document.get("loaded", {}),
        None
        if changes is None
        else tuple(GraphChange(NamedNode(item["graph"]), item["removed"], item["added"]) for item in changes),
        document.get("damaged", ""),
    )


class Subscription(Iterator[Event]):
    """A stream of events; ``close`` ends it, also from another thread if the fleet is in this process."""

    def __init__(self, events: Iterator[Event], close: Callable[[], None]) -> None:
        self._events, self.close = events, close

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class EventFilter:
    """The events a subscriber asks for; :meth:`FleetAccess.events` describes the fields."""

    since: int | datetime | None = None
    follow: bool = True
    twin: str | None = None
    changes: bool = False


@dataclass(frozen=True)
class EventChunk:
    """Some events in order; all commits up to ``until`` have been read."""

    events: Sequence[Event]
    until: int


@dataclass
class EventFeed:
    """The events of one journal, and the callbacks of waiting subscribers."""

    past: PastGraphs
    names: Naming
    _waiting: set[Callable[[], None]] = field(default_factory=set)
    ended: bool = False
    """Whether the fleet is closed, so that no further events follow."""

    def follow(self, sequence: int, touched: Sequence[Slot]) -> None:
        """Wake the waiting subscribers after a commit."""
        for wake in tuple(self._waiting):
            wake()

    def wake(self, call: Callable[[], None]) -> Callable[[], None]:
        """Register ``call``, which the writer's thread calls after each commit; returns a function to unregister it."""
        self._waiting.add(call)
        return lambda: self._waiting.discard(call)

    def end(self) -> None:
        """End all subscriptions."""
        self.ended = True
        self.follow(0, ())

    def start(self, since: int | datetime | None, follow: bool) -> int:
        """The commit after which a subscription begins. Raises MomentNotFoundError outside the history.

        ``None``: the newest commit, or, without ``follow``, the start of the history. A moment: the newest commit
        not after it.
        """
        span = self.past.span()
        if span is None:
            first = last = 0
        else:
            # Events of the first commit are deleted if history was compacted up to it.
            first, last = self.past.begins, span.last.sequence
        if since is None:
            return last if follow else first
        if isinstance(since, datetime):
            try:
                return self.past.sequence_at(since)
            except MomentNotFoundError:
                return first
        if not first <= since <= last:
            raise MomentNotFoundError(
                f"events since commit {since}: the journal has events after commit {first} up to commit {last}; "
                f"begin with since={first}"
            )
        return since

    def subscribe(self, wanted: EventFilter) -> Subscription:
        """The events that match; with ``follow`` it waits for more, until it is closed or the fleet is."""
        woken, closed = threading.Event(), threading.Event()
        after = self.start(wanted.since, wanted.follow)
        release = self.wake(woken.set)

        def close() -> None:
            release()
            closed.set()
            woken.set()

        return Subscription(self._iterate(wanted, after, woken, closed), close)

    def _iterate(
        self, wanted: EventFilter, after: int, woken: threading.Event, closed: threading.Event
    ) -> Iterator[Event]:
        while not (closed.is_set() or self.ended):
            woken.clear()  # before reading: a commit during the reading wakes us again
            try:
                chunk = self.read(after, wanted.twin, wanted.changes)
            except StoreError:
                if self.ended:  # the journal was closed meanwhile
                    return
                raise
            yield from chunk.events
            if chunk.until > after:
                after = chunk.until
            elif not wanted.follow:
                return
            elif not (closed.is_set() or self.ended):
                woken.wait()

    def read(self, after: int, twin: str | None = None, changes: bool = False) -> EventChunk:
        """The next events after commit ``after``. Raises MomentNotFoundError if compaction deleted them."""
        with self.past.reading(after) as reader:
            (last,) = reader.execute("SELECT coalesce(max(sequence), 0) FROM commits").fetchone()
            numbers = self._numbers(reader, after, twin)
            until = numbers[-1] if len(numbers) == COMMITS_AT_ONCE else int(last)
            return EventChunk([self._event(reader, number, twin, changes) for number in numbers], max(after, until))

    def _numbers(self, reader: sqlite3.Connection, after: int, twin: str | None) -> list[int]:
        if twin is None:
            query = "SELECT sequence FROM commits WHERE sequence > ? ORDER BY sequence LIMIT ?"
            return [number for (number,) in reader.execute(query, (after, COMMITS_AT_ONCE))]
        iri = self.names.twin(twin).value
        mine = {"iri": iri, "low": f"{iri}/", "high": f"{iri}0", "after": after, "most": COMMITS_AT_ONCE}
        return [number for (number,) in reader.execute(_OF_TWIN, mine)]

    def _event(self, reader: sqlite3.Connection, number: int, twin: str | None, with_changes: bool) -> Event:
        stored = read_commit(reader, number)
        assert stored is not None, "its number was read in the same view"
        sound = [change for change in stored.changes if change.sound and stored.listed]
        changes = [
            GraphChange(NamedNode(graph), removed, added)
            for graph, removed, added, _ in sound
            if self._concerns(graph, twin)
        ]
        samples = [item for item in sorted(stored.counts) if stored.listed and self._concerns(item[0], twin)]
        loads = [
            (iri, triples) for iri, _, triples in sorted(stored.loads) if stored.listed and self._concerns(iri, twin)
        ]
        touched = [*(item.graph.value for item in changes), *(iri for iri, _ in [*samples, *loads])]
        owners = {iri: self.names.owner(NamedNode(iri)) for iri in touched}
        return Event(
            number,
            from_microseconds(stored.digests.time),
            stored.digests.author,
            twins=tuple(sorted({self.names.twin_key(owner) for owner in owners.values() if owner is not None})),
            graphs=tuple(sorted({self._short(iri) for iri, owner in owners.items() if owner is None})),
            properties=tuple(sorted(_predicates(changes))),
            samples={self.names.path_of(NamedNode(iri)): rows for iri, rows in samples},
            loaded={self._short(iri): triples for iri, triples in loads},
            changes=tuple(changes) if with_changes else None,
            damaged=stored.problem,
        )

    def _concerns(self, iri: str, twin: str | None) -> bool:
        return twin is None or self.names.owner(NamedNode(iri)) == self.names.twin(twin)

    def _short(self, iri: str) -> str:
        return iri.removeprefix(self.names.base)


def _predicates(changes: Iterable[GraphChange]) -> set[str]:
    """The second term of every line: subjects and predicates of N-Triples contain no space."""
    return {
        words[1][1:-1]
        for change in changes
        for text in (change.removed, change.added)
        for line in text.split("\n")
        if len(words := line.split(" ", 2)) > 1
    }


_OF_TWIN: Final = """
WITH mine AS (SELECT id FROM graphs WHERE iri = :iri OR (iri > :low AND iri < :high))
SELECT sequence FROM changes WHERE graph IN mine AND sequence > :after
UNION SELECT sequence FROM loads WHERE graph IN mine AND sequence > :after
UNION SELECT sequence FROM commit_samples WHERE sequence > :after
    AND series IN (SELECT id FROM series WHERE iri > :low AND iri < :high)
ORDER BY sequence LIMIT :most"""
