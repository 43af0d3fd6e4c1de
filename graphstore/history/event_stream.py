"""Events over HTTP as server-sent events: writing one, and reading a stream of them.

``id`` is the commit's number, so a client that reconnects with ``Last-Event-ID`` continues after it. A block with
an ``id`` and no data is a heartbeat: the journal has no further events up to that commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from .events import Event, event_from_json

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0


def block(event: Event) -> bytes:
    """One event in the format of the stream."""
    return f"id: {event.sequence}\nevent: commit\ndata: {json.dumps(event.to_json())}\n\n".encode()


def heartbeat(sequence: int) -> bytes:
    """The heartbeat for no further events up to commit ``sequence``."""
    return f": alive\nid: {sequence}\n\n".encode()


def read_blocks(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream's lines; heartbeats and comments are skipped.

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
