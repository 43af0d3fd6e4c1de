"""The report of a validation, with messages for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Violation:
    """One result: the twin, the path in it, the value, and the violated shape."""

    twin: str
    path: str
    value: str | None
    shape: str
    message: str
    severity: str = "Violation"

    def __str__(self) -> str:
        value = "" if self.value is None else f" = {self.value}"
        return f"{self.path}{value}: {self.message} (shape {self.shape})"

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class ValidationReport:
    """All violations of the validated twins."""

    twins: int
    violations: tuple[Violation, ...]

    @property
    def conforms(self) -> bool:
        """Whether there are no violations."""
        return not self.violations

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "conforms": self.conforms,
            "twins": self.twins,
            "violations": [violation.to_json() for violation in self.violations],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ValidationReport:
        """The report written by :meth:`to_json`."""
        return cls(document["twins"], tuple(Violation(**item) for item in document["violations"]))
