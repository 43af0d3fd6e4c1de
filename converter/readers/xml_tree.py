"""XML as a small tree, read safely: no entities, no external references, limited nesting.

::

    root = parse_xml('<uml:Model xmlns:uml="http://www.omg.org/spec/UML/20131001"/>', "m.uml")
    root.local, root.space, root.line

Its own reader on expat, because the dangers of XML can be refused there while the file is read: a document
type that declares entities or attributes is an error before anything expands (docs/adr/0011 has the reasons
against defusedxml). Line numbers are kept for messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from ...errors import ModelFileError

MAX_DEPTH: Final = 200
MAX_ELEMENTS: Final = 1_000_000
_CHUNK: Final = 1 << 20


class Node:
    """One XML element. Attributes of the XMI namespace are ``xmi:…``, of XML Schema instance ``xsi:…``."""

    __slots__ = ("attributes", "children", "line", "local", "parent", "space", "text")

    def __init__(self, space: str, local: str, attributes: dict[str, str], line: int, parent: Node | None) -> None:
        self.space = space
        self.local = local
        self.attributes = attributes
        self.line = line
        self.parent = parent
        self.children: list[Node] = []
        self.text = ""

    def get(self, name: str, default: str = "") -> str:
        """An attribute's value."""
        return self.attributes.get(name, default)

    def all(self, local: str) -> list[Node]:
        """The children of that name."""
        return [child for child in self.children if child.local == local]

    def walk(self) -> Iterator[Node]:
        """This element and everything below it, in the order of the file."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


def parse_xml(text: str, source: str) -> Node:
    """The root element; ModelFileError where the text is not XML or is hostile."""
    builder = _Builder(source)
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.EntityDeclHandler = builder.refuse_entity
    parser.AttlistDeclHandler = builder.refuse_attribute
    parser.UnparsedEntityDeclHandler = builder.refuse_entity
    parser.ExternalEntityRefHandler = builder.refuse_external
    builder.parser = parser
    try:
        for start in range(0, len(text), _CHUNK):
            parser.Parse(text[start : start + _CHUNK].encode("utf-8", "surrogatepass"), False)
        parser.Parse(b"", True)
    except expat.ExpatError as problem:
        raise ModelFileError(
            f"{source}: not well-formed XML at line {problem.lineno} ({expat.ErrorString(problem.code)}); "
            "the file may be cut off, export it again"
        ) from problem
    if builder.root is None:
        raise ModelFileError(f"{source}: XML without an element; export it again")
    return builder.root


class _Builder:
    def __init__(self, source: str) -> None:
        self.source = source
        self.root: Node | None = None
        self.here: Node | None = None
        self.texts: list[list[str]] = []
        self.count = 0
        self.parser: expat.XMLParserType

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.texts.append([])
        self.count += 1
        if len(self.texts) > MAX_DEPTH:
            raise ModelFileError(
                f"{self.source}: nested deeper than {MAX_DEPTH} elements at line {self.parser.CurrentLineNumber}; "
                "no UML model is: the file is damaged or hostile"
            )
        if self.count > MAX_ELEMENTS:
            raise ModelFileError(f"{self.source}: more than {MAX_ELEMENTS} XML elements; split the model")
        space, _, local = name.rpartition("}")
        node = Node(
            space,
            local,
            {_attribute(key): value for key, value in attributes.items()},
            self.parser.CurrentLineNumber,
            self.here,
        )
        if self.here is None:
            self.root = node
        else:
            self.here.children.append(node)
        self.here = node

    def end(self, name: str) -> None:
        text = "".join(self.texts.pop())
        if self.here is not None:
            self.here.text = text if text.strip() else ""
            self.here = self.here.parent

    def characters(self, data: str) -> None:
        # joined at the end: text arrives in small pieces, and each addition to a long text would copy it
        if self.texts:
            self.texts[-1].append(data)

    def refuse_entity(self, name: str, *_: object) -> None:
        raise ModelFileError(
            f"{self.source}: declares the entity {name!r} at line {self.parser.CurrentLineNumber}; "
            "entities are refused, no UML tool writes them"
        )

    def refuse_attribute(self, element: str, name: str, *_: object) -> None:
        # a default value of a megabyte for every element fills memory as entities do
        raise ModelFileError(
            f"{self.source}: declares the attribute {name!r} of {element!r} at line {self.parser.CurrentLineNumber}; "
            "declarations of attributes are refused, no UML tool writes them"
        )

    def refuse_external(self, *_: object) -> int:
        raise ModelFileError(f"{self.source}: refers to something outside the file; that is refused")


def _attribute(name: str) -> str:
    space, _, local = name.rpartition("}")
    if not space:
        return local
    if "XMLSchema-instance" in space:
        return f"xsi:{local}"
    if "XMI" in space.upper():
        return f"xmi:{local}"
    return local
