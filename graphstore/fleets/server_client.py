"""HTTP requests to the server of a fleet; an error that the server raised is raised here as the same class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx2

from ...errors import InputError, ServiceError, VoltwinError
from ..history.event_stream import HEARTBEAT_SECONDS
from .wire import ERROR_HEADER, error_from_json

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 300.0


def connect(url: str) -> httpx2.Client:
    """A client for the server at ``url``. Raises InputError if that is no http(s) address."""
    parsed = httpx2.URL(url) if "://" in url else None
    if parsed is None or parsed.scheme not in ("http", "https") or not parsed.host:
        raise InputError(f"fleet {url!r}: not an address; write it as http://host:port")
    # Proxies of the environment are ignored: a fleet's server is a neighbour, often on loopback.
    return httpx2.Client(
        base_url=url.rstrip("/"), timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS), trust_env=False
    )


@dataclass(frozen=True)
class ServerClient:
    """One connection to a server, and the parameters that every request carries."""

    url: str
    http: httpx2.Client = field(repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)

    def with_parameters(self, parameters: Mapping[str, str]) -> ServerClient:
        """The same connection with other parameters for every request."""
        return replace(self, parameters=parameters)

    def json(self, method: str, path: str, **arguments: Any) -> Any:
        """Send a request and read its answer as JSON. Raises the server's error, or ServiceError."""
        response = self.send(method, path, **arguments)
        try:
            return response.json()
        except ValueError as error:
            raise ServiceError(f"{self.url}{path}: did not answer JSON; is this a voltwin server?") from error

    def send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Send a request. Raises the server's error, or ServiceError."""
        params = {**self.parameters, **arguments.pop("params", {})}
        return self._checked(path, lambda: self.http.request(method, path, params=params, **arguments))

    def stream(self, path: str, params: Mapping[str, str]) -> httpx2.Response:
        """Open a stream of events; the caller closes it. Raises the server's error, or ServiceError."""
        timeout = httpx2.Timeout(4 * HEARTBEAT_SECONDS, connect=CONNECT_SECONDS)
        request = self.http.build_request("GET", path, params={**self.parameters, **params}, timeout=timeout)
        return self._checked(path, lambda: self.http.send(request, stream=True))

    def _checked(self, path: str, send: Callable[[], httpx2.Response]) -> httpx2.Response:
        try:
            response = send()
            if not response.is_success:
                response.read()
        except httpx2.ConnectError as error:
            raise ServiceError(f"{self.url}: no server answers there; start it or check the address") from error
        except httpx2.TimeoutException as error:
            raise ServiceError(f"{self.url}{path}: no answer in time; look at the server's log") from error
        except httpx2.HTTPError as error:
            raise ServiceError(f"{self.url}{path}: the connection failed ({error})") from error
        if response.is_success:
            return response
        raise self._error(path, response)

    def _error(self, path: str, response: httpx2.Response) -> VoltwinError:
        document: Any = {}
        if ERROR_HEADER in response.headers:
            document = {"error": response.headers[ERROR_HEADER], "message": response.text.rstrip("\n")}
        else:
            with suppress(ValueError):
                document = response.json()
        known = document if isinstance(document, dict) else {}
        reason = known.get("message") or "is this a voltwin server?"
        return error_from_json(known) or ServiceError(f"{self.url}{path}: answered {response.status_code}; {reason}")
