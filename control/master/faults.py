"""Two kinds of trouble: a fault of the ground, which passes or is mended, and a bug of ours.

A fault of the ground (disk, memory, database, engine) says nothing about the message that met it: nothing is
acknowledged, and the work is tried again. Any other unexpected exception is a bug; it counts as internal.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from typing import Final

from ...errors import EnvironmentProblem, ServiceError, StoreError
from ...graphstore.engines.damage import is_damage

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0
"""Seconds before work is tried again; each pause is twice the one before."""

ALONE_AFTER: Final = 3
"""Failed tries of the same messages after which each is tried alone."""

LONGEST_REASON: Final = 2000
"""Characters of a reason that are kept."""

_GROUND: Final = (StoreError, ServiceError, EnvironmentProblem, OSError, MemoryError, sqlite3.OperationalError)
_LOG: Final = logging.getLogger(__name__)


def is_ground(error: BaseException) -> bool:
    """Whether ``error`` is a fault of disk, memory, database or engine."""
    return isinstance(error, _GROUND) or is_damage(error)


def may_be_its_content(error: BaseException) -> bool:
    """Whether a fault of the ground may come from what is written: none that disk, memory or SQLite itself report."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError | MemoryError | sqlite3.OperationalError | EnvironmentProblem):
            return False
        cause = cause.__cause__
    return True


def internal_reason(error: BaseException) -> str:
    """A bug in words: the class of the exception, and its text."""
    return f"internal: {type(error).__name__}: {error}"


def in_words(reason: str) -> str:
    """A reason that can be stored: bounded, since it may quote what is refused, and without half characters or NUL."""
    shown = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"
    return shown.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


@dataclass
class Faults:
    """The trouble of one master since its start."""

    internal: int = 0
    """Unexpected exceptions, each a bug of voltwin."""
    problem: str | None = None
    """The reason why no message is taken now, as one sentence."""
    _pause: float = FIRST_PAUSE

    def count(self, error: BaseException, where: str) -> str:
        """Count a bug and log it; return it in words."""
        self.internal += 1
        reason = internal_reason(error)
        _LOG.error("%s: %s; please report it", where, reason)
        return reason

    def stopped_by(self, error: BaseException) -> float:
        """Record that work stopped at ``error``; return the seconds to wait before it is tried again."""
        reason = (str(error) or type(error).__name__) if is_ground(error) else self.count(error, "control master")
        if reason != self.problem:
            _LOG.error("no message is taken: %s", reason)
        self.problem = reason
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause

    def passed(self) -> None:
        """Record that work succeeded."""
        if self.problem is not None:
            _LOG.warning("messages are taken again")
        self.problem, self._pause = None, FIRST_PAUSE
