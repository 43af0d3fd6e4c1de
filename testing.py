"""A fleet without broker, processes or waiting, for tests of actions, handlers and rules.

A :class:`Bench` is a whole fleet in this process: the journal in a folder, the triple store in memory,
the reasoner behind it. Messages are played to it from a list, handlers are plain objects, and time stands
where the messages or the test put it. Nothing in it is a fake: journal, store, reasoner and master are
those that a server runs::

    bench = Bench.make(tmp_path, convert(Path("my-model.mdj")))
    bench.play([message("voltwin/modules/module-0001/birth", body)], handlers={"my-handler": MyHandler()})
    assert bench.fleet.get("/module-0001/serial").value == "A-1"
    bench.close()
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .control.actions.action import Actions, load_actions
from .control.actions.messages import load_schema
from .control.clock import ReplayClock
from .control.interfaces import Deliver, Handler, Invocation, Json, MasterClock, Outcome, Received
from .control.master.loop import Master, Stop
from .converter import Conversion, instances, ontology, shapes
from .errors import HandlerError, VoltwinError
from .graphstore.engines.oxigraph import OxigraphStore
from .graphstore.fleets.history_access import FleetHistory
from .graphstore.fleets.local import LocalFleet
from .graphstore.journal.commit import Committer
from .graphstore.journal.sqlite_journal import SqliteJournal
from .graphstore.update.design import Design, load_design
from .ontology import framework
from .ontology.literals import EPOCH
from .ontology.naming import Naming
from .reasoner.engine import RuleEngine
from .reasoner.past_reasoning import reasoning
from .reasoner.resolver import RuleResolver

BASE: Final = "https://fleet.example/"
SETTLE_SECONDS: Final = 60.0
"""How long a bench waits for its master to have nothing left to do."""


class ManualClock:
    """Time that stands still until a test moves it.

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
        """Where the test put it."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Put it somewhere else."""
        self._now = moment

    def advance(self, moment: datetime) -> None:
        """Messages do not move it."""


class InlineExecutor:
    """Runs handlers in the calling thread; their outcomes are there when ``submit`` returns."""

    def __init__(self, handlers: Mapping[str, Handler], deliver: Deliver) -> None:
        self._handlers, self._deliver = handlers, deliver
        self.batches: list[tuple[str, Sequence[Invocation]]] = []
        """What was submitted, in order."""

    def submit(self, handler: str, invocations: Sequence[Invocation]) -> None:
        """Run a batch; a handler that raises has failed all of it, as in a process of its own."""
        self.batches.append((handler, tuple(invocations)))
        self._deliver(self._outcomes(handler, invocations))

    def _outcomes(self, handler: str, invocations: Sequence[Invocation]) -> Sequence[Outcome]:
        try:
            if handler not in self._handlers:
                raise HandlerError(f"handler {handler!r}: the test gives none of that name")
            return list(self._handlers[handler].run(invocations))
        except VoltwinError as error:
            return [Outcome(item.run, error=str(error)) for item in invocations]

    def close(self) -> None:
        """Nothing to end."""


def message(topic: str, body: Mapping[str, Json] | bytes, channel: str = "mqtt", receipt: int = 0) -> Received:
    """A message as a listener would hand it on; a mapping is sent as JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(channel, topic, payload, receipt)


@dataclass
class Bench:
    """One fleet with everything but processes and brokers."""

    committer: Committer
    fleet: LocalFleet
    engine: RuleEngine
    clock: MasterClock
    acknowledged: list[int] = field(default_factory=list)
    """The receipts that the master gave back, in order."""

    @classmethod
    def make(
        cls, folder: Path, conversion: Conversion | None = None, *, clock: MasterClock | None = None, base: str = BASE
    ) -> Bench:
        """A bench over the journal in ``folder``; ``conversion`` is loaded first, None opens what is there."""
        clock = clock or ReplayClock()
        names = Naming(base)
        journal = SqliteJournal.open(folder / "journal.sqlite")
        committer = Committer(journal, OxigraphStore(None, base))
        committer.catch_up()
        if conversion is not None:
            description = conversion.description
            design = Design([*framework(), *ontology(description)], shapes(description), instances(description, names))
            load_design(design, committer, names, "bench", EPOCH)

        def now() -> datetime:
            return clock.now() or datetime.now(UTC)

        resolver = RuleResolver(committer.store, journal.series, names, now)
        fleet_history = FleetHistory.over(journal, None, names, reasoning())
        fleet = LocalFleet(committer, names, resolver, fleet_history=fleet_history, now=now)
        engine = RuleEngine(committer.store, names, fleet.schema)
        engine.derive_all()
        committer.followers += [engine.follow, fleet_history.follow]
        return cls(committer, fleet, engine, clock)

    @property
    def actions(self) -> Actions:
        """The fleet's actions, read anew."""
        return load_actions(self.committer.store, self.fleet.names)

    def master(self, services: Mapping[str, str] | None = None, batch_messages: int = 200) -> Master:
        """A master over this bench."""
        actions = self.actions
        pushes = [action for action in actions.by_iri.values() if action.kind == "push"]
        return Master(
            committer=self.committer,
            reader=self.fleet.reader,
            actions=actions,
            schemas={action.message_schema: load_schema(action.message_schema) for action in pushes},
            services=services or {},
            clock=self.clock,
            acknowledge=self.acknowledged.extend,
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
        """Let a master take ``messages`` and work until nothing is left to do; returns what ran its handlers.

        Raises what ended the master, if something did, and TimeoutError if it does not come to rest.
        """
        master = self.master(services, batch_messages)
        executor = InlineExecutor(handlers or {}, master.inbox.put)
        # Without any message a master first waits; one about the time of day alone makes it look what is due.
        for item in list(messages) or [message(master.clock_topic, b"")]:
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
            raise TimeoutError(f"the master did not come to rest within {SETTLE_SECONDS:g} s: {master.status()}")
        return executor

    def close(self) -> None:
        """Let go of journal and store."""
        self.fleet.close()
