"""Every action has its parts, each as often as it needs and in a form that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import DesignFinding, DesignUnderCheck


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each action that cannot be read."""
    for key, problem in design.unreadable.items():
        place = f"action {key!r}"
        yield DesignFinding("error", place, problem.removeprefix(f"{place}: "))
