"""The gate of JSON: bytes, depth and texts are measured before anything of a document is used.

>>> from voltwin.graphstore.sparql.json_gate import read_json
>>> from voltwin.settings import InputLimits
>>> read_json("message", b"[[[]]]", 100, InputLimits(json_depth=2))
Traceback (most recent call last):
    ...
voltwin.errors.InputLimitError: message: is nested more than 2 deep; write it flatter
"""

from __future__ import annotations

import json
from typing import Any

from ...errors import InputError, InputLimitError
from ...settings import InputLimits
from .gate import check_text


def read_json(kind: str, data: bytes, most: int, limits: InputLimits) -> Any:
    """The JSON document in ``data``, UTF-8 of ``most`` bytes. Raises InputError, InputLimitError."""
    if len(data) > most:
        raise InputLimitError(f"{kind}: has {len(data)} bytes, at most {most} are allowed; send less")
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise _too_deep(kind, limits) from None
    except ValueError as error:
        raise InputError(f"{kind}: is not JSON in UTF-8: {error}") from None
    # Most documents are small and flat, and have no escaped characters: nothing in them can exceed a limit.
    brackets = data.count(b"{") + data.count(b"[")
    if brackets > limits.json_depth or len(data) > limits.value_bytes or b"\\u" in data:
        check_document(kind, document, limits)
    return document


def check_document(kind: str, document: Any, limits: InputLimits) -> None:
    """Measure the depth and every text of a document that was read elsewhere. Raises InputError, InputLimitError."""
    waiting = [(document, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, str):
            if (found := len(check_text(kind, node))) > limits.value_bytes:
                raise InputLimitError(
                    f"{kind}: a text has {found} bytes, at most {limits.value_bytes} are allowed; send less"
                )
        elif isinstance(node, dict | list):
            if depth == limits.json_depth:
                raise _too_deep(kind, limits)
            parts = [*node, *node.values()] if isinstance(node, dict) else node
            waiting += [(part, depth + 1) for part in parts if isinstance(part, str | dict | list)]


def _too_deep(kind: str, limits: InputLimits) -> InputLimitError:
    return InputLimitError(f"{kind}: is nested more than {limits.json_depth} deep; write it flatter")
