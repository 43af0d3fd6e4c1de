"""A description as SHACL shapes: the constraints on a twin's graph, checked with a closed world.

    triples = shapes(describe(read("model.mdj")))

One node shape per class, one property shape per property of its own; subclasses are checked by their
ancestors' shapes too, because an instance has the type of every ancestor. All multiplicities are checked.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from ...ontology.iris import RDF, SH
from ..description.model import Class, Description, Feature
from ..description.naming import local
from ..description.uses import Use, by_key, property_uses
from ..gc_pause import gc_paused
from ..terms.datatypes import SUPPORTED
from ..terms.values import literal
from .graph import Graph, integer, provided

_PATTERN: Final = NamedNode(SH.NS + "pattern")
_WORDS: Final = {
    "xsd:string": "text",
    "xsd:integer": "a whole number",
    "xsd:decimal": "a decimal number",
    "xsd:double": "a number",
    "xsd:boolean": "true or false",
    "xsd:dateTime": "a date and time",
    "xsd:date": "a date",
    "xsd:time": "a time of day",
    "xsd:anyURI": "a URI",
}


@gc_paused()
def shapes(description: Description) -> list[Triple]:
    """The shapes of a description. Pure; the same description gives the same triples."""
    graph = Graph(f"{description.iri} shapes")
    classes = by_key(description)
    uses: dict[str, list[Use]] = defaultdict(list)
    sharing: dict[str, int] = defaultdict(int)
    for use in property_uses(description):
        uses[use.holder.key].append(use)
        sharing[use.feature.iri] += 1
    for class_ in description.classes:
        if provided(class_.iri) or class_.datatype or class_.kind == "enumeration":
            continue
        shape = NamedNode(f"{class_.iri}Shape")
        graph.add(shape, RDF.type, SH.NodeShape)
        graph.add(shape, SH.targetClass, NamedNode(class_.iri))
        for use in uses[class_.key]:
            if use.feature.static or not use.feature.iri:
                continue
            shared = sharing[use.feature.iri] > 1
            stem = f"{class_.iri}.{local(use.feature.path_name)}" if shared else use.feature.iri
            node = NamedNode(f"{stem}Shape")
            graph.add(shape, SH.property, node)
            _property_shape(graph, node, class_, use.feature, classes)
    return graph.triples()


def _property_shape(graph: Graph, node: NamedNode, holder: Class, feature: Feature, classes: dict[str, Class]) -> None:
    graph.add(node, RDF.type, SH.PropertyShape)
    graph.add(node, SH.path, NamedNode(feature.iri))
    graph.add(node, SH.name, Literal(feature.path_name))
    target = None if feature.datatype else classes.get(feature.class_key)
    if feature.datatype:
        graph.add(node, SH.datatype, SUPPORTED[feature.datatype])
    elif target is not None and target.kind == "enumeration" and target.literals:
        graph.add(node, SH.in_, graph.list_of(NamedNode(x.iri) for x in target.literals))
    else:
        graph.add(node, SH.nodeKind, SH.IRI)
        if target is not None:
            graph.add(node, SH.class_, NamedNode(target.iri))
    if feature.lower:
        graph.add(node, SH.minCount, integer(feature.lower))
    if feature.upper is not None:
        graph.add(node, SH.maxCount, integer(feature.upper))
    for predicate, text in ((SH.minInclusive, feature.minimum), (SH.maxInclusive, feature.maximum)):
        value = literal(text, feature.datatype) if text else None
        if value is not None:
            graph.add(node, predicate, value)
    if feature.pattern and feature.datatype:
        graph.add(node, _PATTERN, Literal(feature.pattern))
    graph.add(node, SH.message, Literal(message(holder, feature, target)))


def message(holder: Class, feature: Feature, target: Class | None) -> str:
    """The expectation in one sentence: "A Motor has exactly one power: a number in W"."""
    what = _WORDS.get(feature.datatype, "a resource")
    if target is not None:
        what = f"{_article(target.name)} {target.name}"
        if target.kind == "enumeration" and target.literals:
            what = "one of " + ", ".join(x.name for x in target.literals)
    elif not feature.datatype and feature.type == "ClassName":
        what = "a class"
    if feature.unit:
        what += f" in {feature.unit}"
    limits = []
    if feature.minimum:
        limits.append(f"at least {feature.minimum}")
    if feature.maximum:
        limits.append(f"at most {feature.maximum}")
    if feature.pattern and feature.datatype:
        limits.append(f"of the form {feature.pattern}")
    each = "each " if feature.upper != 1 else ""
    tail = f", {' and '.join(limits)}" if limits else ""
    who = f"{_article(holder.name).capitalize()} {holder.name}"
    return f"{who} has {_count(feature)} {feature.path_name}: {each}{what}{tail}."


def _article(name: str) -> str:
    return "an" if name[:1].lower() in "aeiou" else "a"


def _count(feature: Feature) -> str:
    low, high = feature.lower, feature.upper
    if high is None:
        return f"at least {low}" if low else "any number of"
    if low == high:
        return "exactly one" if low == 1 else f"exactly {low}"
    if low == 0:
        return "at most one" if high == 1 else f"at most {high}"
    return f"{low} to {high}"
