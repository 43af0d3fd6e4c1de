"""Progress of long work: reported to a callback, nothing is shown here."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Receives the current step, how much of it is done, and how much there is (0: unknown)."""


def no_progress(what: str, done: int, total: int) -> None:
    """Ignore the progress."""
