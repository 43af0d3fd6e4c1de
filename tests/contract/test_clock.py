"""What every clock of the master keeps: UTC, never backwards, and a replay stands still between messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.control.clock import ReplayClock, SystemClock
from voltwin.testing import ManualClock

T0 = datetime(2019, 4, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes with it
CLOCKS = {"system": SystemClock, "replay": lambda: ReplayClock(T0), "manual": lambda: ManualClock(T0)}


@pytest.mark.parametrize("make", CLOCKS.values(), ids=CLOCKS)
@given(messages=st.lists(moments, max_size=8))
def test_time_is_utc_and_never_runs_backwards(make: Any, messages: Any) -> None:
    clock = make()
    seen = [clock.now()]
    for moment in messages:
        clock.advance(moment)
        seen.append(clock.now())
    assert all(moment.utcoffset() == timedelta(0) for moment in seen)
    assert seen == sorted(seen)
    if clock.lockstep:
        assert seen[-1] == max([T0, *messages])


@pytest.mark.parametrize("make", CLOCKS.values(), ids=CLOCKS)
def test_only_a_replay_follows_messages_and_waits_for_runs(make: Any) -> None:
    clock = make()
    before = clock.now()
    clock.advance(before + timedelta(days=3650))
    followed = clock.now() >= before + timedelta(days=3650)
    assert followed == clock.lockstep == isinstance(clock, ReplayClock)


def test_a_replay_has_no_time_before_its_first_message() -> None:
    clock = ReplayClock()
    assert clock.now() is None
    clock.advance(T0)
    assert clock.now() == T0


def test_the_system_clock_moves_by_itself() -> None:
    clock = SystemClock()
    first = clock.now()
    while clock.now() == first:
        pass
    assert clock.now() > first
