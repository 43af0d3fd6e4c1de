"""Every handler is registered where the actions run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

from ....errors import ActionError
from ...handlers.registry import GROUP, INGEST, find_handler
from .finding import DesignFinding, DesignUnderCheck, at, nearest


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """A finding for each action whose handler is not registered; `ingest` is for push actions alone."""
    for action in design.actions.values():
        if action.kind == "push" and action.handler == INGEST:
            continue
        try:
            find_handler(action.handler)
        except ActionError as error:
            known = entry_points(group=GROUP).names
            yield DesignFinding(design.runtime, at(action), str(error), nearest(action.handler, known))
