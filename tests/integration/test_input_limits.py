"""A real server and what is too large, too deep or no text: refused with a sentence, and the server lives."""

from __future__ import annotations

import gzip
import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voltwin.errors import InputLimitError, QueryError
from voltwin.outgoing import OutgoingPolicy
from voltwin.settings import InputLimits

from ..unit.api.sample_fleet import EOL, make_fleet

pytestmark = pytest.mark.integration

LIMITS = InputLimits()
QUERY = {"Content-Type": "application/sparql-query"}
UPDATE = {"Content-Type": "application/sparql-update"}
TURTLE = {"Content-Type": "text/turtle"}
TEXT = "/module-0001/serial"
COMMENT = f"/twins{TEXT}"
GRAPH = "/graphs?graph=https://x.example/g"


class Served:
    """A server in a process of its own, and a client of it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "voltwin", "serve", str(folder), "--port", "0", "--query-seconds", "5"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        found = re.search(r"serving on ([^;\s]+)", self.process.stdout.readline())
        assert found is not None
        self.web = httpx2.Client(base_url=found[1], trust_env=False, timeout=60)

    def lives(self) -> bool:
        return self.process.poll() is None and self.web.get("/health").status_code == 200

    def refuses(self, answer: Any, *status: int) -> None:
        assert answer.status_code in status, (answer.status_code, answer.text[:200])
        assert "Traceback" not in answer.text
        assert self.lives()

    def stop(self) -> None:
        self.web.close()
        self.process.terminate()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("limits")
    make_fleet(place, ["module-0001"]).close()
    return place / "fleet"


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    running = Served(folder)
    yield running
    running.stop()


def insert(text: str) -> str:
    return f'INSERT DATA {{ GRAPH <https://x.example/g> {{ <x:s> <x:p> "{text}" }} }}'


def groups(depth: int) -> str:
    return "{" * depth + "}" * depth


NESTS = {
    "groups": lambda n: f"ASK {groups(n)}",
    "expressions": lambda n: f"ASK {{ FILTER{'(' * (n - 1)}1{')' * (n - 1)} }}",
    "blank nodes": lambda n: f"ASK {{ <x:s> <x:p> {'[ <x:p> ' * (n - 1)}1{']' * (n - 1)} }}",
    "collections": lambda n: f"ASK {{ <x:s> <x:p> {'(' * (n - 1)}1{')' * (n - 1)} }}",
    "sub-selects": lambda n: f"ASK {'{ SELECT * {' * (n // 2)}{'}}' * (n // 2)}",
    "conditions": lambda n: f"ASK {'{ FILTER EXISTS ' * (n - 1)}{{}}{'}' * (n - 1)}",
}


@pytest.mark.parametrize("nest", NESTS)
def test_depth_of_a_query(served: Served, nest: str) -> None:
    just = served.web.post("/sparql", content=NESTS[nest](LIMITS.query_depth), headers=QUERY)
    assert just.status_code == 200 or "time limit" in just.text, just.text
    for depth in (LIMITS.query_depth + 2, 3000, 50_000):
        served.refuses(served.web.post("/sparql", content=NESTS[nest](depth), headers=QUERY), 413)
    page = served.web.get("/query", params={"query": NESTS[nest](3000)})
    served.refuses(page, 200, 413, 431)


def test_depth_of_an_update(served: Served) -> None:
    def update(depth: int) -> Any:
        return served.web.post("/sparql", content=f"DELETE {{}} WHERE {groups(depth)}", headers=UPDATE)

    assert update(LIMITS.query_depth).status_code == 200
    for depth in (LIMITS.query_depth + 1, 3000, 100_000):
        served.refuses(update(depth), 413)
    using = served.web.post("/sparql?using-graph-uri=x:g", content=f"DELETE {{}} WHERE {groups(3000)}", headers=UPDATE)
    served.refuses(using, 413)


@pytest.mark.parametrize("sign", ["!", "?a||", "?a+"])
def test_words_and_signs_of_a_query(served: Served, sign: str) -> None:
    each = {"!": 1, "?a||": 2, "?a+": 2}[sign]
    just = (LIMITS.query_tokens - 20) // each
    assert served.web.post("/sparql", content=f"ASK {{ FILTER({sign * just}1) }}", headers=QUERY).status_code == 200
    for count in (LIMITS.query_tokens, 60_000):
        served.refuses(served.web.post("/sparql", content=f"ASK {{ FILTER({sign * count}1) }}", headers=QUERY), 413)


def test_terms_in_values_and_data_are_many(served: Served) -> None:
    terms = " ".join(f"<x:{number}>" for number in range(20_000))
    assert served.web.post("/sparql", content=f"ASK {{ VALUES ?a {{ {terms} }} }}", headers=QUERY).status_code == 200
    triples = " ".join(f"<x:{number}> <x:p> 1 ." for number in range(5_000))
    text = f"INSERT DATA {{ GRAPH <https://x.example/many> {{ {triples} }} }}"
    assert served.web.post("/sparql", content=text, headers=UPDATE).status_code == 200


def test_a_body(served: Served) -> None:
    def send(size: int) -> Any:
        text = "ASK {}"
        return served.web.post("/sparql", content=text + " " * (size - len(text)), headers=QUERY)

    assert send(LIMITS.body_bytes).status_code == 200
    served.refuses(send(LIMITS.body_bytes + 1), 413)


@pytest.mark.parametrize(("method", "url"), [("PUT", COMMENT), ("POST", "/sparql")])
def test_a_body_in_pieces_is_refused_while_it_arrives(served: Served, method: str, url: str) -> None:
    pieces = (b" " * 2**20 for _ in range(LIMITS.body_bytes // 2**20 + 1))
    try:
        answer = served.web.request(method, url, content=pieces, headers=QUERY)
    except httpx2.TransportError:
        assert served.lives()  # closed before it was sent whole
    else:
        served.refuses(answer, 413)


def put(served: Served, value: Any, author: str = "ann") -> Any:
    return served.web.put(COMMENT, json={"value": value, "author": author})


def test_a_value_and_an_author(served: Served) -> None:
    assert put(served, "x" * LIMITS.value_bytes).status_code == 200
    assert len(served.web.get(COMMENT).json()["answers"][0]["value"]) == LIMITS.value_bytes
    served.refuses(put(served, "x" * (LIMITS.value_bytes + 1)), 413)
    assert put(served, "x", "a" * LIMITS.author_bytes).status_code == 200
    served.refuses(put(served, "x", "a" * (LIMITS.author_bytes + 1)), 413)
    served.refuses(served.web.post(f"/sparql?author={'a' * 1001}", content=insert("x"), headers=UPDATE), 413)
    served.refuses(served.web.put(f"{GRAPH}&author={'a' * 1001}", content="", headers=TURTLE), 413)


def test_a_term_of_an_update_and_of_a_graph(served: Served) -> None:
    triple = '<x:s> <x:p> "{}" .'
    assert served.web.post("/sparql", content=insert("x" * LIMITS.value_bytes), headers=UPDATE).status_code == 200
    assert served.web.put(GRAPH, content=triple.format("x" * LIMITS.value_bytes), headers=TURTLE).status_code < 300
    for size in (LIMITS.value_bytes + 1, 12_000_000):
        served.refuses(served.web.post("/sparql", content=insert("x" * size), headers=UPDATE), 413)
    for size in (LIMITS.value_bytes + 1, 17_000_000):
        served.refuses(served.web.put(GRAPH, content=triple.format("x" * size), headers=TURTLE), 413, 422)


def test_triple_terms_of_a_graph(served: Served) -> None:
    def nested(depth: int) -> str:
        return f"<x:s> <x:p> {'<<( <x:s> <x:p> ' * depth}1{' )>>' * depth} ."

    assert served.web.put(GRAPH, content=nested(LIMITS.query_depth), headers=TURTLE).status_code < 300
    for depth in (LIMITS.query_depth + 1, 3000, 50_000):
        served.refuses(served.web.put(GRAPH, content=nested(depth), headers=TURTLE), 413)
    lists = f"<x:s> <x:p> {'(' * 10_000}1{')' * 10_000} ."
    assert served.web.put(GRAPH, content=lists, headers=TURTLE).status_code < 300


def test_a_path(served: Served) -> None:
    def ask(path: str) -> Any:
        return served.web.get("/paths", params={"path": path})

    assert ask("/module-0001" + "/." * (LIMITS.path_steps - 1)).status_code == 200
    served.refuses(ask("/module-0001" + "/." * LIMITS.path_steps), 413)
    assert ask("/*" + "[1]" * LIMITS.path_predicates).status_code == 200
    served.refuses(ask("/*" + "[1]" * (LIMITS.path_predicates + 1)), 413)
    served.refuses(ask("/" + "x" * LIMITS.path_characters), 413)
    served.refuses(served.web.put("/twins/a" + "/b" * 200, json={"value": 1, "author": "a"}), 413)


def test_parameters(served: Served) -> None:
    most = LIMITS.parameters
    assert served.web.get("/health?" + "&".join("a=1" for _ in range(most))).status_code == 200
    served.refuses(served.web.get("/health?" + "&".join("a=1" for _ in range(most + 1))), 413)
    served.refuses(served.web.post("/sparql", data={f"a{number}": "1" for number in range(most + 1)}), 400, 413)


@pytest.mark.parametrize("address", ["<http://127.0.0.1:9/>", "?where", "SILENT <http://127.0.0.1:9/>", "vt:x"])
def test_service_is_refused(served: Served, address: str) -> None:
    text = f"SELECT * {{ SERVICE {address} {{ ?a ?b ?c }} }}"
    answer = served.web.post("/sparql", content=text, headers=QUERY)
    served.refuses(answer, 400)
    assert "--allow-outgoing" in answer.text
    served.refuses(served.web.get("/sparql", params={"query": text, "as_of": "1"}), 400)


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff and more", "a\\u0000b"])
def test_what_is_no_text(served: Served, text: str) -> None:
    json_type = {"Content-Type": "application/json"}
    for body in (
        f'{{"value": "{text}", "author": "ann"}}',
        f'{{"value": ["{text}"], "author": "ann"}}',
        f'{{"value": 1, "author": "{text}"}}',
        f'{{"value": 1, "author": "ann", "unit": "{text}"}}',
        f'{{"value": 1, "author": "ann", "time": "{text}"}}',
        f'{{"value": 1, "author": "ann", "{text}": 1}}',
    ):
        served.refuses(served.web.put(COMMENT, content=body, headers=json_type), 400, 422)


ODD = st.sampled_from(["%00", "%ED%A0%80", "%FF", "a" * 5000, "'", "[" * 300, "/" * 300, "%F0%9F%98%80", "*", ".."])
BODIES = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda sign, count: (sign * count).encode(),
        st.sampled_from(list("{([<\"'!-^/\\,;.a\0")),
        st.integers(0, 200_000),
    ),
    st.builds(lambda count: b'{"value": ' + b"[" * count + b"]" * count + b"}", st.integers(0, 100_000)),
    st.builds(lambda count: f"ASK {groups(count)}".encode(), st.integers(0, 20_000)),
    st.builds(lambda count: f"DELETE {{}} WHERE {groups(count)}".encode(), st.integers(0, 20_000)),
)
KINDS = st.sampled_from(
    [
        "application/json",
        "application/sparql-query",
        "application/sparql-update",
        "application/x-www-form-urlencoded",
        "text/turtle",
        "application/trig",
        "application/n-triples",
        "application/n-quads",
        "application/rdf+xml",
        "application/ld+json",
        "multipart/form-data; boundary=x",
        "\xff",
        "",
    ]
)
ROUTES = st.sampled_from(
    [
        "/twins/{}",
        "/paths?path={}",
        "/structure?path={}",
        "/validate?twin={}",
        "/status?as_of={}",
        "/history?as_of={}",
        "/events?follow=false&since={}",
        "/sparql?query={}",
        "/sparql?update={}",
        "/sparql?author={}",
        "/query?query={}",
        "/graphs?graph=https://x.example/{}",
        "/graphs/{}",
        "/graphs?default&author={}",
        "/twin/{}",
        "/static/{}",
        "/{}",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]), ROUTES, st.lists(ODD, max_size=2), KINDS, BODIES)
def test_no_request_ends_the_server(
    served: Served, method: str, route: str, odd: list[str], kind: str, body: bytes
) -> None:
    client = http.client.HTTPConnection(served.web.base_url.host, served.web.base_url.port, timeout=60)
    with closing(client):
        client.request(method, route.format("".join(odd)), body, {"Content-Type": kind})
        answer = client.getresponse()
        text = answer.read()
    assert answer.status < 500, (answer.status, text[:300])
    assert served.lives()


@pytest.mark.parametrize("value", ["\n" * 2**20, "\u20ac" * (2**20 // 3), "\U0001f600" * 2**18])
def test_what_was_acknowledged_is_read_again(tmp_path: Path, value: str) -> None:
    with make_fleet(tmp_path, ["module-0001"]) as fleet:
        fleet.put(TEXT, value, unit=None, time=EOL, author="ann")
        with pytest.raises(InputLimitError, match="value: has"):
            fleet.put(TEXT, f"{value}abc", unit=None, time=EOL, author="ann")
        fleet.committer.store.clear()
        assert fleet.committer.catch_up()
        assert fleet.get(TEXT).value == value


def test_no_setting_lets_in_what_the_reader_of_the_journal_cannot_take(tmp_path: Path) -> None:
    with make_fleet(tmp_path, ["module-0001"]) as fleet:
        fleet.committer.inputs = InputLimits(value_bytes=15_000_000)
        fleet.put(TEXT, "x" * 14_000_000, unit=None, time=EOL, author="ann")
        fleet.committer.inputs = InputLimits(value_bytes=2**27)
        with pytest.raises(InputLimitError):
            fleet.put(TEXT, "x" * 17_000_000, unit=None, time=EOL, author="ann")
        with pytest.raises(QueryError):
            fleet.update(insert("x" * 17_000_000), author="ann")
        fleet.committer.store.clear()
        assert fleet.committer.catch_up()


def test_service_at_an_address_of_the_settings(tmp_path: Path) -> None:
    with make_fleet(tmp_path, []) as fleet:
        fleet.committer.inputs = InputLimits(outgoing=OutgoingPolicy.of(["http://127.0.0.1:9/"]))
        with pytest.raises(QueryError, match=r"(?i)connect|http"):
            fleet.query("SELECT * { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c } }")
        with pytest.raises(QueryError, match=r"--allow-outgoing http://127\.0\.0\.1:10"):
            fleet.query("SELECT * { SERVICE <http://127.0.0.1:10/> { ?a ?b ?c } }")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
def test_a_compressed_body_is_refused_but_for_gzip_at_graphs(served: Served, encoding: str) -> None:
    query = gzip.compress(b"ASK { ?s ?p ?o }")
    answer = served.web.post("/sparql", content=query, headers=QUERY | {"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert "send it as it is" in answer.json()["message"]
    turtle = gzip.compress(b"<x:s> <x:p> 1 .")
    loaded = served.web.put(GRAPH, content=turtle, headers=TURTLE | {"Content-Encoding": encoding})
    assert loaded.status_code in ((200, 201) if encoding == "gzip" else (415,))
    assert served.web.post("/sparql", content=b"ASK {}", headers=QUERY | {"Content-Encoding": "identity"}).is_success
