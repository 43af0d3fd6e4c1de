"""The master's inbox: messages, outcomes and the wish to stop, from any thread.

A batch of messages closes after so many of them or so many milliseconds, whichever is first.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..interfaces import Outcome, Received


@dataclass(frozen=True)
class Stop:
    """Ends the master's loop."""


Event = Received | Sequence[Outcome] | Stop


@dataclass
class Inbox:
    """A queue of events that the master empties a batch at a time."""

    batch_messages: int
    batch_milliseconds: float
    """The time that the first message of a batch waits for others; 0 takes only those that are there."""
    lockstep: bool = False
    """Whether nothing is waited for, because time follows the messages."""
    stopped: threading.Event = field(default_factory=threading.Event, init=False)
    """Set as soon as a stop is wanted, whatever waits before it."""
    _events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue, init=False)

    def put(self, event: Event) -> None:
        """Add an event."""
        self._events.put(event)
        if isinstance(event, Stop):
            self.stopped.set()

    def __len__(self) -> int:
        return self._events.qsize()

    def take(self, seconds: float) -> Iterator[Event]:
        """The events of one batch, up to a stop, as they arrive; none where the first takes longer than ``seconds``."""
        closing, messages = 0.0, 0
        event = self._next(seconds)
        while event is not None:
            yield event
            if isinstance(event, Stop):
                return
            if isinstance(event, Received):
                closing = closing or time.monotonic() + self.batch_milliseconds / 1000
                messages += 1
            waits = not self.lockstep and 0 < messages < self.batch_messages
            event = self._next(closing - time.monotonic() if waits else 0.0)

    def _next(self, seconds: float) -> Event | None:
        try:
            return self._events.get(timeout=seconds) if seconds > 0 else self._events.get_nowait()
        except queue.Empty:
            return None
