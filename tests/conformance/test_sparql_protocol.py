"""The SPARQL 1.1 protocol and service description suites of the W3C, driven by their manifests."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rdflib
from pyoxigraph import NamedNode
from rdflib.collection import Collection
from rdflib.namespace import RDF

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.graphstore.interfaces import Entry, GraphChange

from ..unit.api.sample_fleet import EOL, make_fleet

SUITE = Path(__file__).parents[2] / ".." / "shared" / "conformance" / "sparql11" / "protocol"
MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
HT = rdflib.Namespace("http://www.w3.org/2011/http#")
CNT = rdflib.Namespace("http://www.w3.org/2011/content#")
UT = rdflib.Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
RDFS = rdflib.RDFS
MINIMUM = 34

ROWS = {
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
}
GRAPHS = {"application/rdf+xml", "text/turtle", "application/n-triples", "application/ld+json"}


def load() -> Any:
    manifest = SUITE / "manifest.ttl"
    if not manifest.exists():
        return rdflib.Graph(), []
    graph = rdflib.Graph().parse(manifest)
    (head,) = graph.objects(None, MF.entries)
    return graph, list(Collection(graph, head))


GRAPH, ENTRIES = load()


def name_of(entry: Any) -> Any:
    return str(entry).rpartition("#")[2]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two, for some updates of the suite clear everything that its queries ask about."""
    with contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("protocol")
        yield {kind: stack.enter_context(serving(folder / kind)) for kind in ("query", "update")}


@pytest.fixture(scope="module")
def server(servers: Any) -> Any:
    return servers["query"]


@contextlib.contextmanager
def serving(folder: Any) -> Iterator[Any]:
    """A fleet whose store also holds the suite's graphs."""
    with make_fleet(folder, []) as fleet:
        texts = {}
        for data in GRAPH.objects(None, UT.graphData):
            file = SUITE / Path(str(GRAPH.value(data, UT.graph))).name
            texts[str(GRAPH.value(data, RDFS.label))] = file.read_text("utf-8")
        changes = tuple(GraphChange(NamedNode(iri), "", text) for iri, text in texts.items() if text.strip())
        fleet.committer.commit(Entry("suite", EOL, changes))
        with WebServer(create_app(fleet), port=0) as running:
            yield running


@pytest.mark.skipif(not ENTRIES, reason="the W3C suite is not at ../shared/conformance/sparql11")
def test_the_suite_is_whole() -> None:
    assert len(ENTRIES) >= MINIMUM


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_protocol(entry: Any, servers: Any) -> None:
    server = servers["update" if name_of(entry).startswith("update") else "query"]
    (requests,) = GRAPH.objects(GRAPH.value(entry, MF.action), HT.requests)
    sent = list(Collection(GRAPH, requests))
    assert sent
    for request in sent:
        check(request, send(request, server))


def send(request: Any, server: Any) -> Any:
    path = str(GRAPH.value(request, HT.absolutePath))
    assert path.startswith("/sparql")
    head = GRAPH.value(request, HT.headers)
    found = list(Collection(GRAPH, head)) if head is not None else []
    headers = {str(GRAPH.value(h, HT.fieldName)): str(GRAPH.value(h, HT.fieldValue)) for h in found}
    body = GRAPH.value(request, HT.body)
    content = None
    if body is not None:
        encoding = str(GRAPH.value(body, CNT.characterEncoding) or "UTF-8")
        content = str(GRAPH.value(body, CNT.chars)).encode(encoding)
    address = urllib.parse.urlsplit(server.url).netloc
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.putrequest(str(GRAPH.value(request, HT.methodName)), path)
        for name, value in headers.items():
            connection.putheader(name, value)
        if content is not None:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        response = connection.getresponse()
        return response.status, response.headers.get("content-type", "").partition(";")[0], response.read()
    finally:
        connection.close()


def check(request: Any, answer: Any) -> None:
    status, kind, body = answer
    response = GRAPH.value(request, HT.resp)
    wanted = {str(code).rpartition("StatusCode")[2][0] for code in GRAPH.objects(response, MF.expectedStatus)}
    assert wanted
    assert str(status)[0] in wanted, (status, body)
    expected = GRAPH.value(response, MF.expectedFormat)
    if expected is not None:
        offered = {"boolean": ROWS, "tabular": ROWS, "RDF": GRAPHS}[str(expected)]
        assert kind in offered
    boolean = GRAPH.value(response, MF.expectedBoolean)
    if boolean is not None:
        assert kind == "application/sparql-results+json"
        assert json.loads(body)["boolean"] is boolean.toPython()


@pytest.mark.skipif(not ENTRIES, reason="the W3C suite is not at ../shared/conformance/sparql11")
def test_service_description(server: Any) -> None:
    """returns-rdf, has-endpoint-triple, conforms-to-schema of the service description suite."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=30)
    connection.request("GET", "/sparql", headers={"Accept": "text/turtle"})
    response = connection.getresponse()
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    graph = rdflib.Graph().parse(data=response.read(), format="turtle")
    connection.close()
    endpoint = rdflib.URIRef(f"{server.url}/sparql")
    services = set(graph.subjects(RDF.type, sd.Service))
    assert services
    assert set(graph.subjects(sd.endpoint, endpoint)) == services
    terms = {p for p in graph.predicates() if str(p).startswith(str(sd))}
    assert terms <= {sd.endpoint, sd.supportedLanguage, sd.feature, sd.resultFormat, sd.extensionFunction}
