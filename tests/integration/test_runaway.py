"""A real server under queries that run away: they end, their CPU use with them, and it goes on answering others."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from voltwin.errors import QueryLimitError
from voltwin.graphstore.fleets.remote import RemoteFleet
from voltwin.graphstore.fleets.server_client import connect
from voltwin.graphstore.fleets.wire import ERROR_HEADER

from .fleet_process import FleetProcess, serve_models
from .reader_processes import RUNAWAY, eventually, is_gone, readers_of, working

pytestmark = pytest.mark.integration

LOOKUP = "ASK { <https://fleet.example/twins/m1> a vt:Twin }"
COUNT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c }"


@pytest.fixture
def serve(mosquitto: Any, tmp_path: Path) -> Iterator[Any]:
    """Starts a server with options of the test's own; gives its process and address."""
    services = serve_models()
    started = []

    def start(*options: Any) -> Any:
        fleet = FleetProcess(tmp_path / "fleet", mosquitto, services, *options)
        fleet.log.unlink(missing_ok=True)  # what an earlier server printed
        started.append(fleet)
        fleet.start()
        fleet.serving()
        return fleet, re.search(r"serving on (\S+)", fleet.log.read_text("utf-8"))[1]

    yield start
    for fleet in started:
        if fleet.process.poll() is None:
            fleet.stop()
    services.shutdown()
    services.server_close()


def ask(url: Any, text: Any) -> Any:
    with connect(url) as client:
        return client.post("/sparql", content=text, headers={"Content-Type": "application/sparql-query"})


def abandon(url: Any, text: Any) -> Any:
    """Ask, and go away before the answer: the socket, still open."""
    host, port = url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    head = f"POST /sparql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/sparql-query\r\n"
    client.sendall(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
    return client


def test_a_query_that_runs_away_is_ended_and_others_are_answered_meanwhile(serve: Any) -> None:
    fleet, url = serve("--query-seconds", "4", "--query-rows", "1000")
    with ThreadPoolExecutor(1) as pool:
        runaway = pool.submit(ask, url, RUNAWAY)
        reader = working(fleet.process.pid)
        done, stop = [0], threading.Event()

        def look_up() -> None:
            while not stop.is_set():
                assert ask(url, LOOKUP).status_code == 200
                done[0] += 1

        others = threading.Thread(target=look_up)
        others.start()
        assert ask(url, COUNT).status_code == 200  # by the other reader
        assert ask(url, "SELECT * { ?a ?b ?c . ?d ?e ?f }").status_code == 413
        with connect(url) as client:
            assert client.get("/health").status_code == client.get("/twins/").status_code == 200
        assert not runaway.done()
        answer = runaway.result(timeout=60)
        stop.set()
        others.join()
    assert done[0] > 10
    assert (answer.status_code, answer.headers[ERROR_HEADER]) == (413, "QueryLimitError")
    assert "time limit of 4 s" in answer.text
    assert is_gone(reader)
    server = psutil.Process(fleet.process.pid)
    used = [sum(item.cpu_times()[:2]) for item in [server, *server.children(recursive=True)]]
    time.sleep(1.0)
    later = [sum(item.cpu_times()[:2]) for item in [server, *server.children(recursive=True)]]
    assert sum(later) - sum(used) < 0.5  # half a core at most: nobody goes on counting
    with RemoteFleet(url) as remote, pytest.raises(QueryLimitError, match="limit of 1000 rows"):
        remote.query("SELECT * { ?a ?b ?c . ?d ?e ?f }")


def test_a_client_that_goes_takes_its_query_along(serve: Any) -> None:
    fleet, url = serve()
    with abandon(url, RUNAWAY):
        reader = working(fleet.process.pid)
    eventually(lambda: is_gone(reader), 10)
    assert ask(url, COUNT).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_ends_its_readers(serve: Any, number: Any) -> None:
    fleet, url = serve()
    with abandon(url, RUNAWAY), abandon(url, RUNAWAY):
        eventually(lambda: len(readers_of(fleet.process.pid)) == 2)
        working(fleet.process.pid)
        readers = readers_of(fleet.process.pid)
        fleet.process.send_signal(number)
        assert fleet.process.wait(timeout=30) == 0, fleet.where()
        assert all(map(is_gone, readers))
    assert not (fleet.folder / "snapshots").exists()


def test_a_server_that_is_killed_leaves_no_reader_behind(serve: Any) -> None:
    fleet, url = serve()
    assert ask(url, COUNT).status_code == 200
    with abandon(url, RUNAWAY), abandon(url, RUNAWAY):
        eventually(lambda: len(readers_of(fleet.process.pid)) == 2)
        working(fleet.process.pid)
        readers = readers_of(fleet.process.pid)
        fleet.kill()
        eventually(lambda: all(map(is_gone, readers)), 10)
    snapshots = fleet.folder / "snapshots"
    assert any(snapshots.iterdir())
    _, url = serve()
    assert not snapshots.exists()
    assert ask(url, COUNT).status_code == 200
