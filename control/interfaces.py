"""Every protocol of the control layer, and the values that pass through them, on one page.

``listener -> Received -> intake -> router -> commit -> acknowledge`` commits messages;
``due or triggered run -> Invocation -> executor -> handler -> Outcome -> commit`` carries actions out.
Invocations and outcomes hold plain JSON values, because they cross process borders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Json = Any
"""A value that :mod:`json` reads and writes."""


@dataclass(frozen=True)
class Received:
    """A message as a listener received it; ``receipt`` acknowledges it to the listener."""

    channel: str
    topic: str
    payload: bytes
    receipt: int


@dataclass(frozen=True)
class Invocation:
    """One run as its handler sees it: an endpoint, inputs and parameters.

    ``inputs`` are quantities ``{"value": …, "unit": …}`` or bare ``{"value": …}``, by port; ``time`` is
    the moment that its results are valid for, as RFC 3339.
    """

    run: str
    twin: str
    time: str
    endpoint: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The result of one invocation: ``outputs`` by port, or ``error`` as one sentence."""

    run: str
    outputs: Mapping[str, Json] | None = None
    error: str = ""


class Handler(Protocol):
    """Carries out one type of action, in a process of its own.

    Registered under the entry point group ``voltwin.handlers``: the entry point is a callable without
    arguments that creates the handler, called once in the handler's process.
    """

    def run(self, invocations: Sequence[Invocation]) -> Sequence[Outcome]:
        """Carry out a batch of runs of one action; one outcome each, in any order.

        A problem of one run is an ``error`` outcome. Raising means the whole batch failed.
        """
        ...


class Executor(Protocol):
    """Runs handlers somewhere else and passes their outcomes to ``deliver`` (from any thread)."""

    def submit(self, handler: str, invocations: Sequence[Invocation]) -> None:
        """Start a batch; every invocation has an outcome, whatever happens."""
        ...

    def close(self) -> None:
        """End all handlers."""
        ...


Deliver = Callable[[Sequence[Outcome]], None]


class Listener(Protocol):
    """Receives the messages of one channel and delivers them (from any thread)."""

    def wait(self) -> None:
        """Wait until messages can arrive. Raises BrokerError with the reason if they cannot."""
        ...

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Acknowledge messages that are on disk to their sender."""
        ...

    def problem(self) -> str | None:
        """The reason why no message can be received now, as one sentence; None if all is well."""
        ...

    def close(self) -> None:
        """Stop receiving."""
        ...


class MasterClock(Protocol):
    """The master's time."""

    def now(self) -> datetime | None:
        """This moment in UTC; None until a replay begins."""
        ...

    @property
    def lockstep(self) -> bool:
        """Whether time stands still while runs are under way (replays: same messages, same numbers)."""
        ...

    def advance(self, moment: datetime) -> None:
        """Follow a message's own time, in order; only a replay's clock does."""
        ...
