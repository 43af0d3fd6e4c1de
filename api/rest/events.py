"""Routes on the journal: ``/events``, and ``/history`` with the range of commits that it covers.

``GET /events`` is a stream of server-sent events, one a commit. A client that reconnects with ``Last-Event-ID`` (a
browser's EventSource does) or with ``?since=`` continues where it was, without a gap and without a repetition.
A slow subscriber does not slow down the writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from ...errors import InputError
from ...graphstore.fleets.local import LocalFleet
from ...graphstore.history.event_stream import HEARTBEAT_SECONDS, MEDIA_TYPE, block, heartbeat
from ...graphstore.history.events import EventFeed
from ...graphstore.history.past_graphs import Moment, parse_as_of
from ...ontology.literals import format_time
from ..http.server import ENDING


def event_routes(fleet: LocalFleet) -> APIRouter:
    """Events and the extent of the history; for a fleet whose journal is in this process."""
    router = APIRouter(tags=["history"])
    fleet_history = fleet.fleet_history
    if fleet_history is None:
        return router
    history, feed = fleet_history.history, fleet_history.feed

    @router.get("/history", summary="First and last commit of the history, or the commit at a moment")
    def extent(as_of: str | None = None) -> dict[str, Any]:
        if as_of is not None:
            return _moment(history.find(parse_as_of(as_of)))
        span = history.span()
        return {} if span is None else {"first": _moment(span.first), "last": _moment(span.last)}

    @router.get("/events", summary="Commits as server-sent events", response_class=StreamingResponse)
    async def events(
        request: Request,
        since: str | None = None,
        twin: str | None = None,
        follow: bool = True,
        changes: bool = False,
        as_of: str | None = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        # A browser that reconnects sends its own mark and the original address.
        given = last_event_id or since
        until = None if as_of is None else (await run_in_threadpool(history.find, parse_as_of(as_of))).sequence
        start = None if given is None else _since(given)
        after = await run_in_threadpool(feed.start, start, follow and until is None)
        ending = request.scope.get(ENDING) or asyncio.Event()
        stream = _stream(feed, after, until, twin, changes, follow and until is None, ending)
        return StreamingResponse(stream, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    return router


def _moment(moment: Moment) -> dict[str, Any]:
    return {"sequence": moment.sequence, "time": format_time(moment.time)}


def _since(text: str) -> Any:
    try:
        return parse_as_of(text)
    except InputError:
        raise InputError(f"since {text!r}: neither a commit's number nor a time such as 2019-06-01T00:00:00Z") from None


async def _stream(
    feed: EventFeed,
    after: int,
    until: int | None,
    twin: str | None,
    changes: bool,
    follow: bool,
    ending: asyncio.Event,
) -> AsyncIterator[bytes]:
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the server has ended and its loop is closed
            loop.call_soon_threadsafe(woken.set)

    release = feed.wake(wake)
    try:
        yield heartbeat(after)
        while not (ending.is_set() or feed.ended):
            woken.clear()  # before reading: a commit during the read wakes us again
            piece = await run_in_threadpool(feed.read, after, twin, changes)
            for event in piece.events:
                if until is None or event.sequence <= until:
                    yield block(event)
            if piece.until > after:
                after = piece.until
            elif not follow:
                return
            elif not await _either(woken, ending):
                yield heartbeat(after)
    finally:
        release()


async def _either(woken: asyncio.Event, ending: asyncio.Event) -> bool:
    """Wait until one of them is set; False when it is time for a sign of life instead."""
    waits = [asyncio.ensure_future(item.wait()) for item in (woken, ending)]
    try:
        done, _ = await asyncio.wait(waits, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for item in waits:
            item.cancel()
