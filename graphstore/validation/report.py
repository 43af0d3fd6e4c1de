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
    """All violations of the validated twins, or the reason why they could not be validated."""

    twins: int
    violations: tuple[Violation, ...]
    shapes: int
    """The number of shapes; with 0 nothing was checked."""
    not_validated: str = ""
    """The reason why nothing is known of some twins; empty if all were checked."""

    @property
    def conforms(self) -> bool:
        """Whether everything was checked and there are no violations."""
        return not self.violations and not self.not_validated

    @property
    def note(self) -> str:
        """A sentence on what was not checked; empty if everything was."""
        if self.not_validated:
            return f"not validated: {self.not_validated}"
        return "" if self.shapes else "no shapes: nothing was checked"

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "conforms": self.conforms,
            "twins": self.twins,
            "shapes": self.shapes,
            "notValidated": self.not_validated,
            "note": self.note,
            "violations": [violation.to_json() for violation in self.violations],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ValidationReport:
        """The report written by :meth:`to_json`."""
        violations = tuple(Violation(**item) for item in document["violations"])
        # A server of an older version counts no shapes and tells no reason.
        return cls(document["twins"], violations, document.get("shapes", 1), document.get("notValidated", ""))
