"""A real server and clients that send or read too slowly: they are closed, and nobody else waits."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from voltwin.api.http.patience import Patience
from voltwin.api.http.server import WebServer

pytestmark = pytest.mark.integration

PATIENCE = Patience(head=0.5, body=0.5, body_rate=1000, answer=0.5)
DEADLINE = 30.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    try:
        body = await request.body()
    except Exception as error:  # noqa: BLE001 - what the middleware raises, as the application's handlers show it
        status = getattr(error, "status_code", 500)
        await JSONResponse({"message": str(error)}, status, {"Connection": "close"})(scope, receive, send)
        return
    if scope["path"] == "/endless":

        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)

        await StreamingResponse(pieces())(scope, receive, send)
        return
    await JSONResponse({"bytes": len(body)})(scope, receive, send)


@pytest.fixture
def server() -> Iterator[WebServer]:
    made = WebServer(app, port=0, patience=PATIENCE)
    made.start()
    yield made
    made.stop()


def connected(server: WebServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)


def ends(connection: socket.socket) -> bytes:
    """All that comes until the server closes; socket.timeout if it does not."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("begun", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_end_closes_the_connection(server: WebServer, begun: bytes) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(begun)
        assert ends(connection) == b""


def test_a_head_that_trickles_is_not_waited_for(server: WebServer) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.settimeout(0.1)
        until, closed = time.monotonic() + DEADLINE, False
        while not closed and time.monotonic() < until:
            try:
                connection.sendall(b"X: y\r\n")
                closed = connection.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
        assert closed


def test_the_second_head_on_a_kept_connection_has_its_time_too(server: WebServer) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        connection.sendall(b"GET / HT")
        ends(connection)


def test_a_body_that_does_not_come_is_answered_408(server: WebServer) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)) as client:
        client.putrequest("POST", "/")
        client.putheader("Content-Length", "100")
        client.endheaders(b"0123456789")
        answer = client.getresponse()
        assert answer.status == 408
        assert b"10 bytes have come" in answer.read()


def test_a_body_that_comes_at_the_rate_may_take_longer_than_the_time(server: WebServer) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)) as client:
        client.putrequest("POST", "/")
        client.putheader("Content-Length", "4000")
        client.endheaders()
        for _ in range(8):
            client.send(b"x" * 500)
            time.sleep(0.15)
        assert b'"bytes":4000' in client.getresponse().read()


def test_an_answer_that_nobody_reads_is_given_up_and_others_are_answered(server: WebServer) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2)  # the buffers of both sides are full, and the time is over
        with httpx2.Client(base_url=server.url, trust_env=False, timeout=DEADLINE) as client:
            assert client.get("/").json() == {"bytes": 0}
        ends(connection)


def test_slow_clients_beside_each_other_keep_nobody_out(server: WebServer) -> None:
    waiting = [connected(server) for _ in range(100)]
    try:
        for connection in waiting:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
        with httpx2.Client(base_url=server.url, trust_env=False, timeout=DEADLINE) as client:
            assert client.get("/").status_code == 200
        assert all(b" 408 " in ends(connection) for connection in waiting)
    finally:
        for connection in waiting:
            connection.close()
