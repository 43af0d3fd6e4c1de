"""The SPARQL 1.1 protocol: ``/sparql`` answers queries from any client that speaks it.

GET with ``?query=``, POST of a form, POST of the bare text as ``application/sparql-query``; the
result has the format that the client accepts. Errors are plain text. Updates are POSTed to the
same address (``update.py``). A query is cancelled when its client disconnects.
The parameter ``as_of``, which the protocol does not have, queries the fleet as known then.
"""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ...errors import QueryError
from ...graphstore.fleets.asking import at_moment
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.fleets.wire import FORCE_HEADER, read_force
from ...graphstore.sparql.dataset import with_base, with_dataset
from ...settings import InputLimits
from ..http.accept import negotiate
from .description import service_description
from .request import ProtocolRequest, negotiated, plain_errors, refuse_foreign_pages
from .update import answer_update

_NO_UPDATE: Final = "an update is sent by POST, as application/sparql-update or as update=… of a form, not in the URL"
_METHODS: Final = {"Allow": "GET, HEAD, POST, OPTIONS"}
_FORMAT_PARAMETERS: Final = ("format", "output", "results")


class UpdateRefused(QueryError):
    """An update where only queries are accepted."""

    status = 405


def sparql_routes(fleet: FleetAccess, limits: InputLimits) -> APIRouter:
    """The endpoint, with and without a slash at its end."""
    router = APIRouter(tags=["sparql"])

    async def get(request: Request) -> Response:
        if not request.url.query:
            return negotiated(service_description(str(request.url), request.headers.get("accept")))
        return await _respond(fleet, request, None, limits)

    async def post(request: Request) -> Response:
        return await _respond(fleet, request, await request.body(), limits)

    async def options(_: Request) -> Response:
        return Response(status_code=204, headers=_METHODS)

    for path in ("/sparql", "/sparql/"):
        shown = path == "/sparql"
        router.add_api_route(path, get, methods=["GET"], include_in_schema=shown, summary="SPARQL 1.1 query")
        router.add_api_route(path, post, methods=["POST"], include_in_schema=shown, summary="SPARQL query or update")
        router.add_api_route(path, options, methods=["OPTIONS"], include_in_schema=False)
    return router


async def _respond(fleet: FleetAccess, request: Request, body: bytes | None, limits: InputLimits) -> Response:
    """The answer from a thread; a query is cancelled when the client disconnects or the server stops first."""
    abandoned = Event()
    watcher = asyncio.create_task(_watch(request, abandoned))
    try:
        return await run_in_threadpool(plain_errors, lambda: _answer(fleet, request, body, abandoned, limits))
    finally:
        abandoned.set()
        watcher.cancel()


async def _watch(request: Request, abandoned: Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass  # a body that a GET has sent for nothing
    abandoned.set()


def _answer(
    fleet: FleetAccess, request: Request, body: bytes | None, abandoned: Event, limits: InputLimits
) -> Response:
    """Answer a query or apply an update; relative IRIs are below the endpoint. Raises VoltwinError."""
    headers, endpoint = request.headers, str(request.url.replace(query=""))
    sent = ProtocolRequest.read(headers.get("content-type"), body, request.url.query, limits.parameters)
    if sent.is_update:
        refuse_foreign_pages(request)
        return answer_update(fleet, sent, endpoint, limits, read_force(headers.get(FORCE_HEADER)))
    text, accept = query_text(sent), accepted_types(sent, headers.get("accept"))
    state = at_moment(fleet, sent.one("as_of"))
    return negotiated(state.query(with_base(text, endpoint), accept, abandoned=abandoned))


def query_text(sent: ProtocolRequest) -> str:
    """The query over the request's dataset. Raises QueryError."""
    if "update" in sent.parameters:
        raise UpdateRefused(_NO_UPDATE)
    text = sent.one("query")
    if text is None:
        raise QueryError("query: not given; give it once, as in ?query=SELECT…")
    return with_dataset(text, sent.all("default-graph-uri"), sent.all("named-graph-uri"))


def accepted_types(sent: ProtocolRequest, header: str | None) -> str | None:
    """The accepted media types, by the Accept header and the format parameters. Raises QueryError."""
    return negotiate(header, [value for name in _FORMAT_PARAMETERS for value in sent.all(name) if value])
