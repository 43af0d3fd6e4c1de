"""Who is who in a model: elements by id, classes by name, what inherits from what.

::

scope = Scope(model, ledger)
scope.resolve(TypeRef(name="product::Cell"), near="id of a classifier")     # the id it means, or ""
scope.lineage("id of a class")                                             # itself and its ancestors
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Final

from ...errors import ModelFileError
from ..report import ANNOTATED, CONVERTED, IGNORED, ReportBuilder
from ..terms.datatypes import xsd_for
from ..uml import elements as uml

MOST_GENERATIONS: Final = 500
TRUE: Final = frozenset({"true", "yes", "1"})


class Scope:
    """The index of one model; generalisations that would close a circle are left out and reported."""

    def __init__(self, model: uml.UmlModel, ledger: ReportBuilder) -> None:
        self.model = model
        self.ledger = ledger
        self.packages = {package.id: package for package in model.packages}
        self.classifiers = {c.id: c for c in model.classifiers}
        self.associations = {a.id: a for a in model.associations}
        self.objects = {o.id: o for o in model.objects}
        self.kinds = {seen.id: seen.type for seen in model.seen}
        self.around = {seen.id: seen.owner for seen in model.seen}
        self.holders = {model.id, *self.packages, *self.classifiers, *self.associations, *self.objects}
        self.holders |= {link.id for link in model.links}
        self.holders |= {part.id for c in model.classifiers for part in (*c.attributes, *c.literals)}
        self.named: dict[str, list[str]] = defaultdict(list)
        for classifier in sorted(model.classifiers, key=lambda c: c.id):
            self.named[classifier.name].append(classifier.id)
        self.parents: dict[str, list[str]] = defaultdict(list)
        self._path: dict[str, str] = {}
        self.realizations = {
            d.id
            for d in model.dependencies
            if d.kind == "realization" and d.source.id in self.classifiers and self._is_interface(d.target)
        }
        edges = self._inherit()
        self.lineage = cache(self._lineage)
        self.simple = self._simple_types()
        for (child, parent), identifier in edges.items():
            if child in self.simple or parent in self.simple:
                self.ledger.record(identifier, ANNOTATED, "between simple types: says what their values are")

    def _is_interface(self, reference: uml.TypeRef) -> bool:
        """A plain realisation of an interface means the same as an interface realisation."""
        target = self.classifiers.get(self.resolve(reference))
        return target is not None and target.kind == "interface"

    def no_class(self, identifier: str, kind: str, where: str, *ends: str) -> None:
        """Account for a relation one end of which is no class: doubtful only where the end is not there at all."""
        others = [self.kinds[end] for end in ends if end in self.kinds and end not in self.classifiers]
        if others and all(end in self.kinds for end in ends):
            self.ledger.record(identifier, IGNORED, f"this {kind} ends at a {others[0]}, which is no class")
            return
        self.ledger.record(identifier, IGNORED, f"an end of this {kind} is not in the model")
        self.ledger.warn("unresolved-end", identifier, where, f"an end of this {kind} is not in the model")

    def holder(self, identifier: str) -> str:
        """The nearest element from ``identifier`` outwards that has room for notes in a description."""
        here, steps = identifier, 0
        while here and here not in self.holders and steps < len(self.kinds):
            here, steps = self.around.get(here, ""), steps + 1
        return here if here in self.holders else self.model.id

    def owner_path(self, identifier: str) -> tuple[str, ...]:
        """The ids of the packages and classifiers around an element, outermost first."""
        path: list[str] = []
        here = self._owner(identifier)
        while here and here not in path:
            path.append(here)
            here = self._owner(here)
        return tuple(reversed(path))

    def _owner(self, identifier: str) -> str:
        for table in (self.classifiers, self.packages, self.objects, self.associations):
            element = table.get(identifier)
            if element is not None:
                return str(element.owner)
        return ""

    def where(self, identifier: str, *names: str) -> str:
        """Names from the outermost package down to the element, then ``names``: for messages."""
        path = self._path.get(identifier)
        if path is None:
            found = [self.name_of(i) for i in (*self.owner_path(identifier), identifier) if i]
            path = self._path[identifier] = "::".join(filter(None, found))
        return "::".join([path, *names] if path else names)

    def name_of(self, identifier: str) -> str:
        """The name of a package, classifier, association or object."""
        for table in (self.classifiers, self.packages, self.objects, self.associations):
            element = table.get(identifier)
            if element is not None:
                return str(element.name)
        return ""

    # ---- inheritance
    def _simple_types(self) -> dict[str, str]:
        """Primitive and data types whose values are literals: id -> XSD type, "" where nothing says which.

        A data type that has attributes, or inherits from or is inherited by something that has, is a structure
        and becomes a class; one with a primitive's usual name and no attributes never does.
        """
        plain = {
            c.id: xsd_for(c.name) or ""
            for c in self.model.classifiers
            if c.kind in ("primitiveType", "dataType") and not c.attributes and not c.literals
        }
        beside: dict[str, list[str]] = defaultdict(list)
        for child, above in self.parents.items():
            for parent in above:
                beside[child].append(parent)
                beside[parent].append(child)
        waiting = [identifier for identifier in self.classifiers if identifier not in plain]
        while waiting:
            for near in beside.get(waiting.pop(), ()):
                if plain.get(near) == "":
                    del plain[near]
                    waiting.append(near)
        found: dict[str, str] = {}
        for identifier in self._parents_first():
            if identifier in plain:
                inherited = (found.get(parent, "") for parent in self.parents.get(identifier, ()))
                found[identifier] = plain[identifier] or next(filter(None, inherited), "")
        return found

    def _parents_first(self) -> list[str]:
        """All classifiers, each after its parents; ModelFileError where they inherit deeper than any model does."""
        depth: dict[str, int] = {}
        for start in self.classifiers:
            waiting = [start]
            while waiting:
                here = waiting[-1]
                above = self.parents.get(here, ())
                missing = [parent for parent in above if parent not in depth]
                if here not in depth and not missing:
                    depth[here] = 1 + max((depth[parent] for parent in above), default=0)
                    if depth[here] > MOST_GENERATIONS:
                        raise ModelFileError(
                            f"{self.where(here)}: more than {MOST_GENERATIONS} generations of ancestors; "
                            "no model has so many, the file is damaged or hostile"
                        )
                if missing:
                    waiting += missing
                else:
                    waiting.pop()
        return list(depth)

    def _inherit(self) -> dict[tuple[str, str], str]:
        """Fill ``parents``; (child, parent) -> the id of the edge that says so."""
        record, warn = self.ledger.record, self.ledger.warn
        edges: dict[str, dict[str, str]] = defaultdict(dict)
        realized = (
            uml.Generalization(id=d.id, child=d.source, parent=d.target, realization=True)
            for d in self.model.dependencies
            if d.id in self.realizations
        )
        for edge in sorted((*self.model.generalizations, *realized), key=lambda g: g.id):
            kind = "realisation" if edge.realization else "generalisation"
            child, parent = self.resolve(edge.child), self.resolve(edge.parent)
            where = f"{self.where(child) or '?'} -> {self.where(parent) or edge.parent.name or '?'}"
            if not child or not parent:
                self.no_class(edge.id, kind, where, edge.child.id, edge.parent.id)
            elif parent in edges[child]:
                record(edge.id, CONVERTED, "says again what another one says")
            else:
                edges[child][parent] = edge.id
                record(edge.id, CONVERTED)
        circular = _circular(edges)
        for child, above in edges.items():
            for parent, edge_id in above.items():
                if (child, parent) in circular:
                    record(edge_id, IGNORED, "it closes a circle: nothing can be a kind of itself")
                    warn(
                        "circular-generalization",
                        edge_id,
                        f"{self.where(child)} -> {self.where(parent)}",
                        "nothing can be a kind of itself; left out",
                    )
                else:
                    self.parents[child].append(parent)
        return {(child, parent): edges[child][parent] for child, above in self.parents.items() for parent in above}

    def _lineage(self, identifier: str) -> tuple[str, ...]:
        found = {identifier: None}
        waiting = [identifier]
        for here in waiting:
            for parent in self.parents.get(here, ()):
                if parent not in found:
                    found[parent] = None
                    waiting.append(parent)
        return tuple(found)

    # ---- names
    def resolve(self, reference: uml.TypeRef, near: str = "") -> str:
        """The id of the classifier that ``reference`` means, seen from the element ``near``; "" if none."""
        if reference.id:
            return reference.id if reference.id in self.classifiers else ""
        return self.find(reference.name, near)

    def find(self, name: str, near: str = "") -> str:
        """The classifier of that plain or qualified name: the nearest, then the one with the smallest id."""
        text = name.strip()
        candidates = self.named.get(text, [])
        if not candidates:
            parts = [part for part in text.replace("::", ".").replace("/", ".").split(".") if part]
            if len(parts) > 1:
                candidates = [c for c in self.named.get(parts[-1], []) if self._path_ends(c, parts[:-1])]
        if len(candidates) < 2:
            return candidates[0] if candidates else ""
        around = self.owner_path(near)

        def nearness(candidate: str) -> int:
            path = self.owner_path(candidate)
            shared = sum(1 for a, b in zip(around, path, strict=False) if a == b)
            return 2 * shared - len(path)

        best = max(nearness(c) for c in candidates)
        chosen = [c for c in candidates if nearness(c) == best]
        if len(chosen) > 1:
            self.ledger.warn(
                "ambiguous-type",
                near,
                self.where(near),
                f"{len(chosen)} classes are named {text!r}; the one with the id {chosen[0]} is meant",
            )
        return chosen[0]

    def _path_ends(self, identifier: str, names: list[str]) -> bool:
        path = [self.name_of(i) for i in self.owner_path(identifier)]
        return path[-len(names) :] == names


def _circular(edges: dict[str, dict[str, str]]) -> set[tuple[str, str]]:
    """The edges that close a circle, found in one walk, in the order of ids, whatever the depth."""
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


def note_tags(ledger: ReportBuilder, tags: tuple[uml.Tag, ...], meant: frozenset[str] | set[str] = frozenset()) -> None:
    """Account for tags: those in ``meant`` were converted, the rest is kept as annotations."""
    for tag in tags:
        if tag.id:
            used = tag.name in meant
            ledger.record(tag.id, CONVERTED if used else ANNOTATED, "" if used else "a tag: kept as an annotation")
