"""Finding handlers: the entry point group ``voltwin.handlers`` is the one door, for built-ins too."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from ...errors import ActionError
from ..interfaces import Handler

GROUP: Final = "voltwin.handlers"
INGEST: Final = "ingest"
"""Push actions need no process of their own: what they do is the commit itself."""


def find_handler(name: str) -> EntryPoint:
    """The entry point called ``name``. Raises ActionError with what there is."""
    found = entry_points(group=GROUP)
    if name not in found.names:
        there = ", ".join(sorted(found.names)) or "none"
        raise ActionError(f"handler {name!r}: not registered under {GROUP}; there are: {there}")
    return found[name]


def make_handler(name: str) -> Handler:
    """The handler ``name``, made in the calling process."""
    handler: Handler = find_handler(name).load()()
    return handler
