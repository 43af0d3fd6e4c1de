"""A weather service on the loopback, for pull actions that need the temperature outside.

::

    GET /weather?time=2019-04-11T06:00:00Z
    {"time": "2019-04-11T06:00:00Z", "temperature": {"value": 2.44, "unit": "DEG_C"}, "source": "…"}
    GET /health
    {"status": "ok", "from": "2019-03-15T00:00:00Z", "to": "2019-05-01T00:00:00Z"}

Its temperatures are those of the trucks' trace. A malformed time is a 400, a time outside the trace a 404.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import EnvironmentProblem, InputError
from .climate import TRACE_SOURCE, weather_trace
from .messages import timestamp

_Response = tuple[HTTPStatus, dict[str, Any]]


def weather_server(host: str, port: int) -> ThreadingHTTPServer:
    """A server bound to ``host`` and ``port`` (0: any free one); the caller runs and closes it.

    Raises EnvironmentProblem when the address is not available.
    """
    try:
        return ThreadingHTTPServer((host, port), _Handler)
    except OSError as error:
        raise EnvironmentProblem(
            f"weather service on {host}:{port}: {error.strerror or error}; "
            "choose another address with --host and --port"
        ) from error


def answer(target: str) -> _Response:
    """Status and JSON body for a request's path and query."""
    parts = urlsplit(target)
    if parts.path == "/health":
        return _health()
    if parts.path == "/weather":
        return _weather(parts.query)
    return HTTPStatus.NOT_FOUND, {"error": f"{parts.path}: there are /weather?time=… and /health"}


def _health() -> _Response:
    trace = weather_trace()
    first, last = (datetime.fromtimestamp(float(trace.seconds[i]), UTC) for i in (0, -1))
    return HTTPStatus.OK, {"status": "ok", "from": timestamp(first), "to": timestamp(last)}


def _weather(query: str) -> _Response:
    example = "for example /weather?time=2019-04-11T06:00:00Z"
    # in a URI a plus is a plus (RFC 3986); decoding it as a form's space would break offsets such as +00:00
    pairs = (pair.partition("=") for pair in query.split("&"))
    given = [unquote(value) for name, _, value in pairs if name == "time"]
    if len(given) != 1:
        return HTTPStatus.BAD_REQUEST, {"error": f"time: give it once, {example}"}
    try:
        time = datetime.fromisoformat(given[0])
    except ValueError:
        return HTTPStatus.BAD_REQUEST, {"error": f"time {given[0]!r}: not RFC 3339, {example}"}
    if time.tzinfo is None:
        return HTTPStatus.BAD_REQUEST, {"error": f"time {given[0]!r}: has no time zone, {example}"}
    try:
        celsius = weather_trace().at(time)
    except InputError as error:
        return HTTPStatus.NOT_FOUND, {"error": str(error)}
    value = {"value": celsius, "unit": "DEG_C"}
    return HTTPStatus.OK, {"time": timestamp(time), "temperature": value, "source": TRACE_SOURCE}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, body = answer(self.path)
        payload = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the caller has its own log."""
