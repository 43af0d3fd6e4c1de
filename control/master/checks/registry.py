"""The registry of checks, and their use: all findings of a design at once, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ....errors import ActionError, InputError, RuleError, ShapesError
from ....graphstore.interfaces import TripleStore
from ....graphstore.schema import load_schema
from ....ontology.naming import Naming
from ....outgoing import NOTHING_ALLOWED, OutgoingPolicy
from ...actions.action import read_actions
from . import (
    action_parts,
    channels,
    classes,
    consecutive,
    endpoints,
    handlers,
    inputs,
    message_schemas,
    outgoing_addresses,
    outputs,
    parameters,
    required_parts,
    rules,
    schedules,
    shapes,
    topics,
)
from .finding import DesignFinding, DesignUnderCheck

Check = Callable[[DesignUnderCheck], Iterator[DesignFinding]]

CHECKS: Final[Mapping[str, Check]] = {
    "action": action_parts.check,
    "class": classes.check,
    "required-parts": required_parts.check,
    "rule": rules.check,
    "shape": shapes.check,
    "topic": topics.check,
    "channel": channels.check,
    "message-schema": message_schemas.check,
    "handler": handlers.check,
    "endpoint": endpoints.check,
    "outgoing": outgoing_addresses.check,
    "output": outputs.check,
    "input": inputs.check,
    "parameter": parameters.check,
    "schedule": schedules.check,
    "consecutive": consecutive.check,
}
"""Every check by its id."""


def find_problems(
    store: TripleStore,
    names: Naming,
    services: Mapping[str, str] | None = None,
    outgoing: OutgoingPolicy = NOTHING_ALLOWED,
) -> Sequence[DesignFinding]:
    """All findings about the design in ``store``; with ``services`` as the server that has them would meet it.

    ``outgoing`` are the other addresses that it may ask.
    """
    try:
        schema = load_schema(store, names)
    except (InputError, ValueError) as error:
        return [DesignFinding("error", "ontology", f"cannot be read: {error}", check="ontology")]
    read = read_actions(store, names)
    design = DesignUnderCheck(store, names, schema, read.found, read.problems, services, outgoing)
    return [replace(finding, check=name) for name, check in CHECKS.items() for finding in check(design)]


def refuse_errors(findings: Sequence[DesignFinding]) -> None:
    """Raise RuleError, InputError or ActionError with every error among ``findings``."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return
    kinds = {"rule": RuleError, "ontology": InputError, "required-parts": InputError, "shape": ShapesError}
    raise kinds.get(errors[0].check, ActionError)("; ".join(map(str, errors)))
