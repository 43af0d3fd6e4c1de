"""Attributes and association ends as properties: name, range, bounds, unit and the rest.

    draft = feature_fields(scope, names, attribute, near="id of its class", where="product::Cell::voltage")

A type is looked for among the model's classifiers first, then among the primitive names of the tools; a
multiplicity that was not drawn bounds an attribute to at most one value and an end not at all
(docs/adr/0011); nothing about units is ever guessed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ...ontology.iris import CORE
from ..description.model import tag_pairs
from ..report import ReportBuilder
from ..terms.alignment import expand, fits, quantity_kind, unit
from ..terms.datatypes import type_text, xsd_for
from ..terms.values import fits_datatype
from ..uml import elements as uml
from ..uml.multiplicity import Bounds, parse
from ..uml.tags import KNOWN_TAGS
from .names import Names, tag
from .scope import Scope, note_tags

_TYPED_NAME: Final = re.compile(
    r"^\s*[+\-#~]?\s*/?\s*(?P<name>[^:=\[\]{}()]+?)\s*(?:\[(?P<multiplicity>[^\]]*)\])?\s*"
    r"(?::\s*(?P<type>[^=:][^=]*?))?\s*(?:\[(?P<after>[^\]]*)\])?\s*(?:=\s*(?P<default>.*?))?\s*$"
)


class TypedName(NamedTuple):
    """What a feature's name says when a type, a multiplicity or a default was typed into it."""

    name: str
    type: str = ""
    multiplicity: str = ""
    default: str = ""


@lru_cache(maxsize=4096)
def parse_typed_name(text: str) -> TypedName:
    """``voltage: Real = 3.6`` taken apart; a plain name stays what it is.

    >>> parse_typed_name("- voltage : Real [0..1] = 3.6")
    TypedName(name='voltage', type='Real', multiplicity='0..1', default='3.6')
    """
    name = " ".join(text.split())
    if not re.search(r"[:=\[]|^[+\-#~/]", name):
        return TypedName(name)
    found = _TYPED_NAME.match(name)
    if not found:
        return TypedName(name)
    return TypedName(
        found["name"].strip(),
        (found["type"] or "").strip(),
        (found["multiplicity"] or found["after"] or "").strip(),
        (found["default"] or "").strip(),
    )


class Range(NamedTuple):
    """What values a feature has: an XSD type, a class (by id), or neither."""

    drawn: str
    datatype: str = ""
    class_id: str = ""
    many: bool = False


def range_of(scope: Scope, names: Names, type_: uml.TypeRef, feature: str, near: str, where: str) -> Range:
    """The range that ``type_`` means for the feature with id ``feature``, seen from the class ``near``."""
    warn = scope.ledger.warn
    if type_.id:
        found = scope.resolve(type_)
        if not found:
            warn("unresolved-type", feature, where, "its type is no classifier; its values are read as text")
            return Range("", "xsd:string")
        return _of_classifier(scope, names, found, False, feature, where)
    drawn = type_.name.strip()
    if not drawn:
        warn("no-type", feature, where, "it has no type; its values are read as text")
        return Range("", "xsd:string")
    plain = type_text(drawn)
    found = scope.find(drawn, near) or scope.find(plain.name, near)
    if found:
        return _of_classifier(scope, names, found, plain.many, feature, where)._replace(drawn=drawn)
    datatype = xsd_for(plain.name)
    if datatype is None:
        warn("unresolved-type", feature, where, f"the type {drawn!r} is unknown; its values are read as text")
        datatype = "xsd:string"
    return Range(drawn, datatype, many=plain.many)


def _of_classifier(scope: Scope, names: Names, found: str, many: bool, feature: str, where: str) -> Range:
    classifier = scope.classifiers[found]
    if classifier.kind not in ("primitiveType", "dataType"):
        return Range(classifier.name, class_id=found, many=many)
    named = names.classes[found]
    if named.package.provided and classifier.name in ("Series", "ClassName"):
        return Range(classifier.name, class_id=found if classifier.name == "Series" else "", many=many)
    datatype = scope.simple.get(found)
    if datatype is None:
        return Range(classifier.name, class_id=found, many=many)
    if datatype == "":
        datatype = "xsd:string"
    return Range(classifier.name, datatype, many=many)


def bounds_of(ledger: ReportBuilder, drawn: str | None, identifier: str, where: str, *, unspecified: Bounds) -> Bounds:
    """The bounds of a drawn multiplicity, ``unspecified`` where there is none."""
    if drawn is None or not drawn.strip():
        return unspecified
    bounds = parse(drawn)
    if bounds.note:
        ledger.warn("multiplicity", identifier, where, bounds.note)
    return bounds


def tagged_fields(ledger: ReportBuilder, element: uml.UmlElement, datatype: str, where: str) -> dict[str, Any]:
    """What the tags of a feature or class say: unit, quantity kind, alignments, limits; checked."""
    if not element.tags:
        return {"tags": ()}
    note_tags(ledger, element.tags, KNOWN_TAGS)
    found: dict[str, Any] = {"tags": tuple((t.name, t.value) for t in element.tags if t.name not in KNOWN_TAGS)}
    refused: list[tuple[str, str]] = []
    for name, key, check in (("unit", "unit", unit), ("quantityKind", "quantity_kind", quantity_kind)):
        text = tag(element, name)
        if not text:
            continue
        found[key], problem = check(text)
        if problem:
            ledger.warn(f"unknown-{name}", element.id, where, problem)
        if not found[key]:
            refused.append((name, text))
    if found.get("unit") and found.get("quantity_kind") and not fits(found["unit"], found["quantity_kind"]):
        ledger.warn(
            "unit-mismatch",
            element.id,
            where,
            f"the unit {found['unit']} does not measure the quantity kind {found['quantity_kind']}",
        )
    for name, key in (("exactMatch", "exact_match"), ("closeMatch", "close_match")):
        matches = []
        for text in (t.value for t in element.tags if t.name == name):
            for reference in text.split():
                iri = expand(reference)
                if iri:
                    matches.append(iri)
                else:
                    refused.append((name, reference))
                    ledger.warn("bad-match", element.id, where, f"{name}={reference!r} is no known CURIE and no IRI")
        if matches:
            found[key] = tuple(matches)
    for name, key in (("min", "minimum"), ("max", "maximum")):
        text = tag(element, name)
        if not text:
            continue
        if datatype and fits_datatype(text, datatype) and datatype not in ("xsd:string", "xsd:anyURI"):
            found[key] = text
        else:
            refused.append((name, text))
            ledger.warn("bad-limit", element.id, where, f"{name}={text!r} is no value of {datatype or 'a resource'}")
    pattern = tag(element, "pattern")
    if pattern:
        try:
            re.compile(pattern)
            found["pattern"] = pattern
        except re.error as problem:
            refused.append(("pattern", pattern))
            ledger.warn("bad-limit", element.id, where, f"the pattern {pattern!r} is not well formed: {problem}")
    found["tags"] = tag_pairs((*found["tags"], *refused))
    return found


def range_iri(names: Names, found: Range) -> str:
    """A word for the range, to tell whether two features may share one property."""
    return found.datatype or (names.classes[found.class_id].iri if found.class_id else CORE)
