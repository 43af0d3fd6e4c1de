"""The SPARQL 1.1 Graph Store Protocol suite of the W3C, driven by its manifests."""

from __future__ import annotations

import http.client
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import rdflib
from rdflib.collection import Collection
from rdflib.compare import isomorphic
from rdflib.namespace import RDF

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer

from ..unit.api.sample_fleet import make_fleet

SUITE = Path(__file__).parents[2] / ".." / "shared" / "conformance" / "sparql11"
MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
HT = rdflib.Namespace("http://www.w3.org/2011/http#")
CNT = rdflib.Namespace("http://www.w3.org/2011/content#")
DAWG = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-dawg#")
MINIMUM = 13
SKIPPED = {"put_get_default": "the default graph is the union of all graphs; a write has to name one (docs/adr/0016)"}
STATUS = {"OK": 200, "Created": 201, "NoContent": 204, "NotFound": 404}
ABSENT = pytest.mark.skipif(not SUITE.is_dir(), reason="the W3C suite is not at ../shared/conformance/sparql11")


def load() -> Any:
    graph = rdflib.Graph()
    entries: list[Any] = []
    for name in ("manifest-direct.ttl", "manifest-indirect.ttl"):
        file = SUITE / "graph-store-protocol" / name
        if file.exists():
            graph.parse(file)
    for head in graph.objects(None, MF.entries):
        entries += Collection(graph, head)
    return graph, sorted(entries)


GRAPH, ENTRIES = load()


def name_of(entry: Any) -> Any:
    return str(entry).rpartition("#")[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with make_fleet(tmp_path_factory.mktemp("graphs"), []) as fleet, WebServer(create_app(fleet), port=0) as running:
        yield running


@pytest.fixture
def empty(server: Any) -> Any:
    with httpx2.Client(base_url=server.url, trust_env=False) as web:
        assert web.post("/sparql", data={"update": "DROP ALL"}).status_code == 200
    return server


@ABSENT
def test_the_suite_is_whole() -> None:
    names = {name_of(entry) for entry in ENTRIES}
    assert len(names) >= MINIMUM
    assert set(SKIPPED) <= names
    assert len(names) - len(SKIPPED) >= 12


@ABSENT
def test_the_suite_before_it_is_prose_and_says_that_this_one_replaces_it() -> None:
    graph = rdflib.Graph().parse(SUITE / "http-rdf-update" / "manifest.ttl")
    entries = set(graph.subjects(RDF.type, MF.GraphStoreProtocolTest))
    assert len(entries) >= 18
    assert entries == set(graph.subjects(DAWG.approval, DAWG.Deprecated))


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_graph_store(entry: Any, empty: Any) -> None:
    if name_of(entry) in SKIPPED:
        pytest.skip(SKIPPED[name_of(entry)])
    (requests,) = GRAPH.objects(GRAPH.value(entry, MF.action), HT.requests)
    sent = list(Collection(GRAPH, requests))
    assert sent
    known: dict[Any, Any] = {}
    for request in sent:
        response = send(request, empty, known)
        check(GRAPH.value(request, HT.resp), response, known)


def filled(text: Any, known: Any) -> Any:
    for name, value in known.items():
        text = text.replace(name, value)
    return text


def headers_of(node: Any) -> Any:
    head = GRAPH.value(node, HT.headers)
    found = list(Collection(GRAPH, head)) if head is not None else []
    return {str(GRAPH.value(h, HT.fieldName)): str(GRAPH.value(h, HT.fieldValue)) for h in found}


def send(request: Any, server: Any, known: Any) -> Any:
    path = filled(str(GRAPH.value(request, HT.absolutePath)), known)
    assert path.startswith("/gsp")
    body = GRAPH.value(request, HT.body)
    content = filled(str(GRAPH.value(body, CNT.chars)), known).encode() if body is not None else None
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=30)
    try:
        method = str(GRAPH.value(request, HT.methodName))
        connection.request(method, f"/graphs{path[4:]}", content, headers_of(request))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def check(wanted: Any, answer: Any, known: Any) -> None:
    status, headers, body = answer
    codes = {STATUS[str(code).rpartition("#")[2]] for code in GRAPH.objects(wanted, MF.expectedStatus)}
    assert status in codes, body
    location = GRAPH.value(wanted, MF.expectedLocation)
    if location is not None:
        assert headers["Location"]
        known[str(location)] = headers["Location"]
    kind = headers_of(wanted).get("content-type")
    if kind is not None:
        assert headers["content-type"].replace(" ", "").lower() == kind.replace(" ", "").lower()
    expected = GRAPH.value(wanted, HT.body)
    if expected is not None:
        left = rdflib.Graph().parse(data=body, format="turtle")
        right = rdflib.Graph().parse(data=str(GRAPH.value(expected, CNT.chars)), format="turtle")
        assert isomorphic(left, right), body
