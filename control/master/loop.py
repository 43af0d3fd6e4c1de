"""The control master: takes messages, starts runs that are due, and commits the results of both.

One thread decides everything; listeners and handlers work in processes of their own and put their
results into :attr:`Master.inbox`. Each round does one of: end runs, commit messages, start what is due. Every
round is one group commit, so the master can be killed between any two of them.

With a replay's clock the master works in lockstep: no later message is committed while a run is under way,
and every tick is handled at its own moment. Same messages, same numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ...graphstore.interfaces import QueuedRun
from ...graphstore.journal.commit import Committer
from ...graphstore.paths.reading import PathReader
from ..actions.action import Actions
from ..handlers.registry import INGEST, find_handler
from ..interfaces import Executor, MasterClock, Outcome, Received
from .backlog import Backlog
from .commits import Commits
from .dispatch import Dispatcher
from .due import DueTable
from .inbox import Inbox, Stop
from .intake import CLOCK_TOPIC, IncomingMessage, Intake
from .router import Router
from .schedules import Births, Schedules

IDLE_SECONDS: Final = 0.5


@dataclass
class Master:
    """The central control instance of one fleet."""

    committer: Committer
    reader: PathReader
    actions: Actions
    services: Mapping[str, str]
    clock: MasterClock
    acknowledge: Callable[[Sequence[int]], None]
    births: Births
    """A follower of ``committer``."""
    batch_messages: int = 200
    batch_milliseconds: float = 0.0
    inbox: Inbox = field(init=False)
    idle: threading.Event = field(default_factory=threading.Event, init=False)
    """Set while nothing waits and nothing is under way."""

    def __post_init__(self) -> None:
        store, journal, names = self.committer.store, self.committer.journal, self.reader.names
        self.inbox = Inbox(self.batch_messages, self.batch_milliseconds, self.clock.lockstep)
        self._intake = Intake.of(self.actions)
        self._router = Router(store, journal.series, names, self.reader.schema)
        self._schedules = Schedules(store, names, self.actions, DueTable(journal.due_table()), self.births)
        self._backlog = Backlog(self.clock, self.batch_messages, self._schedules.ticks_after)
        self._commits = Commits(self.committer, self.actions, self._schedules, self.clock)
        self._dispatcher: Dispatcher | None = None

    def check(self) -> None:
        """Raises ActionError where an action names a handler that is not registered."""
        for action in self.actions.by_iri.values():
            if not (action.kind == "push" and action.handler == INGEST):
                find_handler(action.handler)

    def run(self, executor: Executor) -> None:
        """Work until a :class:`Stop` arrives; runs that were under way when a master was killed are started first."""
        self._dispatcher = Dispatcher(self.reader, self.actions, self.services, executor)
        self._start(self.committer.journal.queued_runs())
        try:
            while self._receive():
                while self._round():
                    pass
        finally:
            executor.close()

    @property
    def _under_way(self) -> int:
        return len(self._dispatcher.under_way) if self._dispatcher else 0

    def _receive(self) -> bool:
        """Wait for events; return False when it is time to stop."""
        if not self._backlog and not self._under_way and not self.inbox:
            self.idle.set()
        for event in self.inbox.take(self._wait_seconds()):
            self.idle.clear()
            match event:
                case Stop():
                    return False
                case Received():
                    self._backlog.add(self._intake.read(event))
                case outcomes:
                    self._end(outcomes)
        return True

    def _wait_seconds(self) -> float:
        now, due = self.clock.now(), self._schedules.table.next_moment()
        if self.clock.lockstep or now is None or due is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, (due - now).total_seconds()))

    def _round(self) -> bool:
        """Do one commit's worth of work; return whether there may be more at once."""
        if self.clock.lockstep and self._under_way:
            return False
        now = self.clock.now()
        if now is not None:
            if (unregistered := self._schedules.unregistered(now)).due:
                self._commits.commit(unregistered)
            if (runs := self._schedules.due(now)).due:
                self._start(self._commits.commit(runs))
                return True
        if not self._backlog:
            return False
        if self.clock.lockstep:
            self._advance_replay()
        else:
            self._take(self._backlog.next_batch())
        return True

    def _advance_replay(self) -> None:
        """Advance the clock to the next tick, if it is before the next message, or commit the next messages."""
        upcoming, due = self._backlog.upcoming(), self._schedules.table.next_moment()
        # Also before the clock has begun: ticks that an earlier master left are handled one by one.
        if upcoming is not None and due is not None and due <= upcoming:
            self.clock.advance(due)
        elif upcoming is not None and self.clock.now() is None:
            self.clock.advance(upcoming)
        else:
            self._take(self._backlog.next_lockstep_batch(due))

    def _take(self, batch: Sequence[IncomingMessage]) -> None:
        """Commit the messages that are new and acknowledge all."""
        fresh: dict[str, IncomingMessage] = {}
        for item in batch:
            if item.message.received.topic != CLOCK_TOPIC:
                fresh.setdefault(item.message.key, item)
        for key in self.committer.journal.known_messages(list(fresh)):
            del fresh[key]
        if fresh:
            with self.committer.lock:
                followers = self._commits.commit(self._router.route(list(fresh.values())))
            self._start(followers)
        self.acknowledge([item.message.received.receipt for item in batch])

    def _start(self, runs: Sequence[QueuedRun]) -> None:
        """Start runs; the reasons of those that cannot start are committed at once."""
        if not runs or self._dispatcher is None:
            return
        result = self._dispatcher.start(runs)
        if result.finished:
            self._commits.commit(result)

    def _end(self, outcomes: Sequence[Outcome]) -> None:
        assert self._dispatcher is not None
        with self.committer.lock:
            followers = self._commits.commit(self._dispatcher.end(outcomes))
        self._start(followers)

    def status(self) -> dict[str, object]:
        """Figures of a running master."""
        now = self.clock.now()
        return {
            "clock": None if now is None else now.isoformat().replace("+00:00", "Z"),
            "waiting": len(self._backlog) + len(self.inbox),
            "underWay": self._under_way,
            "scheduled": len(self._schedules.table),
            "idle": self.idle.is_set(),
        }
