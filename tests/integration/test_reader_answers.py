"""A reader process answers and refuses as the fleet itself does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from voltwin.errors import QueryError

from ..unit.api.sample_fleet import make_fleet
from .reader_processes import readers_of

MODULE_1 = "<https://fleet.example/twins/module-0001>"


@pytest.fixture(scope="module")
def shared_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with make_fleet(tmp_path_factory.mktemp("readers")) as made:
        yield made


def in_process(fleet: Any, text: Any, accept: Any) -> Any:
    """The same fleet's answer without readers."""
    return replace(fleet, readers=None).query(text, accept)


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv, */*;q=0.5",
        "application/sparql-results+json, text/turtle",
        "application/sparql-results+xml, application/n-triples",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s ?k { ?s a vt:Product ; vt:key ?k } ORDER BY ?k",
        "SELECT ?s (vtf:mean(?s) AS ?mean) (vtf:count(?s) AS ?n) { ?s a vt:Series } ORDER BY ?s",
        "ASK { ?t a vt:Twin }",
        "CONSTRUCT { ?t vt:key ?k } WHERE { ?t a vt:Product ; vt:key ?k } ORDER BY ?k",
        f"SELECT ?s FROM {MODULE_1} {{ ?s a vt:Product }}",
        f"SELECT ?s FROM NAMED {MODULE_1} {{ ?s a vt:Product }}",
        "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s a ?o } } GROUP BY ?g ORDER BY ?g",
        "SELECT * { FILTER(false) }",
    ],
)
def test_a_reader_answers_as_the_fleet_does(shared_fleet: Any, text: Any, accept: Any) -> None:
    answer = shared_fleet.query(text, accept)
    assert readers_of()
    assert answer == in_process(shared_fleet, text, accept)


@pytest.mark.parametrize("text", ["SELEKT", "SELECT * { ?a ?b }", "SELECT (vtf:nonsense(1) AS ?x) {}"])
def test_a_reader_refuses_as_the_fleet_does(shared_fleet: Any, text: Any) -> None:
    with pytest.raises(QueryError) as told:
        shared_fleet.query(text)
    with pytest.raises(QueryError) as wanted:
        in_process(shared_fleet, text, None)
    assert str(told.value) == str(wanted.value)


def test_what_the_engine_finds_out_on_its_way_is_a_query_error(shared_fleet: Any) -> None:
    text = "SELECT * { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c } }"
    with pytest.raises(QueryError, match="query: "):
        shared_fleet.query(text)
    with pytest.raises(QueryError, match="query: "):
        in_process(shared_fleet, text, None)
