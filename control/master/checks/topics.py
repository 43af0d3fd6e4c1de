"""The topic of a push action names the twin in one level of its own, and is one that a broker accepts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...actions.action import PLACE
from .finding import DesignFinding, DesignUnderCheck, at

MOST_BYTES: Final = 65_535


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each topic that does not name exactly one twin."""
    for action in design.actions.values():
        problem = _problem(action.topic) if action.kind == "push" else ""
        if problem:
            yield DesignFinding("error", at(action), f"topic {action.topic[:200]!r} {problem}")


def _problem(topic: str) -> str:
    levels = topic.split("/")
    if topic.count(PLACE) != 1 or PLACE not in levels:
        return f"must have the level {PLACE} once, to name the twin of a message, as in plant/{PLACE}/sample"
    rest = topic.replace(PLACE, "")
    if any(character in rest for character in "{}+#\0"):
        return f"may have no place but {PLACE}, and none of + # and NUL"
    if len(topic.encode("utf-8", "replace")) > MOST_BYTES:
        return f"is longer than {MOST_BYTES} bytes"
    return ""
