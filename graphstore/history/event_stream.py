"""Events over HTTP as server-sent events: how one is written, and how a stream of them is read.

``id`` is the commit's number, so a client that comes back with ``Last-Event-ID`` goes on where it was. A block with
an ``id`` and no data is a heartbeat: it says how far the journal has been looked through.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from .events import Event, event_from_json

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0


def block(event: Event) -> bytes:
    """One event as a server sends it."""
    return f"id: {event.sequence}\nevent: commit\ndata: {json.dumps(event.to_json())}\n\n".encode()


def heartbeat(sequence: int) -> bytes:
    """Nothing new up to commit ``sequence``."""
    return f": alive\nid: {sequence}\n\n".encode()


def read_blocks(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream's lines; heartbeats and comments are passed over.

    >>> list(read_blocks([": alive", "id: 7", "", 'data: {"sequence": 8, "time": "2019-04-01T06:00:00Z",',
    ...     'data:  "author": "anna", "twins": [], "properties": [], "samples": {}}', ""]))[0].sequence
    8
    """
    data: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield event_from_json(json.loads("\n".join(data)))
            data = []
