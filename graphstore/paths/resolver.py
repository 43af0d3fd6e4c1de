"""The protocol behind a path's ``reasoner`` step; the reasoner, a higher layer, implements it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pyoxigraph import NamedNode

from ..schema import Property
from .answers import Answer


class Resolver(Protocol):
    """Answers by rules."""

    def resolve(self, node: NamedNode, prop: Property, moment: datetime | None) -> Sequence[Answer]:
        """The best answer for ``prop`` of ``node``, with rules evaluated until ``moment`` (None: now).

        Empty without a rule.
        """
        ...
