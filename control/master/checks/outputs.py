"""The outputs of actions: targets exist in the class, sources in the message schema, with fitting types and units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pyoxigraph import NamedNode

from ....errors import ActionError
from ....graphstore.schema import Property
from ....ontology.bindings import Binding
from ....ontology.iris import XSD
from ...actions.action import Action
from ...actions.messages import MessageSchema, load_schema
from .finding import DesignFinding, DesignUnderCheck, at, nearest
from .properties import PropertyProblem, written_property

_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_NUMBER: Final = frozenset({"number", "integer", "string"})
_FITS: Final[Mapping[NamedNode, frozenset[str]]] = {
    XSD.string: frozenset({"string"}),
    XSD.dateTime: frozenset({"string"}),
    XSD.date: frozenset({"string"}),
    XSD.boolean: frozenset({"boolean", "string"}),
    XSD.double: _NUMBER,
    XSD.decimal: _NUMBER,
    XSD.integer: _NUMBER,
    XSD.nonNegativeInteger: _NUMBER,
}
"""The JSON types that a datatype accepts."""
_OPEN: Final = ("$ref", "allOf", "anyOf", "oneOf", "if")


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each output that no message or result could fill."""
    for action in design.actions.values():
        if action.applies_to not in design.schema.classes:
            continue  # told by another check
        for binding in action.outputs:
            for message, suggestion in _problems(design, action, binding):
                yield DesignFinding("error", at(action), f"output '{binding}': {message}", suggestion)


def _problems(design: DesignUnderCheck, action: Action, binding: Binding) -> Iterator[tuple[str, str]]:
    yield from _star_problems(action, binding)
    prop = written_property(design.schema, action.applies_to, binding.target.split("/"))
    if isinstance(prop, PropertyProblem):
        yield prop.message, prop.suggestion
        return
    if action.kind != "push":
        return
    try:
        schema = load_schema(action.message_schema)
    except ActionError:
        return  # told by another check
    for name in _PLACE.findall(binding.target):
        field = schema.field(name)
        if field is None or field.get("type", "string") != "string":
            yield f"{{{name}}} must be a text field of the schema {schema.name}", _near(schema, name)
    field = schema.field(binding.source)
    if field is None:
        yield f"schema {schema.name} has no field {binding.source!r}", _near(schema, binding.source)
    elif not any(word in field for word in _OPEN):
        yield from _misfits(prop, field)


def _near(schema: MessageSchema, name: str) -> str:
    return nearest(name, schema.document.get("properties", {}))


def _star_problems(action: Action, binding: Binding) -> Iterator[tuple[str, str]]:
    target, source = (side.split("/").count("*") for side in (binding.target, binding.source))
    if target > 1 or source > 1:
        yield "a side may have one *", ""
    elif source and not target:
        yield "the source has a *, so the target needs one", ""
    elif target and not source:
        before = binding.target.partition("/*")[0]
        if before not in {item.source.partition("/*")[0] for item in action.inputs if "/*" in item.source}:
            yield f"a list returns to the keys of an input, and no input has {before}/*", ""


def _misfits(prop: Property, field: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    types = field.get("type", [])
    given = {types} if isinstance(types, str) else set(types)
    if "object" in given and "value" in field.get("properties", {}):
        return  # a quantity with a unit of its own
    wanted = frozenset({"string"})
    if prop.kind == "series":
        wanted = _NUMBER
    elif prop.kind == "data":
        wanted = _FITS.get(prop.range, frozenset(given)) if prop.range else frozenset(given)
    if given and given.isdisjoint(wanted | ({"array"} if prop.many else set())):
        yield f"the message has {' or '.join(sorted(given))}, the property takes {' or '.join(sorted(wanted))}", ""
    unit = field.get("x-unit")
    if prop.kind in ("data", "series") and (unit or None) != prop.unit:
        yield f"the message has {unit or 'no unit'}, the property {prop.unit or 'no unit'}", ""
