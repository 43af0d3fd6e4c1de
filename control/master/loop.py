"""The control master: takes messages, starts runs that are due, and commits the results of both.

One thread decides everything; listeners and handlers work in processes of their own and put their
results into :attr:`Master.inbox`. Each round does one of: end runs, commit messages, start what is due. Every
round is one group commit, so the master can be killed between any two of them.

With a replay's clock the master works in lockstep: no later message is committed while a run is under way,
and every tick is handled at its own moment. Same messages, same numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ...graphstore.engines.damage import is_damage
from ...graphstore.engines.oxigraph import watch_of
from ...graphstore.interfaces import QueuedRun
from ...graphstore.journal.commit import Committer
from ...graphstore.paths.reading import PathReader
from ..actions.action import Actions
from ..interfaces import Executor, MasterClock, Outcome, Received
from .backlog import Backlog
from .commits import Commits
from .dead_letters import DeadLetters
from .dispatch import Dispatcher
from .due import DueTable
from .faults import ALONE_AFTER, Faults, is_ground, may_be_its_content
from .handling import HandlingMark
from .inbox import Inbox, Stop
from .inputs import OutsideServices
from .intake import CLOCK_TOPIC, Bad, IncomingMessage, Intake, Message, digest
from .router import Router
from .schedules import Births, Schedules

IDLE_SECONDS: Final = 0.5


@dataclass
class Master:
    """The central control instance of one fleet."""

    committer: Committer
    reader: PathReader
    actions: Actions
    services: OutsideServices
    clock: MasterClock
    acknowledge: Callable[[Sequence[int]], None]
    births: Births
    """A follower of ``committer``."""
    batch_messages: int = 200
    batch_milliseconds: float = 0.0
    catch_up_ticks: int = 1000
    """The most ticks of an action that a replay walks from one message to the next; more are skipped, and said."""
    handling: HandlingMark = field(default_factory=HandlingMark)
    letters_file: Path | None = None
    """The file for dead letters that are too many for the graph."""
    inbox: Inbox = field(init=False)
    idle: threading.Event = field(default_factory=threading.Event, init=False)
    """Set while nothing waits and nothing is under way."""

    def __post_init__(self) -> None:
        store, journal, names = self.committer.store, self.committer.journal, self.reader.names
        self.inbox = Inbox(self.batch_messages, self.batch_milliseconds, self.clock.lockstep)
        self._intake = Intake.of(self.actions, self.committer.inputs)
        self._letters = DeadLetters(store, names, self.letters_file)
        self._router = Router(store, journal.series, names, self.reader.schema, self._letters)
        self._schedules = Schedules(store, names, self.actions, DueTable(journal.due_table()), self.births)
        self._backlog = Backlog(self.clock, self.batch_messages, self._schedules.ticks_after)
        self._commits = Commits(self.committer, self.actions, self._schedules, self.clock)
        self._dispatcher: Dispatcher | None = None
        self._faults = Faults()
        self._unfinished: Sequence[IncomingMessage] = ()
        self._failed = 0
        """How often the unfinished messages have met a fault of the ground since one of them was committed."""

    def run(self, executor: Executor) -> None:
        """Work until a :class:`Stop` arrives; runs that were under way when a master was killed are started first.

        No message ends it. Trouble of the ground stops the intake and shows in the status until the work succeeds.
        """
        self._dispatcher = Dispatcher(
            self.reader, self.actions, self.services, executor, self.committer.inputs, faults=self._faults
        )
        begun = False
        try:
            while True:
                try:
                    if not begun:
                        self._begin()
                        begun = True
                    if not self._receive():
                        return
                    while not self.inbox.stopped.is_set() and self._round():
                        pass
                    self._faults.passed()
                except Exception as error:  # noqa: BLE001 - it shows in the status, and the work is tried again
                    begun = False
                    if is_damage(error):
                        watch_of(self.committer.store).notice(str(error))
                    if self.inbox.stopped.wait(self._faults.stopped_by(error)):
                        return
        finally:
            executor.close()
            self.handling.close()

    def _begin(self) -> None:
        """Start the runs that the journal has queued; after a fault, what a failed commit held is read again."""
        journal = self.committer.journal
        if self._faults.problem is not None:
            self._schedules.reload(journal.due_table())
        self._start(journal.queued_runs())

    @property
    def _under_way(self) -> int:
        return len(self._dispatcher.under_way) if self._dispatcher else 0

    def _receive(self) -> bool:
        """Wait for events; return False when it is time to stop."""
        if not (self._backlog or self._unfinished or self._under_way or self.inbox):
            self.idle.set()
        for event in self.inbox.take(self._wait_seconds()):
            self.idle.clear()
            match event:
                case Stop():
                    return False
                case Received():
                    self._backlog.add(self._read(event))
                case outcomes:
                    self._end(outcomes)
        return True

    def _read(self, received: Received) -> Message:
        key = digest(received)
        if self.handling.is_deadly(key):
            return Bad(received, key, "the process ended twice while this message was handled; it is set aside unread")
        self.handling.begin([key])
        message = self._intake.read(received)
        self.handling.clear()
        if isinstance(message, Bad) and message.error is not None:
            self._faults.count(message.error, f"message {message.key}")
        return message

    def _wait_seconds(self) -> float:
        now, due = self.clock.now(), self._schedules.table.next_moment()
        if self.clock.lockstep or now is None or due is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, (due - now).total_seconds()))

    def _round(self) -> bool:
        """Do one commit's worth of work; return whether there may be more at once."""
        if self.clock.lockstep and self._under_way:
            return False
        if self._unfinished:
            self._take(self._unfinished)
            return True
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
            skipped = self._schedules.skipped(upcoming, self.catch_up_ticks)
            if skipped is not None:
                self._commits.commit(skipped)
            self.clock.advance(due if skipped is None else upcoming)
        elif upcoming is not None and self.clock.now() is None:
            self.clock.advance(upcoming)
        else:
            self._take(self._backlog.next_lockstep_batch(due))

    def _take(self, batch: Sequence[IncomingMessage]) -> None:
        """Commit the messages that are new and acknowledge all; those that a fault stops are taken again."""
        self._unfinished = batch
        while self._unfinished:
            keys = [digest(item.message.received) for item in self._unfinished]
            suspects = [index for index, key in enumerate(keys) if self.handling.is_suspect(key)]
            # One that may have ended the process is handled alone: were it to do so again, it is known.
            count = max(1, suspects[0]) if suspects else len(keys)
            group = self._unfinished[:count]
            self.handling.begin(keys[:count])
            try:
                self._commit_new(group)
            except Exception as error:
                self.handling.clear()
                self._letters.forget()
                if is_ground(error):
                    self._failed += 1
                    if self._failed < ALONE_AFTER or not may_be_its_content(error):
                        raise
                for item in group:
                    self._commit_alone(item)
            self._failed = 0
            self.handling.finish(keys[:count])
            self.acknowledge([item.message.received.receipt for item in group])
            self._unfinished = self._unfinished[count:]

    def _commit_alone(self, item: IncomingMessage) -> None:
        """Commit a message of a batch that failed; if the fault is in this one, it is a dead letter.

        A fault that looks like the ground's is the message's own where its dead letter can be written all the same.
        """
        try:
            self._commit_new([item])
        except Exception as error:
            if is_ground(error) and not (self._failed >= ALONE_AFTER and may_be_its_content(error)):
                raise
            self._letters.forget()
            message = item.message
            reason = self._faults.count(error, f"message {message.key}")
            self._commit_new([replace(item, message=Bad(message.received, message.key, reason, message.time))])

    def _commit_new(self, batch: Sequence[IncomingMessage]) -> None:
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
            "ticksSkipped": self._schedules.ticks_skipped,
            "idle": self.idle.is_set(),
            "internal": self._faults.internal,
            "problem": self._faults.problem,
        }
