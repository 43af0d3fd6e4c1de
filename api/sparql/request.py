"""Requests of the SPARQL protocols: parameters of the URL and the body, read once for every route.

>>> from voltwin.api.sparql.request import ProtocolRequest
>>> request = ProtocolRequest.read("application/sparql-query; charset=utf-8", b"ASK {}", "as_of=7")
>>> request.one("query"), request.one("as_of"), request.is_update
('ASK {}', '7', False)

A body of bare text counts as the parameter ``query`` or ``update``, by its media type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ...errors import QueryError, VoltwinError
from ...graphstore.fleets.wire import ERROR_HEADER, QUERY_TYPE, UPDATE_TYPE, public_name
from ...graphstore.interfaces import QueryAnswer
from ..http.problems import retry_later

FORM_TYPE: Final = "application/x-www-form-urlencoded"
_TEXT_TYPES: Final = {QUERY_TYPE: "query", UPDATE_TYPE: "update"}
_UTF8: Final = ("utf-8", "utf8", "us-ascii", "ascii")


class UnsupportedBody(QueryError):
    """A body of a media type or in a character set that is not supported."""

    status = 415


class ForeignPage(QueryError):
    """A write sent by a web page of another origin."""

    status = 403


@dataclass(frozen=True)
class ProtocolRequest:
    """The parameters of one request, those of the URL first."""

    parameters: Mapping[str, Sequence[str]]
    is_update: bool = False
    """Whether the body holds an update."""

    @classmethod
    def read(cls, content_type: str | None, body: bytes | None, url: str, most: int | None = None) -> ProtocolRequest:
        """Read the query string ``url`` and the body, if there is one, at most ``most`` parameters each."""
        parameters = _parse(url, most)
        if body is None:
            return cls(parameters)
        media, *options = (part.strip().lower() for part in (content_type or "").split(";"))
        text = _decode(body, next((o[8:].strip('"') for o in options if o.startswith("charset=")), "utf-8"))
        if media == FORM_TYPE:
            sent = _parse(text, most)
        elif media in _TEXT_TYPES:
            sent = {_TEXT_TYPES[media]: [text]}
        else:
            raise UnsupportedBody(
                f"Content-Type {content_type!r}: send {FORM_TYPE} with query=… or update=…, "
                f"or the text alone as {QUERY_TYPE} or {UPDATE_TYPE}"
            )
        merged = {name: [*parameters.get(name, ()), *sent.get(name, ())] for name in {**parameters, **sent}}
        return cls(merged, "update" in sent)

    def all(self, name: str) -> Sequence[str]:
        """Every value of the parameter ``name``."""
        return self.parameters.get(name, ())

    def one(self, name: str) -> str | None:
        """The value of the parameter ``name``; None if it is absent. Raises QueryError for several values."""
        values = self.all(name)
        if len(values) > 1:
            raise QueryError(f"{name}: given {len(values)} times; give it once")
        return values[0] if values else None


def _parse(text: str, most: int | None) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError as error:
        raise QueryError(f"parameters: cannot be read ({error}); percent-encode UTF-8") from error


def _decode(body: bytes, charset: str) -> str:
    if charset not in _UTF8:
        raise UnsupportedBody(f"charset {charset!r}: send UTF-8")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryError(f"body: byte {error.start} is not UTF-8; send UTF-8") from error


def refuse_foreign_pages(request: Request) -> None:
    """Raises ForeignPage for a write from a browser that shows a page of another server.

    Browsers send forms anywhere without asking, so excluding writes from CORS is not enough.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignPage(f"write from {origin}: pages of other servers may read here, not write")


def negotiated(answer: QueryAnswer) -> Response:
    """The response of an answer in one of the accepted formats."""
    kind = f"{answer.media_type}; charset=utf-8" if answer.media_type.startswith("text/") else answer.media_type
    return Response(answer.body, media_type=kind, headers={"Vary": "Accept"})


def plain_errors(answer: Callable[[], Response]) -> Response:
    """The response of ``answer``, or its error as plain text, as SPARQL clients expect.

    Errors end in the thread that called: their tracebacks may hold results of the engine, which must
    not be freed in another thread.
    """
    try:
        return answer()
    except VoltwinError as error:
        headers = {ERROR_HEADER: public_name(error), **retry_later(error)}
        return PlainTextResponse(f"{error}\n", error.status, headers)
