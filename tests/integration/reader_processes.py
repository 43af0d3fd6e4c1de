"""Looking at the reader processes of a server, or of this test, from the outside."""

from __future__ import annotations

import time
from typing import Any

import psutil

MODULE = "voltwin.graphstore.queries.worker"
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c != ?f && ?f != ?i) }"
"""Three times everything: hours of work on a fleet of three modules."""


def readers_of(pid: Any = None) -> Any:
    """The reader processes below ``pid``, or below this process."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            if MODULE in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def is_gone(process: Any) -> Any:
    """Whether it works no more: not there, or only to be waited for."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def eventually(holds: Any, seconds: float = 30.0) -> Any:
    """Waits until ``holds()`` is true and gives what it gave; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
    return found


def working(pid: Any = None, cpu_seconds: float = 0.2) -> Any:
    """The reader that has used more than so much CPU time, once there is one."""

    def busy() -> Any:
        for reader in readers_of(pid):
            try:
                if sum(reader.cpu_times()[:2]) > cpu_seconds + 0.5:  # a start takes less than half a second
                    return reader
            except psutil.NoSuchProcess:
                continue
        return None

    return eventually(busy)
