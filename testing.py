"""A fleet without broker, processes or waiting, for tests of actions, handlers and rules.

A :class:`Bench` is a whole fleet in this process: the journal in a folder, the triple store in memory,
and the reasoner. It plays messages from a list, its handlers are plain objects, and its time is set by the
messages or by the test. Nothing in it is a fake: journal, store, reasoner and master are the server's, wired
by the same function (``assembly.wire``)::

    bench = Bench.make(tmp_path, convert(Path("my-model.mdj")))
    bench.play([message("plant/pumps/pump-07/birth", body)], handlers={"my-handler": MyHandler()})
    assert bench.fleet.get("/pump-07/serial").value == "A-1"
    bench.close()
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from .assembly import ServerHooks, design_of, wire
from .control.actions.action import Actions, load_actions
from .control.clock import ReplayClock
from .control.interfaces import Deliver, Handler, Invocation, Json, MasterClock, Outcome, Received
from .control.master.inbox import Stop
from .control.master.inputs import OutsideServices
from .control.master.intake import CLOCK_TOPIC
from .control.master.loop import Master
from .control.master.schedules import Births
from .converter import Conversion
from .errors import HandlerError, VoltwinError
from .graphstore.engines.oxigraph import OxigraphStore
from .graphstore.fleets.local import LocalFleet
from .graphstore.journal.commit import Committer
from .graphstore.journal.sqlite_journal import SqliteJournal
from .graphstore.update.design import load_design
from .ontology.literals import EPOCH
from .ontology.naming import Naming
from .reasoner.engine import RuleEngine

BASE: Final = "https://fleet.example/"
SETTLE_SECONDS: Final = 60.0
"""The time limit for the master of a bench to become idle."""


class ManualClock:
    """A clock that a test sets.

    >>> from datetime import UTC, datetime
    >>> clock = ManualClock(EPOCH)
    >>> clock.advance(datetime(2019, 4, 1, tzinfo=UTC)); clock.now() == EPOCH
    True
    >>> clock.set(datetime(2019, 4, 1, tzinfo=UTC)); clock.now().year
    2019
    """

    lockstep = False

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The moment that the test set."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Set the moment."""
        self._now = moment

    def advance(self, moment: datetime) -> None:
        """Do nothing: messages do not move it."""


class InlineExecutor:
    """Runs handlers in the calling thread; their outcomes are delivered when ``submit`` returns."""

    def __init__(self, handlers: Mapping[str, Handler], deliver: Deliver) -> None:
        self._handlers, self._deliver = handlers, deliver
        self.batches: list[tuple[str, Sequence[Invocation]]] = []
        """The batches submitted, in order."""

    def submit(self, handler: str, invocations: Sequence[Invocation]) -> None:
        """Run a batch; a handler that raises fails all of it, as in a process of its own."""
        self.batches.append((handler, tuple(invocations)))
        self._deliver(self._outcomes(handler, invocations))

    def _outcomes(self, handler: str, invocations: Sequence[Invocation]) -> Sequence[Outcome]:
        try:
            if handler not in self._handlers:
                raise HandlerError(f"handler {handler!r}: the test has none of that name")
            return list(self._handlers[handler].run(invocations))
        except VoltwinError as error:
            return [Outcome(item.run, error=str(error)) for item in invocations]

    def close(self) -> None:
        """Do nothing."""


def message(topic: str, body: Mapping[str, Json] | bytes, channel: str = "mqtt", receipt: int = 0) -> Received:
    """A message as a listener delivers it; a mapping is sent as JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(channel, topic, payload, receipt)


@dataclass
class Bench:
    """One fleet with everything but processes and a broker."""

    committer: Committer
    fleet: LocalFleet
    engine: RuleEngine
    clock: MasterClock
    acknowledged: list[int] = field(default_factory=list)
    """The receipts that the master acknowledged, in order."""
    births: Births = field(default_factory=Births)
    """A follower of the committer, for the masters over this bench."""

    @classmethod
    def make(
        cls, folder: Path, conversion: Conversion | None = None, *, clock: MasterClock | None = None, base: str = BASE
    ) -> Bench:
        """A bench over the journal in ``folder``; ``conversion`` is loaded first, None opens the fleet as it is."""
        clock, names, births = clock or ReplayClock(), Naming(base), Births()
        journal = SqliteJournal.open(folder / "journal.sqlite")
        store = OxigraphStore(None, base)
        if conversion is not None:
            committer = Committer(journal, store)
            committer.catch_up()
            load_design(design_of(conversion, names), committer, names, "bench", EPOCH)
        parts = wire(journal, store, names, clock, hooks=ServerHooks([births.follow]))
        parts.engine.derive_all()
        return cls(parts.fleet.committer, parts.fleet, parts.engine, clock, births=births)

    @property
    def actions(self) -> Actions:
        """The fleet's actions, read from the graph each time."""
        return load_actions(self.committer.store, self.fleet.names)

    def master(self, services: Mapping[str, str] | None = None, batch_messages: int = 200) -> Master:
        """A master over this bench."""
        return Master(
            committer=self.committer,
            reader=self.fleet.reader,
            actions=self.actions,
            services=OutsideServices(services or {}),
            clock=self.clock,
            acknowledge=self.acknowledged.extend,
            births=self.births,
            batch_messages=batch_messages,
        )

    def play(
        self,
        messages: Iterable[Received],
        handlers: Mapping[str, Handler] | None = None,
        *,
        services: Mapping[str, str] | None = None,
        batch_messages: int = 200,
    ) -> InlineExecutor:
        """Let a master work through ``messages`` until it is idle; return the executor of its handlers.

        Raises the error that ended the master, if there was one, and TimeoutError if it does not become idle.
        """
        master = self.master(services, batch_messages)
        executor = InlineExecutor(handlers or {}, master.inbox.put)
        # Without any message a master first waits; one for its clock alone makes it start what is due.
        for item in list(messages) or [message(CLOCK_TOPIC, b"")]:
            master.inbox.put(item)
        problems: list[BaseException] = []

        def work() -> None:
            try:
                master.run(executor)
            except BaseException as problem:  # noqa: BLE001 - handed to the thread that waits
                problems.append(problem)
                master.idle.set()

        thread = threading.Thread(target=work, name="bench")
        thread.start()
        settled = master.idle.wait(SETTLE_SECONDS)
        master.inbox.put(Stop())
        thread.join()
        if problems:
            raise problems[0]
        if not settled:
            raise TimeoutError(f"the master was not idle within {SETTLE_SECONDS:g} s: {master.status()}")
        return executor

    def close(self) -> None:
        """Close journal and store."""
        self.fleet.close()
