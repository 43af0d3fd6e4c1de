"""The control master: reads actions from the graph, takes messages in, runs what is due, chains what follows.

One thread decides everything; listeners and handlers work in processes of their own and hand their
results to :attr:`Master.inbox`. Each round does one of: end runs, take messages, start what is due. Every
round is one group commit, so the master can be killed between any two of them.

With a replay's clock the master works in lockstep: no later message is taken while a run is under way,
and every tick gets its turn at its own moment. Same messages, same numbers.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pyoxigraph import NamedNode

from ...errors import MessageError
from ...graphstore.interfaces import Due, Entry, FinishedRun, QueuedRun
from ...graphstore.journal.changes import ChangeSet, Slot
from ...graphstore.journal.commit import Committer
from ...graphstore.paths.reading import PathReader
from ...ontology.iris import RDF, VT
from ..actions.action import Actions
from ..actions.messages import Envelope, MessageSchema, open_envelope
from ..handlers.registry import INGEST, find_handler
from ..interfaces import Executor, MasterClock, Outcome, Received
from .dispatch import Dispatcher, consecutive, due_run
from .due import DueTable, first_due, follow_up
from .router import Router, Taken, message_key
from .runs import RunRecorder

_LOG: Final = logging.getLogger(__name__)
AUTHOR: Final = "control master"
IDLE_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Stop:
    """Ends the master's loop."""


Event = Received | Sequence[Outcome] | Stop


@dataclass
class Master:
    """The central control instance of one fleet."""

    committer: Committer
    reader: PathReader
    actions: Actions
    schemas: Mapping[str, MessageSchema]
    services: Mapping[str, str]
    clock: MasterClock
    acknowledge: Callable[[Sequence[int]], None]
    batch_messages: int = 200
    batch_milliseconds: float = 0.0
    clock_topic: str = "voltwin/clock"
    inbox: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self._router = Router(
            self.committer.store,
            self.committer.journal.series,
            self.reader.names,
            self.reader.schema,
            self.actions,
            self.schemas,
        )
        self._due = DueTable(self.committer.journal.due_table())
        self._backlog: deque[tuple[Received, Envelope | None]] = deque()
        self._dispatcher: Dispatcher | None = None
        self._registered = False
        self._committing = False
        self.committer.followers.append(self._see_births)
        self.idle = threading.Event()
        """Set while nothing waits and nothing is under way."""

    def check(self) -> None:
        """Raises ActionError where an action names a handler that is not registered."""
        for action in self.actions.by_iri.values():
            if not (action.kind == "push" and action.handler == INGEST):
                find_handler(action.handler)

    def run(self, executor: Executor) -> None:
        """Work until :class:`Stop` comes; runs that were under way when it was killed are taken up first."""
        self._dispatcher = Dispatcher(self.reader, self.actions, self.services, executor)
        self._start(self.committer.journal.queued_runs())
        try:
            while self._receive():
                while self._round():
                    pass
        finally:
            executor.close()

    @property
    def _under_way(self) -> bool:
        return bool(self._dispatcher and self._dispatcher.under_way)

    def _receive(self) -> bool:
        """Wait for events; False when it is time to stop."""
        if not self._backlog and not self._under_way and self.inbox.empty():
            self.idle.set()
        try:
            event: Event | None = self.inbox.get(timeout=self._wait_seconds())
        except queue.Empty:
            return True
        self.idle.clear()
        closing: float | None = None
        while event is not None:
            match event:
                case Stop():
                    return False
                case Received():
                    self._backlog.append((event, self._open(event)))
                    closing = closing or time.monotonic() + self.batch_milliseconds / 1000
                case outcomes:
                    self._end(outcomes)
            event = self._next_event(closing)
        return True

    def _next_event(self, closing: float | None) -> Event | None:
        """What is in the inbox, or comes before the batch that is being filled closes."""
        wait = 0.0
        if closing is not None and not self.clock.lockstep and len(self._backlog) < self.batch_messages:
            wait = closing - time.monotonic()
        try:
            return self.inbox.get(timeout=wait) if wait > 0 else self.inbox.get_nowait()
        except queue.Empty:
            return None

    def _wait_seconds(self) -> float:
        now, due = self.clock.now(), self._due.next_moment()
        if self.clock.lockstep or now is None or due is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, (due - now).total_seconds()))

    def _open(self, received: Received) -> Envelope | None:
        try:
            return open_envelope(received.payload)
        except MessageError:
            return None  # the router opens it again and puts it aside with the reason

    def _round(self) -> bool:
        """One commit's worth of work; whether there may be more at once."""
        if self.clock.lockstep and self._under_way:
            return False
        now = self.clock.now()
        if now is not None and not self._registered:
            self._register_all(now)
        if now is not None and self._run_due(now):
            return True
        if not self._backlog:
            return False
        if self.clock.lockstep:
            return self._replay()
        self._take(self._batch())
        return True

    def _replay(self) -> bool:
        """Let time pass to the next message, or only to the next tick if that comes first."""
        upcoming = next((envelope.time for _, envelope in self._backlog if envelope), None)
        due = self._due.next_moment()
        # Also where the clock has not begun: ticks that a master left behind get their turns, one by one.
        if upcoming is not None and due is not None and due <= upcoming:
            self.clock.advance(due)
            return True
        if upcoming is not None and self.clock.now() is None:
            self.clock.advance(upcoming)
            return True
        self._take(self._stretch(due))
        return True

    def _stretch(self, due: datetime | None) -> list[Taken]:
        """The next messages that can share a commit and still give what each in a commit of its own would.

        A stretch ends before the next tick, also before one of a twin that is created in it, and after a
        message whose run starts others: they are to see the fleet as that message left it.
        """
        stretch: list[Taken] = []
        while self._backlog and len(stretch) < self.batch_messages:
            received, envelope = self._backlog[0]
            if stretch and due is not None and envelope is not None and envelope.time >= due:
                break
            self._backlog.popleft()
            if envelope is not None:
                self.clock.advance(envelope.time)
            now = self.clock.now() or datetime.now(UTC)
            stretch.append((received, envelope, now))
            due = min((tick for tick in (due, *self._ticks_after(now)) if tick is not None), default=None)
            if self._starts_others(received):
                break
        return stretch

    def _ticks_after(self, now: datetime) -> Iterator[datetime | None]:
        return (action.schedule.next_after(now) for action in self.actions.by_iri.values() if action.schedule)

    def _starts_others(self, received: Received) -> bool:
        return any(
            action.consecutive and action.twin_in(received.topic) is not None
            for action in self.actions.pushes(received.channel)
        )

    def _batch(self) -> list[Taken]:
        """The next messages for one commit."""
        now = self.clock.now() or datetime.now(UTC)
        count = min(len(self._backlog), self.batch_messages)
        return [(*self._backlog.popleft(), now) for _ in range(count)]

    def _take(self, batch: Sequence[Taken]) -> None:
        receipts = [received.receipt for received, _, _ in batch]
        fresh: dict[str, Taken] = {}
        for taken in batch:
            received, envelope, _ = taken
            if received.topic != self.clock_topic:
                fresh.setdefault(message_key(received, envelope), taken)
        for key in self.committer.journal.known_messages(list(fresh)):
            del fresh[key]
        if fresh:
            self._commit_messages(list(fresh.values()))
        self.acknowledge(receipts)

    def _commit_messages(self, messages: Sequence[Taken]) -> None:
        now = self.clock.now() or datetime.now(UTC)
        with self.committer.lock:
            routed = self._router.route(messages)
            followers = self._new(consecutive(routed.triggered, self.actions, self.reader.names))
            due = [
                row
                for key in routed.created
                for row in self._first_due(self.reader.names.twin(key), routed.changes, now)
            ]
            self._commit(
                Entry(
                    AUTHOR,
                    now,
                    routed.changes.changes(),
                    samples=tuple(routed.changes.samples),
                    message_keys=tuple(routed.message_keys),
                    queued=(*routed.queued, *followers),
                    finished=tuple(routed.finished),
                    due=tuple(due),
                    dead_letters=routed.dead_letters,
                ),
                routed.changes,
            )
        self._start(followers)

    def _first_due(self, twin: NamedNode, changes: ChangeSet, now: datetime) -> list[Due]:
        types = [t for t in changes.objects(twin, RDF.type, twin) if isinstance(t, NamedNode)]
        mine = [action for action in self.actions.by_iri.values() if action.applies_to in types]
        return [row for row in first_due(mine, twin, now) if (row.action, row.twin) not in self._due]

    def _register_all(self, now: datetime) -> None:
        """Twins that were there before the master: those of the model, and those whose actions are new."""
        self._registered = True
        changes = ChangeSet(self.committer.store)
        quads = self.committer.store.quads(None, RDF.type, VT.Twin, None)
        twins = sorted(
            {quad.subject for quad in quads if isinstance(quad.subject, NamedNode)}, key=lambda node: node.value
        )
        rows = [row for twin in twins for row in self._first_due(twin, changes, now)]
        if rows:
            self._commit(Entry(AUTHOR, now, due=tuple(rows)), changes)

    def _run_due(self, now: datetime) -> bool:
        due = self._due.until(now)
        if not due:
            return False
        runs: dict[str, QueuedRun] = {}
        rows = []
        for row in due:
            moment, replacement = follow_up(row, self.actions, now)
            rows.append(replacement)
            if moment is not None:
                action = self.actions.by_iri[row.action]
                run = due_run(action, row.twin, moment, self.reader.names)
                runs[run.id] = run
        with self.committer.lock:
            new = self._new(list(runs.values()))
            self._commit(Entry(AUTHOR, now, queued=tuple(new), due=tuple(rows)), None)
        self._start(new)
        return True

    def _new(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        """Those that were never asked for: a run is carried out once, however many messages lead to it."""
        known = self.committer.journal.known_runs([run.id for run in runs])
        return [run for run in runs if run.id not in known]

    def _start(self, runs: Sequence[QueuedRun]) -> None:
        """Start runs; the reasons of those that cannot start are committed at once."""
        if not runs or self._dispatcher is None:
            return
        ended = self._dispatcher.start(runs)
        if ended:
            changes = ChangeSet(self.committer.store)
            recorder = RunRecorder(changes, self.reader.names)
            for run, end in ended:
                recorder.record(run, end)
            self._commit_ended(changes, [end for _, end in ended], [])

    def _end(self, outcomes: Sequence[Outcome]) -> None:
        assert self._dispatcher is not None
        with self.committer.lock:
            ended = self._dispatcher.end(outcomes)
            followers = self._new(consecutive(ended.succeeded, self.actions, self.reader.names))
            self._commit_ended(ended.changes, ended.finished, followers, ended.created)
        self._start(followers)

    def _commit_ended(
        self,
        changes: ChangeSet,
        finished: Sequence[FinishedRun],
        followers: Sequence[QueuedRun],
        created: Sequence[NamedNode] = (),
    ) -> None:
        failed = [end for end in finished if end.state == "failed"]
        if failed:
            _LOG.warning(
                "%d of %d runs failed, the first (%s): %s", len(failed), len(finished), failed[0].id, failed[0].reason
            )
        now = self.clock.now() or datetime.now(UTC)
        samples = tuple(changes.samples)
        due = tuple(row for twin in created for row in self._first_due(twin, changes, now))
        self._commit(
            Entry(
                AUTHOR,
                now,
                changes.changes(),
                samples=samples,
                queued=tuple(followers),
                finished=tuple(finished),
                due=due,
            ),
            changes,
        )

    def _commit(self, entry: Entry, changes: ChangeSet | None) -> None:
        with self.committer.lock:
            self._committing = True
            try:
                self.committer.commit(entry, tuple(changes.touched()) if changes else ())
            finally:
                self._committing = False
        self._due.update(entry.due)

    def _see_births(self, _sequence: int, touched: Sequence[Slot]) -> None:
        """Twins that others brought into being (a user's write) get their schedules with the next round."""
        created = any(predicate == RDF.type and graph == subject for graph, subject, predicate in touched)
        if created and not self._committing:
            self._registered = False

    def status(self) -> dict[str, object]:
        """What people want to know of a running master."""
        now = self.clock.now()
        return {
            "clock": None if now is None else now.isoformat().replace("+00:00", "Z"),
            "waiting": len(self._backlog) + self.inbox.qsize(),
            "underWay": len(self._dispatcher.under_way) if self._dispatcher else 0,
            "scheduled": len(self._due),
            "idle": self.idle.is_set(),
        }
