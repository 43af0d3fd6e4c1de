"""The server of a fleet: control master, listener, handlers and web server, started and stopped together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .api.app import create_app
from .api.http.server import WebServer
from .assembly import ServerHooks, assemble
from .control.actions.action import load_actions
from .control.clock import ReplayClock, SystemClock
from .control.executors.process import ProcessExecutor
from .control.interfaces import MasterClock
from .control.listeners.registry import find_listener
from .control.master.inbox import Stop
from .control.master.intake import CLOCK_TOPIC
from .control.master.loop import Master
from .control.master.schedules import Births
from .errors import ActionError
from .graphstore.folder import read_folder
from .graphstore.queries.limits import QueryLimits
from .graphstore.series.options import read_options
from .graphstore.series.periodic import PeriodicSealing
from .settings import Settings


class Server:
    """A running fleet: control master, listener, handlers, and REST on one address."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._clock: MasterClock = ReplayClock() if settings.clock == "replay" else SystemClock()
        self._settings = settings
        limits = QueryLimits(
            seconds=settings.query_seconds,
            rows=settings.query_rows,
            bytes=settings.query_bytes,
            memory=settings.query_memory,
            at_once=settings.query_readers,
        )
        self._folder = read_folder(path)
        births = Births()
        hooks = ServerHooks([births.follow], self._status)
        self._parts = assemble(self._folder, self._clock, limits, hooks)
        self._ending = ExitStack()
        self._ending.callback(self._parts.fleet.close)
        self._problem: BaseException | None = None
        try:
            self._prepare(births)
        except BaseException:
            self._ending.close()
            raise

    def _prepare(self, births: Births) -> None:
        fleet, settings = self._parts.fleet, self._settings
        actions = load_actions(fleet.committer.store, fleet.names)
        pushes = actions.pushes()
        channels = sorted({action.channel for action in pushes})
        if len(channels) > 1:
            raise ActionError(f"channels {', '.join(channels)}: one server listens to one channel; run one for each")
        self._web = WebServer(create_app(fleet), settings.host, settings.port)
        self._master = Master(
            committer=fleet.committer,
            reader=fleet.reader,
            actions=actions,
            services=settings.services,
            clock=self._clock,
            acknowledge=self._acknowledge,
            births=births,
            batch_messages=settings.batch_messages,
            batch_milliseconds=settings.batch_milliseconds,
        )
        self._master.check()
        filters = sorted({action.topic_filter for action in pushes})
        if settings.clock == "replay":
            filters.append(CLOCK_TOPIC)
        # The broker keeps a session by this name: two servers of one fleet would take each other's messages.
        client = f"voltwin {fleet.names.base}"
        listen = find_listener(channels[0] if channels else "mqtt")
        self._listener = listen(settings.broker, client, filters, self._master.inbox.put)
        self._ending.callback(self._listener.close)
        hot_days = read_options(self._folder.path).hot_days
        self._sealing = PeriodicSealing(fleet.committer.journal.series, self._clock.now, hot_days)

    def start(self) -> str:
        """Start all parts; return the address. Raises BrokerError, EnvironmentProblem; then nothing stays open."""
        try:
            self._listener.wait()
            self._web.start()
            self._ending.callback(self._web.stop)
            if self._parts.held:
                self._parts.held.lock.publish(self._web.url)
            executor = ProcessExecutor(self._master.inbox.put, self._settings.handler_timeout)
            self._thread = threading.Thread(target=self._work, args=(executor,), name="control master")
            self._thread.start()
            self._ending.callback(self._end_master)
            self._sealing.start()
            self._ending.callback(self._sealing.stop)
        except BaseException:
            self._ending.close()
            raise
        return self._web.url

    def _work(self, executor: ProcessExecutor) -> None:
        try:
            self._master.run(executor)
        except BaseException as problem:  # noqa: BLE001 - handed to the thread that waits in join()
            self._problem = problem

    def join(self, seconds: float | None = None) -> bool:
        """Wait until the master has ended; return whether it has. Raises the error that ended it, if there was one."""
        self._thread.join(seconds)
        if self._problem is not None:
            raise self._problem
        return not self._thread.is_alive()

    def _acknowledge(self, receipts: Sequence[int]) -> None:
        self._listener.acknowledge(receipts)

    def _status(self) -> dict[str, Any]:
        return {**self._master.status(), "listener": self._listener.problem() or "ready"}

    def _end_master(self) -> None:
        self._master.inbox.put(Stop())
        self._thread.join()

    def stop(self) -> None:
        """Stop in order: the master, the web server, the listener, the store. Queued runs stay in the journal."""
        self._ending.close()
