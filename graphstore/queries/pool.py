"""The pool of query workers: processes started when first needed, kept, killed at a limit, started again.

    with closing(QueryPool(store, folder / "snapshots", journal, committer.lock, QueryLimits())) as pool:
        pool.answer("SELECT * { ?a ?b ?c . ?d ?e ?f }", None)      # QueryLimitError, and the process is killed

The engine cannot cancel a query. A process can be killed at any moment, and reading a snapshot it damages nothing.
"""

from __future__ import annotations

import itertools
import queue
import signal
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from ...errors import StoreError, VoltwinError
from ...processes import Child
from ..interfaces import QueryAnswer, Snapshots
from . import worker
from .limits import QueryLimits
from .snapshots import CurrentSnapshot
from .worker import STARTED, QueryRequest

START_SECONDS: Final = 60.0
"""The time limit for a worker to start and to begin with a query."""
MAX_WAITING: Final = 16
"""The most queries waiting for a worker; each occupies one of the server's threads."""
IDLE_SECONDS: Final = 300.0
"""The idle time after which the processes end and the snapshot, which occupies disk space, is deleted."""
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class _Cancellation:
    """Reasons why an answer may not be wanted any more."""

    closed: threading.Event
    abandoned: threading.Event | None

    def check(self) -> None:
        """Raises StoreError once the answer is not wanted any more."""
        if self.closed.is_set():
            raise StoreError("query: the fleet was closed while it ran; open the fleet again")
        if self.abandoned is not None and self.abandoned.is_set():
            raise StoreError("query: ended because whoever asked has gone")


@dataclass(frozen=True)
class PastSnapshot:
    """A snapshot of a past state, and the commit that it shows."""

    snapshot: CurrentSnapshot
    sequence: int


class _Worker:
    """One resident process; used by one thread at a time."""

    def __init__(self) -> None:
        self._child = Child(worker.__name__, {"OPENBLAS_NUM_THREADS": "1"})

    def ask(self, request: QueryRequest, cancellation: _Cancellation) -> QueryAnswer:
        """The process's answer. Raises the error it answers, QueryLimitError, StoreError; it may be killed then."""
        limits = request.limits
        try:
            pipe = self._child.start()
            pipe.send(request)
            late = StoreError(f"query: its reader did not start within {START_SECONDS:g} s; the machine is overloaded")
            reply = _receive(pipe, START_SECONDS, cancellation, late)
            if reply == STARTED:
                reply = _receive(pipe, limits.seconds, cancellation, limits.over_time())
        except (EOFError, OSError) as error:
            raise self._death(limits) from error
        except BaseException:
            self.end()
            raise
        if isinstance(reply, VoltwinError):
            raise reply
        answer: QueryAnswer = reply
        return answer

    def _death(self, limits: QueryLimits) -> VoltwinError:
        code = self.end()
        if code == -signal.SIGABRT:  # how the engine ends when it is given no more memory
            return limits.over_memory()
        return StoreError(f"query: its reader died (exit code {code}); the server's log may say why")

    def end(self) -> int | None:
        """Kill the process, if there is one; return its exit code."""
        return self._child.end()


def _receive(pipe: Connection, seconds: float, cancellation: _Cancellation, late: VoltwinError) -> Any:
    deadline = time.monotonic() + seconds
    while not pipe.poll(max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic()))):
        cancellation.check()
        if time.monotonic() >= deadline:
            raise late
    return pipe.recv()


class QueryPool:
    """Answers queries in ``limits.at_once`` processes, from a snapshot with every acknowledged commit."""

    def __init__(
        self,
        store: Snapshots,
        folder: Path,
        journal: Path,
        writing: AbstractContextManager[object],
        limits: QueryLimits,
    ) -> None:
        """``folder`` is for snapshots, on the store's disk; ``writing`` is the lock of the store's writer."""
        self.limits = limits
        self._journal = journal.absolute()
        self._folder = folder.absolute()
        self._numbers = itertools.count(1)
        self._snapshot = CurrentSnapshot(store, self._folder, writing)
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()  # the last one used is the warmest
        for _ in range(limits.at_once):
            self._free.put(_Worker())
        self._places = threading.BoundedSemaphore(limits.at_once + MAX_WAITING)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._used = time.monotonic()
        self._idle_watch: threading.Thread | None = None

    def beside(self, store: Snapshots) -> CurrentSnapshot:
        """A snapshot of another, constant store on the same disk; it is deleted together with this pool."""
        return CurrentSnapshot(store, self._folder / f"past-{next(self._numbers)}", threading.RLock())

    def answer(
        self, text: str, accept: str | None, abandoned: threading.Event | None = None, past: PastSnapshot | None = None
    ) -> QueryAnswer:
        """Answer a query. Raises QueryError, QueryLimitError, StoreError; ``abandoned``, once set, cancels it."""
        cancellation = _Cancellation(self._closed, abandoned)
        if not self._places.acquire(blocking=False):
            raise StoreError(
                f"query: {MAX_WAITING} others wait for one of {self.limits.at_once} readers; ask again later"
            )
        try:
            free = self._free_worker(cancellation)
            try:
                cancellation.check()
                snapshot, as_of = (self._snapshot, None) if past is None else (past.snapshot, past.sequence)
                with snapshot.lent() as graph:
                    request = QueryRequest(text, accept, graph, self._journal, self.limits, as_of)
                    return free.ask(request, cancellation)
            finally:
                self._used = time.monotonic()
                self._free.put(free)
        finally:
            self._places.release()

    def _free_worker(self, cancellation: _Cancellation) -> _Worker:
        self._watch_for_idleness()
        deadline = time.monotonic() + self.limits.seconds
        while True:
            cancellation.check()
            try:
                return self._free.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if time.monotonic() >= deadline:
                    raise StoreError(
                        f"query: no reader was free for {self.limits.seconds:g} s; ask again later, "
                        "or serve with more of them (--query-readers)"
                    ) from None

    def _watch_for_idleness(self) -> None:
        with self._lock:
            if self._idle_watch is None and not self._closed.is_set():
                self._idle_watch = threading.Thread(target=self._end_idle, name="query workers", daemon=True)
                self._idle_watch.start()

    def _end_idle(self) -> None:
        while not self._closed.wait(IDLE_SECONDS / 4):
            if time.monotonic() - self._used > IDLE_SECONDS:
                self.shut_idle()

    def shut_idle(self) -> None:
        """End idle processes and delete the snapshot; the next query starts new ones."""
        idle = []
        while not self._free.empty():
            try:
                idle.append(self._free.get_nowait())
            except queue.Empty:
                break
        for free in idle:
            free.end()
        self._snapshot.drop()
        for free in idle:
            self._free.put(free)

    def close(self) -> None:
        """End all processes, also busy ones, and delete the snapshot; a second call does nothing."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        if self._idle_watch is not None:
            self._idle_watch.join()
        for _ in range(self.limits.at_once):
            self._free.get().end()
        self._snapshot.close()
