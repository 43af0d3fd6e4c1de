"""How long a server waits for a client: for the head of a request, for its body, and for the reading of an answer.

A connection costs no thread while it waits, but a socket, memory and a place among the open files. The body has a time
that grows with what has come, so that a slow line is no slow client.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True)
class Patience:
    """The times that a client has, in seconds."""

    head: float = 20.0
    """For the lines and headers of a request, from the first byte or from the connection's start."""
    body: float = 60.0
    """For the body, and one more second for every ``body_rate`` bytes that have come."""
    body_rate: int = 1024
    answer: float = 60.0
    """For taking some of an answer of which no more can be sent."""


@dataclass(frozen=True)
class BodyInTime:
    """ASGI middleware: answers 408 where the body of a request comes too slowly."""

    app: ASGIApp
    patience: Patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        loop = asyncio.get_running_loop()
        begun, received, whole = loop.time(), 0, False

        async def in_time() -> Message:
            nonlocal received, whole
            if whole:  # what comes after the body is the end of the connection, which may take as long as the answer
                return await receive()
            until = begun + self.patience.body + received / self.patience.body_rate
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                sentence = (
                    f"body: {received} bytes have come in {loop.time() - begun:.0f} s; send it faster, or in parts"
                )
                raise HTTPException(408, sentence, {"Connection": "close"}) from None
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            return message

        await self.app(scope, in_time if scope["type"] == "http" else receive, send)


def protocol_with(patience: Patience) -> type[H11Protocol]:
    """The web server's protocol, which closes connections whose clients are too slow."""

    class PatientProtocol(H11Protocol):
        """One connection."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._head: asyncio.TimerHandle | None = None
            self._answer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._idle = self.conn.their_state  # before the first byte, and between two requests
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            _cancel(self._head, self._answer)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._wait_for_head()

        def pause_writing(self) -> None:
            super().pause_writing()
            # Not close, which waits until the client has taken the rest.
            self._answer = self._answer or self.loop.call_later(patience.answer, self.transport.abort)

        def resume_writing(self) -> None:
            _cancel(self._answer)
            self._answer = None
            super().resume_writing()

        def _wait_for_head(self) -> None:
            if self.conn.their_state is not self._idle:
                _cancel(self._head)
                self._head = None
            elif self._head is None:
                self._head = self.loop.call_later(patience.head, self.transport.close)

    return PatientProtocol


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer is not None:
            timer.cancel()
