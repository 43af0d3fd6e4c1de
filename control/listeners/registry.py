"""The registry of listeners: the entry point group ``voltwin.listeners``, by the channel of a push action.

The entry point is called as ``listener(address, client_id, filters, deliver)`` and gives a
:class:`~voltwin.control.interfaces.Listener`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Final

from ...errors import ActionError
from ..interfaces import Listener, Received

GROUP: Final = "voltwin.listeners"
MakeListener = Callable[[str, str, Sequence[str], Callable[[Received], None]], Listener]


def find_listener(channel: str) -> MakeListener:
    """The factory of ``channel``'s listener. Raises ActionError with the channels there are."""
    found = entry_points(group=GROUP)
    if channel not in found.names:
        there = ", ".join(sorted(found.names)) or "none"
        raise ActionError(f"channel {channel!r}: no listener is registered under {GROUP}; there are: {there}")
    make: MakeListener = found[channel].load()
    return make
