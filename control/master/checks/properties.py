"""The property at the end of a path, followed through the classes of an ontology; used by the checks of bindings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyoxigraph import NamedNode

from ....graphstore.schema import Property, Schema
from ....ontology.iris import VT
from .finding import nearest


@dataclass(frozen=True)
class PropertyProblem:
    """The reason why a path has no property that can be written."""

    message: str
    suggestion: str = ""


def member(schema: Schema, cls: NamedNode, name: str) -> Property | None:
    """The property ``name`` of ``cls`` or of one of its subclasses."""
    return schema.property_of(cls, name) or next(iter(schema.named(name, frozenset({cls}))), None)


def unknown(schema: Schema, cls: NamedNode, name: str) -> PropertyProblem:
    """The problem of a step that ``cls`` does not have."""
    known = [prop.name for prop in schema.of(cls)]
    label = schema.classes[cls].name if cls in schema.classes else cls.value
    return PropertyProblem(f"{label} has no {name!r}", nearest(name, known))


def written_property(schema: Schema, cls: NamedNode, steps: Sequence[str]) -> Property | PropertyProblem:
    """The property that a value at ``steps`` in a twin of ``cls`` is written to."""
    rest = list(steps)
    while rest:
        name = rest.pop(0)
        prop = member(schema, cls, name)
        if prop is None:
            return unknown(schema, cls, name)
        if not rest:
            if prop.kind == "object" and (prop.range is None or not schema.is_a(prop.range, VT.Twin)):
                return PropertyProblem(f"{name} is a part, no value; go on to one of its properties")
            return prop
        if not prop.composition or prop.range is None:
            return PropertyProblem(f"{name} is no part of this twin, nothing can be written below it")
        if prop.many and not rest.pop(0):
            return PropertyProblem(f"the key of {name} is empty")
        cls = prop.range
    return PropertyProblem("it names a part, no value; go on to one of its properties")
