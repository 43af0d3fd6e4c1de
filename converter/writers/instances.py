"""A description's objects, slots and links as quads, each in its graph.

    quads = instances(describe(read("fleet.mdj")), Naming("https://fleet.example/"))

A twin has its own graph, which has its parts too; actions, schedules and handlers are in the actions
graph, rules in the rules graph, all others in the ontology graph. An instance has the type of its
class and of every ancestor, so that no query needs inference.
"""

from __future__ import annotations

from typing import NamedTuple

from pyoxigraph import Literal, NamedNode, Quad

from ...ontology.iris import OWL, RDF, RDFS, VT
from ...ontology.naming import Naming
from ..description.model import Association, Class, Description, Feature, Object
from ..description.naming import local
from ..description.references import References
from ..description.uses import PartOf, by_key, parts_of_link, property_uses, with_ancestors
from ..gc_pause import gc_paused
from ..terms.instance_kind import MAX_WHOLES, InstanceKind, instance_kind
from ..terms.values import literal

Term = NamedNode | Literal


@gc_paused()
def instances(description: Description, naming: Naming) -> list[Quad]:
    """The quads of a description's objects. Pure; the same description gives the same quads."""
    return _Instances(description, naming).quads()


class _ObjectPlace(NamedTuple):
    """An object's IRI and its graph."""

    node: NamedNode
    graph: NamedNode


class _Instances:
    def __init__(self, description: Description, naming: Naming) -> None:
        self.description = description
        self.naming = naming
        self.classes = by_key(description)
        self.objects = {o.key: o for o in description.objects}
        self.namespaces = {p.key: p.iri for p in description.packages} | {"": f"{description.iri}#"}
        self.associations = {a.key: a for a in description.associations}
        self.features = {use.feature.iri: use.feature for use in property_uses(description)}
        self.references = References(description.classes, description.objects)
        self.lineages = {o.key: self._lineage(o) for o in description.objects}
        self.kinds = {key: instance_kind(c.iri for c in line) for key, line in self.lineages.items()}
        self.owners = self._owners()
        self.places: dict[str, _ObjectPlace] = {}
        self._found: dict[Quad, None] = {}

    def _lineage(self, object_: Object) -> list[Class]:
        keys = with_ancestors(object_.classes, lambda key: self.classes[key].parents)
        return [self.classes[key] for key in keys]

    def _owners(self) -> dict[str, PartOf]:
        """The whole of each part, by the part's key; twins, actions and rules are no parts."""
        found: dict[str, PartOf] = {}
        for link in sorted(self.description.links, key=lambda link: link.id):
            association = self.associations.get(link.association)
            for part, whole in parts_of_link(association, link.objects) if association else ():
                if self.kinds[part] is InstanceKind.OTHER:
                    found.setdefault(part, whole)
        return found

    def place(self, key: str) -> _ObjectPlace:
        """The IRI and the graph of an object; for a part below those of its whole."""
        chain: list[str] = []
        here = key
        while here not in self.places and here in self.owners and here not in chain and len(chain) < MAX_WHOLES:
            chain.append(here)
            here = self.owners[here].whole
        place = self.places.get(here) or self._place_alone(here)
        for part in reversed(chain):
            if part not in self.places:
                owner = self.owners[part]
                name = self.objects[part].name if owner.many else None
                place = self.places[part] = _ObjectPlace(self.naming.part(place.node, owner.role, name), place.graph)
        return self.places[key]

    def _place_alone(self, key: str) -> _ObjectPlace:
        """The place of an object that is no part."""
        object_, kind = self.objects[key], self.kinds[key]
        if kind is InstanceKind.TWIN:
            twin = self.naming.twin(object_.name)
            place = _ObjectPlace(twin, twin)
        elif kind is InstanceKind.ACTION:
            place = _ObjectPlace(self.naming.action(object_.name), self.naming.actions_graph)
        elif kind is InstanceKind.RULE:
            place = _ObjectPlace(self.naming.rule(object_.name), self.naming.rules_graph)
        else:
            iri = object_.iri or self.namespaces.get(object_.package, self.namespaces[""]) + local(object_.name)
            place = _ObjectPlace(NamedNode(iri), self.naming.ontology_graph)
        self.places[key] = place
        return place

    def add(self, place: _ObjectPlace, predicate: NamedNode, value: Term) -> None:
        self._found[Quad(place.node, predicate, value, place.graph)] = None

    def quads(self) -> list[Quad]:
        for object_ in self.description.objects:
            self._object(object_)
        for link in self.description.links:
            association = self.associations.get(link.association)
            if association is not None and len(link.objects) == 2:
                self._link(association, link.objects)
        return list(self._found)

    def _object(self, object_: Object) -> None:
        place = self.place(object_.key)
        if place.graph == self.naming.ontology_graph:
            self.add(place, RDF.type, OWL.NamedIndividual)
        for class_ in self.lineages[object_.key]:
            if not class_.datatype:
                self.add(place, RDF.type, NamedNode(class_.iri))
        self.add(place, VT.key, Literal(object_.name))
        if object_.documentation:
            self.add(place, RDFS.comment, Literal(object_.documentation))
        for predicate, texts in (
            (VT.stereotype, object_.stereotypes),
            (VT.constraint, object_.constraints),
            (VT.tag, tuple(f"{name}={value}" for name, value in object_.tags)),
            (VT.tag, tuple(f"depends={text}" for text in object_.dependencies)),
        ):
            for text in texts:
                self.add(place, predicate, Literal(text))
        owner = self.owners.get(object_.key)
        if owner is not None and place.graph == self.place(owner.whole).graph:
            self.add(place, VT.partOf, self.place(owner.whole).node)
        for slot in object_.slots:
            feature = self.features.get(slot.property)
            for value in slot.values:
                term = self._value(feature, value) if feature is not None else None
                if feature is not None and term is not None:
                    self.add(place, NamedNode(feature.iri), term)
                else:
                    self.add(place, VT.tag, Literal(f"{slot.name}={value}"))

    def _value(self, feature: Feature, value: str) -> Term | None:
        """The typed value; text where it does not fit its datatype (the shapes refuse it); None without a referent."""
        if feature.datatype:
            return literal(value, feature.datatype) or Literal(value)
        if self.references.is_enumeration(feature.class_key):
            iri = self.references.literal(feature.class_key, value)
            return NamedNode(iri) if iri else None
        if not feature.class_key:
            iri = self.references.class_iri(value)
            return NamedNode(iri) if iri else None
        key = self.references.object_key(value)
        return self.place(key).node if key else None

    def _link(self, association: Association, objects: tuple[str, ...]) -> None:
        for i, end in enumerate(association.ends):
            if end.navigable:
                self.add(self.place(objects[1 - i]), NamedNode(end.iri), self.place(objects[i]).node)
