"""The registry of handlers: the entry point group ``voltwin.handlers``, for built-in ones too."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from ...errors import ActionError
from ..interfaces import Handler

GROUP: Final = "voltwin.handlers"
INGEST: Final = "ingest"
"""The handler of push actions: the master itself, by its commit."""


def find_handler(name: str) -> EntryPoint:
    """The entry point ``name``. Raises ActionError with those there are."""
    found = entry_points(group=GROUP)
    if name not in found.names:
        there = ", ".join(sorted(found.names)) or "none"
        raise ActionError(f"handler {name!r}: not registered under {GROUP}; there are: {there}")
    return found[name]


def make_handler(name: str) -> Handler:
    """The handler ``name``, created in the calling process."""
    handler: Handler = find_handler(name).load()()
    return handler
