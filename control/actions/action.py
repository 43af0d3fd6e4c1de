"""The actions of a fleet, read from its graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode

from ...errors import ActionError, InputError
from ...graphstore.interfaces import TripleStore
from ...ontology.bindings import Binding, parse_binding
from ...ontology.iris import RDF, VT
from ...ontology.literals import EPOCH, parse_time
from ...ontology.naming import Naming
from .schedules import Absolute, Relative, Schedule, parse_duration

PLACE: Final = "{twin}"
"""The level of a topic that names the twin; a topic has exactly one."""
Kind = OneOf["push", "pull", "model"]


@dataclass(frozen=True)
class Action:
    """One action; every twin of ``applies_to`` has it."""

    iri: NamedNode
    key: str
    kind: Kind
    applies_to: NamedNode
    handler: str
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    parameters: tuple[str, ...]
    endpoint: str
    schedule: Schedule | None
    consecutive: tuple[NamedNode, ...]
    channel: str = ""
    topic: str = ""
    message_schema: str = ""

    @property
    def topic_filter(self) -> str:
        """The topic as a broker's subscription: ``{twin}`` is any single level."""
        return self.topic.replace(PLACE, "+")

    def twin_in(self, topic: str) -> str | None:
        """The twin that a message on ``topic`` is for; None if the message is not for this action."""
        before, _, after = self.topic.partition(PLACE)
        match = re.fullmatch(f"{re.escape(before)}([^/]+){re.escape(after)}", topic)
        return match[1] if match else None


@dataclass(frozen=True)
class Actions:
    """All actions of a fleet."""

    by_iri: Mapping[NamedNode, Action]

    def pushes(self, channel: str | None = None) -> list[Action]:
        """The push actions, of one channel or of all."""
        pushes = (action for action in self.by_iri.values() if action.kind == "push")
        return [action for action in pushes if channel in (None, action.channel)]


@dataclass(frozen=True)
class ActionsRead:
    """The actions of a graph: those that can be read, and the problem of each other one by its key."""

    found: Mapping[NamedNode, Action]
    problems: Mapping[str, str]


def read_actions(store: TripleStore, names: Naming) -> ActionsRead:
    """Every action in the store's design, in the order of their IRIs; raises nothing for one that is wrong."""
    kinds: tuple[tuple[NamedNode, Kind], ...] = (
        (VT.PushAction, "push"),
        (VT.PullAction, "pull"),
        (VT.ModelAction, "model"),
    )
    found: dict[NamedNode, Action] = {}
    problems: dict[str, str] = {}
    for cls, kind in kinds:
        for quad in store.quads(None, RDF.type, cls, names.actions_graph):
            if isinstance(quad.subject, NamedNode):
                reader = _ActionReader(quad.subject, store, names)
                try:
                    found[quad.subject] = reader.action(kind)
                except ActionError as error:
                    problems[reader.key] = str(error)
    return ActionsRead(dict(sorted(found.items(), key=lambda item: item[0].value)), dict(sorted(problems.items())))


def load_actions(store: TripleStore, names: Naming) -> Actions:
    """Every action of a fleet whose design was checked. Raises ActionError with the first problem."""
    read = read_actions(store, names)
    for problem in read.problems.values():
        raise ActionError(problem)
    return Actions(read.found)


class _ActionReader:
    """Reads one subject of the actions graph."""

    def __init__(self, iri: NamedNode, store: TripleStore, names: Naming) -> None:
        self.iri, self.store, self.names = iri, store, names
        self.key = iri.value.removeprefix(f"{names.base}actions/")

    def values(self, predicate: NamedNode) -> list[str]:
        quads = self.store.quads(self.iri, predicate, None, self.names.actions_graph)
        return sorted(quad.object.value for quad in quads if isinstance(quad.object, NamedNode | Literal))

    def one(self, predicate: NamedNode) -> str:
        found = self.values(predicate)
        if len(found) != 1:
            what = predicate.value.rpartition("#")[2]
            raise ActionError(f"action {self.key!r}: has {len(found) or 'no'} {what}, needs exactly one")
        return found[0]

    def optional(self, predicate: NamedNode) -> str:
        return self.one(predicate) if self.values(predicate) else ""

    def action(self, kind: Kind) -> Action:
        try:
            return self._action(kind)
        except ActionError:
            raise
        except (InputError, ValueError) as error:
            raise ActionError(f"action {self.key!r}: {error}") from error

    def _action(self, kind: Kind) -> Action:
        push = kind == "push"
        endpoint = self.optional(VT.endpoint)
        if not push and not endpoint:
            raise ActionError(f"action {self.key!r}: has no endpoint; a pull or model action needs one")
        return Action(
            iri=self.iri,
            key=self.key,
            kind=kind,
            applies_to=NamedNode(self.one(VT.appliesTo)),
            handler=self._at(VT.handler).one(VT.entryPoint),
            inputs=tuple(parse_binding(text) for text in self.values(VT.input)),
            outputs=tuple(parse_binding(text) for text in self.values(VT.output)),
            parameters=tuple(self.values(VT.parameter)),
            endpoint=endpoint,
            schedule=self._at(VT.schedule).schedule() if self.values(VT.schedule) else None,
            consecutive=tuple(NamedNode(value) for value in self.values(VT.consecutive)),
            channel=self.one(VT.channel) if push else "",
            topic=self.one(VT.topic) if push else "",
            message_schema=self.one(VT.messageSchema) if push else "",
        )

    def _at(self, predicate: NamedNode) -> _ActionReader:
        return _ActionReader(NamedNode(self.one(predicate)), self.store, self.names)

    def schedule(self) -> Schedule:
        if self.values(VT.at):
            return Absolute(tuple(parse_time(text) for text in self.values(VT.at)))
        anchor: datetime = parse_time(self.one(VT.anchor)) if self.values(VT.anchor) else EPOCH
        period: timedelta = parse_duration(self.one(VT.period))
        return Relative(int(self.one(VT.times)), period, anchor)
