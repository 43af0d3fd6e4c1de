"""The report on a conversion: the outcome for every element of the file, and the warnings.

    conversion = convert("model.mdj")
    assert sum(conversion.report.counts().values()) == len(conversion.report.entries)
    print(conversion.report.text())

Three outcomes: *converted* (it is in the ontology, the shapes or the instances), *annotated* (it is kept in
the description, and as an annotation where OWL allows one, but nothing is inferred from it or
checked by it) and *ignored* (it is in neither), each with its reason. A warning is about something that
can be read in more than one way, or in none; ``--strict`` turns warnings into exit code 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from .uml import elements as uml

CONVERTED: Final = "converted"
ANNOTATED: Final = "annotated"
IGNORED: Final = "ignored"


class ReportLine(NamedTuple):
    """One element of the input and its outcome; ``reason`` is empty only for converted elements."""

    type: str
    id: str
    name: str
    outcome: str
    reason: str


class Warn(NamedTuple):
    """A warning: a ``code`` for scripts, the element's id, its place, and how it was read."""

    code: str
    id: str
    where: str
    message: str


@dataclass(frozen=True)
class Report:
    """The outcomes of all elements and all warnings."""

    source: str
    format: str
    entries: tuple[ReportLine, ...] = field(repr=False)
    warnings: tuple[Warn, ...] = field(repr=False)

    def counts(self) -> dict[str, int]:
        """The number of elements with each outcome; the sum is the number of elements in the file."""
        found = Counter(entry.outcome for entry in self.entries)
        return {outcome: found[outcome] for outcome in (CONVERTED, ANNOTATED, IGNORED)}

    def by_type(self) -> dict[str, dict[str, int]]:
        """The counts of each outcome by type of element, in the order of the types' names."""
        found: dict[str, Counter[str]] = {}
        for entry in self.entries:
            found.setdefault(entry.type, Counter())[entry.outcome] += 1
        return {
            kind: {outcome: found[kind][outcome] for outcome in (CONVERTED, ANNOTATED, IGNORED)}
            for kind in sorted(found)
        }

    def to_json(self) -> dict[str, Any]:
        """Everything, for scripts."""
        return {
            "source": self.source,
            "format": self.format,
            "elements": len(self.entries),
            "outcomes": self.counts(),
            "types": self.by_type(),
            "warnings": [warning._asdict() for warning in self.warnings],
            "entries": [entry._asdict() for entry in self.entries],
        }

    def summary(self) -> str:
        """The report in a line or two."""
        counts = ", ".join(f"{number} {outcome}" for outcome, number in self.counts().items())
        line = f"{self.source} ({self.format}): {len(self.entries)} elements, {counts}"
        number = len(self.warnings)
        return line + (f"\n{number} warning{'s' * (number > 1)}; --report lists them" if number else "")

    def text(self, *, entries: bool = False) -> str:
        """The report for people; with ``entries`` each element that has a reason for its outcome."""
        lines = [
            self.summary().partition("\n")[0],
            "",
            f"{'type':36} {CONVERTED:>9} {ANNOTATED:>9} {IGNORED:>9}",
        ]
        for kind, row in self.by_type().items():
            lines.append(f"{kind:36} {row[CONVERTED]:9} {row[ANNOTATED]:9} {row[IGNORED]:9}")
        reasons = Counter((e.outcome, e.reason) for e in self.entries if e.reason)
        lines += ["", "reasons:"] if reasons else []
        for (outcome, reason), number in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
            lines.append(f"  {number:6} {outcome}: {reason}")
        if entries:
            lines += ["", "elements with a reason:"]
            lines += [f"  {e.outcome} {e.type} {e.name!r} [{e.id}]: {e.reason}" for e in self.entries if e.reason]
        lines += ["", f"{len(self.warnings)} warnings"]
        lines += [f"  {w.code}: {w.where or '(model)'}: {w.message} [{w.id}]" for w in self.warnings]
        return "\n".join(lines)


class ReportBuilder:
    """Collects outcomes and warnings while a model is described."""

    def __init__(self) -> None:
        self._recorded: dict[str, tuple[str, str]] = {}
        self._warnings: list[Warn] = []

    def record(self, identifier: str, outcome: str, reason: str = "") -> None:
        """Record the outcome for an element; the last call counts."""
        self._recorded[identifier] = (outcome, reason)

    def record_tags(self, tags: tuple[uml.Tag, ...], used: Set[str] = frozenset()) -> None:
        """Record tags: those named in ``used`` as converted, the others as kept annotations."""
        for tag in tags:
            if tag.id:
                is_used = tag.name in used
                self.record(
                    tag.id, CONVERTED if is_used else ANNOTATED, "" if is_used else "a tag: kept as an annotation"
                )

    def warn(self, code: str, identifier: str, where: str, message: str) -> None:
        """Add a warning."""
        self._warnings.append(Warn(code, identifier, where, message))

    def build(self, model: uml.UmlModel) -> Report:
        """The report on ``model``; an element without a record has the outcome of its owner."""
        entries = []
        outcomes: dict[str, tuple[str, str]] = {}
        recorded = self._recorded
        nothing = (IGNORED, "no part of the description")
        for kind, identifier, name, owner, ignored in model.seen:
            if ignored:
                found = (IGNORED, ignored)
            else:
                found = recorded.get(identifier) or outcomes.get(owner) or recorded.get(owner) or nothing
            outcomes[identifier] = found
            entries.append(ReportLine(kind, identifier, name, *found))
        remarks = (Warn(*remark) for remark in model.remarks)
        return Report(model.name, model.format, tuple(entries), (*remarks, *dict.fromkeys(self._warnings)))
