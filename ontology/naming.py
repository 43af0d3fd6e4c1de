"""The IRIs of one fleet: every IRI below BASE is minted here and nowhere else.

>>> from voltwin.ontology.naming import Naming
>>> names = Naming("https://fleet.example/")
>>> names.twin("gearbox-07").value
'https://fleet.example/twins/gearbox-07'
>>> names.part(names.twin("gearbox-07"), "gears", "third").value
'https://fleet.example/twins/gearbox-07/gears/third'

A twin's IRI mirrors its path, and is the name of its graph too (docs/adr/0002).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from pyoxigraph import NamedNode

from ..errors import InputError
from .steps import quote_step

_SAFE: Final = "-._~:@!$&'()*+,;="
_BASE: Final = re.compile(r"^(https?://[^\s<>\"{}|\\^`#?]+/|urn:[^\s<>\"{}|\\^`#?]+:)$")


def segment(key: str) -> str:
    """A key as one IRI segment: percent-encoded where an IRI path does not allow the character."""
    return quote(key, safe=_SAFE)


@dataclass(frozen=True)
class Naming:
    """The names below one BASE (ends in ``/``); fixed when a fleet is created."""

    base: str

    def __post_init__(self) -> None:
        if not _BASE.match(self.base):
            raise InputError(
                f"base IRI {self.base!r}: must be an absolute http(s) IRI ending in '/', without '?' or '#'; "
                "for example https://fleet.example/"
            )

    # named graphs
    @property
    def ontology_graph(self) -> NamedNode:
        """The framework's and the domain's ontology."""
        return NamedNode(f"{self.base}ontology")

    @property
    def shapes_graph(self) -> NamedNode:
        """The SHACL shapes."""
        return NamedNode(f"{self.base}shapes")

    @property
    def actions_graph(self) -> NamedNode:
        """Actions, schedules and handlers."""
        return NamedNode(f"{self.base}actions")

    @property
    def rules_graph(self) -> NamedNode:
        """The reasoning rules."""
        return NamedNode(f"{self.base}rules")

    @property
    def runs_graph(self) -> NamedNode:
        """One PROV activity per run of an action."""
        return NamedNode(f"{self.base}runs")

    @property
    def dead_letters_graph(self) -> NamedNode:
        """Messages that could not be handled, each with its reason."""
        return NamedNode(f"{self.base}dead-letters")

    @property
    def state_graph(self) -> NamedNode:
        """The store's own state: the last journal sequence it has applied."""
        return NamedNode(f"{self.base}state")

    @property
    def skolem(self) -> str:
        """The start of the IRIs that replace blank nodes."""
        return f"{self.base}.well-known/genid/"

    # things
    @property
    def twins(self) -> str:
        """The start of every twin's IRI."""
        return f"{self.base}twins/"

    def twin(self, key: str) -> NamedNode:
        """The IRI of the twin ``key`` and of its graph."""
        return NamedNode(self.twins + segment(key))

    def computed_graph(self, twin: NamedNode) -> NamedNode:
        """The graph of results that model runs computed for ``twin`` (journaled)."""
        return NamedNode(f"{twin.value}/computed")

    def inferred_graph(self, twin: NamedNode) -> NamedNode:
        """The graph of facts that rules derived for ``twin`` (a view, which can be rebuilt at any time)."""
        return NamedNode(f"{twin.value}/inferred")

    def part(self, parent: NamedNode, role: str, key: str | None = None) -> NamedNode:
        """The part of ``parent`` in ``role``; ``key`` distinguishes parts where a role has many."""
        tail = segment(role) if key is None else f"{segment(role)}/{segment(key)}"
        return NamedNode(f"{parent.value}/{tail}")

    def observation(self, subject: NamedNode, path_name: str) -> NamedNode:
        """The SOSA observation with the time and the source of ``subject``'s value."""
        return NamedNode(f"{subject.value}#{segment(path_name)}")

    def action(self, key: str) -> NamedNode:
        """The action, schedule or handler ``key``."""
        return NamedNode(f"{self.base}actions/{segment(key)}")

    def rule(self, key: str) -> NamedNode:
        """The rule ``key``."""
        return NamedNode(f"{self.base}rules/{segment(key)}")

    def run(self, key: str) -> NamedNode:
        """The run ``key``."""
        return NamedNode(f"{self.base}runs/{segment(key)}")

    def dead_letter(self, key: str) -> NamedNode:
        """The dead letter ``key``."""
        return NamedNode(f"{self.base}dead-letters/{segment(key)}")

    def owner(self, node: NamedNode) -> NamedNode | None:
        """The twin that ``node`` (a twin, a part, an observation, a companion graph) belongs to."""
        if not node.value.startswith(self.twins):
            return None
        key = re.split(r"[/#]", node.value[len(self.twins) :], maxsplit=1)[0]
        return NamedNode(self.twins + key) if key else None

    def twin_key(self, node: NamedNode) -> str:
        """The twin's key as people write it in paths."""
        owner = self.owner(node)
        if owner is None:
            raise InputError(f"{node.value}: not a twin of this fleet ({self.twins}…)")
        return unquote(owner.value[len(self.twins) :])

    def path_of(self, node: NamedNode) -> str:
        """The absolute path of a node whose IRI mirrors it: ``/gearbox-07/gears/third``."""
        if not node.value.startswith(self.twins):
            return node.value
        segments = node.value[len(self.twins) :].replace("#", "/").split("/")
        return "/" + "/".join(quote_step(unquote(item)) for item in segments)
