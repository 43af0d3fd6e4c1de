"""The account of a conversion: what became of every element of the file, and what was doubtful.

    conversion = convert("module.mdj")
    assert sum(conversion.report.counts().values()) == len(conversion.report.entries)
    print(conversion.report.text())

Three outcomes: *converted* (it is in the ontology, the shapes or the instances), *annotated* (it is kept in
the description, and as an annotation where OWL has room for one, but nothing is inferred from it or
checked by it) and *ignored* (it is in neither), each with its reason. A warning is about something that
can be read in more than one way, or in none; ``--strict`` turns warnings into exit code 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from .uml import elements as uml

CONVERTED: Final = "converted"
ANNOTATED: Final = "annotated"
IGNORED: Final = "ignored"


class ReportLine(NamedTuple):
    """One element of the input and its outcome; ``reason`` is empty only for what was converted."""

    type: str
    id: str
    name: str
    outcome: str
    reason: str


class Warn(NamedTuple):
    """Something doubtful: a ``code`` for scripts, the element's id, where it is, what was made of it."""

    code: str
    id: str
    where: str
    message: str


@dataclass(frozen=True)
class Report:
    """The whole account."""

    source: str
    format: str
    entries: tuple[ReportLine, ...] = field(repr=False)
    warnings: tuple[Warn, ...] = field(repr=False)

    def counts(self) -> dict[str, int]:
        """How many elements had each outcome; the sum is the number of elements in the file."""
        found = Counter(entry.outcome for entry in self.entries)
        return {outcome: found[outcome] for outcome in (CONVERTED, ANNOTATED, IGNORED)}

    def by_type(self) -> dict[str, dict[str, int]]:
        """The counts of each outcome for each type of element, types in order of their names."""
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
        """The account in a line or two."""
        counts = ", ".join(f"{number} {outcome}" for outcome, number in self.counts().items())
        line = f"{self.source} ({self.format}): {len(self.entries)} elements, {counts}"
        number = len(self.warnings)
        return line + (f"\n{number} warning{'s' * (number > 1)}; --report lists them" if number else "")

    def text(self, *, entries: bool = False) -> str:
        """The account as people read it; with ``entries`` each element that was not converted."""
        lines = [
            self.summary().partition("\n")[0],
            "",
            f"{'type':36} {CONVERTED:>9} {ANNOTATED:>9} {IGNORED:>9}",
        ]
        for kind, row in self.by_type().items():
            lines.append(f"{kind:36} {row[CONVERTED]:9} {row[ANNOTATED]:9} {row[IGNORED]:9}")
        reasons = Counter((e.outcome, e.reason) for e in self.entries if e.reason)
        lines += ["", "why:"] if reasons else []
        for (outcome, reason), number in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
            lines.append(f"  {number:6} {outcome}: {reason}")
        if entries:
            lines += ["", "each element that was not converted, or not plainly:"]
            lines += [f"  {e.outcome} {e.type} {e.name!r} [{e.id}]: {e.reason}" for e in self.entries if e.reason]
        lines += ["", f"{len(self.warnings)} warnings"]
        lines += [f"  {w.code}: {w.where or '(model)'}: {w.message} [{w.id}]" for w in self.warnings]
        return "\n".join(lines)


class ReportBuilder:
    """Filled while a model is described; becomes the report."""

    def __init__(self) -> None:
        self.settled: dict[str, tuple[str, str]] = {}
        self.warnings: list[Warn] = []

    def record(self, identifier: str, outcome: str, reason: str = "") -> None:
        """Say what became of the element; the last word counts."""
        self.settled[identifier] = (outcome, reason)

    def warn(self, code: str, identifier: str, where: str, message: str) -> None:
        """Say that something was doubtful."""
        self.warnings.append(Warn(code, identifier, where, message))

    def report(self, model: uml.UmlModel) -> Report:
        """The account of ``model``: what nobody settled shares the fate of what it is part of."""
        entries = []
        fate: dict[str, tuple[str, str]] = {}
        nothing = (IGNORED, "nothing was made of it")
        for seen in model.seen:
            kind, identifier, name, owner, ignored = seen
            if ignored:
                fate[identifier] = (IGNORED, ignored)
                entries.append(ReportLine(kind, identifier, name, IGNORED, ignored))
                continue
            found = self.settled.get(identifier) or fate.get(owner) or self.settled.get(owner) or nothing
            fate[identifier] = found
            entries.append(ReportLine(kind, identifier, name, *found))
        remarks = tuple(Warn(*remark) for remark in model.remarks)
        return Report(model.name, model.format, tuple(entries), remarks + tuple(_once(self.warnings)))


def _once(warnings: Iterable[Warn]) -> Iterable[Warn]:
    return dict.fromkeys(warnings)
