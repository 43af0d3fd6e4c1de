"""The message schema of a push action exists and is a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import ActionError
from ...actions.messages import load_schema, schema_names
from .finding import DesignFinding, DesignUnderCheck, at, nearest


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each action whose schema cannot be used."""
    for action in design.actions.values():
        if action.kind != "push":
            continue
        try:
            load_schema(action.message_schema)
        except ActionError as error:
            yield DesignFinding("error", at(action), str(error), nearest(action.message_schema, schema_names()))
