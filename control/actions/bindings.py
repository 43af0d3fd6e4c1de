"""From a document's fields to paths of a twin, by an action's bindings.

>>> from voltwin.control.actions.bindings import extract
>>> from voltwin.ontology.bindings import parse_binding
>>> binding = parse_binding("bearings/*/vibration <- bearings/*/speed")
>>> list(extract(binding, {"bearings": {"front": {"speed": 41.5}}}, {}))
[(('bearings', 'front', 'vibration'), 41.5)]

``*`` in the source means every key of an object and is replaced by the same key in the target.
``*`` in the target alone distributes a list over the keys of the run's inputs. ``{name}`` in the
target is a field of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ...errors import MessageError
from ...ontology.bindings import Binding
from ..interfaces import Json

_FIELD: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
MISSING: Final = object()
BoundValue = tuple[tuple[str, ...], Json]
"""The steps of a path, and the value for it."""


class Quantity(NamedTuple):
    """A value and its unit; None without one."""

    value: Json
    unit: str | None


def lookup_pointer(document: Json, pointer: str) -> Json:
    """The value at ``a/b/c`` in a JSON document; MISSING where there is none."""
    value = document
    for step in pointer.split("/"):
        if not isinstance(value, Mapping) or step not in value:
            return MISSING
        value = value[step]
    return value


def extract(binding: Binding, document: Json, keys: Mapping[str, Sequence[str]]) -> Iterator[BoundValue]:
    """The values that ``binding`` takes from ``document``; none where the source is missing.

    ``keys``: per target prefix before ``*``, the keys that a list is distributed over. Raises MessageError.
    """
    target = _FIELD.sub(lambda match: _field(document, match[1], binding), binding.target)
    if "*" not in target.split("/"):
        value = lookup_pointer(document, binding.source)
        if value is not MISSING:
            yield tuple(target.split("/")), value
        return
    before, _, after = target.partition("/*/")
    if "*" in binding.source.split("/"):
        outer, _, inner = binding.source.partition("/*")
        members = lookup_pointer(document, outer)
        if members is MISSING:
            return
        if not isinstance(members, Mapping):
            raise MessageError(f"binding '{binding}': {outer!r} must be an object with a field per key")
        for key, member in members.items():
            value = lookup_pointer(member, inner.removeprefix("/")) if inner else member
            if value is not MISSING:
                yield (*before.split("/"), key, *after.split("/")), value
        return
    yield from _distribute(binding, document, before, after, keys)


def _distribute(
    binding: Binding, document: Json, before: str, after: str, keys: Mapping[str, Sequence[str]]
) -> Iterator[BoundValue]:
    found = lookup_pointer(document, binding.source)
    if found is MISSING:
        return
    unit = {"unit": found["unit"]} if isinstance(found, Mapping) and "unit" in found else {}
    values = found["value"] if isinstance(found, Mapping) and "value" in found else found
    targets = keys.get(before, ())
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != len(targets):
        raise MessageError(
            f"binding '{binding}': {binding.source!r} must be a list of {len(targets)} values, one for each of "
            f"{before}/* among the inputs"
        )
    for key, value in zip(targets, values, strict=True):
        yield (*before.split("/"), key, *after.split("/")), {"value": value, **unit}


def _field(document: Json, name: str, binding: Binding) -> str:
    value = lookup_pointer(document, name)
    if not isinstance(value, str) or not value or "/" in value:
        raise MessageError(f"binding '{binding}': the document has no text field {name!r} to name the target with")
    return value


def quantity(value: Json, unit: str | None) -> Quantity:
    """The quantity of ``{"value": v, "unit": u}``; a bare value has ``unit``."""
    if isinstance(value, Mapping) and "value" in value:
        return Quantity(value["value"], value.get("unit", unit))
    return Quantity(value, unit)


def literal(word: str) -> Json:
    """The value after ``=`` in a parameter: true, false, a number or a word."""
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
