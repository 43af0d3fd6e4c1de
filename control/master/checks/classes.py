"""The class whose twins have an action is a class of the ontology."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import DesignFinding, DesignUnderCheck, at, nearest


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each action of a class that does not exist."""
    known = [cls.value for cls in design.schema.classes]
    for action in design.actions.values():
        if action.applies_to not in design.schema.classes:
            wanted = action.applies_to.value
            message = f"appliesTo {wanted} is no class of the ontology"
            yield DesignFinding("error", at(action), message, nearest(wanted, known))
