"""The REST interface over a real socket, byte by byte where that matters."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.errors import EnvironmentProblem, InputError, ServiceError
from voltwin.graphstore.fleets.remote import RemoteFleet
from voltwin.graphstore.paths.answers import answer_from_json

from ..unit.api.sample_fleet import EOL, make_fleet

pytestmark = pytest.mark.integration

NOTES = "https://fleet.example/notes"
TRIPLE = f"<{NOTES}> a <{NOTES}> ."
UPDATE, TURTLE = {"Content-Type": "application/sparql-update"}, {"Content-Type": "text/turtle"}
INSERT = f"INSERT DATA {{ GRAPH <{NOTES}> {{ {TRIPLE} }} }}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with make_fleet(tmp_path_factory.mktemp("rest")) as fleet, WebServer(create_app(fleet), port=0) as running:
        yield running


@pytest.fixture(scope="module")
def web(server: Any) -> Iterator[Any]:
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        yield client


def test_a_path_is_a_url(web: Any) -> None:
    response = web.get("/twins/module-0002/cells/cell-07/arrivalOcv")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert document["path"] == "/module-0002/cells/cell-07/arrivalOcv"
    (answer,) = document["answers"]
    assert answer["value"] == pytest.approx(3.6432)
    assert (answer["unit"], answer["origin"], answer["time"]) == ("V", "measured", "2019-04-12T22:00:00Z")


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("/twins/", 9),
        ("/twins/*/arrivalTest/decision", 3),
        ("/twins/%2A/arrivalTest/decision", 3),
        ("/twins/module-0001/cells", 12),
        ("/twins/module-0001/cells%5B2%5D/voltage", 1),
        ("/twins/*%5Bserial='S-0002'%5D/capacity", 1),
        ("/twins/module-0001/selfDischarge/trend@%5B2019-04-04T00:00Z,%29", 1),
        ("/twins/*/transport/nothing%5Bx=1%5D", None),
        ("/twins/*%5Bserial='none'%5D/capacity", 0),
        ("/twins/**/voltage", 36),
        ("/twins/module-0003/reasoner/temperatureTrend", 1),
    ],
)
def test_wildcards_predicates_and_windows_work_in_urls(web: Any, url: Any, count: Any) -> None:
    response = web.get(url)
    if count is None:
        assert response.status_code == 404
        return
    assert response.status_code == 200
    assert len([answer_from_json(item) for item in response.json()["answers"]]) == count


@pytest.mark.parametrize("path", ["/module-0001/cells/cell-03/../serial", "/*[serial='S-0002']/capacity", "/nobody"])
def test_paths_takes_what_urls_swallow_and_answers_nothing_with_200(web: Any, path: Any) -> None:
    response = web.get("/paths", params={"path": path})
    assert response.status_code == 200
    assert len(response.json()["answers"]) == (0 if path == "/nobody" else 1)


@pytest.mark.parametrize(
    ("url", "status", "error", "words"),
    [
        ("/twins/nobody", 404, "TwinNotFoundError", "there is no twin 'nobody'"),
        ("/twins/nobody/serial", 404, "TwinNotFoundError", "nobody"),
        ("/twins/module-0001/type", 404, "PathNotFoundError", "nothing is stored there yet"),
        ("/twins/module-0001/cells/cell-99", 404, "PathNotFoundError", "cell-99"),
        ("/twins/module-0001/voltag", 404, "PathNotFoundError", "voltag"),
        ("/twins/module-0001/%5B2%5D", 400, "PathSyntaxError", "column 14"),
        ("/paths", 422, "InputError", "path"),
        ("/paths?path=module-0001", 404, "PathNotFoundError", "relative"),
        ("/validate?twin=nobody", 404, "TwinNotFoundError", "nobody"),
        ("/nothing-here", 404, "HTTPError", "/openapi.json"),
    ],
)
def test_what_is_wrong_is_told_as_json(web: Any, url: Any, status: Any, error: Any, words: Any) -> None:
    response = web.get(url)
    assert response.status_code == status
    document = response.json()
    assert document["error"] == error
    assert words in document["message"]


def test_a_syntax_error_has_its_position(web: Any) -> None:
    assert web.get("/twins/module-0001/%5B2%5D").json()["position"] == 13


def test_head_is_get_without_a_body(web: Any) -> None:
    for url in ("/twins/module-0001", "/sparql?query=ASK%7B%7D", "/status", "/"):
        got, head = web.get(url), web.head(url)
        assert head.status_code == got.status_code == 200
        assert head.content == b""
        assert head.headers["content-length"] == got.headers["content-length"]
        assert head.headers["content-type"] == got.headers["content-type"]
    assert web.head("/twins/nobody").status_code == 404


def test_any_page_may_read_but_not_write(web: Any) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    assert web.get("/twins/module-0001", headers=origin).headers["access-control-allow-origin"] == "*"
    asked = origin | {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    assert web.options("/twins/module-0001/serial", headers=asked).status_code == 400


def test_state(web: Any) -> None:
    assert web.get("/health").json() == {"status": "ok"}
    assert web.get("/status").json()["twins"] == 9
    report = web.get("/validate", params={"twin": "module-0001"}).json()
    assert report.pop("shapes") > 0
    assert report == {"conforms": True, "twins": 1, "violations": [], "notValidated": "", "note": ""}


def test_it_describes_itself(web: Any) -> None:
    paths = web.get("/openapi.json").json()["paths"]
    data = {"/twins/{path}", "/paths", "/structure", "/sparql", "/graphs"}
    assert data | {"/events", "/history", "/validate", "/status", "/health", "/rollback"} == set(paths)
    assert set(paths["/graphs"]) == {"get", "put", "post", "delete"}
    assert set(paths["/twins/{path}"]) == {"get", "put"}


@pytest.fixture
def writable(tmp_path: Path) -> Iterator[Any]:
    with (
        make_fleet(tmp_path, ["module-0001"]) as fleet,
        WebServer(create_app(fleet), port=0) as running,
        httpx2.Client(base_url=running.url, trust_env=False) as client,
    ):
        yield client


def test_a_put_is_a_commit(writable: Any) -> None:
    body = {"value": 3.6, "unit": "V", "time": "2019-04-20T10:00:00+02:00", "author": "bench"}
    response = writable.put("/twins/module-0001/cells/cell-01/voltage", json=body)
    assert response.status_code == 200
    assert response.json() == {"sequence": writable.get("/status").json()["commits"]}
    (answer,) = writable.get("/twins/module-0001/cells/cell-01/voltage").json()["answers"]
    assert (answer["value"], answer["time"]) == (3.6, "2019-04-20T08:00:00Z")


@pytest.mark.parametrize(
    ("method", "url", "sent"),
    [
        ("PUT", "/twins/module-0001/serial", {"json": {"value": "S-9", "author": "mallory"}}),
        ("POST", "/sparql", {"data": {"update": INSERT, "author": "mallory"}}),
        (
            "POST",
            "/sparql?author=mallory",
            {"content": INSERT, "headers": UPDATE},
        ),
        (
            "PUT",
            f"/graphs?graph={NOTES}&author=mallory",
            {"content": TRIPLE, "headers": TURTLE},
        ),
    ],
)
def test_a_name_that_a_client_claims_is_not_the_author(writable: Any, method: str, url: str, sent: Any) -> None:
    headers = {"From": "mallory", "X-Author": "mallory", "Author": "mallory", **sent.get("headers", {})}
    assert writable.request(method, url, **{**sent, "headers": headers}).status_code in (200, 201)
    newest = writable.get("/status").json()["commits"]
    events = writable.get(f"/events?since={newest - 1}&follow=false").text
    assert '"author": "anonymous"' in events
    assert "mallory" not in events


def test_without_a_time_it_holds_now(writable: Any) -> None:
    before = datetime.now(UTC)
    writable.put("/twins/module-0001/capacity", json={"value": 12, "unit": "A-HR", "author": "bench"})
    (answer,) = writable.get("/twins/module-0001/capacity").json()["answers"]
    assert before <= answer_from_json(answer).time <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("module-0001/capacity", {"value": 12, "author": "b"}, 422, "A-HR"),
        ("module-0001/capacity", {"value": 12, "unit": "A-HR", "author": "b" * 1001}, 413, "author"),
        ("module-0001/capacity", {"value": 12, "unit": "A-HR", "author": "b", "tiem": "x"}, 422, "tiem"),
        ("module-0001/capacity", {"value": 12, "unit": "A-HR", "author": "b", "time": "2019-04-20T10:00"}, 422, "zone"),
        ("module-0001/capacity", {"value": {}, "unit": "A-HR", "author": "b"}, 422, "value"),
        ("module-0001/colour", {"value": "red", "author": "b"}, 404, "colour"),
        ("nobody/serial", {"value": "x", "author": "b"}, 404, "nobody"),
        ("*/serial", {"value": "x", "author": "b"}, 422, "name every step"),
    ],
)
def test_a_wrong_put_is_refused_and_changes_nothing(
    writable: Any, path: Any, body: Any, status: Any, words: Any
) -> None:
    before = writable.get("/status").json()
    response = writable.put(f"/twins/{path}", json=body)
    assert response.status_code == status
    assert words in response.json()["message"]
    assert writable.get("/status").json() == before


def test_puts_from_many_threads_all_arrive(writable: Any) -> None:
    def put(number: Any) -> None:
        body = {"value": 3.5 + number / 1000, "unit": "V", "time": "2019-04-20T00:00:00Z", "author": f"t{number}"}
        key = f"cell-{number + 1:02d}"
        assert writable.put(f"/twins/module-0001/cells/{key}/voltage", json=body).status_code == 200

    before = writable.get("/status").json()["commits"]
    threads = [threading.Thread(target=put, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = writable.get("/twins/module-0001/cells/*/voltage").json()["answers"]
    assert [answer["value"] for answer in answers] == [pytest.approx(3.5 + n / 1000) for n in range(12)]
    assert writable.get("/status").json()["commits"] == before + 12


def test_an_unforeseen_failure_is_short_outside_and_full_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = make_fleet(tmp_path, [])
    fleet.close()  # every later question fails inside
    fleet.committer.store = None  # type: ignore[assignment]  # a stand-in takes the place of the real part
    with WebServer(create_app(fleet), port=0) as running, caplog.at_level(logging.ERROR):
        response = httpx2.get(f"{running.url}/twins/module-0001", trust_env=False)
        assert response.status_code == 500
        assert response.json()["error"] == "InternalError"
        assert "Traceback" not in response.text
        with RemoteFleet(running.url) as remote, pytest.raises(ServiceError, match="see its log"):
            remote.all("/module-0001")
    assert any(record.exc_info for record in caplog.records)


def test_a_busy_port_is_one_sentence(server: Any) -> None:
    second = WebServer(server.app, port=server.port)
    with pytest.raises(EnvironmentProblem, match=f"127.0.0.1:{server.port} .*choose another port"):
        second.start()


def test_a_server_can_stop_and_its_port_is_free_again(tmp_path: Path) -> None:
    with make_fleet(tmp_path, []) as fleet:
        running = WebServer(create_app(fleet), port=0)
        running.start()
        port = running.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/health")
        assert json.loads(connection.getresponse().read()) == {"status": "ok"}
        running.stop()
        running.stop()
        connection.close()
        with RemoteFleet(f"http://127.0.0.1:{port}") as remote, pytest.raises(ServiceError, match="no server answers"):
            remote.status()
        again = WebServer(create_app(fleet), port=port)
        again.start()
        again.stop()


def test_something_else_on_the_port_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with RemoteFleet(url) as remote, pytest.raises(ServiceError, match="is this a voltwin server"):
            remote.status()
        thread.join()


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://host", "http://"])
def test_an_address_that_is_none_is_refused(address: Any) -> None:
    with pytest.raises(InputError, match="http://host:port"):
        RemoteFleet(address)


def test_the_path_of_a_url_is_what_the_client_encoded(server: Any) -> None:
    """A quoted key may hold a slash; on the wire it is %2F."""
    host = urllib.parse.urlsplit(server.url).netloc
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", "/twins/%27a%2Fb%27/serial")
    response = connection.getresponse()
    assert response.status == 404
    assert "'a/b'" in json.loads(response.read())["message"]
    connection.close()


def test_times_are_utc_on_the_wire(web: Any) -> None:
    (answer,) = web.get("/twins/module-0001/endOfLineTest/performedAt").json()["answers"]
    assert (answer["kind"], answer["value"]) == ("time", "2019-04-01T06:00:00Z")
    assert answer_from_json(answer).value == EOL
