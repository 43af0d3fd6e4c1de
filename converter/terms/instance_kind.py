"""Where an instance lives, by what it is: twins, actions, rules, and everything else.

::

family(lineage_iris)        # Family.TWIN for a module, Family.ACTION for a schedule
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from ...ontology.iris import VT

MOST_WHOLES: Final = 64
"""How deep parts may nest: their IRIs grow with every whole around them."""


class Family(Enum):
    """The kinds of instance that are named and stored each in its own way."""

    TWIN = "twin"
    ACTION = "action"
    RULE = "rule"
    OTHER = "other"


_FAMILIES: Final = {
    VT.Twin.value: Family.TWIN,
    VT.Action.value: Family.ACTION,
    VT.Schedule.value: Family.ACTION,
    VT.Handler.value: Family.ACTION,
    VT.Rule.value: Family.RULE,
}


def family(class_iris: Iterable[str]) -> Family:
    """The family of an instance of all these classes (its own and their ancestors)."""
    return next((_FAMILIES[iri] for iri in class_iris if iri in _FAMILIES), Family.OTHER)
