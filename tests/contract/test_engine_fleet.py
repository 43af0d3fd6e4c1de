"""One small fleet on every engine: paths, rules, validation and SPARQL answer as they do on the embedded one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Literal, RdfFormat, Triple, parse

from voltwin.assembly import create_fleet, open_fleet
from voltwin.cli import voltwin
from voltwin.errors import InputError, QueryError, StoreError
from voltwin.graphstore.engines.endpoint.options import EndpointOptions
from voltwin.graphstore.engines.endpoint.store import SparqlEndpoint
from voltwin.graphstore.engines.registry import StoreChoice, choose_store, open_store
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.paths.answers import Trend
from voltwin.maintenance import check_view, rebuild_fleet
from voltwin.ontology.iris import VT
from voltwin.ontology.naming import Naming

from ..unit.api.sample_fleet import BASE, EOL, MODEL, make_fleet
from .test_fleet import PATHS

ENGINES = ("memory", "oxigraph serve", "virtuoso")

# What a series function can be asked for; the graph part of each goes to the engine.
OVER_SERIES = (
    "SELECT ?t (vtf:mean(?s) AS ?mean) WHERE { ?t a vt:Twin . ?t ?p ?l . ?l ?q ?s . ?s a vt:Series } ORDER BY ?t ?mean",
    "SELECT ?s (vtf:max(?s) - vtf:min(?s) AS ?spread) WHERE { ?s a vt:Series } HAVING (vtf:count(?s) > 2)",
    "SELECT ?s ?low WHERE { ?s a vt:Series BIND(vtf:min(?s) AS ?low) FILTER(?low < 10) }",
    "SELECT (SUM(vtf:count(?s)) AS ?samples) (COUNT(*) AS ?n) WHERE { ?s a vt:Series . ?m vt:key ?k }",
    'SELECT ?v WHERE { ?s a vt:Series FILTER(BOUND(?v)) BIND(vtf:at(?s, "2019-04-09T12:00:00Z"^^xsd:dateTime) AS ?v) }',
    "SELECT * WHERE { ?s a vt:Series . OPTIONAL { ?s vt:nothing ?o } BIND(vtf:sum(?s) AS ?sum) }",
    "SELECT DISTINCT (vtf:count(?s) AS ?n) WHERE { { ?s a vt:Series } UNION { ?s a vt:Series } } LIMIT 5",
    "ASK { ?s a vt:Series FILTER(vtf:max(?s) > 19) }",
    "ASK { ?s a vt:Series FILTER(vtf:max(?s) > 99) }",
    "CONSTRUCT { ?s vt:mean ?mean } WHERE { ?s a vt:Series BIND(vtf:mean(?s) AS ?mean) }",
    "PREFIX f: <https://w3id.org/voltwin/function#> SELECT ?s WHERE { ?s a vt:Series } ORDER BY DESC(f:min(?s)) ?s",
)
QUERIES = (
    "SELECT ?s (COUNT(?p) AS ?n) WHERE { ?s a vt:Product ; ?p ?o } GROUP BY ?s ORDER BY ?s",
    "SELECT ?k WHERE { ?t a vt:Twin ; vt:key ?k } ORDER BY ?k LIMIT 3",
    "ASK { ?s a vt:Twin }",
    "CONSTRUCT { ?t vt:key ?k } WHERE { ?t a vt:Product ; vt:key ?k }",
    f"SELECT ?p ?o FROM <{BASE}twins/module-0001> WHERE {{ <{BASE}twins/module-0001> ?p ?o }}",
    f"SELECT ?g WHERE {{ GRAPH ?g {{ <{BASE}twins/module-0001> vt:key ?k }} }}",
)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    fleet = make_fleet(tmp_path_factory.mktemp("embedded"))
    yield fleet
    fleet.close()


def choice(engine: Any, request: Any) -> Any:
    if engine == "memory":
        return StoreChoice("memory")
    server = request.getfixturevalue("oxigraph_server" if engine == "oxigraph serve" else "virtuoso_server")
    store = SparqlEndpoint.open(EndpointOptions.from_json(server.options), BASE)
    store.clear()
    store.close()
    return StoreChoice("sparql", server.options)


@pytest.fixture(scope="module", params=ENGINES)
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = make_fleet(tmp_path_factory.mktemp("elsewhere"), store=choice(request.param, request))
    yield made
    made.committer.store.clear()
    made.close()


def answer(fleet: Any, query: Any) -> Any:
    """The answer without the order of rows that nobody asked for."""
    given = fleet.query(query, "application/sparql-results+json, application/n-triples;q=0.5")
    if "json" not in given.media_type:
        dataset = Dataset(parse(given.body, format=RdfFormat.N_TRIPLES))
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        return {str(quad) for quad in dataset}
    document = json.loads(given.body)
    if "boolean" in document:
        return document["boolean"]
    found = document["results"]["bindings"]
    rows = [sorted((name, str(sorted(term.items()))) for name, term in row.items()) for row in found]
    return sorted(document["head"]["vars"]), rows if "ORDER BY" in query else sorted(rows)


def timeless(answers: Any) -> Any:
    """Without the moment at which a trend was asked for."""
    return [replace(answer, time=None) if isinstance(answer.value, Trend) else answer for answer in answers]


@pytest.mark.parametrize("path", PATHS)
def test_paths_and_rules(embedded: Any, fleet: Any, path: Any) -> None:
    assert timeless(fleet.all(path)) == timeless(embedded.all(path))


def test_every_value_of_every_twin(embedded: Any, fleet: Any) -> None:
    assert fleet.all("/*/**") == embedded.all("/*/**")
    assert {answer.path for answer in fleet.all("/*/*")} == {answer.path for answer in embedded.all("/*/*")}


def test_validation(embedded: Any, fleet: Any) -> None:
    assert fleet.validate().to_json() == embedded.validate().to_json()


@pytest.mark.parametrize("query", [*QUERIES, *OVER_SERIES])
def test_queries(embedded: Any, fleet: Any, query: Any) -> None:
    expected = answer(embedded, query)
    assert answer(fleet, query) == expected
    assert expected is False or expected


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * WHERE { ?s a vt:Series OPTIONAL { ?s vt:lastTime ?t FILTER(vtf:max(?s) > 1) } }",
        "SELECT * WHERE { { ?s a vt:Series BIND(vtf:max(?s) AS ?m) } UNION { ?s a vt:Twin } }",
        "SELECT * WHERE { { SELECT (vtf:max(?s) AS ?m) WHERE { ?s a vt:Series } } }",
        "SELECT * WHERE { GRAPH ?g { ?s a vt:Series FILTER(vtf:max(?s) > 1) } }",
        "SELECT * WHERE { ?s a vt:Series FILTER(vtf:max(?s) > 1 || EXISTS { ?s vt:lastTime ?t }) }",
        "SELECT * WHERE { ?s a vt:Series BIND(vtf:last(?s) AS ?v) ?s vt:lastValue ?v }",
        "SELECT * WHERE { BIND(vtf:max(?s) AS ?v) ?s a vt:Series }",
        "DESCRIBE ?s WHERE { ?s a vt:Series FILTER(vtf:max(?s) > 1) }",
    ],
)
def test_what_cannot_be_evaluated_afterwards_is_refused_with_a_sentence(fleet: Any, query: Any) -> None:
    if isinstance(fleet.committer.store, SparqlEndpoint):
        with pytest.raises(QueryError, match=r"vtf:\w+ cannot be evaluated .*Move the call into SELECT"):
            fleet.query(query)


def test_a_put_is_read_back_after_reopening(fleet: Any) -> None:
    path, moment = "/module-0001/endOfLineTest/ocv", EOL + timedelta(hours=1)
    before = fleet.get(path).value
    fleet.put(path, 43.123456789012, unit="V", time=moment, author="test")
    assert fleet.get(path).value == 43.123456789012
    fleet.put(path, before, unit="V", time=EOL, author="test")
    assert fleet.get(path).value == before


class TestFolder:
    """The engine is part of what the folder says."""

    @pytest.mark.parametrize("engine", ENGINES)
    def test_it_is_opened_again_and_knows_its_engine(
        self,
        tmp_path: Path,
        request: pytest.FixtureRequest,
        engine: Any,
        monkeypatch: pytest.MonkeyPatch,
        embedded: Any,
    ) -> None:
        chosen = choice(engine, request)
        monkeypatch.setenv("VOLTWIN_STORE_PASSWORD", "a secret")
        fleet = make_fleet(tmp_path, modules=("module-0001",), store=chosen)
        fleet.close()
        assert read_folder(tmp_path / "fleet").store == chosen
        assert "a secret" not in (tmp_path / "fleet" / "fleet.json").read_text("utf-8")
        with open_fleet(tmp_path / "fleet") as again:
            assert again.get("/module-0001/serial").value == "S-0001"
            if engine != "memory":
                with pytest.raises(StoreError, match="has applied commit"):
                    make_fleet(tmp_path / "second", store=chosen)
                assert again.get("/module-0001/serial").value == "S-0001"

    @pytest.mark.parametrize("engine", ["oxigraph serve", "virtuoso"])
    def test_a_view_that_was_spoilt_is_told_and_made_anew(
        self, tmp_path: Path, request: pytest.FixtureRequest, engine: Any
    ) -> None:
        chosen, spoilt = choice(engine, request), Naming(BASE).twin("module-0001")
        make_fleet(tmp_path, modules=("module-0001", "module-0002"), store=chosen).close()
        path = tmp_path / "fleet"
        assert check_view(path) == []
        store = open_store(chosen, None, BASE)
        store.replace(spoilt, [Triple(spoilt, VT.key, Literal("spoilt"))])
        store.close()
        assert [difference.graph for difference in check_view(path)] == [spoilt]
        assert rebuild_fleet(path) == 2
        assert check_view(path) == []
        with open_fleet(path) as fleet:
            assert fleet.get("/module-0001/serial").value == "S-0001"

    def test_a_folder_without_a_word_on_it_is_oxigraphs(self, embedded: Any, tmp_path: Path) -> None:
        folder = tmp_path / "old"
        folder.mkdir()
        (folder / "fleet.json").write_text(json.dumps({"format": "voltwin-fleet", "version": 1, "base": BASE}))
        assert read_folder(folder).store == StoreChoice("oxigraph")

    def test_a_fleet_that_cannot_be_made_leaves_nothing_in_the_engine(
        self, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from voltwin import converter

        chosen = choice("oxigraph serve", request)
        monkeypatch.setattr("voltwin.assembly.find_problems", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            create_fleet(tmp_path / "fleet", converter.convert(MODEL), BASE, chosen)
        assert not (tmp_path / "fleet").exists()
        store = open_store(chosen, None, BASE)
        assert [quad.predicate.value for quad in store.quads(None, None, None, None)] == [
            "https://w3id.org/voltwin/core#appliedSequence"
        ]
        store.close()

    def test_init_takes_an_address_and_options(self, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        options = choice("oxigraph serve", request).options
        more = [f"--store-option={name}={options[name]}" for name in ("update", "graphs")]
        folder = tmp_path / "fleet"
        voltwin.main(
            ["init", str(folder), str(MODEL), "--base", BASE, "--store", options["query"], *more], standalone_mode=False
        )
        assert read_folder(folder).store == StoreChoice("sparql", options)
        with open_fleet(folder) as fleet:
            assert "storage-cell-plant" in fleet
            fleet.committer.store.clear()

    def test_engines_are_chosen_by_name_or_address(self) -> None:
        assert choose_store(None, ()) is None
        assert choose_store("memory", ()) == StoreChoice("memory")
        assert choose_store("http://a.example/q", ("auth=digest",)) == StoreChoice(
            "sparql", {"query": "http://a.example/q", "auth": "digest"}
        )
        with pytest.raises(InputError, match="name=value"):
            choose_store("memory", ("x",))
        with pytest.raises(InputError, match="--store"):
            choose_store(None, ("x=y",))
        with pytest.raises(StoreError, match="there are memory, oxigraph, sparql"):
            open_store(StoreChoice("nobody"), None, BASE)
        with pytest.raises(InputError, match="memory has no options"):
            open_store(StoreChoice("memory", {"x": 1}), None, BASE)
        with pytest.raises(InputError, match="unknown; there are"):
            open_store(StoreChoice("sparql", {"query": "http://a.example/", "nonsense": 1}), None, BASE)
