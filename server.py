"""A fleet that runs: control master, listener, handlers and web server put together and taken apart.

Without a broker there is nothing to listen to: the fleet is shown and can be written, and no action runs.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .api.app import create_app
from .api.http.server import WebServer
from .assembly import OpenFleet, assemble
from .control.actions.action import load_actions
from .control.actions.messages import load_schema
from .control.clock import ReplayClock, SystemClock
from .control.executors.process import ProcessExecutor
from .control.interfaces import MasterClock
from .control.listeners.registry import find_listener
from .control.master.loop import Master, Stop
from .errors import ActionError, InputError
from .graphstore.folder import read_folder
from .graphstore.queries.limits import QueryLimits
from .graphstore.series.options import read_options
from .graphstore.series.periodic import PeriodicSealing
from .settings import Settings


class Server:
    """A fleet that runs: REST on one address and, where there is a broker, control master and listener."""

    def __init__(self, path: Path, settings: Settings) -> None:
        if settings.broker is None and (settings.services or settings.clock == "replay"):
            raise InputError(
                "services and the replay's clock are for actions, and no action runs without a broker; "
                "name one, as in --broker mqtt://127.0.0.1:1883"
            )
        clock: MasterClock = ReplayClock() if settings.clock == "replay" else SystemClock()
        self._settings = settings
        limits = QueryLimits(
            seconds=settings.query_seconds,
            rows=settings.query_rows,
            bytes=settings.query_bytes,
            memory=settings.query_memory,
            at_once=settings.query_readers,
        )
        folder = read_folder(path)
        self._parts = assemble(folder, clock, limits)
        self._ending = ExitStack()
        self._ending.callback(self._parts.fleet.close)
        self._control: _Control | None = None
        try:
            fleet = self._parts.fleet
            self._web = WebServer(create_app(fleet), settings.host, settings.port)
            if settings.broker is not None:
                self._control = _Control(self._parts, settings, settings.broker)
                self._ending.callback(self._control.close)
            fleet.more_status = self._status
            hot_days = read_options(folder.path).hot_days
            self._sealing = PeriodicSealing(fleet.committer.journal.series, clock.now, hot_days)
        except BaseException:
            self._ending.close()
            raise

    def start(self) -> str:
        """Begin to work; returns the address. Raises BrokerError, EnvironmentProblem; then nothing stays open."""
        try:
            if self._control is not None:
                self._control.wait()
            self._web.start()
            self._ending.callback(self._web.stop)
            self._parts.lock.publish(self._web.url)
            if self._control is not None:
                self._control.start()
                self._ending.callback(self._control.stop)
            self._sealing.start()
            self._ending.callback(self._sealing.stop)
        except BaseException:
            self._ending.close()
            raise
        return self._web.url

    def join(self, seconds: float | None = None) -> bool:
        """Wait until the master has ended; whether it has. Raises what ended it, if that was an error."""
        return self._control is not None and self._control.join(seconds)

    def _status(self) -> dict[str, Any]:
        return {"listening": None} if self._control is None else self._control.status()

    def stop(self) -> None:
        """End in order: the master, the web server, the listener, the store. Queued runs stay in the journal."""
        self._ending.close()


class _Control:
    """The master of one fleet, in a thread of its own, and the listener that hands it messages."""

    def __init__(self, parts: OpenFleet, settings: Settings, broker: str) -> None:
        fleet, self._timeout = parts.fleet, settings.handler_timeout
        self._problem: BaseException | None = None
        actions = load_actions(fleet.committer.store, fleet.names)
        pushes = [action for action in actions.by_iri.values() if action.kind == "push"]
        channels = sorted({action.channel for action in pushes})
        if len(channels) > 1:
            raise ActionError(f"channels {', '.join(channels)}: one server listens to one channel; run one for each")
        self._master = Master(
            committer=fleet.committer,
            reader=fleet.reader,
            actions=actions,
            schemas={action.message_schema: load_schema(action.message_schema) for action in pushes},
            services=settings.services,
            clock=parts.clock,
            acknowledge=self._acknowledge,
            batch_messages=settings.batch_messages,
            batch_milliseconds=settings.batch_milliseconds,
        )
        self._master.check()
        filters = sorted({action.topic_filter for action in pushes})
        if settings.clock == "replay":
            filters.append(self._master.clock_topic)
        # The broker keeps a session by this name: two servers of one fleet would take each other's messages.
        client = f"voltwin {fleet.names.base}"
        listen = find_listener(channels[0] if channels else "mqtt")
        self._listener = listen(broker, client, filters, self._master.inbox.put)
        self._listening = f"{', '.join(filters)} at {broker.rpartition('@')[2]}"

    def wait(self) -> None:
        """Until messages can come. Raises BrokerError."""
        self._listener.wait()

    def start(self) -> None:
        """Work in a thread of its own."""
        executor = ProcessExecutor(self._master.inbox.put, self._timeout)
        self._thread = threading.Thread(target=self._work, args=(executor,), name="control master")
        self._thread.start()

    def _work(self, executor: ProcessExecutor) -> None:
        try:
            self._master.run(executor)
        except BaseException as problem:  # noqa: BLE001 - handed to the thread that waits in join()
            self._problem = problem

    def join(self, seconds: float | None) -> bool:
        """Wait until the master has ended; whether it has. Raises what ended it, if that was an error."""
        self._thread.join(seconds)
        if self._problem is not None:
            raise self._problem
        return not self._thread.is_alive()

    def _acknowledge(self, receipts: Sequence[int]) -> None:
        self._listener.acknowledge(receipts)

    def status(self) -> dict[str, Any]:
        """The master's totals, topics and broker, and whether the broker is there."""
        listening = {"listening": self._listening, "listener": self._listener.problem() or "ready"}
        return {**self._master.status(), **listening}

    def stop(self) -> None:
        """End the master once it has finished what it works on."""
        self._master.inbox.put(Stop())
        self._thread.join()

    def close(self) -> None:
        """Release the listener."""
        self._listener.close()
