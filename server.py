"""The server of a fleet: control master, listener, handlers and web server, started and stopped together.

Without a broker there is nothing to listen to: the fleet is shown and can be written, and no action runs.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from .api.app import create_app
from .api.http.server import WebServer
from .assembly import ServerHooks, assemble, assemble_reading, healing_of, listens_in, run_by
from .control.actions.action import load_actions
from .control.clock import ReplayClock, SystemClock
from .control.executors.process import ProcessExecutor
from .control.interfaces import MasterClock
from .control.listeners.registry import find_listener
from .control.master.checks.registry import find_problems, refuse_errors
from .control.master.dead_letters import FILE
from .control.master.handling import HandlingMark
from .control.master.inbox import Stop
from .control.master.inputs import OutsideServices
from .control.master.intake import CLOCK_TOPIC
from .control.master.loop import Master
from .control.master.schedules import Births
from .errors import AccessError, InputError
from .graphstore.fleets.local import LocalFleet
from .graphstore.folder import FleetFolder, read_folder
from .graphstore.queries.limits import QueryLimits
from .graphstore.series.options import read_options
from .graphstore.series.periodic import PeriodicSealing
from .settings import Settings


class Server:
    """A running fleet: REST on one address and, where there is a broker, control master and listener."""

    def __init__(self, path: Path, settings: Settings) -> None:
        if settings.broker is None and (settings.services or settings.clock == "replay"):
            raise InputError(
                "services and the replay's clock are for actions, and no action runs without a broker; "
                "name one, as in --broker mqtt://127.0.0.1:1883"
            )
        clock: MasterClock | None = None  # without a broker: the one that the fleet was last run with
        if settings.broker is not None:
            clock = ReplayClock() if settings.clock == "replay" else SystemClock()
        limits = QueryLimits(
            seconds=settings.query_seconds,
            rows=settings.query_rows,
            bytes=settings.query_bytes,
            memory=settings.query_memory,
            at_once=settings.query_readers,
        )
        folder = read_folder(path)
        births = Births()
        hooks = ServerHooks([births.follow], self._status, settings.inputs)
        if not (settings.loopback or settings.allow_anonymous_writes):
            hooks = replace(hooks, may_write=partial(_refuse_writes, settings.host))
        if settings.read_only and settings.broker is not None:
            raise InputError("--read-only: a broker's messages are written; serve without --broker")
        opens = assemble_reading if settings.read_only else assemble
        self._parts = opens(folder, clock, limits, hooks)
        self._ending = ExitStack()
        self._ending.callback(self._parts.fleet.close)
        healing = None if settings.read_only else healing_of(self._parts)
        if healing is not None:
            healing.start()
            self._ending.callback(healing.stop)
        self._control: _Control | None = None
        self._read_only = settings.read_only
        try:
            fleet = self._parts.fleet
            self._web = WebServer(create_app(fleet, settings.inputs), settings.host, settings.port)
            if settings.broker is not None and clock is not None:
                listens_in(fleet, folder, moved=settings.moved)
                run_by(fleet, clock)
                self._control = _Control(fleet, births, clock, settings, folder)
                self._ending.callback(self._control.close)
            hot_days = read_options(folder.path).hot_days
            self._sealing = PeriodicSealing(fleet.committer.journal.series, fleet.now, hot_days)
        except BaseException:
            self._ending.close()
            raise

    def start(self) -> str:
        """Start all parts; return the address. Raises BrokerError, EnvironmentProblem; then nothing stays open."""
        try:
            if self._control is not None:
                self._control.wait()
            self._web.start()
            self._ending.callback(self._web.stop)
            if self._parts.held:
                self._parts.held.lock.publish(self._web.url)
            if self._control is not None:
                self._control.start()
                self._ending.callback(self._control.stop)
            if not self._read_only:
                self._sealing.start()
                self._ending.callback(self._sealing.stop)
        except BaseException:
            self._ending.close()
            raise
        return self._web.url

    def join(self, seconds: float | None = None) -> bool:
        """Wait until the master has ended; return whether it has. Raises the error that ended it, if there was one."""
        return self._control is not None and self._control.join(seconds)

    @property
    def warnings(self) -> Sequence[str]:
        """The findings about the design that are no errors: the server runs all the same."""
        return () if self._control is None else self._control.warnings

    def _status(self) -> dict[str, Any]:
        return {"listening": None} if self._control is None else self._control.status()

    def stop(self) -> None:
        """Stop in order: the master, the web server, the listener, the store. Queued runs stay in the journal."""
        self._ending.close()


def _refuse_writes(host: str) -> None:
    raise AccessError(
        f"writes: this server answers on {host}, where others reach it, and no write has a key; serve on 127.0.0.1, "
        "or with --allow-anonymous-writes"
    )


class _Control:
    """The master of one fleet, in a thread of its own, and the listener that delivers messages to it."""

    def __init__(
        self, fleet: LocalFleet, births: Births, clock: MasterClock, settings: Settings, folder: FleetFolder
    ) -> None:
        broker = settings.broker or ""
        self._timeout, self._folder = settings.handler_timeout, folder.path
        self._problem: BaseException | None = None
        findings = find_problems(fleet.committer.store, fleet.names, settings.services, settings.inputs.outgoing)
        refuse_errors(findings)
        self.warnings = [str(finding) for finding in findings]
        actions = load_actions(fleet.committer.store, fleet.names)
        pushes = actions.pushes()
        channels = sorted({action.channel for action in pushes})
        self._master = Master(
            committer=fleet.committer,
            reader=fleet.reader,
            actions=actions,
            services=OutsideServices(settings.services, settings.inputs.outgoing),
            clock=clock,
            acknowledge=self._acknowledge,
            births=births,
            batch_messages=settings.batch_messages,
            batch_milliseconds=settings.batch_milliseconds,
            catch_up_ticks=settings.catch_up_ticks,
            letters_file=folder.path / FILE,
        )
        filters = sorted({action.topic_filter for action in pushes})
        if settings.clock == "replay":
            filters.append(CLOCK_TOPIC)
        # The broker keeps a session by this name: two fleets with one name would take each other's messages.
        client = f"voltwin {fleet.names.base} {folder.id}".rstrip()
        listen = find_listener(channels[0] if channels else "mqtt")
        self._listener = listen(broker, client, filters, self._master.inbox.put)
        self._listening = f"{', '.join(filters)} at {broker.rpartition('@')[2]}"

    def wait(self) -> None:
        """Wait until messages can arrive. Raises BrokerError."""
        self._listener.wait()

    def start(self) -> None:
        """Run the master in a thread of its own."""
        self._master.handling = HandlingMark(self._folder / "handling")
        executor = ProcessExecutor(self._master.inbox.put, self._timeout)
        self._thread = threading.Thread(target=self._work, args=(executor,), name="control master")
        self._thread.start()

    def _work(self, executor: ProcessExecutor) -> None:
        try:
            self._master.run(executor)
        except BaseException as problem:  # noqa: BLE001 - handed to the thread that waits in join()
            self._problem = problem

    def join(self, seconds: float | None) -> bool:
        """Wait until the master has ended; return whether it has. Raises the error that ended it, if there was one."""
        self._thread.join(seconds)
        if self._problem is not None:
            raise self._problem
        return not self._thread.is_alive()

    def _acknowledge(self, receipts: Sequence[int]) -> None:
        self._listener.acknowledge(receipts)

    def status(self) -> dict[str, Any]:
        """The master's totals, topics and broker, and whether the broker answers."""
        listening = {"listening": self._listening, "listener": self._listener.problem() or "ready"}
        return {**self._master.status(), **listening}

    def stop(self) -> None:
        """End the master after the work under way."""
        self._master.inbox.put(Stop())
        self._thread.join()

    def close(self) -> None:
        """Release the listener."""
        self._listener.close()
