"""The SPARQL 1.1 protocol: ``/sparql`` answers queries to any client that speaks it.

GET with ``?query=``, POST of a form, POST of the bare text as ``application/sparql-query``; the
result comes in the format the client accepts. What goes wrong is told as plain text. Updates are
POSTed to the same place (``update.py``). A query whose client has gone is ended.
The parameter ``as_of``, which the protocol does not have, asks the fleet as known then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from ...errors import QueryError, VoltwinError
from ...graphstore.fleets.asking import at_moment
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.fleets.wire import ERROR_HEADER, QUERY_TYPE, public_name
from ...graphstore.interfaces import QueryAnswer
from ...graphstore.sparql.dataset import with_base, with_dataset
from ..http.accept import negotiate
from .description import service_description
from .update import FORM_TYPE, answer_update, is_update

_NO_UPDATE: Final = "an update is sent by POST, as application/sparql-update or as update=… of a form, not in the URL"
_METHODS: Final = {"Allow": "GET, HEAD, POST, OPTIONS"}
_FORMAT_PARAMETERS: Final = ("format", "output", "results")
_UTF8: Final = ("utf-8", "utf8", "us-ascii", "ascii")

Parameters = Mapping[str, Sequence[str]]


class UpdateRefused(QueryError):
    """An update where only queries are taken."""

    status = 405


class BodyRefused(QueryError):
    """A body of a kind that the protocol does not know."""

    status = 415


@dataclass(frozen=True)
class SparqlRequest:
    """A protocol request taken apart: the query over its dataset, and the wished format."""

    query: str
    accept: str | None
    as_of: str | None = None


def sparql_routes(fleet: FleetAccess) -> APIRouter:
    """The endpoint, with and without a slash at its end."""
    router = APIRouter(tags=["sparql"])

    async def get(request: Request) -> Response:
        text, accept = request.url.query, request.headers.get("accept")
        if not text:
            return _response(service_description(str(request.url), accept))
        return await _respond(fleet, request, lambda: read_parameters(parse_parameters(text), accept))

    async def post(request: Request) -> Response:
        body, headers, text = await request.body(), request.headers, request.url.query
        kind, accept = headers.get("content-type"), headers.get("accept")
        if is_update(kind, body):
            return await run_in_threadpool(answer_update, fleet, request, body)
        return await _respond(fleet, request, lambda: read_post(kind, body, parse_parameters(text), accept))

    async def options(_: Request) -> Response:
        return Response(status_code=204, headers=_METHODS)

    for path in ("/sparql", "/sparql/"):
        shown = path == "/sparql"
        router.add_api_route(path, get, methods=["GET"], include_in_schema=shown, summary="SPARQL 1.1 query")
        router.add_api_route(path, post, methods=["POST"], include_in_schema=shown, summary="SPARQL query or update")
        router.add_api_route(path, options, methods=["OPTIONS"], include_in_schema=False)
    return router


async def _respond(fleet: FleetAccess, request: Request, read: Callable[[], SparqlRequest]) -> Response:
    """The answer from a thread; the query is abandoned when the client goes, or the server ends before it."""
    abandoned = Event()
    endpoint = str(request.url.replace(query=""))
    watcher = asyncio.create_task(_watch(request, abandoned))
    try:
        return await run_in_threadpool(_plain_response, fleet, endpoint, read, abandoned)
    finally:
        abandoned.set()
        watcher.cancel()


async def _watch(request: Request, abandoned: Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass  # a body that a GET has sent for nothing
    abandoned.set()


def _plain_response(fleet: FleetAccess, endpoint: str, read: Callable[[], SparqlRequest], abandoned: Event) -> Response:
    """Answer, or tell in plain text what is wrong; relative IRIs are below the endpoint.

    Errors end in the thread that asked: their tracebacks may hold results of the engine, which must
    not be let go of in another thread.
    """
    try:
        wanted = read()
        asked = at_moment(fleet, wanted.as_of)
        return _response(asked.query(with_base(wanted.query, endpoint), wanted.accept, abandoned=abandoned))
    except VoltwinError as error:
        return PlainTextResponse(f"{error}\n", error.status, {ERROR_HEADER: public_name(error)})


def _response(answer: QueryAnswer) -> Response:
    kind = f"{answer.media_type}; charset=utf-8" if answer.media_type.startswith("text/") else answer.media_type
    return Response(answer.body, media_type=kind, headers={"Vary": "Accept"})


def parse_parameters(text: str) -> dict[str, list[str]]:
    """The parameters of a URL or form. Raises QueryError where they are not UTF-8."""
    try:
        return parse_qs(text, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise QueryError(f"parameters: cannot be read ({error}); percent-encode UTF-8") from error


def read_post(content_type: str | None, body: bytes, url: Parameters, accept: str | None) -> SparqlRequest:
    """A POST: a form, or the query alone with its parameters in the URL. Raises QueryError."""
    kind, *rest = (part.strip().lower() for part in (content_type or "").split(";"))
    charset = next((part.removeprefix("charset=").strip('"') for part in rest if part.startswith("charset=")), "utf-8")
    if kind not in (FORM_TYPE, QUERY_TYPE):
        raise BodyRefused(f"Content-Type {content_type!r}: send {FORM_TYPE} with query=…, or the query as {QUERY_TYPE}")
    if charset not in _UTF8:
        raise BodyRefused(f"charset {charset!r}: send UTF-8")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryError(f"body: byte {error.start} is not UTF-8; send UTF-8") from error
    if kind == FORM_TYPE:
        return read_parameters({**url, **parse_parameters(text)}, accept)
    return read_parameters({**url, "query": [*url.get("query", ()), text]}, accept)


def read_parameters(parameters: Parameters, accept: str | None) -> SparqlRequest:
    """The parameters of the protocol. Raises QueryError."""
    if "update" in parameters:
        raise UpdateRefused(_NO_UPDATE)
    queries = parameters.get("query", ())
    if len(queries) != 1:
        raise QueryError(f"query: given {len(queries)} times; give it once, as in ?query=SELECT…")
    default, named = parameters.get("default-graph-uri", ()), parameters.get("named-graph-uri", ())
    formats = [value for name in _FORMAT_PARAMETERS for value in parameters.get(name, ()) if value]
    moments = parameters.get("as_of", ())
    if len(moments) > 1:
        raise QueryError(f"as_of: given {len(moments)} times; give it once")
    as_of = moments[0] if moments else None
    return SparqlRequest(with_dataset(queries[0], default, named), negotiate(accept, formats), as_of)
