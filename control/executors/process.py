"""Handlers as resident processes, one per handler, supervised: started once, started again if they die.

A batch that takes too long ends its process; a batch whose process died is tried once more in a new
one. Every invocation gets an outcome, whatever happens.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
import signal
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from ...errors import VoltwinError
from ..handlers.registry import make_handler
from ..interfaces import Deliver, Invocation, Outcome

# A forked child would inherit locks and the open triple store; spawn starts clean.
_CONTEXT: Final = multiprocessing.get_context("spawn")
TRIES: Final = 2


def _serve(name: str, pipe: Connection) -> None:
    """What runs in the handler's process: batches in, outcomes out, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the master's to handle
    handler = make_handler(name)
    while True:
        try:
            batch: Sequence[Invocation] = pipe.recv()
        except EOFError:
            return
        try:
            outcomes = [_checked(outcome) for outcome in handler.run(batch)]
        except VoltwinError as error:
            outcomes = [Outcome(item.run, error=str(error)) for item in batch]
        except Exception as error:  # noqa: BLE001 - a handler is anybody's code; its runs fail, its process lives
            outcomes = [Outcome(item.run, error=f"{type(error).__name__}: {error}") for item in batch]
        try:
            pipe.send(outcomes)
        except OSError:
            return  # the master is gone; its successor takes the runs up from the journal


def _checked(outcome: Outcome) -> Outcome:
    if not isinstance(outcome, Outcome):
        raise TypeError(f"a handler must give Outcomes, this is {outcome!r}")
    # Plain JSON values only: whatever else a handler holds may not be known in the master's process.
    json.dumps(outcome.outputs)
    return outcome


class _Worker:
    """One resident process and the thread that feeds it."""

    def __init__(self, name: str, timeout: float, deliver: Deliver) -> None:
        self._name, self._timeout, self._deliver = name, timeout, deliver
        self._batches: queue.SimpleQueue[Sequence[Invocation] | None] = queue.SimpleQueue()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._thread = threading.Thread(target=self._feed, name=f"handler {name}", daemon=True)
        self._thread.start()

    def submit(self, batch: Sequence[Invocation]) -> None:
        self._batches.put(batch)

    def close(self) -> None:
        self._batches.put(None)
        self._thread.join()

    def _feed(self) -> None:
        while (batch := self._batches.get()) is not None:
            self._deliver(_complete(batch, self._attempt(batch)))
        self._stop()

    def _attempt(self, batch: Sequence[Invocation]) -> Sequence[Outcome]:
        problem = ""
        for _ in range(TRIES):
            pipe = self._start()
            try:
                pipe.send(batch)
                if pipe.poll(self._timeout):
                    outcomes: Sequence[Outcome] = pipe.recv()
                    return outcomes
            except (EOFError, OSError):
                problem = "its process died"
                self._stop()
                continue
            # Not tried again: what took too long once will do so twice.
            problem = f"no answer after {self._timeout:g} s, its process was ended"
            self._stop()
            break
        return [Outcome(item.run, error=f"handler {self._name}: {problem}") for item in batch]

    def _start(self) -> Connection:
        if self._process is None or self._pipe is None or not self._process.is_alive():
            self._stop()
            self._pipe, theirs = _CONTEXT.Pipe()
            self._process = _CONTEXT.Process(
                target=_serve, args=(self._name, theirs), name=f"voltwin handler {self._name}", daemon=True
            )
            self._process.start()
            theirs.close()
        return self._pipe

    def _stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        self._pipe = self._process = None


def _complete(batch: Sequence[Invocation], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Exactly one outcome per invocation: a handler that forgets one has failed it."""
    by_run = {outcome.run: outcome for outcome in outcomes}
    forgotten = "the handler gave no outcome for this run"
    return [by_run.get(item.run, Outcome(item.run, error=forgotten)) for item in batch]


class ProcessExecutor:
    """Runs each handler in a resident process; outcomes go to ``deliver`` from the worker's thread."""

    def __init__(self, deliver: Deliver, timeout: float) -> None:
        self._deliver, self._timeout = deliver, timeout
        self._workers: dict[str, _Worker] = {}

    def submit(self, handler: str, invocations: Sequence[Invocation]) -> None:
        """Start a batch."""
        worker = self._workers.get(handler)
        if worker is None:
            worker = self._workers[handler] = _Worker(handler, self._timeout, self._deliver)
        worker.submit(invocations)

    def close(self) -> None:
        """End all handlers, after the batches they were given."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
