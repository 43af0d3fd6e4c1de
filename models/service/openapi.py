"""JSON Schemas of requests and replies, for the service's OpenAPI description.

>>> sorted(RESPONSES)
[200, 404, 415, 422]

Ports differ from model to model, see GET /models; the schemas describe what all have in common: a
quantity has a value and a unit, a word a value, a temperature trend its five lists.
"""

from __future__ import annotations

from typing import Any, Final

from .arrow_codec import MEDIA_TYPE

Json = dict[str, Any]


def _object(required: str, properties: Json, **more: Any) -> Json:
    """The schema of an object with these properties and no others; ``required`` are names in one text."""
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
        **more,
    }


def _list_of(item: Json) -> Json:
    return {"type": "array", "items": item}


_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": "number"}
_NUMBERS: Final = _list_of(_NUMBER)
_TREND: Final = {
    "type": "object",
    "description": "Segments, linear in time inside each, seconds since 1970-01-01 UTC.",
    "required": ["start", "end", "startValue", "endValue", "origin", "unit"],
    "properties": {
        **dict.fromkeys(("start", "end", "startValue", "endValue"), _NUMBERS),
        "origin": _list_of({"enum": ["measured", "best guess"]}),
        "unit": _TEXT,
    },
}
_QUANTITY: Final = {
    "type": "object",
    "description": "A number or one per cell, with its unit: the local name of a QUDT unit.",
    "required": ["value", "unit"],
    "properties": {"value": {"anyOf": [_NUMBER, _NUMBERS]}, "unit": _TEXT},
}
_WORDS: Final = _object("value", {"value": {"anyOf": [_TEXT, _list_of(_TEXT)]}})
_INSTANCE: Final = _object(
    "inputs",
    {
        "inputs": {
            "type": "object",
            "description": "One member per input port, see GET /models.",
            "additionalProperties": {"anyOf": [_QUANTITY, _TREND]},
        },
        "parameters": {"type": "object", "additionalProperties": {"anyOf": [_TEXT, _NUMBER, _QUANTITY]}},
    },
)
_EXAMPLE: Final = {
    "inputs": {"ocv": {"value": [3.65, 3.66], "unit": "V"}, "temperature": {"value": 24.8, "unit": "DEG_C"}},
    "parameters": {"curve": "bpx-nmc111"},
}
_BATCH: Final = _object(
    "instances", {"instances": _list_of(_INSTANCE)}, description="A batch: one result per instance, in order."
)
_ARROW: Final[Json] = {"type": "string", "format": "binary"}

REQUEST: Final[Json] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_BATCH, {**_INSTANCE, "description": "A single instance."}]},
                "examples": {"batch": {"value": {"instances": [_EXAMPLE]}}, "single": {"value": _EXAMPLE}},
            },
            MEDIA_TYPE: {"schema": {**_ARROW, "description": "See voltwin.models.service.arrow_codec."}},
        },
    }
}

_ERROR: Final = _object(
    "message",
    {
        "message": _TEXT,
        "field": {**_TEXT, "description": "The port, parameter or member with the error."},
        "unit": {**_TEXT, "description": "The model's unit of that field."},
    },
)
_VALUES: Final[Json] = {
    "outputs": {"type": "object", "additionalProperties": {"anyOf": [_QUANTITY, _WORDS]}},
}
_OUTPUTS: Final = _object("outputs", _VALUES)
_FAILED: Final = _object("error", {"error": {**_ERROR, "required": ["field", "message"]}})
_NAMES: Final = {"model": _TEXT, "version": _TEXT}
_REPLY: Final = {
    "oneOf": [
        _object("model version results", {**_NAMES, "results": _list_of({"oneOf": [_OUTPUTS, _FAILED]})}),
        _object("model version outputs", {**_NAMES, **_VALUES}),
    ]
}


def _refused(description: str) -> Json:
    content = {"application/json": {"schema": _object("error", {"error": _ERROR})}}
    return {"description": description, "content": content}


RESPONSES: Final[dict[int | str, Json]] = {
    200: {
        "description": "The answer to the batch, or to the single instance.",
        "content": {"application/json": {"schema": _REPLY}, MEDIA_TYPE: {"schema": _ARROW}},
    },
    404: _refused("No such model."),
    415: _refused("An Arrow stream, but pyarrow is not installed."),
    422: _refused("A malformed request or a single instance that is wrong, with its field and unit."),
}
