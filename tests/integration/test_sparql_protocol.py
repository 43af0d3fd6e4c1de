"""The endpoint as its clients use it: rdflib's store, and what SPARQLWrapper, YASGUI and browsers send."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import rdflib
from pyoxigraph import Dataset, RdfFormat, parse
from rdflib.plugins.stores.sparqlstore import SPARQLStore

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.graphstore.fleets.wire import ERROR_HEADER

from ..unit.api.sample_fleet import AGES, BASE, make_fleet

pytestmark = pytest.mark.integration

SELECT = "SELECT ?key WHERE { ?t a vt:Product ; vt:key ?key } ORDER BY ?key"
CONSTRUCT = "CONSTRUCT { ?t vt:key ?key } WHERE { ?t a vt:Product ; vt:key ?key }"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with make_fleet(tmp_path_factory.mktemp("sparql")) as fleet, WebServer(create_app(fleet), port=0) as running:
        yield running


@pytest.fixture(scope="module")
def web(server: Any) -> Iterator[Any]:
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("returns", ["json", "xml", "csv", "tsv"])
def test_rdflib_selects(server: Any, method: Any, returns: Any) -> None:
    store = SPARQLStore(f"{server.url}/sparql", method=method, returnFormat=returns)
    prefixed = "PREFIX vt: <https://w3id.org/voltwin/core#> " + SELECT
    keys = [str(row[0]) for row in store.query(prefixed)]
    assert keys == sorted(AGES)


def test_rdflib_asks_and_constructs(server: Any) -> None:
    graph = rdflib.Graph(SPARQLStore(f"{server.url}/sparql"))
    vt = rdflib.Namespace("https://w3id.org/voltwin/core#")
    assert bool(graph.query("ASK { ?t a ?kind }", initNs={"vt": vt}))
    built = graph.query("PREFIX vt: <https://w3id.org/voltwin/core#> " + CONSTRUCT).graph
    assert {str(key) for key in built.objects(None, vt.key)} == set(AGES)
    assert (rdflib.URIRef(f"{BASE}twins/module-0001"), vt.key, rdflib.Literal("module-0001")) in graph


@pytest.mark.parametrize("kind", ["json", "xml", "csv", "tsv"])
def test_what_sparqlwrapper_sends(web: Any, kind: Any) -> None:
    accept = {
        "json": "application/sparql-results+json,application/json,text/javascript,application/javascript",
        "xml": "application/sparql-results+xml",
        "csv": "text/csv",
        "tsv": "text/tab-separated-values",
    }[kind]
    parameters = {"query": SELECT, "format": kind, "output": kind, "results": kind}
    got = web.get("/sparql", params=parameters, headers={"Accept": accept})
    posted = web.post("/sparql", data=parameters, headers={"Accept": accept})
    assert got.status_code == posted.status_code == 200
    assert got.content == posted.content
    assert got.headers["content-type"].partition(";")[0] == accept.partition(",")[0]


def test_what_yasgui_sends(web: Any) -> None:
    headers = {"Accept": "application/sparql-results+json,*/*;q=0.9", "Origin": "https://yasgui.example"}
    asked = {
        "Origin": "https://yasgui.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = web.options("/sparql", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    response = web.post("/sparql", data={"query": SELECT}, headers=headers)
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["content-type"] == "application/sparql-results+json"
    construct = {"Accept": "text/turtle,*/*;q=0.9"}
    assert (
        web.post("/sparql", data={"query": CONSTRUCT}, headers=construct)
        .headers["content-type"]
        .startswith("text/turtle")
    )


def test_plain_options_say_what_is_allowed(web: Any) -> None:
    response = web.options("/sparql")
    assert response.status_code == 204
    assert "POST" in response.headers["allow"]


def test_what_a_browser_sends(web: Any) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    response = web.get("/sparql", params={"query": SELECT}, headers={"Accept": accept})
    assert response.status_code == 200
    assert len(ElementTree.fromstring(response.content)[1]) == 3


def rows_of(response: Any) -> Any:
    match response.headers["content-type"].partition(";")[0]:
        case "application/sparql-results+json":
            return [b["key"]["value"] for b in json.loads(response.content)["results"]["bindings"]]
        case "application/sparql-results+xml":
            return [element.text for element in ElementTree.fromstring(response.content).iter() if element.text]
        case "text/csv":
            return [row[0] for row in csv.reader(io.StringIO(response.text))][1:]
        case "text/tab-separated-values":
            return [line.strip('"') for line in response.text.splitlines()[1:]]
    return None


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "application/json",
        "application/sparql-results+xml",
        "text/csv",
        "text/tab-separated-values;q=1, text/csv;q=0.2",
    ],
)
def test_rows_are_the_same_in_every_format(web: Any, accept: Any) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = web.get("/sparql/", params={"query": SELECT}, headers=headers)
    assert rows_of(response) == sorted(AGES)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, RdfFormat.TURTLE),
        ("application/rdf+xml", RdfFormat.RDF_XML),
        ("application/n-triples", RdfFormat.N_TRIPLES),
        ("application/json", RdfFormat.JSON_LD),
    ],
)
def test_graphs_are_the_same_in_every_format(web: Any, accept: Any, kind: Any) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = web.get("/sparql", params={"query": CONSTRUCT}, headers=headers)
    assert response.headers["content-type"].partition(";")[0] == kind.media_type
    found = Dataset(parse(response.content, format=kind))
    wanted = Dataset(parse(web.get("/sparql", params={"query": CONSTRUCT}).content, format=RdfFormat.TURTLE))
    assert len(wanted) == 3
    assert found == wanted


@pytest.mark.parametrize("kind", ["application/sparql-query", "application/sparql-update"])
@pytest.mark.parametrize(
    ("url", "body", "words"),
    [("/sparql?author=%ff", b"ASK {}", "parameters: cannot be read"), ("/sparql", b"ASK {\xff}", "body: byte 5")],
)
def test_both_routes_name_the_part_that_is_not_utf8(web: Any, kind: Any, url: Any, body: Any, words: Any) -> None:
    response = web.post(url, content=body, headers={"Content-Type": kind})
    assert (response.status_code, response.headers[ERROR_HEADER]) == (400, "QueryError")
    assert response.text.startswith(words)


def test_the_graph_store_names_it_too(web: Any) -> None:
    response = web.get("/graphs?graph=%ff")
    assert response.status_code == 400
    assert response.json()["error"] == "QueryError"
    assert response.json()["message"].startswith("parameters: cannot be read")


@pytest.mark.parametrize(
    ("send", "status", "words"),
    [
        (lambda web: web.get("/sparql", params={"query": "SELECT * WHERE {"}), 400, "expected"),
        (lambda web: web.get("/sparql", params={"nothing": "x"}), 400, "give it once"),
        (lambda web: web.get("/sparql", params={"update": "CLEAR ALL"}), 405, "by POST"),
        (lambda web: web.post("/sparql", data={"update": "DROP DEFAULT"}), 400, "union of all graphs"),
        (
            lambda web: web.post("/sparql", data={"update": "DROP ALL"}, headers={"Origin": "https://evil.example"}),
            403,
            "not write",
        ),
        (
            lambda web: web.post(
                "/sparql", content="LOAD <http://x.example/>", headers={"Content-Type": "application/sparql-update"}
            ),
            400,
            "must not fetch",
        ),
        (lambda web: web.post("/sparql", content="ASK {}", headers={"Content-Type": "text/plain"}), 415, "text/plain"),
        (lambda web: web.get("/sparql", params={"query": "ASK {}", "format": "yaml"}), 400, "'yaml'"),
        (lambda web: web.get("/sparql", params={"query": "ASK {}"}, headers={"Accept": "image/png"}), 400, "image/png"),
        (lambda web: web.get("/sparql", params={"query": "CLEAR ALL"}), 400, "query"),
        (
            lambda web: web.get("/sparql", params={"query": "ASK {}", "default-graph-uri": "no iri"}),
            400,
            "not an absolute IRI",
        ),
    ],
)
def test_what_is_wrong_is_told_as_text(web: Any, send: Any, status: Any, words: Any) -> None:
    response = send(web)
    assert response.status_code == status
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers[ERROR_HEADER] == "QueryError"
    assert words in response.text


def test_the_dataset_of_the_request_is_all_that_is_asked(web: Any) -> None:
    query = "SELECT DISTINCT ?key WHERE { ?t vt:key ?key FILTER(STRSTARTS(?key, 'module')) }"
    graph = f"{BASE}twins/module-0002"
    for send in (
        lambda: web.get("/sparql", params={"query": query, "default-graph-uri": graph}),
        lambda: web.post("/sparql", data={"query": query, "default-graph-uri": graph}),
        lambda: web.get("/sparql", params={"query": query.replace("WHERE", f"FROM <{graph}> WHERE")}),
    ):
        assert rows_of(send()) == ["module-0002"]  # type: ignore[no-untyped-call]  # the library has no types


def test_a_refused_update_changed_nothing(web: Any) -> None:
    before = web.get("/status").json()
    web.post("/sparql", data={"update": "DROP ALL"}, headers={"Origin": "null"})
    assert web.get("/status").json() == before


def test_asked_nothing_it_describes_itself(web: Any, server: Any) -> None:
    response = web.get("/sparql")
    assert response.headers["content-type"].startswith("text/turtle")
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    for accept in ("text/turtle", "application/rdf+xml"):
        described = rdflib.Graph().parse(data=web.get("/sparql", headers={"Accept": accept}).text, format=accept)
        endpoint = rdflib.URIRef(f"{server.url}/sparql")
        assert (endpoint, sd.endpoint, endpoint) in described
        assert (endpoint, sd.supportedLanguage, sd.SPARQL11Query) in described
        assert (endpoint, sd.supportedLanguage, sd.SPARQL11Update) in described
