"""An XMI document: its UML models, its elements by id, the stereotypes applied to them, and the elements seen.

::

    document = Document(parse_xml(text, "m.uml"), "m.uml")
    document.kind(node)                # "Class", from xmi:type or implied by the element's name
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final
from urllib.parse import unquote

from ...errors import ModelFileError
from ..uml import elements as uml
from .xml_tree import Node

_IMPLIED: Final = {
    "ownedAttribute": "Property",
    "ownedEnd": "Property",
    "ownedPort": "Port",
    "qualifier": "Property",
    "ownedOperation": "Operation",
    "ownedParameter": "Parameter",
    "ownedLiteral": "EnumerationLiteral",
    "ownedComment": "Comment",
    "ownedRule": "Constraint",
    "generalization": "Generalization",
    "interfaceRealization": "InterfaceRealization",
    "generalizationSet": "GeneralizationSet",
    "slot": "Slot",
}
UML_STRUCTURE: Final = frozenset({"Model", "Package", "Profile"})
_PREFIX: Final = re.compile(r"^EA[A-Za-z#]*_")
_BEHAVIOUR: Final = re.compile(
    r"Activity|Action|State|Transition|Region|Interaction|Message|Lifeline|Behavior|UseCase|Include|Extend|Collaboration"
    r"|Flow|Pin|Pseudostate|Event|Trigger|Fragment|Gate|Occurrence|Connector|Continuation|ObjectNode|ForkNode"
    r"|BufferNode|Swimlane|JoinNode|MergeNode|DecisionNode|InitialNode|FinalNode|Partition|Duration|Time"
)
_TOOL_ANNOTATIONS: Final = re.compile(r"papyrus|eclipse\.org|eclipse|ecore|xmi|rsa|ibm", re.IGNORECASE)


class Document:
    """The whole document, indexed once."""

    def __init__(self, root: Node, source: str) -> None:
        self.root = root
        self.source = source
        self.remarks: list[uml.Remark] = []
        self.exporter = ""
        self._order = list(root.walk())
        self._keys: dict[int, str] = {}
        self._by_key: dict[str, Node] = {}
        self._read: set[int] = set()
        self._ignored: dict[int, str] = {}
        self.applied: dict[str, list[Node]] = defaultdict(list)
        self.comments: dict[str, list[str]] = defaultdict(list)
        self.extras: dict[str, list[Node]] = defaultdict(list)
        self.models = self._models()
        self._index()
        self._applications()

    # ---- the document
    @property
    def format(self) -> str:
        """The format and the tool, for the report."""
        return f"XMI, {self.exporter}" if self.exporter else "XMI"

    @property
    def unspecified_is_one(self) -> bool:
        """Whether a missing multiplicity is UML's default of one; EA and VP leave out unset multiplicities."""
        return not re.search(r"Enterprise Architect|Visual Paradigm", self.exporter, re.IGNORECASE)

    def _models(self) -> list[Node]:
        root = self.root
        if root.get("xmi.version"):
            version = root.get("xmi.version")
            raise ModelFileError(f"{self.source}: XMI {version}; only XMI 2.x is read, export it as XMI 2.1 or later")
        candidates = [root, *root.children] if root.local == "XMI" else [root]
        found = [n for n in candidates if n.local in UML_STRUCTURE and "uml" in n.space.lower()]
        for node in root.children:
            if node.local == "Documentation":
                self.exporter = node.get("exporter") or "".join(c.text for c in node.all("exporter"))
            elif node.local == "Extension" and not self.exporter:
                self.exporter = node.get("extender")
        if "eclipse" in (found[0].space if found else "").lower():
            self.exporter = self.exporter or "Eclipse UML2"
        if not found:
            what = f"its root is <{root.local}>" + (f" of {root.space}" if root.space else "")
            raise ModelFileError(f"{self.source}: XML, but no UML model is in it ({what}); export it as UML 2 XMI")
        found.sort(key=lambda n: n.local != "Model")
        if self.exporter == "StarUML":
            self._decode()
        return found

    def _decode(self) -> None:
        """Decode attributes: StarUML's exporter percent-encodes each of them."""
        for node in self._order:
            node.attributes = {
                name: unquote(value) if "%" in value else value for name, value in node.attributes.items()
            }

    def _index(self) -> None:
        copies: dict[str, int] = {}
        extension: set[int] = set()
        for position, node in enumerate(self._order):
            if node.local == "Extension" or (node.parent is not None and id(node.parent) in extension):
                extension.add(id(node))
            # an id in an extension is mostly a reference
            given = "" if id(node) in extension else node.get("xmi:id") or node.get("xmi:uuid")
            key = given or f"(line {node.line}, element {position})"
            if key in self._by_key:
                copies[key] = copies.get(key, 1) + 1
                first, key = self._by_key[key], f"{key}~{copies[key]}"
                self._keys[id(node)] = key
                self.remark("duplicate-id", node, f"the id {given} is used twice, first in line {first.line}")
            self._keys[id(node)] = key
            self._by_key[key] = node

    def _applications(self) -> None:
        """Collect applied stereotypes, comments, and EA's extensions, by the id of their element."""
        for node in self._order:
            if node.parent is self.root and node not in self.models:
                for name, value in node.attributes.items():
                    if name.startswith("base_"):
                        self.applied[value].append(node)
            if node.local == "ownedComment" or self.kind(node) == "Comment":
                about = self.references(node, "annotatedElement") or (self.key(node.parent) if node.parent else "",)
                text = node.get("body") or "\n".join(c.text for c in node.all("body"))
                for target in about if text.strip() else ():
                    self.comments[target].append("\n".join(line.strip() for line in text.strip().splitlines()))
            if node.get("xmi:idref") and node.local in ("element", "attribute", "connector", "operation"):
                self.extras[node.get("xmi:idref")].append(node)

    # ---- elements
    def extensions(self, node: Node) -> list[Node]:
        """The extensions of Visual Paradigm and StarUML inside an element."""
        return [child for extension in node.all("Extension") for child in extension.children]

    def kind(self, node: Node) -> str:
        """The UML metaclass of an element: from its type, its own name at the top, or its role."""
        given = node.get("xmi:type") or node.get("xsi:type")
        if given:
            return given.rpartition(":")[2]
        if node in self.models:
            return node.local
        return _IMPLIED.get(node.local, "")

    def kind_of(self, key: str) -> str:
        """The UML metaclass of the element with this id."""
        node = self._by_key.get(key)
        return self.kind(node) if node is not None else ""

    def key(self, node: Node) -> str:
        """The unique id of an element."""
        return self._keys[id(node)]

    def node(self, key: str) -> Node | None:
        """The element with this id."""
        return self._by_key.get(key)

    def mark_read(self, node: Node) -> None:
        """Note that the element was read."""
        self._read.add(id(node))

    def is_read(self, node: Node) -> bool:
        """Whether the element was read before."""
        return id(node) in self._read

    def remark(self, code: str, node: Node, message: str) -> None:
        """Add a warning about an element."""
        names = []
        here: Node | None = node
        while here is not None:
            if here.get("name"):
                names.append(here.get("name"))
            here = here.parent
        where = "::".join([*reversed(names), f"line {node.line}"])
        self.remarks.append(uml.Remark(code, self._keys.get(id(node), ""), where, message))

    # ---- references
    def references(self, node: Node, role: str) -> tuple[str, ...]:
        """The ids that an attribute (``memberEnd="a b"``) or child elements of that name refer to."""
        found = node.get(role).split()
        for child in node.all(role):
            href = child.get("href")
            target = child.get("xmi:idref") or (href.rpartition("#")[2] if href else "")
            if target:
                found.append(target)
        return tuple(dict.fromkeys(found))

    def reference(self, node: Node, role: str) -> uml.TypeRef:
        """The first reference of that role; NOTHING where there is no reference."""
        found = self.references(node, role)
        return self.type_ref(found[0], node) if found else uml.NOTHING

    def type_ref(self, target: str, node: Node | None = None) -> uml.TypeRef:
        """A reference by id where the document has it, else by the name at the end of the id or fragment."""
        if target in self._by_key:
            return uml.TypeRef(id=target)
        name = _PREFIX.sub("", target)
        name = re.split(r"[-./:]", name)[-1] or name
        if node is not None and re.fullmatch(r"_[\w-]{20,}|(?:EAID|EAPK|GUID)\w{20,}", target):
            self.remark("missing-reference", node, f"refers to {target}, which is not in the file")
        return uml.TypeRef(name=name)

    # ---- the report
    def seen(self) -> tuple[uml.Seen, ...]:
        """Every XML element, with the reason if it was not read."""
        reasons: dict[int, str] = {}
        found = []
        for node in self._order:
            above = reasons.get(id(node.parent), "") if node.parent is not None else ""
            reason = "" if id(node) in self._read else above or self._reason(node)
            reasons[id(node)] = reason
            kind = self.kind(node)
            around = node.parent or self.models[0]
            if node.parent is self.root and node.local == "Documentation":
                around = self.models[0]
            owner = self.key(around)
            found.append(
                uml.Seen(f"uml:{kind}" if kind else node.local, self.key(node), node.get("name"), owner, reason)
            )
        return tuple(found)

    def _reason(self, node: Node) -> str:
        """The reason why an element was left out; empty where it only belongs to the notation of another one."""
        if node is self.root or (node.parent is self.root and node.local == "Documentation"):
            return ""
        if node.local == "Extension":
            tool = node.get("extender") or self.exporter or "a tool"
            return f"an extension of {tool}: only its documentation, tags and stereotypes are read"
        if node.local == "eAnnotations":
            return "an annotation of the modelling tool"
        if node.parent is self.root and node not in self.models:
            profile = node.space.rstrip("/").split("/")
            name = next((p for p in reversed(profile) if p and not p.isdigit() and not p.startswith("_")), "")
            return f"the profile {name or '?'} is not known: the stereotype's name is kept, its values are left out"
        kind = self.kind(node)
        if not kind or kind in ("Property", "Parameter", "Slot"):
            return ""
        if node.local in ("lowerValue", "upperValue", "defaultValue", "value", "specification", "type", "details"):
            return ""
        if _BEHAVIOUR.search(kind):
            return "behaviour or collaboration: no part of a twin's structure"
        return f"uml:{kind} has no counterpart in the description"


def annotation_tags(node: Node) -> list[uml.Tag]:
    """Tags from the modeller's Eclipse annotations, without those of the tools."""
    found = []
    for annotation in node.all("eAnnotations"):
        if _TOOL_ANNOTATIONS.search(annotation.get("source")):
            continue
        found += [uml.Tag(d.get("key"), d.get("value")) for d in annotation.all("details") if d.get("key")]
    return found
