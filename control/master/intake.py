"""Reading received messages once: ``Received`` becomes ``Good``, or ``Bad`` with its reason.

The envelope, the message's key, the push actions that listen to its topic and their schemas are all
checked here; the router only has to write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ...errors import InputError, InputLimitError
from ...graphstore.sparql.gate import check_text
from ...settings import InputLimits
from ..actions.action import Action, Actions
from ..actions.messages import Envelope, MessageSchema, load_schema, open_envelope
from ..interfaces import Json, Received
from .faults import internal_reason

CLOCK_TOPIC: Final = "voltwin/clock"
"""A message here moves a replay's clock and has no other effect."""


@dataclass(frozen=True)
class Target:
    """A push action that a message is for, the twin it names and the schema it fits."""

    action: Action
    twin: str
    schema: MessageSchema


@dataclass(frozen=True)
class Good:
    """A message that fits all its targets."""

    received: Received
    key: str
    """Its id, which a repeated message shares."""
    time: datetime
    body: Mapping[str, Json]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Bad:
    """A message for the dead letters; its id and its time where they can be read."""

    received: Received
    key: str
    reason: str
    time: datetime | None = None
    targets: tuple[Target, ...] = ()
    error: Exception | None = None
    """The unexpected exception, a bug, that its reading ended with."""


Message = Good | Bad


@dataclass(frozen=True)
class IncomingMessage:
    """A message and the moment of the clock at which it is committed."""

    message: Message
    moment: datetime


@dataclass(frozen=True)
class Intake:
    """Reads messages by the fleet's push actions."""

    actions: Actions
    schemas: Mapping[str, MessageSchema]
    limits: InputLimits = field(default_factory=InputLimits)

    @classmethod
    def of(cls, actions: Actions, limits: InputLimits) -> Intake:
        """The intake with the message schemas that come with voltwin. Raises ActionError."""
        names = {action.message_schema for action in actions.pushes()}
        return cls(actions, {name: load_schema(name) for name in names}, limits)

    def read(self, received: Received) -> Message:
        """Open and check one message; raises MemoryError alone."""
        try:
            self._check_topic(received.topic)
            envelope = open_envelope(received.payload, self.limits)
        except InputError as error:
            return Bad(received, digest(received), str(error))
        try:
            targets = self._targets(received, envelope)
        except InputError as error:
            return Bad(received, envelope.id, str(error), envelope.time)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one message must not end the others' intake
            return Bad(received, envelope.id, internal_reason(error), envelope.time, error=error)
        return Good(received, envelope.id, envelope.time, envelope.body, targets)

    def _check_topic(self, topic: str) -> None:
        if (found := len(check_text("topic", topic))) > self.limits.topic_bytes:
            raise InputLimitError(f"topic: has {found} bytes, at most {self.limits.topic_bytes} are allowed")

    def _targets(self, received: Received, envelope: Envelope) -> tuple[Target, ...]:
        if received.topic == CLOCK_TOPIC:
            return ()
        targets = []
        for action in self.actions.pushes(received.channel):
            twin = action.twin_in(received.topic)
            if twin is not None:
                schema = self.schemas[action.message_schema]
                schema.check(envelope.body)
                targets.append(Target(action, twin, schema))
        if not targets:
            raise InputError(f"topic {received.topic!r}: no push action of this fleet listens to it")
        return tuple(targets)


def digest(received: Received) -> str:
    """The key of a message without an id: a digest of topic and payload."""
    found = hashlib.sha256(received.topic.encode("utf-8", "surrogatepass") + b"\0" + received.payload).hexdigest()
    return f"sha256-{found[:40]}"
