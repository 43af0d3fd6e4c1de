"""From messages to one group commit: known messages are dropped, unknown twins born, bad ones put aside.

The router decides; nothing here waits or talks to the outside. What it returns is acknowledged once
the entry is on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pyoxigraph import Literal

from ...errors import InputError, NotFoundError, VoltwinError
from ...graphstore.interfaces import FinishedRun, QueuedRun, SeriesReader, TripleStore
from ...graphstore.journal.changes import ChangeSet
from ...graphstore.paths.writing import Provenance, TwinWriter
from ...graphstore.schema import Schema
from ...ontology.iris import RDF, VT
from ...ontology.literals import to_literal
from ...ontology.naming import Naming
from ..actions.action import Action, Actions
from ..actions.bindings import quantity, spread
from ..actions.messages import Envelope, MessageSchema, open_envelope
from ..interfaces import Received
from .runs import RunRecorder, run_id

PAYLOAD_SHOWN = 4096
"""How many bytes of a dead letter are kept."""


Taken = tuple[Received, Envelope | None, datetime]
"""A message, opened if it could be, and the moment at which it is taken in."""


@dataclass
class Routed:
    """What a group of messages comes to, ready to be committed."""

    changes: ChangeSet
    message_keys: list[str] = field(default_factory=list)
    queued: list[QueuedRun] = field(default_factory=list)
    finished: list[FinishedRun] = field(default_factory=list)
    triggered: list[tuple[Action, QueuedRun]] = field(default_factory=list)
    """Push actions that were carried out, with their runs: their consecutive actions are due."""
    created: list[str] = field(default_factory=list)
    dead_letters: int = 0


@dataclass(frozen=True)
class Router:
    """Routes messages by the fleet's push actions."""

    store: TripleStore
    series: SeriesReader
    names: Naming
    schema: Schema
    actions: Actions
    schemas: Mapping[str, MessageSchema]

    def route(self, messages: Sequence[Taken]) -> Routed:
        """Turn new messages (duplicates were dropped before) into changes."""
        routed = Routed(ChangeSet(self.store))
        writer = TwinWriter(routed.changes, self.schema, self.names, self.series)
        runs: set[str] = set()
        for received, envelope, now in messages:
            try:
                # Opened again only where it could not be opened, to say why.
                message = envelope or open_envelope(received.payload)
                with writer.savepoint():
                    done = self._take(received, message, writer)
                routed.message_keys.append(message.id)
            except (InputError, NotFoundError) as error:
                self._put_aside(received, envelope, error, now, routed)
                continue
            for action, run in done:
                if run.id not in runs:
                    runs.add(run.id)
                    self._finish(action, run, routed)
        routed.created = [self.names.twin_key(twin) for twin in writer.created]
        return routed

    def _take(self, received: Received, message: Envelope, writer: TwinWriter) -> list[tuple[Action, QueuedRun]]:
        done = []
        for action in self.actions.pushes(received.channel):
            key = action.twin_in(received.topic)
            if key is None:
                continue
            schema = self.schemas[action.message_schema]
            schema.check(message.body)
            twin = writer.create_twin(key, action.applies_to)
            run = QueuedRun(run_id(action, key, message.time), action.iri, twin, message.time, message.id)
            provenance = Provenance("asserted", message.time, self.names.run(run.id))
            for binding in action.outputs:
                unit = schema.unit(binding.source)
                for steps, value in spread(binding, message.body, {}):
                    writer.put(twin, steps, *quantity(value, unit), provenance)
            done.append((action, run))
        if not done:
            raise InputError(f"topic {received.topic!r}: no push action of this fleet listens to it")
        return done

    def _finish(self, action: Action, run: QueuedRun, routed: Routed) -> None:
        finished = FinishedRun(run.id, "succeeded")
        routed.queued.append(run)
        routed.finished.append(finished)
        routed.triggered.append((action, run))
        RunRecorder(routed.changes, self.names).record(run, finished)

    def _put_aside(
        self, received: Received, envelope: Envelope | None, error: VoltwinError, now: datetime, routed: Routed
    ) -> None:
        key = message_key(received, envelope)
        node, graph, state = self.names.dead_letter(key), self.names.dead_letters_graph, routed.changes.assert_new
        state(node, RDF.type, VT.DeadLetter, graph)
        state(node, VT.reason, Literal(str(error)), graph)
        state(node, VT.topic, Literal(received.topic), graph)
        state(node, VT.payload, Literal(_shown(received.payload)), graph)
        state(node, VT.at, to_literal(now), graph)
        routed.message_keys.append(key)
        routed.dead_letters += 1


def message_key(received: Received, envelope: Envelope | None) -> str:
    """What tells a repeated message: its own id, or, where it has none, a digest of all of it."""
    if envelope is not None:
        return envelope.id
    digest = hashlib.sha256(received.topic.encode() + b"\0" + received.payload).hexdigest()
    return f"sha256-{digest[:40]}"


def _shown(payload: bytes) -> str:
    text = payload[:PAYLOAD_SHOWN].decode("utf-8", "replace").replace("\0", "\ufffd")
    return text if len(payload) <= PAYLOAD_SHOWN else f"{text}… ({len(payload)} bytes)"
