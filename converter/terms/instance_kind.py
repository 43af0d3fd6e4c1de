"""The kinds of instances: twins, actions, rules, and everything else.

>>> from voltwin.ontology.iris import VT
>>> instance_kind([VT.PushAction.value, VT.Action.value])
<InstanceKind.ACTION: 'action'>
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from ...ontology.iris import VT

MAX_WHOLES: Final = 64
"""The most wholes around a part: its IRI grows with each of them."""


class InstanceKind(Enum):
    """A kind of instance with its own naming and its own graph."""

    TWIN = "twin"
    ACTION = "action"
    RULE = "rule"
    OTHER = "other"


_KINDS: Final = {
    VT.Twin.value: InstanceKind.TWIN,
    VT.Action.value: InstanceKind.ACTION,
    VT.Schedule.value: InstanceKind.ACTION,
    VT.Handler.value: InstanceKind.ACTION,
    VT.Rule.value: InstanceKind.RULE,
}


def instance_kind(class_iris: Iterable[str]) -> InstanceKind:
    """The kind of an instance of all these classes (its own and their ancestors)."""
    return next((_KINDS[iri] for iri in class_iris if iri in _KINDS), InstanceKind.OTHER)
