"""The gate of every request: its parameters are counted and its body is measured while it arrives."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...errors import InputError, InputLimitError, VoltwinError
from ...graphstore.fleets.wire import error_to_json
from ...settings import InputLimits

_GRAPHS = "/graphs"


@dataclass(frozen=True)
class InputGate:
    """ASGI middleware: refuses a request that exceeds ``limits`` before its body is held in memory."""

    app: ASGIApp
    limits: InputLimits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        graphs = scope["path"] == _GRAPHS or scope["path"].startswith(f"{_GRAPHS}/")
        most = self.limits.graph_bytes if graphs else self.limits.body_bytes
        encoding = Headers(scope=scope).get("content-encoding", "identity").strip().lower()
        if not graphs and encoding not in ("", "identity"):
            sentence = {"error": "HTTPError", "message": f"body: Content-Encoding {encoding!r}; send it as it is"}
            await JSONResponse(sentence, 415, {"Accept-Encoding": "identity", "Connection": "close"})(
                scope, receive, send
            )
            return
        if (problem := self._problem(scope, most)) is not None:
            await JSONResponse(error_to_json(problem), problem.status, {"Connection": "close"})(scope, receive, send)
            return
        received = 0

        async def measured() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(413, f"{_too_large(most)}", {"Connection": "close"})
            return message

        await self.app(scope, measured, send)

    def _problem(self, scope: Scope, most: int) -> VoltwinError | None:
        parameters = scope["query_string"].count(b"&") + 1
        if parameters > self.limits.parameters:
            return InputLimitError(f"URL: has {parameters} parameters, at most {self.limits.parameters} are allowed")
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return InputError("URL: has the character NUL; leave it out")
        length = Headers(scope=scope).get("content-length", "0")
        return InputLimitError(_too_large(most)) if length.isdecimal() and int(length[:20]) > most else None


def _too_large(most: int) -> str:
    return f"body: larger than {most} bytes; send it in parts"
