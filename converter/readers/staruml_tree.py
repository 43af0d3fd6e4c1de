"""The tree of a StarUML file: every typed object once, by id, with the object around it.

    tree = Tree.of(json.load(file))
    tree.key(node)                       # the id, made unique where the file repeats one

The walk is a loop and not a recursion, and keeps only the objects that are model elements: the
views and diagrams, nine tenths of most files, are listed for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from ..uml import elements as uml

Json = dict[str, Any]
MAX_ELEMENTS: Final = 500_000
"""The most elements, without views: five times the largest model the converter is measured with."""
Layout = tuple[str, Any, Any]
"""The type, id and name of a view or diagram."""

_LAYOUT: Final = ("View", "Compartment", "Diagram")
_PARTS: Final = frozenset(
    {"Tag", "UMLAttribute", "UMLPort", "UMLOperation", "UMLReception", "UMLParameter", "UMLTemplateParameter",
     "UMLSlot", "UMLEnumerationLiteral", "UMLAssociationEnd", "UMLLinkEnd", "UMLConnectorEnd"}
)  # fmt: skip
_LAYOUT_REASON: Final = "diagram layout: no part of the model"
_BEHAVIOUR: Final = (
    "UMLState", "UMLTransition", "UMLPseudostate", "UMLFinalState", "UMLRegion", "UMLConnectionPoint",
    "UMLActivity", "UMLAction", "UMLObjectNode", "UMLInputPin", "UMLOutputPin", "UMLControlFlow", "UMLObjectFlow",
    "UMLControlNode", "UMLInitialNode", "UMLFlowFinal", "UMLForkNode", "UMLJoinNode", "UMLMergeNode",
    "UMLDecisionNode", "UMLCentralBuffer", "UMLDataStore", "UMLExpansion", "UMLStructuredActivity",
    "UMLExceptionHandler", "UMLSwimlane", "UMLInterruptible", "UMLInteraction", "UMLMessage", "UMLLifeline",
    "UMLCombinedFragment", "UMLGate", "UMLEndpoint", "UMLContinuation", "UMLTimeConstraint", "UMLTimeSegment",
    "UMLDurationConstraint", "UMLCollaboration", "UMLRoleBinding", "UMLUseCase", "UMLUsecase", "UMLInclude",
    "UMLExtend", "UMLEvent", "UMLOpaqueBehavior", "UMLStateInvariant", "UMLOccurrence", "UMLInformation",
    "UMLInstanceRole", "UMLConnector",
)  # fmt: skip


def text(value: object) -> str:
    """A value of the file as text: numbers and booleans as StarUML shows them, empty for all others."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return ""


def flag(node: Json, key: str) -> bool:
    """A boolean of the file; some hand-made files have it as text."""
    value = node.get(key, False)
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


def reason(kind: str) -> str:
    """The reason why an element of type ``kind`` was not read."""
    if kind.startswith(_BEHAVIOUR):
        return "behaviour or collaboration: no part of a twin's structure"
    if kind.startswith("UML"):
        return f"{kind} has no counterpart in the description"
    return f"{kind} is not UML structure"


class TooManyElementsError(Exception):
    """A file has too many elements; raised while it is parsed, before it fills memory."""


class Sieve:
    """Removes views and diagrams from JSON while it is parsed, so that they never fill memory.

    ::

        sieve = Sieve()
        root = json.loads(text, object_hook=sieve.hook)      # a view is null in it, and in sieve.layout

    ``others`` counts the other typed objects: if a tree has fewer, one of them is inside a view and
    the file has to be parsed without a sieve.
    """

    def __init__(self) -> None:
        self.layout: list[Layout] = []
        self.others = 0
        self.hook = self._hook()

    def _hook(self) -> Callable[[Json], Json | None]:
        add = self.layout.append

        def hook(node: Json) -> Json | None:
            kind = node.get("_type")
            if kind.__class__ is str:
                if kind.endswith(_LAYOUT):
                    add((kind, node.get("_id"), node.get("name")))
                    return None
                self.others += 1
                if self.others > MAX_ELEMENTS:
                    raise TooManyElementsError(
                        f"more than {MAX_ELEMENTS} model elements; split the model into fragments"
                    )
            return node

        return hook


class Tree:
    """All typed objects of a file, in the file's order."""

    def __init__(self) -> None:
        self.root: Json = {}
        self.nodes: list[Json] = []
        self.listed: list[Json | uml.Seen] = []
        self._read: set[int] = set()
        self.remarks: list[uml.Remark] = []
        self._parents: dict[int, Json | None] = {}
        self._keys: dict[int, str] = {}
        self._by_key: dict[str, Json] = {}
        self._layout: set[str] = set()
        self._copies: dict[str, int] = {}

    @classmethod
    def of(cls, root: Json, layout: Iterable[Layout] = ()) -> Tree:
        """Walk ``root`` once; ``layout`` has the views that a `Sieve` removed from it."""
        tree = cls()
        tree.root = root
        stack: list[tuple[Any, Json | None]] = [(root, None)]
        while stack:
            value, above = stack.pop()
            inside = value
            if type(value) is dict:
                kind = value.get("_type")
                if type(kind) is str:
                    if kind.endswith(_LAYOUT):
                        tree._add_layout(kind, value.get("_id"), value.get("name"))
                    else:
                        tree._add(value, above)
                    above = value
                elif value and above is not None:
                    tree._remark("untyped-object", above, f"an object without a type ({_brief(value)}) is left out")
                inside = value.values()
            below = [x for x in inside if (type(x) is dict and "$ref" not in x) or (type(x) is list and x)]
            if below:
                below.reverse()
                stack.extend([(child, above) for child in below])
        for removed in layout:
            tree._add_layout(*removed)
        return tree

    def _add_layout(self, kind: str, identifier: object, name: object) -> None:
        given = text(identifier)
        self._layout.add(given)
        self.listed.append(uml.Seen(kind, given, text(name), "", _LAYOUT_REASON))

    def _add(self, node: Json, above: Json | None) -> None:
        self.listed.append(node)
        kind = node["_type"]
        self.nodes.append(node)
        self._parents[id(node)] = above
        given = text(node.get("_id"))
        key = given or f"(no id {len(self.nodes)})"
        if key in self._by_key:
            key = self._free_key(key)
            self._keys[id(node)] = key
            self._by_key[key] = node
            first = self._by_key[given]
            self._remark(
                "duplicate-id",
                node,
                f"the id {given} is used twice, first at {text(first.get('name')) or first['_type']}; "
                "references to it are to the first",
            )
            return
        self._keys[id(node)] = key
        self._by_key[key] = node
        if not given:
            self._remark("no-id", node, f"a {kind} without an id: its IRI is only as stable as its name")

    def _free_key(self, key: str) -> str:
        number = self._copies.get(key, 1) + 1
        while f"{key}~{number}" in self._by_key:
            number += 1
        self._copies[key] = number
        return f"{key}~{number}"

    def _remark(self, code: str, node: Json, message: str) -> None:
        self.remarks.append(uml.Remark(code, self._keys.get(id(node), ""), self.where(node), message))

    def where(self, node: Json) -> str:
        """The names from the root down to ``node``."""
        names: list[str] = []
        here: Json | None = node
        while here is not None:
            names.append(text(here.get("name")) or here["_type"])
            here = self._parents.get(id(here))
        return "::".join(reversed(names))

    def key(self, node: Json) -> str:
        """The unique id of ``node``; the id in the file for a diagram, which the root of a fragment can be."""
        return self._keys[id(node)] if id(node) in self._keys else text(node.get("_id"))

    def parent(self, node: Json) -> Json | None:
        """The typed object around ``node``."""
        return self._parents.get(id(node))

    def named(self, key: str) -> object:
        """The name of the element with id ``key``."""
        node = self._by_key.get(key)
        return None if node is None else node.get("name")

    def mark_read(self, node: Json) -> None:
        """Note that ``node`` was read."""
        self._read.add(id(node))

    def is_read(self, node: Json) -> bool:
        """Whether ``node`` was read before."""
        return id(node) in self._read

    def children(self, node: Json, key: str, kinds: set[str]) -> list[Json]:
        """The typed objects of one of ``kinds`` in the list ``node[key]``."""
        value = node.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self._remark("wrong-shape", node, f"{key} should be a list and is {_brief(value)}")
            return []
        return [child for child in value if isinstance(child, dict) and child.get("_type") in kinds]

    def part(self, node: Json, key: str) -> list[Json]:
        """The typed object ``node[key]``, as a list of one; empty where it is missing."""
        value = node.get(key)
        return [value] if isinstance(value, dict) and isinstance(value.get("_type"), str) else []

    def reference(self, value: object, what: str, node: Json) -> str:
        """The id in ``{"$ref": id}``; empty, with a remark, where no element has it."""
        if value in (None, ""):
            return ""
        target = value.get("$ref") if isinstance(value, dict) else value
        key = text(target)
        if key in self._by_key:
            return key
        if key in self._layout:
            return ""
        self._remark("missing-reference", node, f"{what} refers to {key or _brief(value)}, which is not in the file")
        return ""

    def seen(self) -> tuple[uml.Seen, ...]:
        """Every typed object, with the reason if it was not read."""
        found = []
        keys = self._keys
        for node in self.listed:
            if isinstance(node, uml.Seen):
                found.append(node)
                continue
            kind, mark = node["_type"], id(node)
            owner = keys.get(id(self._parents[mark]), "")
            left_out = "" if mark in self._read else reason(kind)
            above = self._parents[mark]
            if left_out and kind in _PARTS and above is not None:
                left_out = f"a part of a {above['_type']}, which is left out"
            found.append(uml.Seen(kind, keys[mark], text(node.get("name")), owner, left_out))
        return tuple(found)


def _brief(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
