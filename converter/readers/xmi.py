"""UML XMI 2.x as UML objects: Eclipse UML2 and Papyrus, Enterprise Architect, Visual Paradigm.

::

    model = read_xmi(text, "TapiCommon", "TapiCommon.uml")

Every XML element is counted. UML structure is read at any place; of unknown profiles only the names of the
stereotypes are read, and of tool extensions only documentation and tags.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..uml import elements as uml
from .xmi_document import Document
from .xmi_features import Features
from .xml_tree import Node, parse_xml

CLASSIFIERS: Final = uml.CLASSIFIERS | {
    "AssociationClass": "associationClass",
    "Device": "node",
    "ExecutionEnvironment": "node",
}
DEPENDENCIES: Final = {
    "Dependency": "dependency",
    "Abstraction": "abstraction",
    "Realization": "realization",
    "ComponentRealization": "realization",
    "Substitution": "substitution",
    "Usage": "usage",
    "Manifestation": "manifestation",
    "Deployment": "deployment",
    "InformationFlow": "informationFlow",
}


def read_xmi(text: str, file_name: str, source: str) -> uml.UmlModel:
    """The UML of an XMI document; ``file_name`` names a model that has no name."""
    document = Document(parse_xml(text, source), source)
    reader = _XmiReader(document)
    for root in document.models:
        reader.element(root, "")
    reader.finish()
    main = document.models[0]
    document.mark_read(main)
    return uml.UmlModel(
        id=document.key(main),
        name=main.get("name") or file_name,
        documentation=reader.features.documentation(main),
        stereotypes=reader.features.stereotypes(main),
        tags=reader.features.tags(main),
        format=document.format,
        **reader.found.fields(),
        seen=document.seen(),
        remarks=tuple(document.remarks),
    )


class _XmiReader:
    """One walk over the models of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.features = Features(document)
        self.found = uml.ModelParts()
        self.members: dict[str, list[str]] = defaultdict(list)
        self.handlers: dict[str, Callable[[Node, str], str]] = {
            **dict.fromkeys(uml.PACKAGES, self.package),
            **dict.fromkeys(CLASSIFIERS, self.classifier),
            **dict.fromkeys(DEPENDENCIES, self.dependency),
            "Association": self.association,
            "CommunicationPath": self.association,
            "Generalization": self.generalization,
            "InterfaceRealization": self.realization,
            "Implementation": self.realization,
            "GeneralizationSet": self.generalization_set,
            "Constraint": self.constraint,
            "Comment": self.comment,
            "InstanceSpecification": self.instance,
        }

    def element(self, node: Node, owner: str) -> None:
        """Read ``node`` and the elements in it; ``owner`` is the id of the package or classifier around it."""
        if node.local == "Extension":
            return
        handler = None if self.document.is_read(node) else self.handlers.get(self.document.kind(node))
        if handler is not None and node.get("xmi:idref") == "" and "href" not in node.attributes:
            owner = handler(node, owner)
        for child in node.children:
            self.element(child, owner)

    def finish(self) -> None:
        """Complete generalisations and their sets from elements elsewhere in the document."""
        for i, generalization in enumerate(self.found.generalizations):
            tags = self.features.tags_of(generalization.id)
            if tags:
                self.found.generalizations[i] = replace(generalization, tags=tags)
        for i, set_ in enumerate(self.found.generalization_sets):
            late = tuple(x for x in self.members.get(set_.id, ()) if x not in set_.generalizations)
            if late:
                self.found.generalization_sets[i] = replace(set_, generalizations=set_.generalizations + late)

    # ---- containers
    def package(self, node: Node, owner: str) -> str:
        if node is self.document.models[0]:
            return ""
        self.found.packages.append(
            uml.UmlPackage(**self.features.common(node), owner=owner, kind=uml.PACKAGES[self.document.kind(node)])
        )
        return self.document.key(node)

    def classifier(self, node: Node, owner: str) -> str:
        kind = self.document.kind(node)
        features = self.features
        attributes = [
            features.attribute(child)
            for tag in ("ownedAttribute", "ownedPort", "attribute")
            for child in node.all(tag)
            if not features.association_of(child)
        ]
        operations = [features.operation(c) for tag in ("ownedOperation", "ownedReception") for c in node.all(tag)]
        literals = [uml.EnumerationLiteral(**features.common(child)) for child in node.all("ownedLiteral")]
        self.found.classifiers.append(
            uml.Classifier(
                **features.common(node),
                owner=owner,
                kind=CLASSIFIERS[kind],
                abstract=node.get("isAbstract") == "true",
                leaf=node.get("isLeaf") == "true" or node.get("isFinalSpecialization") == "true",
                active=node.get("isActive") == "true",
                attributes=tuple(attributes),
                operations=tuple(operations),
                literals=tuple(literals),
                template_parameters=features.template_parameters(node),
            )
        )
        if kind == "AssociationClass":
            self._associate(node, owner, self.document.key(node))
        return self.document.key(node)

    # ---- relations
    def association(self, node: Node, owner: str) -> str:
        ends = self.features.member_ends(node)
        if len(ends) > 2:
            self.found.classifiers.append(uml.Classifier(**self.features.common(node), owner=owner, kind="association"))
            self._associate(node, owner, self.document.key(node))
        else:
            self._associate(node, owner, "")
        return owner

    def _associate(self, node: Node, owner: str, class_id: str) -> None:
        self.found.associations.append(
            uml.UmlAssociation(
                **self.features.common(node),
                owner=owner,
                ends=self.features.ends(node),
                derived=node.get("isDerived") == "true",
                association_class=class_id,
            )
        )

    def generalization(self, node: Node, owner: str) -> str:
        found = uml.Generalization(
            **self.features.common(node),
            child=self.document.reference(node, "specific") or uml.TypeRef(id=self._holder(node)),
            parent=self.document.reference(node, "general"),
        )
        self.found.generalizations.append(found)
        for identifier in self.document.references(node, "generalizationSet"):
            self.members[identifier].append(found.id)
        return owner

    def _holder(self, node: Node) -> str:
        return self.document.key(node.parent) if node.parent is not None else ""

    def realization(self, node: Node, owner: str) -> str:
        document = self.document
        self.found.generalizations.append(
            uml.Generalization(
                **self.features.common(node),
                child=document.reference(node, "implementingClassifier")
                or document.reference(node, "client")
                or uml.TypeRef(id=self._holder(node)),
                parent=document.reference(node, "contract") or document.reference(node, "supplier"),
                realization=True,
            )
        )
        return owner

    def generalization_set(self, node: Node, owner: str) -> str:
        self.found.generalization_sets.append(
            uml.UmlGeneralizationSet(
                **self.features.common(node),
                generalizations=self.document.references(node, "generalization"),
                disjoint=node.get("isDisjoint") == "true",
                complete=node.get("isCovering") == "true",
            )
        )
        return owner

    def dependency(self, node: Node, owner: str) -> str:
        document = self.document
        clients = document.references(node, "client") or document.references(node, "source") or (self._holder(node),)
        suppliers = document.references(node, "supplier") or document.references(node, "target")
        kind = DEPENDENCIES[document.kind(node)]
        found = uml.Dependency(**self.features.common(node), kind=kind)
        pairs = [(c, s) for c in clients for s in suppliers] or [(clients[0], "")]
        for client, supplier in pairs:
            target = document.type_ref(supplier) if supplier else uml.NOTHING
            self.found.dependencies.append(replace(found, source=uml.TypeRef(id=client), target=target))
        return owner

    def constraint(self, node: Node, owner: str) -> str:
        self.found.constraints.append(
            uml.Constraint(
                **self.features.common(node),
                owner=self._holder(node),
                specification=self.features.value_text(node, "specification") or "",
                constrained=self.document.references(node, "constrainedElement"),
            )
        )
        return owner

    def comment(self, node: Node, owner: str) -> str:
        """Note that a comment was read: `Features` adds it to the documentation of the elements it is about."""
        self.document.mark_read(node)
        return owner

    # ---- instances
    def instance(self, node: Node, owner: str) -> str:
        document = self.document
        kinds = [document.type_ref(i) for i in document.references(node, "classifier")]
        association = next((k for k in kinds if document.kind_of(k.id) in ("Association", "AssociationClass")), None)
        common = self.features.common(node)
        drawn_ends = self.features.drawn_link_ends(node)
        if association is not None:
            ends = self.features.link_ends(node) or drawn_ends
            self.found.links.append(uml.InstanceLink(**common, owner=owner, association=association, ends=ends))
        elif drawn_ends:
            self.found.links.append(uml.InstanceLink(**common, owner=owner, ends=drawn_ends))
        else:
            value = self.features.value_text(node, "specification")
            self.found.objects.append(
                uml.InstanceSpecification(
                    **common,
                    owner=owner,
                    classifiers=tuple(kinds),
                    slots=tuple(slot for child in node.all("slot") for slot in self.features.slots(child)),
                    value=value or "",
                )
            )
        return owner
