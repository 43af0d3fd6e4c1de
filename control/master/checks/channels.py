"""The channel of push actions has a listener, and is the same for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

from ....errors import ActionError
from ...listeners.registry import GROUP, find_listener
from .finding import DesignFinding, DesignUnderCheck, at, nearest


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """A finding for each action whose channel has no listener here; an error for channels in the plural."""
    pushes = [action for action in design.actions.values() if action.kind == "push"]
    for action in pushes:
        try:
            find_listener(action.channel)
        except ActionError as error:
            known = entry_points(group=GROUP).names
            yield DesignFinding(design.runtime, at(action), str(error), nearest(action.channel, known))
    channels = sorted({action.channel for action in pushes})
    if len(channels) > 1:
        named = f"channels {', '.join(channels)}"
        yield DesignFinding(design.runtime, named, "one server listens to one channel; run one for each")
