"""``target <- source``: the notation of actions and rules for the source of a value.

>>> from voltwin.ontology.bindings import parse_binding
>>> parse_binding("gears/*/speed <- gears/*/speed")
Binding(target='gears/*/speed', source='gears/*/speed')
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True)
class Binding:
    """A target and the source of its value."""

    target: str
    source: str

    def __str__(self) -> str:
        return f"{self.target} <- {self.source}"


def parse_binding(text: str) -> Binding:
    """Read ``target <- source``. Raises InputError."""
    target, arrow, source = (part.strip() for part in text.partition("<-"))
    if not arrow or not target or not source:
        raise InputError(f"binding {text!r}: write it as target <- source")
    return Binding(target, source)
