"""Reader processes from the outside: started when first needed, kept, ended at a limit, started again.

    with closing(QueryPool(store, folder / "snapshots", journal, committer.lock, QueryLimits())) as readers:
        readers.answer("SELECT * { ?a ?b ?c . ?d ?e ?f }", None)      # QueryLimitError, and the process is gone

The engine cannot cancel a query. A process can be ended at any moment, and reading a snapshot it can spoil nothing.
"""

from __future__ import annotations

import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from ...errors import StoreError, VoltwinError
from ..interfaces import QueryAnswer, Snapshots
from .limits import QueryLimits
from .snapshots import CurrentSnapshot
from .worker import STARTED, QueryRequest

START_SECONDS: Final = 60.0
"""How long a reader may take to start and to take a question up."""
MAX_WAITING: Final = 16
"""The most queries waiting for a worker; each occupies one of the server's threads."""
IDLE_SECONDS: Final = 300.0
"""The idle time after which the processes end and the snapshot, which occupies disk space, is deleted."""
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class _Cancellation:
    """Why an answer may not be wanted any more."""

    closed: threading.Event
    abandoned: threading.Event | None

    def check(self) -> None:
        """Raises StoreError once nobody wants the answer."""
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
    """One resident process and its socket; used by one thread at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def ask(self, question: QueryRequest, wish: _Cancellation) -> QueryAnswer:
        """The process's answer. Raises what it raised, QueryLimitError, StoreError; then it may be gone."""
        limits = question.limits
        try:
            pipe = self._start()
            pipe.send(question)
            late = StoreError(f"query: its reader did not start within {START_SECONDS:g} s; the machine is overloaded")
            reply = _receive(pipe, START_SECONDS, wish, late)
            if reply == STARTED:
                reply = _receive(pipe, limits.seconds, wish, limits.over_time())
        except (EOFError, OSError) as error:
            raise self._death(limits) from error
        except BaseException:
            self.end()
            raise
        if isinstance(reply, VoltwinError):
            raise reply
        answer: QueryAnswer = reply
        return answer

    def _start(self) -> Connection:
        if self._process is None or self._pipe is None or self._process.poll() is not None:
            self.end()
            self._pipe, theirs = Pipe()
            with theirs:
                # Not multiprocessing: it would run the main module of whoever opened the fleet once more.
                self._process = subprocess.Popen(  # noqa: S603 - our own module, by this very Python
                    [sys.executable, "-P", "-m", f"{__package__}.worker", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                )
        return self._pipe

    def _death(self, limits: QueryLimits) -> VoltwinError:
        process = self._process
        self.end()
        code = None if process is None else process.returncode
        if code == -signal.SIGABRT:  # how the engine ends when it is given no more memory
            return limits.over_memory()
        return StoreError(f"query: its reader died (exit code {code}); the server's log may say why")

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        self._process = self._pipe = None


def _receive(pipe: Connection, seconds: float, wish: _Cancellation, late: VoltwinError) -> Any:
    deadline = time.monotonic() + seconds
    while not pipe.poll(max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic()))):
        wish.check()
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
        self._keeper: threading.Thread | None = None

    def beside(self, store: Snapshots) -> CurrentSnapshot:
        """A snapshot of another, constant store on the same disk; it is deleted together with this pool."""
        return CurrentSnapshot(store, self._folder / f"past-{next(self._numbers)}", threading.RLock())

    def answer(
        self, text: str, accept: str | None, abandoned: threading.Event | None = None, past: PastSnapshot | None = None
    ) -> QueryAnswer:
        """Answer a query. Raises QueryError, QueryLimitError, StoreError; ``abandoned``, once set, ends it."""
        wish = _Cancellation(self._closed, abandoned)
        if not self._places.acquire(blocking=False):
            raise StoreError(
                f"query: {MAX_WAITING} others wait for one of {self.limits.at_once} readers; ask again later"
            )
        try:
            reader = self._next_reader(wish)
            try:
                wish.check()
                snapshot, as_of = (self._snapshot, None) if past is None else (past.snapshot, past.sequence)
                with snapshot.lent() as graph:
                    return reader.ask(QueryRequest(text, accept, graph, self._journal, self.limits, as_of), wish)
            finally:
                self._used = time.monotonic()
                self._free.put(reader)
        finally:
            self._places.release()

    def _next_reader(self, wish: _Cancellation) -> _Worker:
        self._keep()
        deadline = time.monotonic() + self.limits.seconds
        while True:
            wish.check()
            try:
                return self._free.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if time.monotonic() >= deadline:
                    raise StoreError(
                        f"query: no reader was free for {self.limits.seconds:g} s; ask again later, "
                        "or serve with more of them (--query-readers)"
                    ) from None

    def _keep(self) -> None:
        with self._lock:
            if self._keeper is None and not self._closed.is_set():
                self._keeper = threading.Thread(target=self._rest, name="query readers", daemon=True)
                self._keeper.start()

    def _rest(self) -> None:
        while not self._closed.wait(IDLE_SECONDS / 4):
            if time.monotonic() - self._used > IDLE_SECONDS:
                self.shut_idle()

    def shut_idle(self) -> None:
        """End idle processes and delete the snapshot; the next query starts new ones."""
        resting = []
        while not self._free.empty():
            try:
                resting.append(self._free.get_nowait())
            except queue.Empty:
                break
        for reader in resting:
            reader.end()
        self._snapshot.drop()
        for reader in resting:
            self._free.put(reader)

    def close(self) -> None:
        """End all processes, also busy ones, and delete the snapshot; a second call does nothing."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        if self._keeper is not None:
            self._keeper.join()
        for _ in range(self.limits.at_once):
            self._free.get().end()
        self._snapshot.close()
