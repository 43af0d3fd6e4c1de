"""A finding of a check, and the design that checks look at."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal as OneOf

from pyoxigraph import NamedNode

from ....graphstore.interfaces import TripleStore
from ....graphstore.schema import Schema
from ....ontology.naming import Naming
from ....outgoing import NOTHING_ALLOWED, OutgoingPolicy
from ...actions.action import Action

Severity = OneOf["error", "warning"]


@dataclass(frozen=True)
class DesignFinding:
    """A problem of a design. An error is refused; a warning may be meant."""

    severity: Severity
    place: str
    message: str
    suggestion: str = ""
    check: str = ""

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{self.place}: {self.message}{hint}"


@dataclass(frozen=True)
class DesignUnderCheck:
    """A design, read once for all checks."""

    store: TripleStore
    names: Naming
    schema: Schema
    actions: Mapping[NamedNode, Action]
    """The actions that can be read."""
    unreadable: Mapping[str, str]
    """The problem of each other action, by its key."""
    services: Mapping[str, str] | None = None
    """The services of the server that is to run it; None where none is about to."""
    outgoing: OutgoingPolicy = NOTHING_ALLOWED
    """The other addresses that this server may ask."""

    @property
    def runtime(self) -> Severity:
        """The severity of what only a running server must have: handlers, listeners, services."""
        return "warning" if self.services is None else "error"


def at(action: Action) -> str:
    """The place of a finding about ``action``."""
    return f"action {action.key!r}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that ``name`` may be meant for; empty if none is near."""
    return next(iter(difflib.get_close_matches(name, sorted(known), 1, 0.6)), "")
