"""The actions that follow one another exist, can be triggered, and form no circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyoxigraph import NamedNode

from ...actions.action import Action
from .finding import DesignFinding, DesignUnderCheck, at, nearest


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each follower that is missing, a push action, or leads back; a warning for one of another class."""
    actions, schema = design.actions, design.schema
    known = [iri.value for iri in actions]
    for action in actions.values():
        for iri in action.consecutive:
            follower = actions.get(iri)
            if follower is None:
                message = f"consecutive {iri.value} is no action of this fleet"
                yield DesignFinding("error", at(action), message, nearest(iri.value, known))
            elif follower.kind == "push":
                message = f"consecutive {follower.key!r} is a push action, which messages trigger alone"
                yield DesignFinding("error", at(action), message)
            elif not (
                schema.is_a(action.applies_to, follower.applies_to)
                or schema.is_a(follower.applies_to, action.applies_to)
            ):
                yield DesignFinding("warning", at(action), f"consecutive {follower.key!r} is for another class")
        if _returns(action.iri, actions):
            yield DesignFinding("error", at(action), "its consecutive actions lead back to it")


def _returns(start: NamedNode, actions: Mapping[NamedNode, Action]) -> bool:
    seen: set[NamedNode] = set()
    waiting = list(actions[start].consecutive)
    while waiting:
        iri = waiting.pop()
        if iri == start:
            return True
        if iri in actions and iri not in seen:
            seen.add(iri)
            waiting.extend(actions[iri].consecutive)
    return False
