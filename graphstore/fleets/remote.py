"""The fleet behind a server's REST interface: same methods, same answers as the local one.

    with RemoteFleet("http://127.0.0.1:8000") as fleet:
        fleet.get("/pump-07/bearing/vibration")

Errors are transferred too: an error of the server is raised here as the same class with the same
message (:mod:`~voltwin.graphstore.fleets.wire`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import httpx2

from ...errors import InputError, ServiceError
from ...ontology.literals import format_time
from ..history.event_stream import read_blocks
from ..history.events import Event as CommitEvent
from ..history.events import EventFilter, Subscription
from ..history.past_graphs import AsOf, as_of_text
from ..history.rollback import RollbackAnswer
from ..interfaces import LoadAnswer, QueryAnswer, UpdateAnswer
from ..paths.answers import Answer, answer_from_json
from ..update.files import format_of, media_type
from ..validation.report import ValidationReport
from .fleet import NAME_EVERY_STEP, FleetAccess, ReadOnlyFleet
from .server_client import ServerClient, connect
from .structure import ElementStructure, structure_from_json
from .wire import QUERY_TYPE, UPDATE_TYPE, force_header


class _RemoteReading(FleetAccess):
    """Everything that reads a fleet behind a server, now or at a past moment."""

    client: ServerClient
    """Sends the requests; a past moment is one of its parameters."""

    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute path."""
        document = self.client.json("GET", "/paths", params={"path": path})
        return [answer_from_json(item) for item in document["answers"]]

    def structure(self, path: str, depth: int | None = None) -> ElementStructure:
        """The properties and parts of one element."""
        params = {"path": path} | ({} if depth is None else {"depth": depth})
        return structure_from_json(self.client.json("GET", "/structure", params=params))

    def query(self, text: str, accept: str | None = None, *, abandoned: Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query."""
        headers = {"Content-Type": QUERY_TYPE, "Accept": accept or "*/*"}
        response = self.client.send("POST", "/sparql", content=text.encode(), headers=headers)
        return QueryAnswer(response.headers["content-type"].partition(";")[0], response.content)

    def validate(self, twin: str | None = None) -> ValidationReport:
        """SHACL over all twins, or over one."""
        params = {} if twin is None else {"twin": twin}
        return ValidationReport.from_json(self.client.json("GET", "/validate", params=params))

    def as_of(self, moment: AsOf) -> FleetAccess:
        """The fleet as known at ``moment``, over the same connection."""
        parameters = {"as_of": as_of_text(moment)}
        self.client.json("GET", "/history", params=parameters)
        return RemotePastFleet(self.client.with_parameters(parameters))

    def subscribe(self, wanted: EventFilter) -> Subscription:
        """The events, as the server sends them.

        Raises ServiceError if the connection is lost: subscribe again with the last event's sequence as ``since``.
        """
        given = {"since": None if wanted.since is None else as_of_text(wanted.since), "twin": wanted.twin}
        flags = {"follow": str(wanted.follow).lower(), "changes": str(wanted.changes).lower()}
        params = {name: value for name, value in given.items() if value is not None}
        response = self.client.stream("/events", params | flags)
        return Subscription(self._read_events(response), response.close)

    def _read_events(self, response: httpx2.Response) -> Iterator[CommitEvent]:
        try:
            yield from read_blocks(response.iter_lines())
        except httpx2.HTTPError as error:
            raise ServiceError(
                f"{self.client.url}/events: the connection was lost ({error}); ask again since the last event you had"
            ) from error
        finally:
            response.close()

    def status(self) -> Mapping[str, Any]:
        """Totals for people."""
        return dict(self.client.json("GET", "/status"))


@dataclass
class RemoteFleet(_RemoteReading):
    """A fleet that a server holds."""

    url: str
    client: ServerClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.client = ServerClient(self.url, connect(self.url))

    def put(self, path: str, value: Any, *, unit: str | None, time: datetime, author: str) -> int:
        """Put one value at an absolute path."""
        if not path.startswith("/"):
            raise InputError(f"path {path!r}: {NAME_EVERY_STEP}")
        body = {"value": _plain(value), "unit": unit, "time": format_time(time), "author": author}
        return int(self.client.json("PUT", f"/twins/{quote(path[1:], safe='/')}", json=body)["sequence"])

    def update(self, text: str, *, author: str, force: int | None = None) -> UpdateAnswer:
        """Apply a SPARQL update."""
        headers = {"Content-Type": UPDATE_TYPE, "Accept": "application/json"} | force_header(force)
        params = {"author": author}
        answer = self.client.json("POST", "/sparql", content=text.encode(), headers=headers, params=params)
        return UpdateAnswer(**answer)

    def load(
        self, file: Path, *, graph: str | None = None, author: str, replace: bool = False, force: int | None = None
    ) -> LoadAnswer:
        """Send an RDF file to the server as it is."""
        format_of(file)
        headers = {"Content-Type": media_type(file), "Accept": "application/json"} | force_header(force)
        if file.suffix == ".gz":
            headers["Content-Encoding"] = "gzip"
        params = {"author": author} | ({} if graph is None else {"graph": graph})
        try:
            source = file.open("rb")
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
        with source:
            method = "PUT" if replace else "POST"
            return LoadAnswer(**self.client.json(method, "/graphs", content=source, headers=headers, params=params))

    def rollback(self, to: int, *, data: bool = False, author: str, force: int | None = None) -> RollbackAnswer:
        """Have the server go back."""
        body = {"to": to, "data": data, "author": author}
        return RollbackAnswer(**self.client.json("POST", "/rollback", json=body, headers=force_header(force)))

    def close(self) -> None:
        """Close the connection; the server keeps running."""
        self.client.http.close()


@dataclass
class RemotePastFleet(_RemoteReading, ReadOnlyFleet):
    """A fleet that a server holds, as known at one moment."""

    client: ServerClient

    def subscribe(self, wanted: EventFilter) -> Subscription:
        """The events up to the moment, without waiting for more."""
        return super().subscribe(replace(wanted, follow=False))

    def close(self) -> None:
        """Do nothing: the connection belongs to the fleet of now."""


def _plain(value: Any) -> Any:
    """``value`` as JSON; the server restores times by the ontology's datatype."""
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
