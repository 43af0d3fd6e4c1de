"""The elements of one model by id, and its classifiers by the names that the model uses for them.

::

    scope = Scope(model, report)
    scope.resolve(TypeRef(name="product::Gear"), context="id of a classifier")   # the id it means, or ""
"""

from __future__ import annotations

from collections import defaultdict

from ..report import IGNORED, ReportBuilder
from ..uml import elements as uml

_Owned = uml.UmlAssociation | uml.InstanceSpecification | uml.UmlPackage | uml.Classifier


class Scope:
    """The index of one model. ``report`` records references that are ambiguous or cannot be resolved."""

    def __init__(self, model: uml.UmlModel, report: ReportBuilder) -> None:
        self.model = model
        self.report = report
        self.packages = {package.id: package for package in model.packages}
        self.classifiers = {c.id: c for c in model.classifiers}
        self.associations = {a.id: a for a in model.associations}
        self.objects = {o.id: o for o in model.objects}
        # Where two have one id, the classifier counts, then the package.
        self._elements: dict[str, _Owned] = {**self.associations, **self.objects, **self.packages, **self.classifiers}
        self.kinds = {seen.id: seen.type for seen in model.seen}
        self._around = {seen.id: seen.owner for seen in model.seen}
        self.holders = {model.id, *self.packages, *self.classifiers, *self.associations, *self.objects}
        self.holders |= {link.id for link in model.links}
        self.holders |= {part.id for c in model.classifiers for part in (*c.attributes, *c.literals)}
        self.by_name: dict[str, list[str]] = defaultdict(list)
        for classifier in sorted(model.classifiers, key=lambda c: c.id):
            self.by_name[classifier.name].append(classifier.id)
        self._path: dict[str, str] = {}

    # ---- elements
    def holder(self, identifier: str) -> str:
        """The nearest element from ``identifier`` outwards that can have notes in a description."""
        here, steps = identifier, 0
        while here and here not in self.holders and steps < len(self.kinds):
            here, steps = self._around.get(here, ""), steps + 1
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
        element = self._elements.get(identifier)
        return element.owner if element is not None else ""

    def name_of(self, identifier: str) -> str:
        """The name of a package, classifier, association or object."""
        element = self._elements.get(identifier)
        return element.name if element is not None else ""

    def type_name(self, reference: uml.TypeRef) -> str:
        """The name of the classifier that ``reference`` means, as operations and qualifiers show it."""
        return self.name_of(reference.id) if reference.id else reference.name

    def where(self, identifier: str, *names: str) -> str:
        """Names from the outermost package to the element, then ``names``: for messages."""
        path = self._path.get(identifier)
        if path is None:
            found = [self.name_of(i) for i in (*self.owner_path(identifier), identifier) if i]
            path = self._path[identifier] = "::".join(filter(None, found))
        return "::".join([path, *names] if path else names)

    def report_no_class(self, identifier: str, kind: str, where: str, *ends: str) -> None:
        """Record that a relation has an end that is no class; warn only where that end is not in the model."""
        others = [self.kinds[end] for end in ends if end in self.kinds and end not in self.classifiers]
        if others and all(end in self.kinds for end in ends):
            self.report.record(identifier, IGNORED, f"this {kind} ends at a {others[0]}, which is no class")
            return
        self.report.record(identifier, IGNORED, f"an end of this {kind} is not in the model")
        self.report.warn("unresolved-end", identifier, where, f"an end of this {kind} is not in the model")

    # ---- names
    def resolve(self, reference: uml.TypeRef, context: str = "") -> str:
        """The id of the classifier that ``reference`` means, seen from the element ``context``; "" if none."""
        if reference.id:
            return reference.id if reference.id in self.classifiers else ""
        return self.find(reference.name, context)

    def find(self, name: str, context: str = "") -> str:
        """The classifier of that plain or qualified name: the nearest, then the one with the smallest id."""
        text = name.strip()
        candidates = self.by_name.get(text, [])
        if not candidates:
            parts = [part for part in text.replace("::", ".").replace("/", ".").split(".") if part]
            if len(parts) > 1:
                candidates = [c for c in self.by_name.get(parts[-1], []) if self._path_ends(c, parts[:-1])]
        if len(candidates) < 2:
            return candidates[0] if candidates else ""
        around = self.owner_path(context)

        def nearness(candidate: str) -> int:
            path = self.owner_path(candidate)
            shared = sum(1 for a, b in zip(around, path, strict=False) if a == b)
            return 2 * shared - len(path)

        best = max(nearness(c) for c in candidates)
        chosen = [c for c in candidates if nearness(c) == best]
        if len(chosen) > 1:
            self.report.warn(
                "ambiguous-type",
                context,
                self.where(context),
                f"{len(chosen)} classes are named {text!r}; the one with the id {chosen[0]} is used",
            )
        return chosen[0]

    def _path_ends(self, identifier: str, names: list[str]) -> bool:
        path = [self.name_of(i) for i in self.owner_path(identifier)]
        return path[-len(names) :] == names
