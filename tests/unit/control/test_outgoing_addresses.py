"""An action asks only what the settings name: any other address is a warning, and the reason of its failed run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, Quad

from voltwin.control.handlers.http_pull import MOST_REDIRECTS, HttpPullHandler
from voltwin.control.interfaces import Invocation
from voltwin.control.master.checks.registry import find_problems
from voltwin.control.master.inputs import OutsideServices
from voltwin.control.master.intake import CLOCK_TOPIC
from voltwin.errors import QueryError
from voltwin.graphstore.sparql.gate import check_services
from voltwin.ontology.iris import VT
from voltwin.outgoing import OutgoingPolicy
from voltwin.settings import InputLimits
from voltwin.testing import Bench, message

BIRTH = "voltwin/modules/module-0001/birth"


@contextmanager
def web(redirects: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """A web server, and the paths it was asked: it redirects some, and answers a temperature to all others."""
    asked: list[str] = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            there = redirects.get(self.path)
            body = b"" if there else json.dumps({"temperature": {"value": 7.0, "unit": "DEG_C"}}).encode()
            self.send_response(302 if there else 200)
            if there:
                self.send_header("Location", there)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name is the server's

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def at_endpoint(bench: Bench, endpoint: str) -> None:
    """The action that polls the weather asks ``endpoint``."""
    store, graph = bench.committer.store, bench.fleet.names.actions_graph
    action = bench.fleet.names.action("poll-weather")
    triples = [
        quad.triple
        for quad in store.quads(None, None, None, graph)
        if (quad.subject, quad.predicate) != (action, VT.endpoint)
    ]
    store.replace(graph, [*triples, Quad(action, VT.endpoint, Literal(endpoint)).triple])


def failures(bench: Bench) -> list[str]:
    text = "SELECT DISTINCT ?r { ?run vt:status 'failed' ; vt:reason ?r }"
    rows = json.loads(bench.fleet.query(text, "application/sparql-results+json").body)["results"]["bindings"]
    return [row["r"]["value"] for row in rows]


def play(bench: Bench, message_examples: Any, services: dict[str, str], policy: OutgoingPolicy) -> None:
    master = bench.master(services)
    master.services = OutsideServices(services, policy)
    bench.master = lambda *_: master  # type: ignore[method-assign]  # the one with this policy
    birth = message_examples["module-birth"]
    later = {"id": "later", "time": (datetime.fromisoformat(birth["time"]) + timedelta(hours=4)).isoformat()}
    bench.play([message(BIRTH, birth), message(CLOCK_TOPIC, later)], {"http-pull": HttpPullHandler()})


@pytest.mark.parametrize(
    "endpoint", ["{other}/weather", "{weather}@127.0.0.1:{port}/weather", "http://localhost:{port}/weather"]
)
def test_an_address_that_no_setting_names_is_not_asked(
    tmp_path: Path, case_study: Any, message_examples: Any, endpoint: str
) -> None:
    with web({}) as (address, asked):
        endpoint = endpoint.replace("{other}", address).replace("{port}", address.rpartition(":")[2])
        services = {"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"}
        bench = Bench.make(tmp_path, case_study)
        at_endpoint(bench, endpoint)
        found = [f for f in find_problems(bench.committer.store, bench.fleet.names, services) if f.check == "outgoing"]
        assert [finding.severity for finding in found] == ["warning"]
        play(bench, message_examples, services, OutgoingPolicy())
        reasons = [reason for reason in failures(bench) if "poll-weather" in reason]
        assert len(reasons) == 1, failures(bench)
        assert "--allow-outgoing" in reasons[0] or "no plain address" in reasons[0]
        assert found[0].message.split()[:2] == reasons[0].removeprefix("action 'poll-weather': ").split()[:2]
        assert asked == []
        bench.close()


@pytest.mark.parametrize("named", ["service", "policy"])
def test_an_address_that_the_settings_name_is_asked(
    tmp_path: Path, case_study: Any, message_examples: Any, named: str
) -> None:
    with web({}) as (address, asked):
        services = {"models": "http://127.0.0.1:1", "weather": address if named == "service" else "http://127.0.0.1:2"}
        policy = OutgoingPolicy.of([address] if named == "policy" else [])
        bench = Bench.make(tmp_path, case_study)
        at_endpoint(bench, "{weather}/now" if named == "service" else f"{address}/now")
        assert not find_problems(bench.committer.store, bench.fleet.names, services, policy)
        play(bench, message_examples, services, policy)
        assert asked
        assert set(asked) == {"/now"}
        bench.close()


def test_a_redirect_is_followed_within_its_origin_alone() -> None:
    pull = HttpPullHandler()
    with web({}) as (other, asked_there):
        chain = {f"/{number}": f"/{number + 1}" for number in range(1, 20)}
        with web({"/away": f"{other}/weather", "/again": "/away", "/loop": "/loop", **chain}) as (address, asked):

            def get(path: str) -> Any:
                return pull.run([Invocation("run", "twin", "2019-04-01T00:00:00Z", f"{address}/{path}")])[0]

            assert get(str(20 - MOST_REDIRECTS)).outputs == {"temperature": {"value": 7.0, "unit": "DEG_C"}}
            for path in ("away", "again", "loop", str(19 - MOST_REDIRECTS)):
                assert "which is not followed" in get(path).error
            assert asked.count("/loop") == MOST_REDIRECTS + 1
        assert asked_there == []


def test_a_redirect_of_a_service_in_a_query_is_not_followed(tmp_path: Path, case_study: Any) -> None:
    with web({}) as (other, asked_there), web({"/sparql": f"{other}/sparql"}) as (address, _):
        bench = Bench.make(tmp_path, case_study)
        text = f"SELECT * {{ SERVICE <{address}/sparql> {{ ?a ?b ?c }} }}"
        with pytest.raises(QueryError, match=f"start with --allow-outgoing {address}$"):
            bench.fleet.query(text)
        bench.fleet.committer.inputs = InputLimits(outgoing=OutgoingPolicy.of([f"{address}/sparql"]))
        with pytest.raises(QueryError):
            bench.fleet.query(text)
        assert asked_there == []
        bench.close()


def test_services_of_actions_are_none_of_queries() -> None:
    with pytest.raises(QueryError, match="SERVICE: "):
        check_services("ASK { SERVICE <http://models/x> {} }", InputLimits())
