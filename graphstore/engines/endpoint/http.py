"""A client of the SPARQL 1.1 Protocol and Graph Store Protocol: forms, credentials, attempts, errors.

Requests are repeated while no server answers, the connection breaks, or the server reports that it is too busy. All
requests may be sent twice: queries change nothing, and updates name the quads to remove and add. A request without
an answer in time is not repeated, because the engine may still be working on it.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from pyoxigraph import NamedNode

from ....errors import QueryError, StoreError
from .dialect import N_TRIPLES
from .options import EndpointOptions

_UNION: Final = "union-default-graph"
_BUSY: Final = (429, 502, 503, 504)
_MAX_ROWS: Final = "x-sparql-maxrows"
_SQL_STATE: Final = re.compile(r"Virtuoso (\w{5}) Error")
_DEADLOCK: Final = "40001"
_SHOWN: Final = 300


@dataclass
class EndpointHttp:
    """One client of one endpoint. Tests replace ``sleep`` and ``chance`` (in [0, 1)) in order not to wait."""

    options: EndpointOptions
    environment: Mapping[str, str]
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    _client: httpx2.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        options = self.options
        # Proxies of the environment are ignored, as for a fleet's server; credentials of a .netrc as well.
        self._client = httpx2.Client(
            auth=self._auth(),
            timeout=httpx2.Timeout(options.answer_seconds, connect=options.connect_seconds),
            trust_env=False,
        )

    def _auth(self) -> httpx2.Auth | None:
        options = self.options
        if options.auth == "none":
            return None
        if options.auth == "bearer":
            return _Bearer(self._secret(options.token_variable))
        names = self._secret(options.user_variable), self._secret(options.password_variable)
        return httpx2.DigestAuth(*names) if options.auth == "digest" else httpx2.BasicAuth(*names)

    def _secret(self, variable: str) -> str:
        value = self.environment.get(variable)
        if not value:
            raise StoreError(f"{self.options.query}: needs {self.options.auth} credentials; set {variable}")
        return value

    def query(self, text: str, accept: str, union: bool = True) -> httpx2.Response:
        """Send a query as a form. Raises QueryError if the engine refuses it, else StoreError."""
        # The field is for `oxigraph serve`; other engines ignore unknown fields.
        fields = {"query": text} | ({_UNION: ""} if union else {})
        response = self._send("POST", self.options.query, data=fields, headers={"Accept": accept})
        if not response.is_success:
            raise self._query_error(response)
        if _MAX_ROWS in response.headers:
            # Virtuoso truncates the answer and reports it only here.
            raise QueryError(
                f"{self.options.query}: returns at most {response.headers[_MAX_ROWS]} rows and there are more; "
                "request less, or raise ResultSetMaxRows in the engine's settings"
            )
        return response

    def update(self, text: str) -> None:
        """Send an update as a form. Raises StoreError if it was not applied."""
        url = self.options.update
        response = self._send("POST", url, data={"update": text})
        if not response.is_success:
            raise self._refused(url, response)

    def add(self, graph: NamedNode, triples: bytes) -> None:
        """Graph Store Protocol: add N-Triples to ``graph``."""
        url = self.options.graphs
        headers = {"Content-Type": N_TRIPLES}
        response = self._send("POST", url, params={"graph": graph.value}, content=triples, headers=headers)
        if not response.is_success:
            raise self._refused(url, response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, method: str, url: str, **arguments: Any) -> httpx2.Response:
        options, problem = self.options, ""
        for attempt in range(options.attempts):
            if attempt:
                # Jitter: clients that lost the same server do not retry at the same moment.
                pause = min(options.first_pause * 2 ** (attempt - 1), options.longest_pause)
                self.sleep(pause * (0.5 + self.chance() / 2))
            try:
                response = self._client.request(method, url, **arguments)
            except (httpx2.ReadTimeout, httpx2.WriteTimeout, httpx2.PoolTimeout) as error:
                raise StoreError(
                    f"{url}: no answer within {options.answer_seconds:g} s; request less, or raise answer_seconds "
                    "of the fleet's store"
                ) from error
            except httpx2.TransportError as error:
                problem = str(error) or type(error).__name__
                continue
            except (httpx2.InvalidURL, httpx2.HTTPError) as error:
                raise StoreError(f"{url}: {error}; check the addresses of the fleet's store") from error
            if response.status_code not in _BUSY and _sql_state(response) != _DEADLOCK:
                return response
            problem = f"answered {response.status_code}"
        raise StoreError(
            f"{url}: {options.attempts} attempts failed, the last one with: {problem}; start the engine, or check "
            "the addresses of the fleet's store"
        )

    def _query_error(self, response: httpx2.Response) -> QueryError | StoreError:
        state = _sql_state(response)
        # 500 is an error of the engine, unless it blames the text.
        wrong_text = state.startswith(("22", "37", "42", "S0")) or (
            400 <= response.status_code < 500 and response.status_code not in (401, 403, 404, 405, 408)
        )
        if wrong_text:
            return QueryError(f"query: {_message(response)}")
        return self._refused(self.options.query, response)

    def _refused(self, url: str, response: httpx2.Response) -> StoreError:
        status = response.status_code
        if status in (401, 403):
            names = self._variables()
            return StoreError(f"{url}: refused the credentials ({status}); check {names}")
        return StoreError(f"{url}: answered {status}: {_message(response) or 'nothing more'}; look at the engine's log")

    def _variables(self) -> str:
        options = self.options
        match options.auth:
            case "none":
                return "the option auth of the fleet's store, which is missing"
            case "bearer":
                return options.token_variable
            case _:
                return f"{options.user_variable} and {options.password_variable}"


class _Bearer(httpx2.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def _sql_state(response: httpx2.Response) -> str:
    """Virtuoso's error code; empty without one."""
    if response.is_success:
        return ""
    found = _SQL_STATE.search(response.text[:_SHOWN])
    return found[1] if found else ""


def _message(response: httpx2.Response) -> str:
    # The text after an empty line repeats the query.
    message = " ".join(response.text.partition("\n\n")[0].split())
    return message if len(message) <= _SHOWN else f"{message[:_SHOWN]}…"
