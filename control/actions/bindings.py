"""From a document's fields to paths of a twin, by an action's bindings.

>>> from voltwin.control.actions.bindings import spread
>>> from voltwin.ontology.bindings import parse_binding
>>> binding = parse_binding("cells/*/voltage <- cells/*/voltage")
>>> [(steps, value) for steps, value in spread(binding, {"cells": {"cell-01": {"voltage": 3.65}}}, {})]
[(('cells', 'cell-01', 'voltage'), 3.65)]

``*`` in the source stands for every key of an object and takes the same key's place in the target.
``*`` in the target alone spreads a list over the keys that the run's inputs had. ``{name}`` in the
target is a field of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ...errors import MessageError
from ...ontology.bindings import Binding
from ..interfaces import Json

_FIELD: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
MISSING: Final = object()


def pick(document: Json, pointer: str) -> Json:
    """The value at ``a/b/c`` in a JSON document; MISSING where it is not there."""
    value = document
    for step in pointer.split("/"):
        if not isinstance(value, Mapping) or step not in value:
            return MISSING
        value = value[step]
    return value


def spread(
    binding: Binding, document: Json, keys: Mapping[str, Sequence[str]]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each (path steps, value) that ``binding`` takes from ``document``; nothing where the source is missing.

    ``keys``: per target prefix before ``*``, the keys a list is spread over. Raises MessageError.
    """
    target = _FIELD.sub(lambda match: _field(document, match[1], binding), binding.target)
    if "*" not in target.split("/"):
        value = pick(document, binding.source)
        if value is not MISSING:
            yield tuple(target.split("/")), value
        return
    before, _, after = target.partition("/*/")
    if "*" in binding.source.split("/"):
        outer, _, inner = binding.source.partition("/*")
        members = pick(document, outer)
        if members is MISSING:
            return
        if not isinstance(members, Mapping):
            raise MessageError(f"binding '{binding}': {outer!r} must be an object with a field per key")
        for key, member in members.items():
            value = pick(member, inner.removeprefix("/")) if inner else member
            if value is not MISSING:
                yield (*before.split("/"), key, *after.split("/")), value
        return
    yield from _spread_list(binding, document, before, after, keys)


def _spread_list(
    binding: Binding, document: Json, before: str, after: str, keys: Mapping[str, Sequence[str]]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    found = pick(document, binding.source)
    if found is MISSING:
        return
    unit = {"unit": found["unit"]} if isinstance(found, Mapping) and "unit" in found else {}
    values = found["value"] if isinstance(found, Mapping) and "value" in found else found
    targets = keys.get(before, ())
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != len(targets):
        raise MessageError(
            f"binding '{binding}': {binding.source!r} must be a list of {len(targets)} values, one for each of "
            f"{before}/* that went in"
        )
    for key, value in zip(targets, values, strict=True):
        yield (*before.split("/"), key, *after.split("/")), {"value": value, **unit}


def _field(document: Json, name: str, binding: Binding) -> str:
    value = pick(document, name)
    if not isinstance(value, str) or not value or "/" in value:
        raise MessageError(f"binding '{binding}': the document has no text field {name!r} to name the target with")
    return value


def quantity(value: Json, unit: str | None) -> tuple[Json, str | None]:
    """``{"value": v, "unit": u}`` as (v, u); a bare value has ``unit``."""
    if isinstance(value, Mapping) and "value" in value:
        return value["value"], value.get("unit", unit)
    return value, unit
