"""An ontology back to a description, as far as OWL holds a model.

::

    description = description_from_owl(ontology(describe(read("model.mdj"))))

For ontologies that this converter wrote, also after edits in Protégé or a text editor. OWL
holds classes, their parents, properties with ranges and bounds, literals, sets, and the annotations; it
does not hold objects (they are data), ids, or ends that are not navigable. A round trip loses nothing:
``ontology(description_from_owl(ontology(d)))`` is ``ontology(d)``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from ...errors import ModelFileError
from ...ontology.iris import CORE, OWL, QUDT, RDF, RDFS, SKOS, VT, XSD
from ..description import model as d
from ..terms.datatypes import SUPPORTED
from ..uml.elements import CLASSIFIERS
from .owl import constraint_comment

_DATATYPE: Final = NamedNode(RDFS.NS + "Datatype")
_KINDS: Final = frozenset({*CLASSIFIERS.values(), "subsystem", "associationClass", "association"} - {"class"})
_XSD: Final = {term: name for name, term in SUPPORTED.items()}
Term = NamedNode | BlankNode | Literal


def description_from_owl(triples: Iterable[Triple]) -> d.Description:
    """The description in an ontology; ModelFileError where there is not exactly one owl:Ontology."""
    return _Ontology(triples).description()


class _Ontology:
    def __init__(self, triples: Iterable[Triple]) -> None:
        self.about: dict[Term, dict[NamedNode, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for triple in triples:
            self.about[triple.subject][triple.predicate].append(triple.object)  # type: ignore[index]
        models = [s for s in self.about if OWL.Ontology in self.about[s][RDF.type] and isinstance(s, NamedNode)]
        if len(models) != 1:
            raise ModelFileError(f"one owl:Ontology is expected, not {len(models)}; give one ontology at a time")
        self.model = models[0]
        types = {s: set(found[RDF.type]) for s, found in self.about.items() if isinstance(s, NamedNode)}
        self.classes = [s for s, kinds in types.items() if kinds & {OWL.Class, _DATATYPE}]
        properties = [s for s, kinds in types.items() if kinds & {OWL.ObjectProperty, OWL.DatatypeProperty}]
        self.properties = [p for p in properties if not p.value.startswith(CORE)]
        self.keys = self._keys()

    # ---- reading the graph
    def texts(self, subject: Term, predicate: NamedNode) -> list[str]:
        return [o.value for o in self.about[subject][predicate] if isinstance(o, Literal)]

    def text(self, subject: Term, predicate: NamedNode) -> str:
        return next(iter(self.texts(subject, predicate)), "")

    def members(self, head: Any) -> list[Any]:
        found: list[Any] = []
        while head != RDF.nil and RDF.first in self.about[head] and len(found) < 100_000:
            found += self.about[head][RDF.first][:1]
            head = self.about[head][RDF.rest][0] if self.about[head][RDF.rest] else RDF.nil
        return found

    def _keys(self) -> dict[Term, str]:
        """A key for every class: its path below the model, else its IRI."""
        found: dict[Term, str] = {}
        for node in self.classes:
            package, name = self._place(node.value)
            found[node] = f"{package}::{name}" if package else name
        times = Counter(found.values())
        return {node: node.value if times[key] > 1 else key for node, key in found.items()}

    def _place(self, iri: str) -> tuple[str, str]:
        """The package's key and the name in an IRI of the scheme."""
        space, mark, name = iri.rpartition("#") if "#" in iri else iri.rpartition("/")
        below = space.removeprefix(f"{self.model.value}/") if space.startswith(f"{self.model.value}/") else ""
        package = "::".join(unquote(step) for step in below.split("/")) if below and mark == "#" else ""
        if not package and space != self.model.value:
            package = "framework" if iri.startswith(CORE) else space
        return package, unquote(name)

    # ---- writing the description
    def description(self) -> d.Description:
        ends = set(self._end_iris())
        attributes: dict[Term, list[d.Feature]] = defaultdict(list)
        for node in self.properties:
            if node not in ends:
                for holder in self._holders(node):
                    attributes[holder].append(self._feature(d.Feature, node, composite=self._is_part(node)))
        classes = tuple(sorted((self._class(n, attributes[n]) for n in self.classes), key=lambda c: c.key))
        spaces = sorted({c.package for c in classes if c.package})
        return d.Description(
            name=self.text(self.model, RDFS.label),
            iri=self.model.value,
            **self._annotations(self.model),
            packages=tuple(d.Package(name=s.split("::")[-1], key=s, iri=self._space(s)) for s in spaces),
            classes=classes,
            associations=tuple(sorted(self._associations(ends), key=lambda a: a.key)),
            generalization_sets=tuple(sorted(self._sets(), key=lambda s: (s.parent, s.children))),
        )

    def _space(self, package: str) -> str:
        found = (n.value for n in self.classes if self._place(n.value)[0] == package)
        first = next(found)
        return first[: len(first) - len(first.split("#" if "#" in first else "/")[-1])]

    def _annotations(self, node: Term, *, kinds: frozenset[str] = frozenset()) -> dict[str, Any]:
        tags = [tuple(text.split("=", 1)) for text in self.texts(node, VT.tag) if "=" in text]
        return {
            "documentation": self._documentation(node),
            "stereotypes": tuple(s for s in self.texts(node, VT.stereotype) if s not in kinds),
            "tags": tuple((n, v) for n, v in tags if n not in ("depends", *_FIELD_TAGS)),
            "constraints": tuple(self.texts(node, VT.constraint)),
            "dependencies": tuple(v for n, v in tags if n == "depends"),
        }

    def _documentation(self, node: Term) -> str:
        """The comments except those for constraints."""
        constraints = {constraint_comment(text) for text in self.texts(node, VT.constraint)}
        return "\n\n".join(text for text in self.texts(node, RDFS.comment) if text not in constraints)

    def _tagged(self, node: Term, name: str) -> list[str]:
        return [text.split("=", 1)[1] for text in self.texts(node, VT.tag) if text.startswith(f"{name}=")]

    def _class(self, node: NamedNode, attributes: list[d.Feature]) -> d.Class:
        about = self.about[node]
        marks = self.texts(node, VT.stereotype)
        own = frozenset({"abstract", "leaf", "active", *_KINDS})
        one_of = next((n for n in about[OWL.equivalentClass] if OWL.oneOf in self.about[n]), None)
        literals = self.members(self.about[one_of][OWL.oneOf][0]) if one_of is not None else []
        simple = _DATATYPE in about[RDF.type]
        return d.Class(
            name=self.text(node, RDFS.label),
            key=self.keys[node],
            iri=node.value,
            package=self._place(node.value)[0],
            kind=next((m for m in marks if m in _KINDS), "class"),
            abstract="abstract" in marks,
            leaf="leaf" in marks,
            active="active" in marks,
            parents=tuple(sorted(self.keys[p] for p in about[RDFS.subClassOf] if p in self.keys)),
            attributes=tuple(attributes),
            operations=tuple(self.texts(node, VT.operation)),
            literals=tuple(
                d.Literal(name=self.text(n, RDFS.label), iri=n.value, **self._annotations(n)) for n in literals
            ),
            template_parameters=tuple(self._tagged(node, "templateParameter")),
            datatype="xsd:string" if simple else "",
            association=next(iter(self._tagged(node, "association")), ""),
            exact_match=tuple(o.value for o in about[SKOS.exactMatch]),
            close_match=tuple(o.value for o in about[SKOS.closeMatch]),
            **self._annotations(node, kinds=own),
        )

    def _holders(self, node: NamedNode) -> list[Any]:
        found = []
        for domain in self.about[node][RDFS.domain]:
            unions = self.about[domain][OWL.unionOf] if isinstance(domain, BlankNode) else []
            found += self.members(unions[0]) if unions else [domain]
        return found

    def _is_part(self, node: NamedNode) -> bool:
        return VT.hasPart in self.about[node][RDFS.subPropertyOf]

    def _feature(self, kind: type[Any], node: NamedNode, **more: Any) -> Any:
        about = self.about[node]
        marks = self.texts(node, VT.stereotype)
        values = about[RDFS.range][0] if about[RDFS.range] else None
        exact = next(iter(self._tagged(node, "datatype")), "")
        units = (about[QUDT.hasUnit], QUDT.UNIT_NS), (about[QUDT.hasQuantityKind], QUDT.KIND_NS)
        unit, quantity = (found[0].value.removeprefix(space) if found else "" for found, space in units)
        path_name = self.text(node, VT.pathName)
        label = self.text(node, RDFS.label)
        default = self.texts(node, VT.defaultValue)
        upper = self.text(node, VT.upper)
        return kind(
            name="" if label == path_name and kind is d.End else label,
            path_name=path_name,
            iri=node.value,
            datatype=exact or (_XSD.get(values, "") if values is not None and values.value.startswith(XSD.NS) else ""),
            class_key=self.keys.get(values, "") if values is not None else "",
            lower=int(self.text(node, VT.lower) or 0),
            upper=int(upper) if upper else None,
            default=default[0] if default else None,
            derived="true" in self.texts(node, VT.derived),
            read_only="true" in self.texts(node, VT.readOnly),
            identifier="true" in self.texts(node, VT.identifier),
            static="static" in marks,
            ordered="ordered" in marks,
            unique=True if "unique" in marks else None,
            visibility=next(iter(self._tagged(node, "visibility")), "public"),
            unit=unit,
            quantity_kind=quantity,
            exact_match=tuple(o.value for o in about[SKOS.exactMatch]),
            close_match=tuple(o.value for o in about[SKOS.closeMatch]),
            **self._annotations(node, kinds=frozenset({"static", "ordered", "unique"})),
            **more,
        )

    # ---- associations
    def _end_iris(self) -> Iterator[NamedNode]:
        """Properties made from association ends: they have an inverse, a whole, or a tag that only ends have."""
        for node in self.properties:
            about = self.about[node]
            for other in about[OWL.inverseOf]:
                yield node
                yield other
            tagged = (self._tagged(node, name) for name in ("association", "aggregation", "qualifier"))
            if VT.partOf in about[RDFS.subPropertyOf] or any(tagged):
                yield node

    def _associations(self, ends: set[NamedNode]) -> Iterator[d.Association]:
        done: set[NamedNode] = set()
        for node in sorted(ends, key=lambda n: n.value):
            inverses = [o for o in self.about[node][OWL.inverseOf] if o in ends]
            inverses += [o for o in ends if node in self.about[o][OWL.inverseOf]]
            if node in done:
                continue
            other = inverses[0] if inverses else None
            done |= {node} | ({other} if other is not None else set())
            yield self._end(node, other, flipped=other is not None and node in self.about[other][OWL.inverseOf])

    def _end(self, node: NamedNode, other: NamedNode | None, *, flipped: bool) -> d.Association:
        there = self._feature(d.End, node, **self._role(node, other))
        near = self._holders(node)[0]
        if other is not None:
            back = self._feature(d.End, other, **self._role(other, node))
        else:
            back = d.End(name="", path_name="", class_key=self.keys[near], navigable=False, **self._mirror(node))
        name = next(iter(self._tagged(node, "association")), "")
        pair = (back, there) if flipped else (there, back)
        return d.Association(name=name, key=node.value, ends=pair)

    def _role(self, node: NamedNode, other: NamedNode | None) -> dict[str, Any]:
        """Aggregation and qualifiers of an end; its class is the whole for a partOf, or the inverse of a hasPart."""
        whole = VT.partOf in self.about[node][RDFS.subPropertyOf] or (other is not None and self._is_part(other))
        shared = self._tagged(node, "aggregation") == ["whole"]
        return {
            "aggregation": "composite" if whole else "shared" if shared else "none",
            "qualifiers": tuple(self._tagged(node, "qualifier")),
        }

    def _mirror(self, node: NamedNode) -> dict[str, Any]:
        """The aggregation at the near end, whose class is the whole where the far end is a part."""
        if self._is_part(node):
            return {"aggregation": "composite"}
        return {"aggregation": "shared"} if self._tagged(node, "aggregation") == ["part"] else {}

    def _sets(self) -> Iterator[d.GeneralizationSet]:
        for node in list(self.about):
            if OWL.AllDisjointClasses in self.about[node][RDF.type] and self.about[node][OWL.members]:
                children = self.members(self.about[node][OWL.members][0])
                yield from self._set(children, disjoint=True)
        for parent in self.classes:
            for cover in self.about[parent][RDFS.subClassOf]:
                unions = self.about[cover][OWL.unionOf] if isinstance(cover, BlankNode) else []
                if unions:
                    yield from self._set(self.members(unions[0]), complete=True, parent=parent)

    def _set(
        self, children: list[Any], *, parent: Any = None, disjoint: bool = False, complete: bool = False
    ) -> Iterator[d.GeneralizationSet]:
        keys = tuple(sorted(self.keys[c] for c in children if c in self.keys))
        common = set(self.keys)
        for child in children:
            common &= set(self.about[child][RDFS.subClassOf])
        above = parent if parent is not None else next(iter(sorted(common, key=str)), None)
        if above is not None and keys:
            yield d.GeneralizationSet(
                name="", parent=self.keys[above], children=keys, disjoint=disjoint, complete=complete
            )


_FIELD_TAGS: Final = ("association", "datatype", "visibility", "aggregation", "qualifier", "templateParameter")
