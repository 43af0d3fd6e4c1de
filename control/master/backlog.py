"""Messages that wait for their commit, and the next of them that can share one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ..clock import time_of
from ..interfaces import MasterClock
from .intake import IncomingMessage, Message


@dataclass
class Backlog:
    """Read messages in the order of their arrival."""

    clock: MasterClock
    batch_messages: int
    ticks_after: Callable[[datetime], Iterable[datetime]]
    """The next ticks of all schedules."""
    _waiting: deque[Message] = field(default_factory=deque, init=False)

    def add(self, message: Message) -> None:
        """Append a message."""
        self._waiting.append(message)

    def __len__(self) -> int:
        return len(self._waiting)

    def upcoming(self) -> datetime | None:
        """The time of the first message that has one."""
        return next((message.time for message in self._waiting if message.time), None)

    def next_batch(self) -> list[IncomingMessage]:
        """The next messages for one commit, all at this moment."""
        now = time_of(self.clock)
        count = min(len(self._waiting), self.batch_messages)
        return [IncomingMessage(self._waiting.popleft(), now) for _ in range(count)]

    def next_lockstep_batch(self, due: datetime | None) -> list[IncomingMessage]:
        """The next messages that can share a commit with the same result as a commit each; the clock follows them.

        The batch ends before the next scheduled run (``due``, or one of a twin created in this batch) and after a
        message with consecutive actions, because those must see the state right after it.
        """
        batch: list[IncomingMessage] = []
        while self._waiting and len(batch) < self.batch_messages:
            message = self._waiting[0]
            if batch and due is not None and message.time is not None and message.time >= due:
                break
            self._waiting.popleft()
            if message.time is not None:
                self.clock.advance(message.time)
            now = time_of(self.clock)
            batch.append(IncomingMessage(message, now))
            due = min((tick for tick in (due, *self.ticks_after(now)) if tick is not None), default=None)
            if any(target.action.consecutive for target in message.targets):
                break
        return batch
