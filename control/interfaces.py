"""Every protocol of the control layer, and the values that pass through them, on one page.

``listener -> Received -> router -> commit -> acknowledge`` brings messages in;
``due or triggered run -> Invocation -> executor -> handler -> Outcome -> commit`` carries actions out.
Invocations and outcomes hold plain JSON values, because they cross process borders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Json = Any
"""What :mod:`json` reads and writes."""


@dataclass(frozen=True)
class Received:
    """A message as a listener got it; ``receipt`` is what the listener wants back to acknowledge it."""

    channel: str
    topic: str
    payload: bytes
    receipt: int


@dataclass(frozen=True)
class Invocation:
    """One run as its handler sees it: where to go, with what.

    ``inputs`` are quantities ``{"value": …, "unit": …}`` or bare ``{"value": …}``, by port; ``time`` is
    the moment the run speaks for, as RFC 3339.
    """

    run: str
    twin: str
    time: str
    endpoint: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a handler made of one invocation: ``outputs`` by port, or ``error`` as one sentence."""

    run: str
    outputs: Mapping[str, Json] | None = None
    error: str = ""


class Handler(Protocol):
    """Carries out one type of action, in a process of its own.

    Registered under the entry point group ``voltwin.handlers``: the entry point is a callable without
    arguments that makes the handler, called once in the handler's process.
    """

    def run(self, invocations: Sequence[Invocation]) -> Sequence[Outcome]:
        """Carry out a batch of runs of one action; one outcome each, in any order.

        What concerns one run is an ``error`` outcome. Raising means the whole batch failed.
        """
        ...


class Executor(Protocol):
    """Runs handlers somewhere else and hands their outcomes to ``deliver`` (from any thread)."""

    def submit(self, handler: str, invocations: Sequence[Invocation]) -> None:
        """Start a batch; every invocation gets its outcome delivered, whatever happens."""
        ...

    def close(self) -> None:
        """End all handlers."""
        ...


Deliver = Callable[[Sequence[Outcome]], None]


class Listener(Protocol):
    """Receives what the outside pushes on one channel and hands it on (from any thread)."""

    def wait(self) -> None:
        """Until messages can come. Raises BrokerError with the reason if they cannot."""
        ...

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Tell the outside that these messages are safe."""
        ...

    def problem(self) -> str | None:
        """Why nothing can be received just now, as one sentence; None if all is well."""
        ...

    def close(self) -> None:
        """Stop receiving."""
        ...


class MasterClock(Protocol):
    """The master's time."""

    def now(self) -> datetime | None:
        """This moment in UTC; None as long as a replay has not begun."""
        ...

    @property
    def lockstep(self) -> bool:
        """Whether time stands still while runs are under way (replays: same messages, same numbers)."""
        ...

    def advance(self, moment: datetime) -> None:
        """Told of each message's own time, in order; only a replay cares."""
        ...
