"""Inheritance in a model: parents, ancestors, and the data types that are simple values.

::

    inheritance = Inheritance(scope)
    inheritance.lineage("id of a class")    # the class and its ancestors, nearest first
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Final

from ...errors import ModelFileError
from ..description.uses import with_ancestors
from ..report import ANNOTATED, CONVERTED, IGNORED
from ..terms.datatypes import xsd_for
from ..uml import elements as uml
from .scope import Scope

MAX_GENERATIONS: Final = 500


class Inheritance:
    """Parents, lineages and simple types; generalisations that would close a circle are left out and reported."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.parents: dict[str, list[str]] = defaultdict(list)
        self.realizations = {
            d.id
            for d in scope.model.dependencies
            if d.kind == "realization" and d.source.id in scope.classifiers and self._is_interface(d.target)
        }
        edges = self._inherit()
        self.lineage = cache(self._lineage)
        self.simple = self._simple_types()
        for (child, parent), identifier in edges.items():
            if child in self.simple or parent in self.simple:
                scope.report.record(identifier, ANNOTATED, "between simple types: gives the type of their values")

    def _is_interface(self, reference: uml.TypeRef) -> bool:
        """Whether a plain realisation means the same as an interface realisation: its target is an interface."""
        target = self.scope.classifiers.get(self.scope.resolve(reference))
        return target is not None and target.kind == "interface"

    def _inherit(self) -> dict[tuple[str, str], str]:
        """Fill ``parents``; return (child, parent) -> the id of the generalisation."""
        scope, record, warn = self.scope, self.scope.report.record, self.scope.report.warn
        edges: dict[str, dict[str, str]] = defaultdict(dict)
        realized = (
            uml.Generalization(id=d.id, child=d.source, parent=d.target, realization=True)
            for d in scope.model.dependencies
            if d.id in self.realizations
        )
        for edge in sorted((*scope.model.generalizations, *realized), key=lambda g: g.id):
            kind = "realisation" if edge.realization else "generalisation"
            child, parent = scope.resolve(edge.child), scope.resolve(edge.parent)
            where = f"{scope.where(child) or '?'} -> {scope.where(parent) or edge.parent.name or '?'}"
            if not child or not parent:
                scope.report_no_class(edge.id, kind, where, edge.child.id, edge.parent.id)
            elif parent in edges[child]:
                record(edge.id, CONVERTED, "repeats another one")
            else:
                edges[child][parent] = edge.id
                record(edge.id, CONVERTED)
        circular = _circular(edges)
        for child, above in edges.items():
            for parent, edge_id in above.items():
                if (child, parent) in circular:
                    problem = "it closes a circle: nothing can be a kind of itself"
                    record(edge_id, IGNORED, problem)
                    where = f"{scope.where(child)} -> {scope.where(parent)}"
                    warn("circular-generalization", edge_id, where, f"{problem}; left out")
                else:
                    self.parents[child].append(parent)
        return {(child, parent): edges[child][parent] for child, above in self.parents.items() for parent in above}

    def _lineage(self, identifier: str) -> tuple[str, ...]:
        return with_ancestors((identifier,), lambda child: self.parents.get(child, ()))

    def _simple_types(self) -> dict[str, str]:
        """Primitive and data types whose values are literals: id -> XSD type, "" where none is given.

        A data type that has attributes, or inherits from or is inherited by a structure, is a structure
        and becomes a class; one with a primitive's usual name and no attributes never does.
        """
        simple = {
            c.id: xsd_for(c.name) or ""
            for c in self.scope.model.classifiers
            if c.kind in ("primitiveType", "dataType") and not c.attributes and not c.literals
        }
        related: dict[str, list[str]] = defaultdict(list)
        for child, above in self.parents.items():
            for parent in above:
                related[child].append(parent)
                related[parent].append(child)
        waiting = [identifier for identifier in self.scope.classifiers if identifier not in simple]
        while waiting:
            for other in related.get(waiting.pop(), ()):
                if simple.get(other) == "":
                    del simple[other]
                    waiting.append(other)
        found: dict[str, str] = {}
        for identifier in self._parents_first():
            if identifier in simple:
                inherited = (found.get(parent, "") for parent in self.parents.get(identifier, ()))
                found[identifier] = simple[identifier] or next(filter(None, inherited), "")
        return found

    def _parents_first(self) -> list[str]:
        """All classifiers, each after its parents; ModelFileError for more than MAX_GENERATIONS generations."""
        depth: dict[str, int] = {}
        for start in self.scope.classifiers:
            waiting = [start]
            while waiting:
                here = waiting[-1]
                above = self.parents.get(here, ())
                missing = [parent for parent in above if parent not in depth]
                if here not in depth and not missing:
                    depth[here] = 1 + max((depth[parent] for parent in above), default=0)
                    if depth[here] > MAX_GENERATIONS:
                        raise ModelFileError(
                            f"{self.scope.where(here)}: more than {MAX_GENERATIONS} generations of ancestors; "
                            "no model has so many, the file is damaged or hostile"
                        )
                if missing:
                    waiting += missing
                else:
                    waiting.pop()
        return list(depth)


def _circular(edges: dict[str, dict[str, str]]) -> set[tuple[str, str]]:
    """The edges that close a circle, found in one walk in the order of ids, without recursion."""
    found: set[tuple[str, str]] = set()
    state: dict[str, int] = {}
    for start in sorted(edges):
        stack = [(start, iter(sorted(edges[start])))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            here, rest = stack[-1]
            for parent in rest:
                if state.get(parent) == 1:
                    found.add((here, parent))
                elif parent not in state:
                    state[parent] = 1
                    stack.append((parent, iter(sorted(edges.get(parent, ())))))
                    break
            else:
                state[here] = 2
                stack.pop()
    return found
