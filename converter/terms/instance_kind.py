"""Where an instance lives, by what it is: twins, actions, rules, and everything else.

::

instance_kind(lineage_iris)        # InstanceKind.TWIN for a module, InstanceKind.ACTION for a schedule
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from ...ontology.iris import VT

MOST_WHOLES: Final = 64
"""How deep parts may nest: their IRIs grow with every whole around them."""


class InstanceKind(Enum):
    """The kinds of instance that are named and stored each in its own way."""

    TWIN = "twin"
    ACTION = "action"
    RULE = "rule"
    OTHER = "other"


_FAMILIES: Final = {
    VT.Twin.value: InstanceKind.TWIN,
    VT.Action.value: InstanceKind.ACTION,
    VT.Schedule.value: InstanceKind.ACTION,
    VT.Handler.value: InstanceKind.ACTION,
    VT.Rule.value: InstanceKind.RULE,
}


def instance_kind(class_iris: Iterable[str]) -> InstanceKind:
    """The family of an instance of all these classes (its own and their ancestors)."""
    return next((_FAMILIES[iri] for iri in class_iris if iri in _FAMILIES), InstanceKind.OTHER)
