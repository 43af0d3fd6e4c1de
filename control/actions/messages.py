"""Message schemas: the structure of a push action's messages, and the unit of each field.

Schemas are JSON Schema 2020-12; the unit of a number is its ``x-unit``, so that no unit is ever guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match

from ...errors import ActionError, InputError, InputLimitError, MessageError
from ...graphstore.sparql.json_gate import read_json
from ...ontology.literals import parse_time
from ...settings import InputLimits
from ..interfaces import Json

_SUFFIX: Final = ".schema.json"


@dataclass(frozen=True)
class Envelope:
    """The fields of every message: ``id`` identifies repetitions, ``time`` is when its body was true."""

    id: str
    time: datetime
    body: Mapping[str, Json]


@dataclass(frozen=True)
class MessageSchema:
    """One schema."""

    name: str
    document: Mapping[str, Any]

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.document)

    def check(self, body: Json) -> None:
        """Raises MessageError with the place where the message does not fit."""
        problem = best_match(self._validator.iter_errors(body))
        if problem is not None:
            where = "/".join(map(str, problem.absolute_path)) or "the message"
            raise MessageError(f"{where}: {problem.message} (schema {self.name})")

    def field(self, pointer: str) -> Mapping[str, Any] | None:
        """The schema of the field at ``a/*/c``; None where this schema has none."""
        node: Mapping[str, Any] = self.document
        for step in pointer.split("/"):
            if "properties" not in node and any(word in node for word in ("$ref", "allOf", "anyOf", "oneOf")):
                return node  # described elsewhere: nothing more is known here
            node = node.get("properties", {}).get(step) or self._any_member(node)
            if not node:
                return None
        return node

    def unit(self, pointer: str) -> str | None:
        """The unit of the field at ``a/*/c``; None where the schema has none."""
        unit = (self.field(pointer) or {}).get("x-unit")
        return str(unit) if unit else None

    @staticmethod
    def _any_member(node: Mapping[str, Any]) -> Any:
        patterns = node.get("patternProperties", {})
        members = node.get("additionalProperties")
        return next(iter(patterns.values()), members if isinstance(members, Mapping) else {})


def schema_names() -> list[str]:
    """The names of the message schemas that come with voltwin."""
    names = (file.name for file in (files("voltwin.ontology") / "messages").iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))


def load_schema(name: str, folder: Traversable | None = None) -> MessageSchema:
    """The schema ``name`` of ``folder``, by default of voltwin's own. Raises ActionError."""
    place = folder if folder is not None else files("voltwin.ontology") / "messages"
    file = place / f"{name}{_SUFFIX}"
    if not re.fullmatch(r"[\w.-]{1,200}", name) or not file.is_file():
        raise ActionError(f"message schema {name[:200]!r}: there is no {name[:200]}{_SUFFIX} among the message schemas")
    document = json.loads(file.read_text("utf-8"))
    try:
        Draft202012Validator.check_schema(document)
    except SchemaError as error:
        raise ActionError(f"message schema {name!r}: is no JSON Schema: {error.message}") from None
    return MessageSchema(name, document)


def open_envelope(payload: bytes, limits: InputLimits) -> Envelope:
    """Read the fields that every message has. Raises MessageError, InputError, InputLimitError."""
    body = read_json("message", payload, limits.message_bytes, limits)
    if not isinstance(body, Mapping):
        raise MessageError("the message is not a JSON object")
    identifier, time = body.get("id"), body.get("time")
    if not isinstance(identifier, str) or not identifier:
        raise MessageError("id: is missing; every message needs one, so that a repeated one counts once")
    if (found := len(identifier.encode())) > limits.message_key_bytes:
        raise InputLimitError(
            f"id: has {found} bytes, at most {limits.message_key_bytes} are allowed; use a shorter one"
        )
    if not isinstance(time, str):
        raise MessageError("time: is missing; every message needs the time when its content was true")
    try:
        return Envelope(identifier, parse_time(time), body)
    except InputError as error:
        raise MessageError(str(error)) from error
