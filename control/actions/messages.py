"""Message schemas: the structure of a push action's messages, and the unit of each field.

Schemas are JSON Schema 2020-12; the unit of a number is its ``x-unit``, so that no unit is ever guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ...errors import ActionError, InputError, MessageError
from ...ontology.literals import parse_time
from ..interfaces import Json


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

    def unit(self, pointer: str) -> str | None:
        """The unit of the field at ``a/*/c``; None where the schema has none."""
        node: Any = self.document
        for step in pointer.split("/"):
            properties = node.get("properties", {})
            node = properties.get(step) or self._any_member(node)
        unit = node.get("x-unit")
        return str(unit) if unit else None

    @staticmethod
    def _any_member(node: Mapping[str, Any]) -> Any:
        patterns = node.get("patternProperties", {})
        members = node.get("additionalProperties")
        return next(iter(patterns.values()), members if isinstance(members, Mapping) else {})


def load_schema(name: str, folder: Traversable | None = None) -> MessageSchema:
    """The schema ``name`` of ``folder``, by default of voltwin's own. Raises ActionError."""
    place = folder if folder is not None else files("voltwin.ontology") / "messages"
    file = place / f"{name}.schema.json"
    if not file.is_file():
        raise ActionError(f"message schema {name!r}: there is no {name}.schema.json among the message schemas")
    return MessageSchema(name, json.loads(file.read_text("utf-8")))


def open_envelope(payload: bytes) -> Envelope:
    """Read the fields that every message has. Raises MessageError."""
    try:
        body = json.loads(payload)
        # JSON can escape half a character, which no store and no file can hold.
        if b"\\u" in payload:
            json.dumps(body, ensure_ascii=False).encode()
    except ValueError as error:
        raise MessageError(f"the message is not JSON: {error}") from error
    except RecursionError:
        raise MessageError("the message is nested too deeply to be read") from None
    if not isinstance(body, Mapping):
        raise MessageError("the message is not a JSON object")
    identifier, time = body.get("id"), body.get("time")
    if not isinstance(identifier, str) or not identifier:
        raise MessageError("id: is missing; every message needs one, so that a repeated one counts once")
    if not isinstance(time, str):
        raise MessageError("time: is missing; every message needs the time when its content was true")
    try:
        return Envelope(identifier, parse_time(time), body)
    except InputError as error:
        raise MessageError(str(error)) from error
