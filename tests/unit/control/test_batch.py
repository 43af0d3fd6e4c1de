"""A batch of messages closes after so many messages or milliseconds, whichever comes first."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from voltwin.control.interfaces import Received
from voltwin.control.master.inbox import Inbox, Stop
from voltwin.control.master.loop import IDLE_SECONDS


def message(number: Any) -> Any:
    return Received("test", f"topic/{number}", b"{}", number)


def test_the_first_message_waits_for_others() -> None:
    inbox = Inbox(3, 60_000)
    inbox.put(message(1))
    later = threading.Timer(0.05, lambda: [inbox.put(message(n)) for n in (2, 3)])  # type: ignore[func-returns-value]  # one expression in a lambda
    later.start()
    assert list(inbox.take(IDLE_SECONDS)) == [message(1), message(2), message(3)]
    later.join()


def test_a_batch_that_nobody_joins_closes_by_its_time() -> None:
    inbox = Inbox(200, 20)
    inbox.put(message(1))
    assert list(inbox.take(IDLE_SECONDS)) == [message(1)]


@pytest.mark.parametrize(("milliseconds", "lockstep"), [(0, False), (60_000, True)])
def test_nothing_is_waited_for_at_zero_or_in_lockstep(milliseconds: Any, lockstep: Any) -> None:
    inbox = Inbox(200, milliseconds, lockstep)
    for number in range(5):
        inbox.put(message(number))
    assert list(inbox.take(IDLE_SECONDS)) == [message(number) for number in range(5)]
    assert list(inbox.take(0)) == []


def test_a_stop_ends_the_waiting() -> None:
    inbox = Inbox(200, 60_000)
    for event in (message(1), Stop(), message(2)):
        inbox.put(event)
    assert list(inbox.take(IDLE_SECONDS)) == [message(1), Stop()]
    assert len(inbox) == 1
