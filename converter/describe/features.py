"""Attributes and association ends as properties: typed names, ranges, bounds, units and limits.

    range_ = range_of(describer, attribute.type, attribute.id, context="id of its class", where="Gear::teeth")

A type given as text is looked up among the model's classifiers first, then among the primitive names of the
tools; an attribute without a multiplicity has at most one value and an end any number (docs/adr/0011); units
are never guessed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ...ontology.iris import CORE
from ..description.model import Tags, tag_pairs
from ..report import ReportBuilder
from ..terms.alignment import expand, fits, quantity_kind, unit
from ..terms.datatypes import type_text, xsd_for
from ..terms.values import fits_datatype
from ..uml import elements as uml
from ..uml.multiplicity import Bounds, parse
from ..uml.tags import KNOWN_TAGS
from .describer import Describer
from .names import Names, tag

_TYPED_NAME: Final = re.compile(
    r"^\s*[+\-#~]?\s*/?\s*(?P<name>[^:=\[\]{}()]+?)\s*(?:\[(?P<multiplicity>[^\]]*)\])?\s*"
    r"(?::\s*(?P<type>[^=:][^=]*?))?\s*(?:\[(?P<after>[^\]]*)\])?\s*(?:=\s*(?P<default>.*?))?\s*$"
)


class TypedName(NamedTuple):
    """A feature's name, and the type, multiplicity and default that were typed into it."""

    name: str
    type: str = ""
    multiplicity: str = ""
    default: str = ""


@lru_cache(maxsize=4096)
def parse_typed_name(text: str) -> TypedName:
    """Parse a name such as ``speed: Real = 3.6``; a plain name is returned as it is.

    >>> parse_typed_name("- speed : Real [0..1] = 3.6")
    TypedName(name='speed', type='Real', multiplicity='0..1', default='3.6')
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
    """The values a feature can have: an XSD type, a class (by id), or neither; ``text`` is the type as drawn."""

    text: str
    datatype: str = ""
    class_id: str = ""
    many: bool = False

    def iri(self, names: Names) -> str:
        """The IRI of the range: two features may share one property only where it is the same."""
        return self.datatype or (names.classes[self.class_id].iri if self.class_id else CORE)


def range_of(describer: Describer, type_: uml.TypeRef, feature: str, context: str, where: str) -> Range:
    """The range that ``type_`` means for the feature with id ``feature``, seen from the class ``context``."""
    scope, warn = describer.scope, describer.report.warn
    if type_.id:
        found = scope.resolve(type_)
        if not found:
            warn("unresolved-type", feature, where, "its type is no classifier; its values are read as text")
            return Range("", "xsd:string")
        return _of_classifier(describer, found)
    text = type_.name.strip()
    if not text:
        warn("no-type", feature, where, "it has no type; its values are read as text")
        return Range("", "xsd:string")
    plain = type_text(text)
    found = scope.find(text, context) or scope.find(plain.name, context)
    if found:
        return _of_classifier(describer, found)._replace(text=text, many=plain.many)
    datatype = xsd_for(plain.name)
    if datatype is None:
        warn("unresolved-type", feature, where, f"the type {text!r} is unknown; its values are read as text")
        datatype = "xsd:string"
    return Range(text, datatype, many=plain.many)


def _of_classifier(describer: Describer, found: str) -> Range:
    classifier = describer.scope.classifiers[found]
    if classifier.kind not in ("primitiveType", "dataType"):
        return Range(classifier.name, class_id=found)
    if describer.names.classes[found].package.provided and classifier.name in ("Series", "ClassName"):
        return Range(classifier.name, class_id=found if classifier.name == "Series" else "")
    datatype = describer.inheritance.simple.get(found)
    if datatype is None:
        return Range(classifier.name, class_id=found)
    return Range(classifier.name, datatype or "xsd:string")


def bounds_of(report: ReportBuilder, text: str | None, identifier: str, where: str, *, default: Bounds) -> Bounds:
    """The bounds of a multiplicity as drawn; ``default`` where there is none."""
    if text is None or not text.strip():
        return default
    bounds = parse(text)
    if bounds.note:
        report.warn("multiplicity", identifier, where, bounds.note)
    return bounds


def property_fields(describer: Describer, feature: uml.StructuralFeature) -> dict[str, Any]:
    """The fields that attributes and ends have from UML unchanged."""
    found = describer.shared_fields(feature)
    for name in ("derived", "read_only", "ordered", "unique", "identifier", "visibility"):
        found[name] = getattr(feature, name)
    return found


def plain_tags(tags: tuple[uml.Tag, ...]) -> Tags:
    """The tags that the converter does not use itself."""
    return tag_pairs((t.name, t.value) for t in tags if t.name not in KNOWN_TAGS)


def tagged_fields(report: ReportBuilder, element: uml.UmlElement, datatype: str, where: str) -> dict[str, Any]:
    """The fields that a feature or class has from its tags: unit, quantity kind, alignments, limits; checked."""
    if not element.tags:
        return {"tags": ()}
    report.record_tags(element.tags, KNOWN_TAGS)
    found: dict[str, Any] = {}
    refused: list[tuple[str, str]] = []

    def refuse(name: str, text: str, code: str, problem: str) -> None:
        refused.append((name, text))
        report.warn(code, element.id, where, problem)

    for name, key, check in (("unit", "unit", unit), ("quantityKind", "quantity_kind", quantity_kind)):
        text = tag(element, name)
        if not text:
            continue
        found[key], problem = check(text)
        if problem:
            report.warn(f"unknown-{name}", element.id, where, problem)
        if not found[key]:
            refused.append((name, text))
    if found.get("unit") and found.get("quantity_kind") and not fits(found["unit"], found["quantity_kind"]):
        problem = f"the unit {found['unit']} does not measure the quantity kind {found['quantity_kind']}"
        report.warn("unit-mismatch", element.id, where, problem)
    for name, key in (("exactMatch", "exact_match"), ("closeMatch", "close_match")):
        matches = []
        for reference in (part for t in element.tags if t.name == name for part in t.value.split()):
            iri = expand(reference)
            if iri:
                matches.append(iri)
            else:
                refuse(name, reference, "bad-match", f"{name}={reference!r} is no known CURIE and no IRI")
        if matches:
            found[key] = tuple(matches)
    for name, key in (("min", "minimum"), ("max", "maximum")):
        text = tag(element, name)
        if not text:
            continue
        if datatype and fits_datatype(text, datatype) and datatype not in ("xsd:string", "xsd:anyURI"):
            found[key] = text
        else:
            refuse(name, text, "bad-limit", f"{name}={text!r} is no value of {datatype or 'a resource'}")
    pattern = tag(element, "pattern")
    if pattern:
        try:
            re.compile(pattern)
            found["pattern"] = pattern
        except re.error as error:
            refuse("pattern", pattern, "bad-limit", f"the pattern {pattern!r} is not well formed: {error}")
    found["tags"] = tag_pairs((*plain_tags(element.tags), *refused))
    return found
