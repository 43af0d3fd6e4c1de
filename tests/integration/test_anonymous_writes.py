"""Without a key only this machine writes: a server on another address refuses every door, or says that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from voltwin.server import Server
from voltwin.settings import Settings
from voltwin.verbs.fleet import _access

from ..unit.api.sample_fleet import make_fleet

pytestmark = pytest.mark.integration

SERIAL = "/twins/module-0001/serial"
UPDATE = {"content-type": "application/sparql-update"}
INSERT = "INSERT DATA { GRAPH <https://x.example/g> { <a:a> <a:b> 1 } }"
GRAPH = "/graphs?graph=https://x.example/g"
TURTLE = {"content": "<a:a> <a:b> 1 .", "headers": {"content-type": "text/turtle"}}
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", SERIAL, {"json": {"value": "S-9", "author": "anna"}}),
    ("POST", "/sparql", {"content": INSERT, "headers": UPDATE}),
    ("POST", "/sparql", {"data": {"update": INSERT}}),
    ("PUT", GRAPH, TURTLE),
    ("POST", GRAPH, TURTLE),
    ("DELETE", GRAPH, {}),
]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    make_fleet(tmp_path).close()
    running: list[Server] = []

    def start(**given: Any) -> str:
        running.append(Server(tmp_path / "fleet", Settings(port=0, **given)))
        return f"http://127.0.0.1:{running[0].start().rpartition(':')[2]}"

    yield start
    for server in running:
        server.stop()


@pytest.mark.parametrize("given", [{"host": "127.0.0.1"}, {"host": "0.0.0.0", "allow_anonymous_writes": True}])
def test_writes_are_taken_on_loopback_and_where_they_are_allowed(serve: Any, given: Any) -> None:
    address = serve(**given)
    for method, path, content in WRITES:
        assert httpx2.request(method, f"{address}{path}", **content).status_code in (200, 201), (method, path)


def test_another_address_refuses_every_write_with_a_sentence_and_answers_reads(serve: Any) -> None:
    address = serve(host="0.0.0.0")
    for method, path, content in WRITES:
        answer = httpx2.request(method, f"{address}{path}", **content)
        assert answer.status_code == 403, (method, path, answer.text)
        assert "--allow-anonymous-writes" in answer.text
    assert httpx2.get(f"{address}{SERIAL}").status_code == 200
    query = {"content": "ASK {}", "headers": {"content-type": "application/sparql-query"}}
    assert httpx2.request("POST", f"{address}/sparql", **query).status_code == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("plant.example", False),
    ],
)
def test_each_start_says_who_may_write(host: str, loopback: bool) -> None:
    assert Settings(host=host).loopback is loopback
    open_, closed = (_access(Settings(host=host, allow_anonymous_writes=allowed)) for allowed in (True, False))
    assert ("WARNING" in open_, "refused" in closed) == (not loopback, not loopback)


def test_the_setting_is_read_from_the_environment_and_the_command_line() -> None:
    from voltwin.cli import voltwin

    assert Settings.from_environment({"VOLTWIN_ALLOW_ANONYMOUS_WRITES": "true"}).allow_anonymous_writes
    assert "--allow-anonymous-writes" in CliRunner().invoke(voltwin, ["serve", "--help"]).output
