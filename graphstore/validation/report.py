"""What validation found, in words a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Violation:
    """One result: which twin, where in it, which value, against which shape."""

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
    """All violations of the twins that were looked at."""

    twins: int
    violations: tuple[Violation, ...]

    @property
    def conforms(self) -> bool:
        """Whether nothing was found."""
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
        """The report that :meth:`to_json` wrote."""
        return cls(document["twins"], tuple(Violation(**item) for item in document["violations"]))
