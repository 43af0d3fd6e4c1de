"""How the things of one fleet are named: every IRI below BASE is minted here and nowhere else.

>>> from voltwin.ontology.naming import Naming
>>> names = Naming("https://fleet.example/")
>>> names.twin("module-0017").value
'https://fleet.example/twins/module-0017'
>>> names.part(names.twin("module-0017"), "cells", "cell-03").value
'https://fleet.example/twins/module-0017/cells/cell-03'

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
        """The store's own mark: the last journal sequence it has applied."""
        return NamedNode(f"{self.base}state")

    @property
    def skolem(self) -> str:
        """What the IRIs that stand for blank nodes start with."""
        return f"{self.base}.well-known/genid/"

    # things
    @property
    def twins(self) -> str:
        """What every twin's IRI starts with."""
        return f"{self.base}twins/"

    def twin(self, key: str) -> NamedNode:
        """The twin ``key``, and the graph that holds it."""
        return NamedNode(self.twins + segment(key))

    def computed_graph(self, twin: NamedNode) -> NamedNode:
        """What model runs computed for ``twin`` (journaled)."""
        return NamedNode(f"{twin.value}/computed")

    def inferred_graph(self, twin: NamedNode) -> NamedNode:
        """What rules derived for ``twin`` (a view, made anew at will)."""
        return NamedNode(f"{twin.value}/inferred")

    def part(self, parent: NamedNode, role: str, key: str | None = None) -> NamedNode:
        """The part of ``parent`` in ``role``; ``key`` tells parts apart where a role holds many."""
        tail = segment(role) if key is None else f"{segment(role)}/{segment(key)}"
        return NamedNode(f"{parent.value}/{tail}")

    def observation(self, subject: NamedNode, path_name: str) -> NamedNode:
        """The SOSA observation that says when and by what ``subject``'s value was obtained."""
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
        """The absolute path of a node whose IRI mirrors it: ``/module-0017/cells/cell-03``."""
        if not node.value.startswith(self.twins):
            return node.value
        segments = node.value[len(self.twins) :].replace("#", "/").split("/")
        return "/" + "/".join(quote_step(unquote(item)) for item in segments)
