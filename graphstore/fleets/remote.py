"""The fleet behind a server's REST interface: same methods, same answers as the local one.

    with RemoteFleet("http://127.0.0.1:8000") as fleet:
        fleet.get("/module-0017/cells/cell-03/voltage")

Errors come over the wire too: what the server raised is raised here, as the same class with the same
message. :func:`error_to_json` and :func:`error_from_json` are the two ends of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Any, Final
from urllib.parse import quote

import httpx2

from ...errors import InputError, ServiceError, VoltwinError
from ...ontology.literals import format_time
from ..history.event_stream import HEARTBEAT_SECONDS, read_blocks
from ..history.events import Event as CommitEvent
from ..history.events import Subscription
from ..history.past_graphs import AsOf, as_of_text, past_is_read
from ..interfaces import LoadAnswer, QueryAnswer, UpdateAnswer
from ..paths.answers import Answer, answer_from_json
from ..update.files import format_of, media_type
from ..validation.report import ValidationReport
from .fleet import FleetAccess
from .structure import ElementStructure, structure_from_json
from .wire import ERROR_HEADER, QUERY_TYPE, UPDATE_TYPE, error_from_json

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 300.0


def connect(url: str) -> httpx2.Client:
    """A client for the server at ``url``. Raises InputError where that is no http(s) address."""
    parsed = httpx2.URL(url) if "://" in url else None
    if parsed is None or parsed.scheme not in ("http", "https") or not parsed.host:
        raise InputError(f"fleet {url!r}: not an address; write it as http://host:port")
    # Proxies of the environment are left out: a fleet's server is a neighbour, often on loopback.
    return httpx2.Client(
        base_url=url.rstrip("/"), timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS), trust_env=False
    )


@dataclass
class RemoteFleet(FleetAccess):
    """A fleet that a server holds."""

    url: str
    moment: AsOf | None = None
    """Where this is the fleet as known then, the server is asked for that every time."""
    _shared: httpx2.Client | None = field(default=None, repr=False)
    """The connection of the fleet of now, which a past one uses and does not close."""
    _client: httpx2.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._client = self._shared or connect(self.url)

    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute path."""
        document = self._json("GET", "/paths", params={"path": path})
        return [answer_from_json(item) for item in document["answers"]]

    def structure(self, path: str, depth: int | None = None) -> ElementStructure:
        """The properties and parts of one element."""
        params = {"path": path} | ({} if depth is None else {"depth": depth})
        return structure_from_json(self._json("GET", "/structure", params=params))

    def query(self, text: str, accept: str | None = None, *, abandoned: Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query."""
        headers = {"Content-Type": QUERY_TYPE, "Accept": accept or "*/*"}
        response = self._send("POST", "/sparql", content=text.encode(), headers=headers)
        return QueryAnswer(response.headers["content-type"].partition(";")[0], response.content)

    def validate(self, twin: str | None = None) -> ValidationReport:
        """SHACL over all twins, or over one."""
        return ValidationReport.from_json(self._json("GET", "/validate", params={} if twin is None else {"twin": twin}))

    def put(self, path: str, value: Any, *, unit: str | None, time: datetime, author: str) -> int:
        """Put one value where an absolute path says."""
        self._must_be_now(f"path {path!r}")
        if not path.startswith("/"):
            raise InputError(f"path {path!r}: to write, name every step, as in /module-0017/cells/cell-03/voltage")
        body = {"value": _plain(value), "unit": unit, "time": format_time(time), "author": author}
        return int(self._json("PUT", f"/twins/{quote(path[1:], safe='/')}", json=body)["sequence"])

    def update(self, text: str, *, author: str) -> UpdateAnswer:
        """Carry out a SPARQL update."""
        self._must_be_now("update")
        headers = {"Content-Type": UPDATE_TYPE, "Accept": "application/json"}
        params = {"author": author}
        return UpdateAnswer(**self._json("POST", "/sparql", content=text.encode(), headers=headers, params=params))

    def load(self, file: Path, *, graph: str | None = None, author: str, replace: bool = False) -> LoadAnswer:
        """Send an RDF file to the server as it is."""
        self._must_be_now(f"load {file}")
        format_of(file)
        headers = {"Content-Type": media_type(file), "Accept": "application/json"}
        if file.suffix == ".gz":
            headers["Content-Encoding"] = "gzip"
        params = {"author": author} | ({} if graph is None else {"graph": graph})
        try:
            source = file.open("rb")
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
        with source:
            method = "PUT" if replace else "POST"
            return LoadAnswer(**self._json(method, "/graphs", content=source, headers=headers, params=params))

    def as_of(self, moment: AsOf) -> FleetAccess:
        """The fleet as known at ``moment``; closing this one closes that one."""
        self._json("GET", "/history", params={"as_of": as_of_text(moment)})
        return RemoteFleet(self.url, moment, self._client)

    def events(
        self,
        since: int | datetime | None = None,
        *,
        follow: bool = True,
        twin: str | None = None,
        changes: bool = False,
    ) -> Subscription:
        """What is committed after ``since``, as the server sends it.

        Raises ServiceError where the connection is lost: ask again with ``since`` the last event's sequence.
        """
        given = {"since": None if since is None else as_of_text(since), "twin": twin}
        params = self._when | {name: value for name, value in given.items() if value is not None}
        flags = {"follow": str(follow and self.moment is None).lower(), "changes": str(changes).lower()}
        request = self._client.build_request(
            "GET",
            "/events",
            params=params | flags,
            timeout=httpx2.Timeout(4 * HEARTBEAT_SECONDS, connect=CONNECT_SECONDS),
        )
        response = self._sent("/events", lambda: self._client.send(request, stream=True))
        return Subscription(self._read_events(response), response.close)

    def _read_events(self, response: httpx2.Response) -> Iterator[CommitEvent]:
        try:
            yield from read_blocks(response.iter_lines())
        except httpx2.HTTPError as error:
            raise ServiceError(
                f"{self.url}/events: the connection was lost ({error}); ask again since the last event you had"
            ) from error
        finally:
            response.close()

    def _must_be_now(self, what: str) -> None:
        if self.moment is not None:
            raise past_is_read(what)

    def status(self) -> Mapping[str, Any]:
        """Totals for people."""
        return dict(self._json("GET", "/status"))

    def close(self) -> None:
        """Let go of the connection; the server goes on."""
        if self._shared is None:
            self._client.close()

    def _json(self, method: str, url: str, **arguments: Any) -> Any:
        response = self._send(method, url, **arguments)
        try:
            return response.json()
        except ValueError as error:
            raise ServiceError(f"{self.url}{url}: did not answer JSON; is this a voltwin server?") from error

    def _send(self, method: str, url: str, **arguments: Any) -> httpx2.Response:
        params = self._when | arguments.pop("params", {})
        return self._sent(url, lambda: self._client.request(method, url, params=params, **arguments))

    @property
    def _when(self) -> dict[str, str]:
        return {} if self.moment is None else {"as_of": as_of_text(self.moment)}

    def _sent(self, url: str, send: Callable[[], httpx2.Response]) -> httpx2.Response:
        try:
            response = send()
            if not response.is_success:
                response.read()
        except httpx2.ConnectError as error:
            raise ServiceError(f"{self.url}: nobody answers there; start the server or check the address") from error
        except httpx2.TimeoutException as error:
            raise ServiceError(f"{self.url}{url}: no answer in time; look at the server's log") from error
        except httpx2.HTTPError as error:
            raise ServiceError(f"{self.url}{url}: the connection failed ({error})") from error
        if response.is_success:
            return response
        raise self._error(url, response)

    def _error(self, url: str, response: httpx2.Response) -> VoltwinError:
        if ERROR_HEADER in response.headers:
            document: Any = {"error": response.headers[ERROR_HEADER], "message": response.text.rstrip("\n")}
        else:
            try:
                document = response.json()
            except ValueError:
                document = None
        known = error_from_json(document) if isinstance(document, dict) else None
        if known is not None:
            return known
        told = document.get("message") if isinstance(document, dict) else None
        return ServiceError(f"{self.url}{url}: answered {response.status_code}; {told or 'is this a voltwin server?'}")


def _plain(value: Any) -> Any:
    """``value`` as JSON has it; the ontology's datatype makes a time of its text again."""
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
