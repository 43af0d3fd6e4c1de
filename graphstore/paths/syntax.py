"""The syntax tree of a path; ``str()`` returns the text: ``parse(str(path)) == path``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ...ontology.literals import format_time
from ...ontology.steps import quote_step, quote_text

REASONER: Final = "reasoner"
"""The reserved first step that asks the semantic reasoner."""


@dataclass(frozen=True)
class Position:
    """``[2]``: the second in the order of keys, counted from 1."""

    number: int

    def __str__(self) -> str:
        return f"[{self.number}]"


@dataclass(frozen=True)
class Comparison:
    """``[serial='V-04']``: elements that satisfy a condition; the operand is a path of names."""

    operand: tuple[str, ...]
    operator: str
    value: str | float | bool | datetime

    def __str__(self) -> str:
        match self.value:
            case bool():
                text = str(self.value).lower()
            case datetime():
                text = format_time(self.value)
            case float():
                text = f"{self.value:.0f}" if self.value.is_integer() and abs(self.value) < 1e15 else repr(self.value)
            case _:
                text = quote_text(self.value)
        return f"[{'/'.join(map(quote_step, self.operand))}{self.operator}{text}]"


Predicate = Position | Comparison


@dataclass(frozen=True)
class Name:
    """A step by name: a property, or the key of one of many."""

    name: str
    predicates: tuple[Predicate, ...] = ()

    def __str__(self) -> str:
        return quote_step(self.name) + "".join(map(str, self.predicates))


@dataclass(frozen=True)
class Wildcard:
    """``*``: any one step."""

    predicates: tuple[Predicate, ...] = ()

    def __str__(self) -> str:
        return "*" + "".join(map(str, self.predicates))


@dataclass(frozen=True)
class Descendants:
    """``**``: this element and all its parts, at any depth."""

    predicates: tuple[Predicate, ...] = ()

    def __str__(self) -> str:
        return "**" + "".join(map(str, self.predicates))


@dataclass(frozen=True)
class Parent:
    """``..``: the whole of a part."""

    def __str__(self) -> str:
        return ".."


@dataclass(frozen=True)
class CurrentStep:
    """``.``: this element itself."""

    def __str__(self) -> str:
        return "."


Step = Name | Wildcard | Descendants | Parent | CurrentStep


@dataclass(frozen=True)
class Window:
    """``@[from,to)``: the part of a series from one moment to just before another; None is open."""

    start: datetime | None
    end: datetime | None

    def __str__(self) -> str:
        start = format_time(self.start) if self.start else ""
        end = format_time(self.end) if self.end else ""
        return f"@[{start},{end})"


@dataclass(frozen=True)
class Path:
    """A path: absolute ones start with the twin, relative ones are inside one twin."""

    absolute: bool
    steps: tuple[Step, ...]
    window: Window | None = None

    def __str__(self) -> str:
        return ("/" if self.absolute else "") + "/".join(map(str, self.steps)) + str(self.window or "")

    @property
    def inner(self) -> tuple[Step, ...]:
        """The steps inside the twin."""
        return self.steps[1:] if self.absolute else self.steps

    @property
    def asks_reasoner(self) -> bool:
        """Whether the first step inside the twin is ``reasoner``."""
        return bool(self.inner) and self.inner[0] == Name(REASONER)

    def at(self, twin: str) -> Path:
        """A relative path as the absolute one of ``twin``."""
        return self if self.absolute else replace(self, absolute=True, steps=(Name(twin), *self.steps))

    def without_reasoner(self) -> Path:
        """The path without the step ``reasoner``."""
        head = self.steps[:1] if self.absolute else ()
        return replace(self, steps=(*head, *self.inner[1:])) if self.asks_reasoner else self
