"""StarUML's .mdj and .mfj files as UML objects, all three dialects.

    model = read_staruml(Tree.of(json.load(file)), "model")

The dialects: StarUML 2 writes every default, 3 to 5 leave defaults out, newer ones write navigability as a
word. A file does not name its dialect; ``_navigable_default`` infers it. Presentation (views, diagrams) and
behaviour are counted and left out; everything else is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..uml import elements as uml
from .staruml_tree import Json, Tree, flag, text

PACKAGES: Final = {f"UML{name}": kind for name, kind in uml.PACKAGES.items()}
CLASSIFIERS: Final = {f"UML{name}": kind for name, kind in uml.CLASSIFIERS.items()} | {"UMLSubsystem": "subsystem"}
_OWNERS: Final = frozenset({*PACKAGES, *CLASSIFIERS})
OBJECTS: Final = frozenset({"UMLObject", "UMLComponentInstance", "UMLNodeInstance", "UMLArtifactInstance"})
DEPENDENCIES: Final = {
    "UMLDependency": "dependency",
    "UMLAbstraction": "abstraction",
    "UMLRealization": "realization",
    "UMLComponentRealization": "realization",
    "UMLDeployment": "deployment",
}
ASSOCIATIONS: Final = frozenset({"UMLAssociation", "UMLCommunicationPath"})


def read_staruml(tree: Tree, file_name: str) -> uml.UmlModel:
    """The UML of a StarUML project or fragment; ``file_name`` names a project that has no name."""
    root = tree.root
    reader = _StarUmlReader(tree, _navigable_default(tree))
    for node in tree.nodes:
        kind = node.get("_type")
        handler = reader.handlers.get(kind) if isinstance(kind, str) else None
        if handler is not None and not tree.is_read(node):
            handler(node)
    is_project = root["_type"] == "Project"
    top = reader.top_model(root) if is_project else None
    named = root if is_project or root["_type"] in PACKAGES else None
    tree.mark_read(root)
    return uml.UmlModel(
        id=tree.key(root),
        name=(text(named.get("name")) if named else "") or file_name,
        documentation="\n\n".join(filter(None, (text(n.get("documentation")) for n in (named, top) if n))),
        tags=tuple(tag for n in (named, top) if n for tag in reader.tags(n)),
        format="StarUML",
        **reader.found.fields(),
        seen=tree.seen(),
        remarks=tuple(tree.remarks),
    )


def _navigable_default(tree: Tree) -> bool | None:
    """The value of an absent ``navigable``: unspecified, unless the file has booleans elsewhere."""
    values = [
        node["navigable"]
        for node in tree.nodes
        if node.get("navigable") is not None and node["_type"] == "UMLAssociationEnd"
    ]
    if any(isinstance(value, str) for value in values) or not values:
        return None
    return True


class _StarUmlReader:
    """One pass over a tree; holds the elements read so far."""

    def __init__(self, tree: Tree, navigable_default: bool | None) -> None:
        self.tree = tree
        self.navigable_default = navigable_default
        self.found = uml.ModelParts()
        self.handlers: dict[str, Callable[[Json], None]] = {
            **dict.fromkeys(PACKAGES, self.package),
            **dict.fromkeys(CLASSIFIERS, self.classifier),
            **dict.fromkeys(OBJECTS, self.object),
            **dict.fromkeys(DEPENDENCIES, self.dependency),
            **dict.fromkeys(ASSOCIATIONS, self.association),
            "UMLGeneralization": self.generalization,
            "UMLInterfaceRealization": self.generalization,
            "UMLAssociationClassLink": self.class_link,
            "UMLConstraint": self.constraint,
            "UMLLink": self.link,
        }

    # ---- fields of all elements
    def common(self, node: Json) -> dict[str, Any]:
        tree = self.tree
        tree.mark_read(node)
        found: dict[str, Any] = {"id": tree.key(node), "name": text(node.get("name"))}
        if "documentation" in node:
            found["documentation"] = text(node["documentation"])
        if "stereotype" in node:
            stereotype = self.var(node["stereotype"], "a stereotype", node)
            name = stereotype.name or text(tree.named(stereotype.id))
            found["stereotypes"] = (name,) if name else ()
        if "tags" in node:
            found["tags"] = self.tags(node)
        if "visibility" in node:
            found["visibility"] = text(node["visibility"]) or "public"
        return found

    def tags(self, node: Json) -> tuple[uml.Tag, ...]:
        return tuple(self.tag(tag) for tag in self.tree.children(node, "tags", {"Tag"}))

    def tag(self, tag: Json) -> uml.Tag:
        self.tree.mark_read(tag)
        kind = text(tag.get("kind")) or "string"
        if kind == "boolean":
            value = "true" if flag(tag, "checked") else "false"
        elif kind == "number":
            value = text(tag.get("number", 0))
        elif kind == "reference":
            value = text(self.tree.named(self.tree.reference(tag.get("reference"), "a tag", tag)))
        else:
            value = text(tag.get("value"))
        return uml.Tag(text(tag.get("name")), value, self.tree.key(tag))

    def var(self, value: object, what: str, node: Json) -> uml.TypeRef:
        """StarUML's ``var``: a reference or a plain text."""
        if isinstance(value, dict):
            return uml.TypeRef(id=self.tree.reference(value, what, node))
        return uml.TypeRef(name=text(value).strip())

    def owner(self, node: Json, kinds: frozenset[str]) -> str:
        """The id of the nearest package or classifier around ``node``; empty at the top."""
        above = self.tree.parent(node)
        while above is not None:
            if above["_type"] in kinds and not self.is_top_model(above):
                return self.tree.key(above)
            above = self.tree.parent(above)
        return ""

    def is_top_model(self, node: Json) -> bool:
        """Whether ``node`` is the UMLModel that StarUML puts below every project: it is no package (docs/adr/0011)."""
        above = self.tree.parent(node)
        return node["_type"] == "UMLModel" and (above is None or above["_type"] == "Project")

    def top_model(self, root: Json) -> Json | None:
        tops = self.tree.children(root, "ownedElements", {"UMLModel"})
        return tops[0] if len(tops) == 1 else None

    def feature(self, node: Json) -> dict[str, Any]:
        """The fields that attributes and ends share."""
        found = self.common(node)
        if node.get("multiplicity") not in (None, ""):
            found["multiplicity"] = text(node["multiplicity"])
        if node.get("defaultValue") not in (None, ""):
            found["default"] = text(node["defaultValue"])
        for name, key in (
            ("derived", "isDerived"),
            ("read_only", "isReadOnly"),
            ("ordered", "isOrdered"),
            ("identifier", "isID"),
        ):
            if key in node:
                found[name] = flag(node, key)
        if node.get("isUnique"):
            found["unique"] = flag(node, "isUnique")
        return found

    # ---- the elements
    def package(self, node: Json) -> None:
        if self.is_top_model(node):
            self.tree.mark_read(node)
            self.tags(node)
            return
        owner, kind = self.owner(node, _OWNERS), PACKAGES[node["_type"]]
        self.found.packages.append(uml.UmlPackage(**self.common(node), owner=owner, kind=kind))

    def classifier(self, node: Json) -> None:
        attributes = tuple(
            self.attribute(child) for child in self.tree.children(node, "attributes", {"UMLAttribute", "UMLPort"})
        )
        operations = tuple(
            self.operation(child)
            for key in ("operations", "receptions")
            for child in self.tree.children(node, key, {"UMLOperation", "UMLReception"})
        )
        literals = tuple(
            uml.EnumerationLiteral(**self.common(child))
            for child in self.tree.children(node, "literals", {"UMLEnumerationLiteral"})
        )
        parameters = tuple(
            self.common(child)["name"]
            for child in self.tree.children(node, "templateParameters", {"UMLTemplateParameter"})
        )
        self.found.classifiers.append(
            uml.Classifier(
                **self.common(node),
                owner=self.owner(node, _OWNERS),
                kind=CLASSIFIERS[node["_type"]],
                abstract=flag(node, "isAbstract"),
                leaf=flag(node, "isLeaf") or flag(node, "isFinalSpecialization") or flag(node, "isFinalSpecification"),
                active=flag(node, "isActive"),
                attributes=attributes,
                operations=operations,
                literals=literals,
                template_parameters=parameters,
            )
        )

    def attribute(self, node: Json) -> uml.Attribute:
        return uml.Attribute(
            **self.feature(node),
            type=self.var(node.get("type"), "a type", node),
            static=flag(node, "isStatic"),
            aggregation=text(node.get("aggregation")) or "none",
        )

    def operation(self, node: Json) -> uml.Operation:
        parameters = []
        for child in self.tree.children(node, "parameters", {"UMLParameter"}):
            common = self.common(child)
            parameters.append(
                uml.OperationParameter(
                    **common,
                    type=self.var(child.get("type"), "a type", child),
                    direction=text(child.get("direction")) or "in",
                    multiplicity=text(child.get("multiplicity")) or None,
                    default=text(child.get("defaultValue")) or None,
                )
            )
        for key in ("preconditions", "bodyConditions", "postconditions"):
            for child in self.tree.children(node, key, {"UMLConstraint"}):
                self.constraint(child)
        return uml.Operation(
            **self.common(node),
            parameters=tuple(parameters),
            static=flag(node, "isStatic"),
            abstract=flag(node, "isAbstract"),
            query=flag(node, "isQuery"),
        )

    def association(self, node: Json) -> None:
        self.found.associations.append(
            uml.UmlAssociation(
                **self.common(node),
                owner=self.owner(node, _OWNERS),
                ends=tuple(self.end(end) for key in ("end1", "end2") for end in self.tree.part(node, key)),
                derived=flag(node, "isDerived"),
            )
        )

    def end(self, node: Json) -> uml.AssociationEnd:
        qualifiers = tuple(self.attribute(child) for child in self.tree.children(node, "qualifiers", {"UMLAttribute"}))
        return uml.AssociationEnd(
            **self.feature(node),
            type=uml.TypeRef(id=self.tree.reference(node.get("reference"), "an end", node)),
            navigable=self.navigable(node),
            aggregation=text(node.get("aggregation")) or "none",
            qualifiers=qualifiers,
        )

    def navigable(self, node: Json) -> bool | None:
        value = node.get("navigable")
        if value is None:
            return self.navigable_default
        if isinstance(value, str):
            return {"navigable": True, "notNavigable": False}.get(value)
        return bool(value)

    def generalization(self, node: Json) -> None:
        common = self.common(node)
        self.found.generalizations.append(
            uml.Generalization(
                **common,
                child=uml.TypeRef(self.tree.reference(node.get("source"), "its source", node)),
                parent=uml.TypeRef(self.tree.reference(node.get("target"), "its target", node)),
                discriminator=text(node.get("discriminator")),
                realization=node["_type"] != "UMLGeneralization",
            )
        )

    def dependency(self, node: Json) -> None:
        self.found.dependencies.append(
            uml.Dependency(
                **self.common(node),
                kind=DEPENDENCIES[node["_type"]],
                source=uml.TypeRef(self.tree.reference(node.get("source"), "its source", node)),
                target=uml.TypeRef(self.tree.reference(node.get("target"), "its target", node)),
            )
        )

    def class_link(self, node: Json) -> None:
        self.found.association_class_links.append(
            uml.AssociationClassLink(
                **self.common(node),
                classifier=self.tree.reference(node.get("classSide"), "its class", node),
                association=self.tree.reference(node.get("associationSide"), "its association", node),
            )
        )

    def constraint(self, node: Json) -> None:
        elements = node.get("constrainedElements")
        constrained = (
            tuple(self.tree.reference(e, "a constrained element", node) for e in elements)
            if isinstance(elements, list)
            else ()
        )
        above = self.tree.parent(node)
        self.found.constraints.append(
            uml.Constraint(
                **self.common(node),
                owner=self.tree.key(above) if above is not None else "",
                specification=text(node.get("specification")),
                constrained=tuple(filter(None, constrained)),
            )
        )

    def object(self, node: Json) -> None:
        classifier = self.var(node.get("classifier"), "a classifier", node)
        slots = []
        for child in self.tree.children(node, "slots", {"UMLSlot"}):
            common = self.common(child)
            slots.append(
                uml.UmlSlot(
                    **common,
                    feature=self.tree.reference(child.get("definingFeature"), "a defining feature", child),
                    type=self.var(child.get("type"), "a type", child),
                    value=None if child.get("value") is None else text(child["value"]),
                )
            )
        self.found.objects.append(
            uml.InstanceSpecification(
                **self.common(node),
                owner=self.owner(node, frozenset(PACKAGES)),
                classifiers=(classifier,) if classifier else (),
                slots=tuple(slots),
                value=text(node.get("value")),
            )
        )

    def link(self, node: Json) -> None:
        ends = [
            uml.LinkEnd(**self.common(end), object=self.tree.reference(end.get("reference"), "an end", end))
            for key in ("end1", "end2")
            for end in self.tree.part(node, key)
        ]
        self.found.links.append(
            uml.InstanceLink(
                **self.common(node),
                owner=self.owner(node, frozenset(PACKAGES)),
                ends=tuple(ends),
                association=self.var(node.get("association"), "an association", node),
            )
        )
