"""Handlers in resident processes, one per handler: started once, started again if they die.

A process is killed if a batch takes too long; a batch whose process died is tried once more in a new
one. Every invocation gets an outcome, whatever happens.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

from ...errors import VoltwinError
from ...processes import Child
from ..handlers.registry import make_handler
from ..interfaces import Deliver, Invocation, Outcome

TRIES: Final = 2
_LOOK_SECONDS: Final = 0.1
CLOSE_SECONDS: Final = 1.5
"""The time that all handlers together have for their batches when the executor closes."""


def serve(pipe: Connection, name: str) -> None:
    """Run in the handler's process: batches in, outcomes out, until the pipe closes."""
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
            return  # the master has gone; the next one starts the runs again from the journal


def _checked(outcome: Outcome) -> Outcome:
    if not isinstance(outcome, Outcome):
        raise TypeError(f"a handler must give Outcomes, this is {outcome!r}")
    # Plain JSON values only: whatever else a handler holds may not be known in the master's process.
    json.dumps(outcome.outputs)
    return outcome


class _HandlerProcess:
    """One resident process and the thread that feeds it."""

    def __init__(self, name: str, timeout: float, deliver: Deliver) -> None:
        self._name, self._timeout, self._deliver = name, timeout, deliver
        self._batches: queue.SimpleQueue[Sequence[Invocation] | None] = queue.SimpleQueue()
        self._killed = threading.Event()
        self._child = Child(__name__)
        self._thread = threading.Thread(target=self._feed, name=f"handler {name}", daemon=True)
        self._thread.start()

    def submit(self, batch: Sequence[Invocation]) -> None:
        self._batches.put(batch)

    def end(self) -> None:
        """Take no more batches."""
        self._batches.put(None)

    def wait(self, deadline: float) -> None:
        """Wait for the batches given before; at ``deadline`` (monotonic) what is left of them is dropped."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._killed.set()
        self._thread.join()

    def _feed(self) -> None:
        while (batch := self._batches.get()) is not None and not self._killed.is_set():
            outcomes = self._attempt(batch)
            if self._killed.is_set():
                break  # the runs stay queued in the journal, and are started again with the next master
            self._deliver(_complete(batch, outcomes))
        self._child.end()

    def _answers(self, pipe: Connection) -> bool:
        """Whether an answer comes in time; looks again and again whether the executor closes."""
        deadline = time.monotonic() + self._timeout
        while not self._killed.is_set() and time.monotonic() < deadline:
            if pipe.poll(max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic()))):
                return True
        return False

    def _attempt(self, batch: Sequence[Invocation]) -> Sequence[Outcome]:
        problem = ""
        for _ in range(TRIES):
            pipe = self._child.start(self._name)
            try:
                pipe.send(batch)
                if self._answers(pipe):
                    outcomes: Sequence[Outcome] = pipe.recv()
                    return outcomes
            except (EOFError, OSError):
                problem = "its process died"
                self._child.end()
                continue
            # Not tried again: a batch that took too long once will do so twice.
            problem = f"no answer after {self._timeout:g} s, its process was killed"
            self._child.end()
            break
        return [Outcome(item.run, error=f"handler {self._name}: {problem}") for item in batch]


def _complete(batch: Sequence[Invocation], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Exactly one outcome per invocation: one that the handler forgets has failed."""
    by_run = {outcome.run: outcome for outcome in outcomes}
    forgotten = "the handler gave no outcome for this run"
    return [by_run.get(item.run, Outcome(item.run, error=forgotten)) for item in batch]


class ProcessExecutor:
    """Runs each handler in a resident process; its thread passes outcomes to ``deliver``."""

    def __init__(self, deliver: Deliver, timeout: float) -> None:
        self._deliver, self._timeout = deliver, timeout
        self._workers: dict[str, _HandlerProcess] = {}

    def submit(self, handler: str, invocations: Sequence[Invocation]) -> None:
        """Start a batch."""
        worker = self._workers.get(handler)
        if worker is None:
            worker = self._workers[handler] = _HandlerProcess(handler, self._timeout, self._deliver)
        worker.submit(invocations)

    def close(self) -> None:
        """End all handlers once their batches are done, or after ``CLOSE_SECONDS``: then nothing more is delivered."""
        deadline = time.monotonic() + CLOSE_SECONDS
        for worker in self._workers.values():
            worker.end()
        for worker in self._workers.values():
            worker.wait(deadline)
        self._workers.clear()
