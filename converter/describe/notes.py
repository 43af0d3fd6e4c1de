"""Constraints and dependencies as texts on the elements they are about."""

from __future__ import annotations

from collections import defaultdict

from ..report import ANNOTATED, IGNORED
from ..uml import elements as uml
from .inheritance import Inheritance
from .names import Names


class Notes:
    """Constraints and dependencies by the id of the element they are about."""

    def __init__(self, names: Names, inheritance: Inheritance) -> None:
        self._names = names
        self._scope = scope = names.scope
        self.constraints: dict[str, list[str]] = defaultdict(list)
        self.dependencies: dict[str, list[str]] = defaultdict(list)
        for constraint in scope.model.constraints:
            self._constraint(constraint)
        for dependency in scope.model.dependencies:
            scope.report.record_tags(dependency.tags)
            if dependency.id not in inheritance.realizations:
                self._dependency(dependency)

    def _constraint(self, constraint: uml.Constraint) -> None:
        scope = self._scope
        text = constraint.specification.strip() or constraint.documentation.strip()
        if constraint.name and text:
            text = f"{constraint.name}: {text}"
        text = text or constraint.name
        if not text:
            scope.report.record(constraint.id, IGNORED, "a constraint without a text")
            return
        about = [i for i in constraint.constrained if i in scope.kinds] or [constraint.owner]
        for target in dict.fromkeys(scope.holder(i) for i in about):
            self.constraints[target].append(text)
        scope.report.record(constraint.id, ANNOTATED, "a constraint: kept as a comment on its element")
        scope.report.record_tags(constraint.tags)

    def _dependency(self, dependency: uml.Dependency) -> None:
        scope, source = self._scope, dependency.source.id
        target = self._names.key_of(dependency.target.id) or dependency.target.name
        if source not in scope.holders or not target:
            where = scope.where(source, dependency.name)
            scope.report_no_class(dependency.id, dependency.kind, where, source, dependency.target.id)
            return
        kind = " ".join(filter(None, [dependency.kind, *(f"«{s}»" for s in dependency.stereotypes), dependency.name]))
        self.dependencies[source].append(f"{kind} -> {target}")
        scope.report.record(dependency.id, ANNOTATED, f"kept as an annotation on its source ({dependency.kind})")
