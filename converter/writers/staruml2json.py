"""The nested tree that TUMFTM/Staruml2json writes, for programs built on it.

::

    tree = staruml2json(read("simplecar.mdj"), "Mycar")

The format is that tool's published example (example_model/simplecar.txt), including its spelling. The tree is
made from UML objects and has what that tool leaves out: the attributes of all ancestors, parts in
any number, and objects that refer to themselves. It ends at a part that would contain its own class again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final

from ...errors import ModelFileError, NotFoundError
from ..describe.inheritance import Inheritance
from ..describe.scope import Scope
from ..report import ReportBuilder
from ..uml import elements as uml
from ..uml.multiplicity import parse

Tree = dict[str, Any]
_MOST_NODES: Final = 200_000


def staruml2json(model: uml.UmlModel, root: str) -> Tree:
    """The tree below the object (or class) called ``root``; NotFoundError where nothing has that name."""
    maker = _Maker(model)
    for object_ in model.objects:
        if object_.name == root:
            return {root: maker.object(object_, (object_.id,))}
    for classifier in model.classifiers:
        if classifier.name == root:
            return {root: maker.parts_of(classifier.id, ())}
    names = ", ".join(sorted({o.name for o in model.objects if o.name})[:10])
    raise NotFoundError(f"no object or class is called {root!r}; the model's objects are: {names or 'none'}")


def text(tree: Tree) -> str:
    """The tree as that tool writes it."""
    return json.dumps(tree, indent=2, ensure_ascii=False)


class _Maker:
    def __init__(self, model: uml.UmlModel) -> None:
        self.model = model
        self.scope = Scope(model, ReportBuilder())
        self.lineage = Inheritance(self.scope).lineage
        self.objects = {o.id: o for o in model.objects}
        self.parts: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for association in model.associations:
            for i, end in enumerate(association.ends[:2]):
                far = association.ends[1 - i] if len(association.ends) == 2 else end
                if end.aggregation != "none" and far is not end:
                    number = parse(far.multiplicity).upper or 1 if far.multiplicity else 1
                    self.parts[self.scope.resolve(end.type)].append((self.scope.resolve(far.type), number))
        self.left = _MOST_NODES
        self.features = {a.id: a for c in model.classifiers for a in c.attributes}

    # ---- classes
    def parts_of(self, class_id: str, above: tuple[str, ...]) -> Tree:
        """A class as a tree: its attributes, its ancestors', and its parts."""
        self.left -= 1
        if self.left < 0:
            raise ModelFileError(
                f"the tree has more than {_MOST_NODES} nodes; start from a smaller part, or use --json"
            )
        found: Tree = {}
        line = self.lineage(class_id)
        for here in line:
            inherited = here != class_id
            for attribute in self.scope.classifiers[here].attributes:
                entry: Tree = {"type": None, "value": attribute.default}
                if inherited:
                    entry = {"type": None, "is_derrived": True, "value": attribute.default}
                found.setdefault(attribute.name, entry)
        if len(line) > 1:
            found["inheriting_from"] = self.scope.classifiers[line[1]].name
        if class_id in above:
            return found
        for here in line:
            for part, number in self.parts.get(here, ()):
                if not part:
                    continue
                below = [self.parts_of(part, (*above, class_id)) for _ in range(number)]
                found[self.scope.classifiers[part].name] = below[0] if len(below) == 1 else below
        return found

    # ---- objects
    def object(self, object_: uml.InstanceSpecification, above: tuple[str, ...]) -> Tree:
        """An object as its class's tree, with its slots' values and the objects linked to it."""
        class_id = next((self.scope.resolve(r, object_.id) for r in object_.classifiers), "")
        found = self.parts_of(class_id, ()) if class_id else {}
        found.pop("inheriting_from", None)
        self._fill(found, object_)
        if class_id:
            name = self.scope.classifiers[class_id].name
            found["inheriting_from"] = name
            found["classifier"] = name
        for link in self.model.links:
            other = self._linked(link, object_.id)
            if other is None or other.id in above:
                continue
            if "structural" in link.stereotypes:
                found[other.name] = self.object(other, (*above, other.id))
            elif "defining" in link.stereotypes:
                self._define(found, other)
        return found

    def _linked(self, link: uml.InstanceLink, object_id: str) -> uml.InstanceSpecification | None:
        ends = [end.object for end in link.ends]
        if len(ends) != 2 or object_id not in ends:
            return None
        return self.objects.get(ends[1] if ends[0] == object_id else ends[0])

    def _define(self, tree: Tree, object_: uml.InstanceSpecification) -> None:
        """Set the values of each part of the class of a defining link's object, at any depth."""
        class_id = next((self.scope.resolve(r, object_.id) for r in object_.classifiers), "")
        name = self.scope.name_of(class_id)
        waiting: list[Any] = [tree]
        while waiting:
            here = waiting.pop()
            if isinstance(here, list):
                waiting.extend(here)
                continue
            for key, value in here.items():
                if key == name and isinstance(value, dict):
                    self._fill(value, object_)
                elif isinstance(value, (dict, list)):
                    waiting.append(value)

    def _fill(self, tree: Tree, object_: uml.InstanceSpecification) -> None:
        for slot in object_.slots:
            feature = self.features.get(slot.feature)
            name = feature.name if feature is not None else slot.name
            entry = tree.get(name)
            if isinstance(entry, dict) and "value" in entry:
                entry["value"] = slot.value
            else:
                tree[name] = {"type": None, "value": slot.value}
