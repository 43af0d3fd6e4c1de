"""In lockstep messages share a commit as long as that changes nothing; otherwise as many as a batch holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyoxigraph import NamedNode

from voltwin.control.actions.action import Action
from voltwin.control.actions.messages import MessageSchema
from voltwin.control.actions.schedules import Relative
from voltwin.control.clock import ReplayClock
from voltwin.control.interfaces import Received
from voltwin.control.master.backlog import Backlog
from voltwin.control.master.intake import Bad, Good, Target
from voltwin.testing import ManualClock

T0 = datetime(2019, 4, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NEXT = NamedNode("https://f.example/actions/next")


def good(minutes: Any, consecutive: Any = ()) -> Any:
    action = Action(NEXT, "k", "push", NEXT, "ingest", (), (), (), "", None, consecutive)
    target = Target(action, "pump-07", MessageSchema("s", {}))
    return Good(Received("c", "t", b"", 1), f"m-{minutes}", T0 + minutes * MINUTE, {}, (target,))


def bad(minutes: Any = None) -> Any:
    return Bad(Received("c", "t", b"", 1), "key", "why", None if minutes is None else T0 + minutes * MINUTE)


def filled(*messages: Any, clock: Any = None, size: Any = 200, schedule: Any = None) -> Any:
    tick = (lambda now: [schedule.next_after(now)]) if schedule else (lambda now: [])
    backlog = Backlog(clock or ReplayClock(), size, tick)
    for message in messages:
        backlog.add(message)
    return backlog


def test_a_batch_has_so_many_messages_at_the_clock_s_moment() -> None:
    messages = [good(1), bad(), good(2)]
    backlog = filled(*messages, clock=ManualClock(T0), size=2)
    assert [(item.message, item.moment) for item in backlog.next_batch()] == [(m, T0) for m in messages[:2]]
    assert [item.message for item in backlog.next_batch()] == messages[2:]
    assert backlog.next_batch() == []


def test_in_lockstep_each_message_has_its_own_moment_and_the_clock_follows() -> None:
    clock = ReplayClock()
    backlog = filled(good(1), bad(3), good(2), bad(), clock=clock)
    moments = [(item.moment - T0) / MINUTE for item in backlog.next_lockstep_batch(None)]
    assert moments == [1, 3, 3, 3]
    assert clock.now() == T0 + 3 * MINUTE
    assert len(backlog) == 0


@pytest.mark.parametrize(("due", "together"), [(None, 3), (3, 2), (2, 1), (0, 1)])
def test_a_lockstep_batch_ends_before_what_is_due(due: Any, together: Any) -> None:
    backlog = filled(good(1), good(2), good(3))
    batch = backlog.next_lockstep_batch(None if due is None else T0 + due * MINUTE)
    assert (len(batch), len(backlog)) == (together, 3 - together)


def test_it_ends_before_the_first_tick_of_a_twin_that_it_may_create() -> None:
    backlog = filled(*(good(minutes) for minutes in (1, 9, 10, 11)), schedule=Relative(6, timedelta(hours=1)))
    assert [len(backlog.next_lockstep_batch(None)) for _ in range(2)] == [2, 2]


def test_it_ends_after_a_message_whose_runs_trigger_others() -> None:
    backlog = filled(good(1), good(2, (NEXT,)), good(3))
    assert [len(backlog.next_lockstep_batch(None)) for _ in range(2)] == [2, 1]


def test_upcoming_is_the_time_of_the_first_message_that_has_one() -> None:
    assert filled(bad(), bad(4), good(2)).upcoming() == T0 + 4 * MINUTE
    assert filled(bad()).upcoming() is None
