"""A batch of messages closes after so many messages or milliseconds, whichever comes first."""

from __future__ import annotations

import queue
import threading
from types import SimpleNamespace

import pytest

from voltwin.control.interfaces import Received
from voltwin.control.master.loop import Master, Stop


def filling(milliseconds, messages=200, lockstep=False):
    """As much of a master as taking events in needs."""
    master = Master.__new__(Master)
    master.inbox, master.idle = queue.SimpleQueue(), threading.Event()
    master._backlog, master._dispatcher, master._due = [], None, SimpleNamespace(next_moment=lambda: None)
    master.clock = SimpleNamespace(now=lambda: None, lockstep=lockstep)
    master.batch_milliseconds, master.batch_messages = milliseconds, messages
    return master


def message(number):
    return Received("test", f"topic/{number}", b"{}", number)


def test_the_first_message_waits_for_others():
    master = filling(60_000, messages=3)
    master.inbox.put(message(1))
    later = threading.Timer(0.05, lambda: [master.inbox.put(message(n)) for n in (2, 3)])
    later.start()
    assert master._receive()
    assert len(master._backlog) == 3
    later.join()


def test_a_batch_that_nobody_joins_closes_by_its_time():
    master = filling(20)
    master.inbox.put(message(1))
    assert master._receive()
    assert len(master._backlog) == 1


@pytest.mark.parametrize(("milliseconds", "lockstep"), [(0, False), (60_000, True)])
def test_nothing_is_waited_for_at_zero_or_in_lockstep(milliseconds, lockstep):
    master = filling(milliseconds, lockstep=lockstep)
    for number in range(5):
        master.inbox.put(message(number))
    assert master._receive()
    assert len(master._backlog) == 5


def test_a_stop_ends_the_waiting():
    master = filling(60_000)
    master.inbox.put(message(1))
    master.inbox.put(Stop())
    assert not master._receive()
