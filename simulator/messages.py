"""Messages as values: a kind, a topic, a time and a body that conforms to the kind's schema.

>>> from datetime import UTC, datetime
>>> noon = datetime(2019, 4, 10, 12, tzinfo=UTC)
>>> message = twin_message("transport-begin", "module-0017", noon, truck="truck-01")
>>> message.topic
'voltwin/modules/module-0017/transport/begin'
>>> message.encode().decode()[:54]
'{"id":"module-0017/transport-begin/2019-04-10T12:00:00'

The schemas in ``ontology/messages`` are the contract with the outside world, topics included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``body`` is JSON values with ``id`` and ``time`` among them."""

    kind: str
    topic: str
    time: datetime
    body: Mapping[str, object]

    @property
    def order(self) -> tuple[datetime, str]:
        """The order of sending: by time, then by topic."""
        return self.time, self.topic

    def encode(self) -> bytes:
        """The payload: compact JSON in UTF-8."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()

    def record(self) -> str:
        """One line of a recording (JSON Lines): topic and payload."""
        line = {"topic": self.topic, "payload": self.body}
        return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"


@cache
def schema(kind: str) -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of one kind of message."""
    text = files("voltwin.ontology").joinpath("messages", f"{kind}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def topic(kind: str, twin: str) -> str:
    """The topic of messages of ``kind`` about ``twin``."""
    template: str = schema(kind)["x-topic"]
    return template.replace("{twin}", twin)


def timestamp(time: datetime) -> str:
    """A time in the format of messages: RFC 3339, whole seconds, UTC with Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def twin_message(kind: str, twin: str, time: datetime, **values: object) -> Message:
    """A message about a module or a truck; ``values`` are the body's members besides id and time."""
    at = timestamp(time)
    return Message(kind, topic(kind, twin), time, {"id": f"{twin}/{kind}/{at}", "time": at, **values})


def clock_message(time: datetime, *, final: bool = False) -> Message:
    """A message of the clock; ``final`` marks the end of the replay."""
    at = timestamp(time)
    body: dict[str, object] = {"id": f"clock/{at}", "time": at}
    if final:
        body["final"] = True
    return Message("clock", topic("clock", ""), time, body)
