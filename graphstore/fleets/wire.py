"""The wire format of errors and queries between a server and :class:`~voltwin.graphstore.fleets.remote.RemoteFleet`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...errors import InputError, PathSyntaxError, VoltwinError, error_class

ERROR_HEADER: Final = "Voltwin-Error"
"""The header with the error's class for plain text bodies, which SPARQL clients expect."""

FORCE_HEADER: Final = "Voltwin-Force"
"""The header with the count of what a change of the design may orphan."""

QUERY_TYPE: Final = "application/sparql-query"
UPDATE_TYPE: Final = "application/sparql-update"


def force_header(force: int | None) -> dict[str, str]:
    """The header that forces a change of the design with a count; none where nothing is forced."""
    return {} if force is None else {FORCE_HEADER: str(force)}


def read_force(text: str | None) -> int | None:
    """The count in the header; None without one. Raises InputError for anything but a whole number."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"{FORCE_HEADER}: {text!r} is no count; send the number that the refusal named")
    return int(text)


def public_name(error: VoltwinError) -> str:
    """The class of ``error`` in :mod:`voltwin.errors`, or the nearest above it."""
    return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == VoltwinError.__module__)


def error_to_json(error: VoltwinError) -> dict[str, Any]:
    """The JSON body of ``error``."""
    document: dict[str, Any] = {"error": public_name(error), "message": str(error)}
    return document | ({"position": error.position} if isinstance(error, PathSyntaxError) else {})


def error_from_json(document: Mapping[str, Any]) -> VoltwinError | None:
    """The error written by :func:`error_to_json`; None if the document is none."""
    cls = error_class(str(document.get("error")))
    if cls is None:
        return None
    message = str(document.get("message", ""))
    return cls(message, int(document.get("position", 0))) if issubclass(cls, PathSyntaxError) else cls(message)
