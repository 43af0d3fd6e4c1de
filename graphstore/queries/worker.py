"""The query worker's process: requests in, answers out, over one pipe.

It opens the snapshot that a request names and keeps it until a request names another. It ends when the pipe
breaks, even during a query: a server that is killed leaves no worker behind.
"""

from __future__ import annotations

import logging
import os
import queue
import resource
import threading
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from pyoxigraph import Store

from ...errors import StoreError, VoltwinError
from ..engines.damage import graph_damaged, is_damage
from ..engines.oxigraph import evaluate
from ..interfaces import QueryAnswer
from ..series.store import OpenSeries, open_series
from .limits import QueryLimits
from .run import QueryRun

STARTED: Final = "taken up"
"""Sent before the answer: the time limit counts from here, not from the start of the process."""

_NICENESS: Final = 5  # a query that runs away should not slow the server down


@dataclass(frozen=True)
class QueryRequest:
    """One query, the snapshot it is for, and the journal's file with the samples."""

    text: str
    accept: str | None
    graph: Path
    journal: Path
    limits: QueryLimits
    as_of: int | None = None
    """The commit after which samples are read; None: as they are."""


class Answerer:
    """Keeps the snapshot and the series open from one request to the next."""

    def __init__(self) -> None:
        self._graph: tuple[Path, Store] | None = None
        self._series: tuple[Path, OpenSeries] | None = None

    def answer(self, request: QueryRequest) -> QueryAnswer | VoltwinError:
        """The answer, or the error to raise."""
        try:
            stored = self._open_series(request.journal)
            series = stored if request.as_of is None else stored.as_of(request.as_of)
            run = QueryRun.of(request.text, request.accept)
            return run.answer(partial(evaluate, self._open_graph(request.graph)), series, request.limits)
        except VoltwinError as error:
            return error
        except MemoryError:
            return request.limits.over_memory()
        except Exception as error:  # noqa: BLE001 - answered to whoever asked; the process lives on
            if is_damage(error):
                return self._damaged(request, error)
            return StoreError(f"query: the engine failed: {type(error).__name__}: {error}")

    def _open_graph(self, folder: Path) -> Store:
        if self._graph is None or self._graph[0] != folder:
            self._graph = None  # the old snapshot is closed before the new one takes memory
            try:
                self._graph = (folder, Store.read_only(str(folder)))
            except OSError as error:
                if is_damage(error):
                    raise
                raise StoreError(f"{folder}: cannot open the snapshot: {error}") from error
        return self._graph[1]

    def _damaged(self, request: QueryRequest, error: Exception) -> StoreError:
        self._graph = None  # opened again with the next request: nothing damaged is kept
        if request.as_of is None:
            return graph_damaged(str(request.journal.parent / "graph"), error)
        return StoreError(f"{request.graph}: the snapshot of commit {request.as_of} is damaged: {error}; ask again")

    def _open_series(self, journal: Path) -> OpenSeries:
        if self._series is None or self._series[0] != journal:
            self._series = (journal, open_series(journal))
        return self._series[1]


def _listen(pipe: Connection, requests: queue.SimpleQueue[QueryRequest]) -> None:
    try:
        while True:
            requests.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)  # the server has gone; the engine cannot cancel a query


def serve(pipe: Connection) -> None:
    """Answer until the pipe breaks."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICENESS)
    requests: queue.SimpleQueue[QueryRequest] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, requests), daemon=True).start()
    answerer = Answerer()
    while True:
        request = requests.get()
        _hold_memory(request.limits.memory)
        try:
            pipe.send(STARTED)
            pipe.send(answerer.answer(request))
        except BrokenPipeError:
            return  # whoever asked has gone


def _hold_memory(most: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
