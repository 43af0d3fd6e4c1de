"""JSON Schemas of requests and replies, for the service's OpenAPI description.

>>> sorted(RESPONSES)
[200, 404, 415, 422]

Ports differ from model to model, see GET /models; the schemas describe what all have in common: a
quantity has a value and a unit, a word a value, a temperature trend its five lists.
"""

from __future__ import annotations

from typing import Any, Final

from .arrow_codec import MEDIA_TYPE

_NUMBERS: Final = {"type": "array", "items": {"type": "number"}}
_TREND: Final = {
    "type": "object",
    "description": "Segments, linear in time inside each, seconds since 1970-01-01 UTC.",
    "required": ["start", "end", "startValue", "endValue", "origin", "unit"],
    "properties": {
        "start": _NUMBERS,
        "end": _NUMBERS,
        "startValue": _NUMBERS,
        "endValue": _NUMBERS,
        "origin": {"type": "array", "items": {"enum": ["measured", "best guess"]}},
        "unit": {"type": "string"},
    },
}
_QUANTITY: Final = {
    "type": "object",
    "description": "A number or one per cell, with its unit: the local name of a QUDT unit.",
    "required": ["value", "unit"],
    "properties": {"value": {"anyOf": [{"type": "number"}, _NUMBERS]}, "unit": {"type": "string"}},
}
_WORDS: Final = {
    "type": "object",
    "required": ["value"],
    "additionalProperties": False,
    "properties": {"value": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}},
}
_INSTANCE: Final = {
    "type": "object",
    "required": ["inputs"],
    "additionalProperties": False,
    "properties": {
        "inputs": {
            "type": "object",
            "description": "One member per input port, see GET /models.",
            "additionalProperties": {"anyOf": [_QUANTITY, _TREND]},
        },
        "parameters": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "number"}, _QUANTITY]},
        },
    },
}
_EXAMPLE: Final = {
    "inputs": {"ocv": {"value": [3.65, 3.66], "unit": "V"}, "temperature": {"value": 24.8, "unit": "DEG_C"}},
    "parameters": {"curve": "bpx-nmc111"},
}

REQUEST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {
                            "type": "object",
                            "description": "A batch: one result per instance, in order.",
                            "required": ["instances"],
                            "additionalProperties": False,
                            "properties": {"instances": {"type": "array", "items": _INSTANCE}},
                        },
                        {**_INSTANCE, "description": "A single instance."},
                    ]
                },
                "examples": {"batch": {"value": {"instances": [_EXAMPLE]}}, "single": {"value": _EXAMPLE}},
            },
            MEDIA_TYPE: {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "description": "See voltwin.models.service.arrow_codec.",
                }
            },
        },
    }
}

_ERROR: Final = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "message": {"type": "string"},
        "field": {"type": "string", "description": "The port, parameter or member with the error."},
        "unit": {"type": "string", "description": "The model's unit of that field."},
    },
}
_OUTPUTS: Final = {
    "type": "object",
    "required": ["outputs"],
    "additionalProperties": False,
    "properties": {"outputs": {"type": "object", "additionalProperties": {"anyOf": [_QUANTITY, _WORDS]}}},
}
_FAILED: Final = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {"error": {**_ERROR, "required": ["field", "message"]}},
}
_NAMES: Final = {"model": {"type": "string"}, "version": {"type": "string"}}
_REPLY: Final = {
    "oneOf": [
        {
            "type": "object",
            "required": ["model", "version", "results"],
            "additionalProperties": False,
            "properties": {**_NAMES, "results": {"type": "array", "items": {"oneOf": [_OUTPUTS, _FAILED]}}},
        },
        {
            "type": "object",
            "required": ["model", "version", "outputs"],
            "additionalProperties": False,
            "properties": {**_NAMES, **_OUTPUTS["properties"]},  # type: ignore[dict-item]
        },
    ]
}


def _refused(description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["error"],
        "additionalProperties": False,
        "properties": {"error": _ERROR},
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The answer to the batch, or to the single instance.",
        "content": {
            "application/json": {"schema": _REPLY},
            MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    404: _refused("No such model."),
    415: _refused("An Arrow stream, but pyarrow is not installed."),
    422: _refused("A malformed request or a single instance that is wrong, with its field and unit."),
}
