"""A web server in a thread of this process, with an orderly end.

with WebServer(create_app(fleet), port=0) as server:
print(server.url)            # http://127.0.0.1:34567
"""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass, field
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ...errors import EnvironmentProblem
from .patience import BodyInTime, Patience, protocol_with

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 1
"""The time for running requests when the server stops."""

ENDING: Final = "voltwin.ending"
"""The key in a request's scope of the asyncio.Event set when the server stops; long answers watch it."""


@dataclass
class WebServer:
    """A web server on one port; ``port=0`` chooses a free one, which is then in :attr:`port`."""

    app: ASGIApp
    host: str = "127.0.0.1"
    port: int = 8000
    patience: Patience = field(default_factory=Patience)
    _server: uvicorn.Server | None = field(default=None, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Start the server; returns when requests are answered. Raises EnvironmentProblem for a busy port."""
        listener = self._bind()
        self.port = int(listener.getsockname()[1])
        ending = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await self.app({**scope, ENDING: ending}, receive, send)
            except asyncio.CancelledError:
                if not ending.is_set():  # at the end a request that took too long is cancelled on purpose
                    raise

        config = uvicorn.Config(
            BodyInTime(app, self.patience),
            http=protocol_with(self.patience),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        server = _AnnouncingServer(config, ending)
        thread = threading.Thread(target=self._serve, args=(server, listener), name="voltwin-web", daemon=True)
        thread.start()
        if not server.ready.wait(START_SECONDS) or not server.started:
            server.should_exit = True
            raise EnvironmentProblem(f"web server on {self.url}: did not start; see the log")
        self._server, self._thread = server, thread

    def stop(self) -> None:
        """End running requests, then the thread; a second call does nothing."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            # A request that cannot be interrupted (a long path) is left to its daemon thread, or to the process's end.
            self._thread.join(STOP_SECONDS + 1.0)
            self._server = self._thread = None

    @property
    def url(self) -> str:
        """The address of the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Without an explicit protocol asyncio keeps Nagle's delay: 40 ms for each answer on a kept connection.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            listener.close()
            reason = getattr(error, "strerror", None) or str(error)
            raise EnvironmentProblem(
                f"cannot listen on {self.host}:{self.port} ({reason}); stop the other process or choose another port"
            ) from error
        return listener

    @staticmethod
    def _serve(server: _AnnouncingServer, listener: socket.socket) -> None:
        with listener:
            try:
                server.run(sockets=[listener])
            finally:
                server.ready.set()

    def __enter__(self) -> WebServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _AnnouncingServer(uvicorn.Server):
    """Signals when it is ready, and signals long answers when it stops."""

    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending.set()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
