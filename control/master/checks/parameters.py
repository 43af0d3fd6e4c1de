"""The parameters of actions have a form that can be read, and numbers that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...actions.bindings import literal
from .finding import DesignFinding, DesignUnderCheck, at


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each parameter that could not be sent to a handler."""
    for action in design.actions.values():
        for text in action.parameters:
            if "<-" in text:
                continue
            name, equals, word = (part.strip() for part in text.partition("="))
            if not equals or not name:
                yield DesignFinding(
                    "error", at(action), f"parameter {text!r}: write it as name = value or name <- path"
                )
                continue
            value = literal(word)
            if isinstance(value, float) and not math.isfinite(value):
                yield DesignFinding("error", at(action), f"parameter {text!r}: must be a finite number")
