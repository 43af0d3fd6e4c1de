"""What runs in a reader process: questions in, answers out, over one socket whose number is the argument.

It opens the snapshot that a question names and keeps it until another one names another. It ends when the socket
does, whatever it is doing then: a server that is killed leaves no reader behind.
"""

from __future__ import annotations

import logging
import os
import queue
import resource
import signal
import sys
import threading
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from pyoxigraph import Store

from ...errors import StoreError, VoltwinError
from ..engines.oxigraph import evaluate
from ..interfaces import QueryAnswer
from ..series.store import OpenSeries, open_series
from .limits import QueryLimits
from .run import QueryRun

STARTED: Final = "taken up"
"""Sent before the answer: the time limit counts from here, and not from the start of the process."""

_NICENESS: Final = 5  # a query that runs away should not slow the server down that it was taken out of


@dataclass(frozen=True)
class QueryRequest:
    """One query, the snapshot it is for, and the journal's file with the samples."""

    text: str
    accept: str | None
    graph: Path
    journal: Path
    limits: QueryLimits
    as_of: int | None = None
    """The commit after which samples are to be read; None: as they are."""


class Answerer:
    """Keeps the snapshot and the series open from one question to the next."""

    def __init__(self) -> None:
        self._graph: tuple[Path, Store] | None = None
        self._series: tuple[Path, OpenSeries] | None = None

    def answer(self, question: QueryRequest) -> QueryAnswer | VoltwinError:
        """The answer, or what is wrong."""
        try:
            stored = self._open_series(question.journal)
            series = stored if question.as_of is None else stored.as_of(question.as_of)
            run = QueryRun.of(question.text, question.accept)
            return run.answer(partial(evaluate, self._open_graph(question.graph)), series, question.limits)
        except VoltwinError as error:
            return error
        except MemoryError:
            return question.limits.over_memory()
        except Exception as error:  # noqa: BLE001 - told to whoever asked; the process lives on
            return StoreError(f"query: the engine failed: {type(error).__name__}: {error}")

    def _open_graph(self, folder: Path) -> Store:
        if self._graph is None or self._graph[0] != folder:
            self._graph = None  # the old snapshot is let go of before the new one takes memory
            try:
                self._graph = (folder, Store.read_only(str(folder)))
            except OSError as error:
                raise StoreError(f"{folder}: cannot open the snapshot: {error}") from error
        return self._graph[1]

    def _open_series(self, journal: Path) -> OpenSeries:
        if self._series is None or self._series[0] != journal:
            self._series = (journal, open_series(journal))
        return self._series[1]


def _listen(pipe: Connection, questions: queue.SimpleQueue[QueryRequest]) -> None:
    try:
        while True:
            questions.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)  # nobody is there any more; the engine cannot be asked to stop


def _serve(pipe: Connection) -> None:
    questions: queue.SimpleQueue[QueryRequest] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, questions), daemon=True).start()
    answerer = Answerer()
    while True:
        question = questions.get()
        _hold_memory(question.limits.memory)
        pipe.send(STARTED)
        pipe.send(answerer.answer(question))


def _hold_memory(most: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def main() -> None:
    """Answer until the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICENESS)
    try:
        _serve(Connection(int(sys.argv[1])))
    except BrokenPipeError:
        return  # whoever asked is gone


if __name__ == "__main__":
    main()
