from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.errors import InputError
from voltwin.simulator.messages import Message, clock_message
from voltwin.simulator.pace import paced

NOON = datetime(2019, 4, 10, 12, tzinfo=UTC)


class Watch:
    """A clock that advances only by sleeping and by work."""

    def __init__(self) -> None:
        self.now = 50.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0.0
        self.now += seconds


def every(*hours: float) -> list[Message]:
    return [clock_message(NOON + timedelta(hours=hour)) for hour in hours]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.floats(0.1, 1e6))
def test_each_message_leaves_at_its_moment(offsets: Any, acceleration: Any) -> None:
    watch = Watch()
    messages = [clock_message(NOON + timedelta(seconds=s)) for s in sorted(offsets)]
    for message in paced(messages, acceleration, clock=lambda: watch.now, sleep=watch.sleep):
        elapsed = (message.time - messages[0].time).total_seconds() / acceleration
        assert watch.now - 50.0 == pytest.approx(elapsed, abs=1e-6)


def test_a_delay_is_caught_up() -> None:
    watch = Watch()
    left = []
    for message in paced(every(0, 1, 2, 3), 3600.0, clock=lambda: watch.now, sleep=watch.sleep):
        left.append((message.time.hour, watch.now - 50.0))
        if message.time.hour == 12:
            watch.now += 2.5  # a slow broker
    assert left == [(12, 0.0), (13, 2.5), (14, 2.5), (15, 3.0)]


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_time_has_to_move_forward(wrong: Any) -> None:
    with pytest.raises(InputError, match="acceleration"):
        list(paced(every(0), wrong))
