"""Pace of the replay: each message waits until its simulated time.

>>> from datetime import UTC, datetime, timedelta
>>> noon = datetime(2019, 4, 10, 12, tzinfo=UTC)
>>> hours = [Message("clock", "voltwin/clock", noon + timedelta(hours=h), {}) for h in range(3)]
>>> waits: list[float] = []
>>> len(list(paced(hours, 3600.0, clock=lambda: 0.0, sleep=waits.append)))
3
>>> waits
[1.0, 2.0]
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from ..errors import InputError
from .messages import Message


def paced(
    messages: Iterable[Message],
    acceleration: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Message]:
    """``messages`` (in order of time), each delayed until its simulated time.

    ``acceleration`` is in simulated seconds per second. ``clock`` returns seconds, ``sleep`` waits for a number of
    them. A delay (a slow broker) is made up for, not added to what follows.
    """
    if not (math.isfinite(acceleration) and acceleration > 0.0):
        raise InputError(f"acceleration {acceleration}: must be above 0; 3600 plays an hour in a second")
    begin: datetime | None = None
    started = 0.0
    for message in messages:
        if begin is None:
            begin, started = message.time, clock()
        due = started + (message.time - begin).total_seconds() / acceleration
        wait = due - clock()
        if wait > 0.0:
            sleep(wait)
        yield message
