"""A web server stops although a request cannot be interrupted."""

from __future__ import annotations

import contextlib
import threading

import httpx2
import pytest
from fastapi import FastAPI

from voltwin.api.http.server import WebServer


def test_a_request_that_does_not_end_does_not_hold_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    app, entered, release = FastAPI(), threading.Event(), threading.Event()

    @app.get("/")
    def stuck() -> None:
        entered.set()
        assert release.wait(60)

    server = WebServer(app, port=0)
    server.start()

    def ask() -> None:
        with contextlib.suppress(httpx2.HTTPError):
            assert httpx2.get(server.url, timeout=60).status_code >= 500

    client = threading.Thread(target=ask)
    client.start()
    try:
        assert entered.wait(30)
        server.stop()
        assert not release.is_set()  # it has returned before the request has
    finally:
        release.set()
        client.join(30)
    assert "Traceback" not in caplog.text
