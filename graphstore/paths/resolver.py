"""What a path's ``reasoner`` step asks; the reasoner implements it, so that nothing here imports upward."""

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
        """The best answer for ``prop`` of ``node`` as far as rules speak until ``moment`` (None: now).

        Empty where no rule gives one.
        """
        ...
