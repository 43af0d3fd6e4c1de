"""The parts of XMI elements: properties, ends, operations, values, documentation, tags.

XMI marks aggregation on the end at the *part*, the reverse of StarUML; here it is swapped, so that an end's
``aggregation`` is always that of its own class as the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..uml import elements as uml
from ..uml.tags import KNOWN_TAGS
from .xmi_document import Document, annotation_tags
from .xml_tree import Node


class Features:
    """Reads the parts of elements in one document."""

    def __init__(self, document: Document) -> None:
        self.document = document

    # ---- fields of all elements
    def common(self, node: Node) -> dict[str, Any]:
        """The fields of `uml.UmlElement`; the element is noted as read."""
        self.document.mark_read(node)
        return {
            "id": self.document.key(node),
            "name": node.get("name"),
            "documentation": self.documentation(node),
            "stereotypes": self.stereotypes(node),
            "tags": self.tags(node),
            "visibility": node.get("visibility") or "public",
        }

    def documentation(self, node: Node) -> str:
        """Comments on the element, and documentation in extensions."""
        key = self.document.key(node)
        found = list(self.document.comments.get(key, ()))
        for extra in self.document.extras.get(key, ()):
            for child in extra.children:
                text = child.get("documentation") if child.local == "properties" else ""
                text = text or (child.get("value") if child.local == "documentation" else "")
                if text.strip() and text.strip() not in found:
                    found.append(text.strip())
        for child in self.document.extensions(node):
            text = (child.get("value") or child.text).strip() if child.local == "documentation" else ""
            if text and text not in found:
                found.append(text)
        return "\n\n".join(found)

    def stereotypes(self, node: Node) -> tuple[str, ...]:
        """The names of the applied stereotypes, of any profile."""
        key = self.document.key(node)
        found = [applied.local for applied in self.document.applied.get(key, ())]
        for extra in self.document.extras.get(key, ()):
            for child in extra.children:
                name = child.get("stereotype")
                if child.local in ("properties", "stereotype") and name:
                    found.append(name)
        for child in self.document.extensions(node):
            if child.local == "appliedStereotype":
                self.document.mark_read(child)
                reference = child.get("xmi:value") or child.get("value")
                target = self.document.node(reference)
                # without the stereotype's element, its name is the part between its base and "_id"
                short = reference.partition("_")[2].removesuffix("_id") or reference
                found.append(target.get("name") if target is not None else short)
        return tuple(dict.fromkeys(filter(None, found)))

    def tags(self, node: Node) -> tuple[uml.Tag, ...]:
        """Annotations, the tools' tagged values, and the values of stereotypes that the converter interprets."""
        own = tuple(annotation_tags(node)) + tuple(self._extension_tags(node))
        return own + self.tags_of(self.document.key(node))

    def _extension_tags(self, node: Node) -> Iterator[uml.Tag]:
        """Tags in the element's own extension: StarUML's ``<tag unit="V"/>``, Visual Paradigm's ``taggedValue``."""
        for child in self.document.extensions(node):
            if child.local == "tag":
                self.document.mark_read(child)
                key = self.document.key(child)
                yield from (uml.Tag(name, value, key) for name, value in child.attributes.items())
            for value in (n for n in child.walk() if n.local == "taggedValue" and n.get("name")):
                self.document.mark_read(value)
                text = value.get("value") or "\n".join(c.get("value") or c.text for c in value.all("value"))
                yield uml.Tag(value.get("name"), text, self.document.key(value))

    def tags_of(self, key: str) -> tuple[uml.Tag, ...]:
        """The tags elsewhere in the document for the element with this id."""
        found = []
        for applied in self.document.applied.get(key, ()):
            found += [uml.Tag(name, value) for name, value in applied.attributes.items() if name in KNOWN_TAGS]
            found += [uml.Tag(c.local, c.text) for c in applied.children if c.local in KNOWN_TAGS and c.text]
        for extra in self.document.extras.get(key, ()):
            for tag in (t for tags in extra.all("tags") for t in tags.all("tag")):
                self.document.mark_read(tag)
                name, value = tag.get("name"), tag.get("value").partition("#NOTES#")[0]
                if name:
                    found.append(uml.Tag(name, value, self.document.key(tag)))
        return tuple(found)

    def template_parameters(self, node: Node) -> tuple[str, ...]:
        """The names of a template's parameters."""
        found = []
        for signature in node.all("ownedTemplateSignature"):
            for below in signature.walk():
                self.document.mark_read(below)
                if below.local in ("ownedParameteredElement", "ownedParameter") and below.get("name"):
                    found.append(below.get("name"))
        return tuple(found)

    # ---- features
    def _structural(self, node: Node) -> dict[str, Any]:
        return {
            **self.common(node),
            "type": self.type_of(node),
            "multiplicity": self.multiplicity(node),
            "default": self.value_text(node, "defaultValue") or node.get("default") or None,
            "derived": node.get("isDerived") == "true",
            "read_only": node.get("isReadOnly") == "true",
            "ordered": node.get("isOrdered") == "true",
            "unique": False if node.get("isUnique") == "false" else None,
            "identifier": node.get("isID") == "true",
            "redefines": self.document.references(node, "redefinedProperty")
            + self.document.references(node, "subsettedProperty"),
        }

    def attribute(self, node: Node) -> uml.Attribute:
        """A property that is not an end of an association, or a port."""
        return uml.Attribute(
            **self._structural(node),
            static=node.get("isStatic") == "true",
            aggregation=node.get("aggregation") or "none",
        )

    def type_of(self, node: Node) -> uml.TypeRef:
        """The type of a property or parameter."""
        return self.document.reference(node, "type")

    def multiplicity(self, node: Node) -> str | None:
        """``lower..upper`` as in the file; UML's default of one where the tool leaves it out."""
        lower = self._bound(node, "lower", "0")
        upper = self._bound(node, "upper", "*")
        if lower is None and upper is None:
            return "1" if self.document.unspecified_is_one else None
        lower, upper = lower or "1", upper or "1"
        upper = "*" if upper == "-1" else upper
        if lower in ("-1", "*"):
            lower = "0"
        return lower if lower == upper else f"{lower}..{upper}"

    def _bound(self, node: Node, which: str, empty: str) -> str | None:
        values = node.all(f"{which}Value")
        if values:
            return self._literal(values[0]) or empty
        return node.get(which) or None

    def _literal(self, value: Node) -> str:
        kind = self.document.kind(value)
        if kind == "LiteralBoolean":
            return value.get("value") or "false"
        text = value.get("value") or "".join(c.text for c in value.all("value"))
        if text:
            return text
        text = value.get("body") or "".join(c.text for c in value.all("body"))
        if text:
            return text
        instance = value.get("instance") or next(iter(self.document.references(value, "instance")), "")
        if instance:
            target = self.document.node(instance)
            return target.get("name") if target is not None else instance
        return value.get("symbol") or value.text.strip() or value.get("name")

    def value_text(self, node: Node, role: str) -> str | None:
        """The text of a value specification; None where there is no value."""
        values = node.all(role)
        if not values:
            return node.get(role) or None
        found = self._literal(values[0])
        return found or ("0" if self.document.kind(values[0]) == "LiteralInteger" else None)

    def operation(self, node: Node) -> uml.Operation:
        """An operation with its parameters."""
        parameters = []
        for child in [*node.all("ownedParameter"), *node.all("returnResult")]:
            structural = self._structural(child)
            parameters.append(
                uml.OperationParameter(
                    **{k: structural[k] for k in ("id", "name", "documentation", "stereotypes", "tags", "visibility")},
                    type=structural["type"],
                    default=structural["default"],
                    multiplicity=None if structural["multiplicity"] == "1" else structural["multiplicity"],
                    direction=child.get("direction") or ("return" if child.local == "returnResult" else "in"),
                )
            )
        return uml.Operation(
            **self.common(node),
            parameters=tuple(parameters),
            static=node.get("isStatic") == "true",
            abstract=node.get("isAbstract") == "true",
            query=node.get("isQuery") == "true",
        )

    # ---- associations
    def association_of(self, node: Node) -> str:
        """The id of the association that a property is an end of; empty for an attribute."""
        found = node.get("association") or next(iter(self.document.references(node, "association")), "")
        return found if self.document.kind_of(found) in ("Association", "AssociationClass", "CommunicationPath") else ""

    def member_ends(self, node: Node) -> list[Node]:
        """The properties at the ends, in the order the association names them."""
        named = [self.document.node(key) for key in self.document.references(node, "memberEnd")]
        found = [end for end in named if end is not None]
        for owned in node.all("ownedEnd"):
            if owned not in found:
                found.append(owned)
        return found

    def ends(self, node: Node) -> tuple[uml.AssociationEnd, ...]:
        """The ends, with navigability and aggregation as in `uml.AssociationEnd`."""
        members = self.member_ends(node)
        open_ends = set(self.document.references(node, "navigableOwnedEnd"))
        owned = [member.parent is node for member in members]
        unspecified = all(owned) and not open_ends and not any(m.get("isNavigable") for m in members)
        ends = []
        for i, member in enumerate(members):
            navigable: bool | None = None
            if member.get("isNavigable"):
                navigable = member.get("isNavigable") == "true"
            elif not unspecified:
                navigable = not owned[i] or self.document.key(member) in open_ends
            whole = members[1 - i].get("aggregation") if len(members) == 2 else ""
            qualifiers = tuple(self.attribute(child) for child in member.all("qualifier"))
            ends.append(
                uml.AssociationEnd(
                    **self._structural(member),
                    navigable=navigable,
                    aggregation=whole or "none",
                    qualifiers=qualifiers,
                )
            )
        return tuple(ends)

    # ---- instances
    def slots(self, node: Node) -> list[uml.UmlSlot]:
        """One slot for each value of an XMI slot."""
        common = self.common(node)
        feature = next(iter(self.document.references(node, "definingFeature")), "")
        found = []
        for value in node.all("value"):
            instance = value.get("instance") or next(iter(self.document.references(value, "instance")), "")
            found.append(uml.UmlSlot(**common, feature=feature, value=self._literal(value), instance=instance))
        return found or [uml.UmlSlot(**common, feature=feature)]

    def drawn_link_ends(self, node: Node) -> tuple[uml.LinkEnd, ...]:
        """The ends of a link as Visual Paradigm writes it: two objects in its extension, without slots."""
        for extension in node.all("Extension"):
            if any(child.get("value") == "Link" for child in extension.all("modelType")):
                ends = [*extension.all("from"), *extension.all("to")]
                return tuple(uml.LinkEnd(id=self.document.key(end), object=end.get("idref")) for end in ends)
        return ()

    def link_ends(self, node: Node) -> tuple[uml.LinkEnd, ...]:
        """The ends of a link: the slots of an instance of an association."""
        ends = []
        for slot in node.all("slot"):
            common = self.common(slot)
            feature = self.document.node(next(iter(self.document.references(slot, "definingFeature")), ""))
            common["name"] = feature.get("name") if feature is not None else ""
            ends += [uml.LinkEnd(**common, object=value.get("instance")) for value in slot.all("value")[:1]]
        return tuple(ends)
