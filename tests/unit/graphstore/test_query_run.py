from __future__ import annotations

from typing import Any

import pytest
from pyoxigraph import Store

from voltwin.errors import QueryError, QueryLimitError
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.queries.limits import QueryLimits
from voltwin.graphstore.queries.run import QueryRun

BASE = "https://fleet.example/"
A, B = f"<{BASE}twins/a>", f"<{BASE}twins/b>"


@pytest.fixture
def store() -> Any:
    made = OxigraphStore(None, BASE)
    engine: Store = made._engine
    engine.update(f"INSERT DATA {{ GRAPH {A} {{ {A} <x:p> 1 }} GRAPH {B} {{ {B} <x:p> 2 }} }}")
    return made


@pytest.mark.parametrize(
    ("dataset", "values"), [("", [b"1", b"2"]), (f"FROM {B}", [b"2"]), (f"FROM NAMED {A}", []), (f"FROM {A}", [b"1"])]
)
def test_the_default_graph_is_the_union_unless_the_text_names_one(store: Any, dataset: Any, values: Any) -> None:
    run = QueryRun.of(f"SELECT ?v {dataset} {{ ?s <x:p> ?v }} ORDER BY ?v", "text/csv")
    answer = run.answer(store.query, None, QueryLimits())
    assert answer.body.split()[1:] == values


def test_only_bounded_lookups_stay_in_this_process() -> None:
    assert not QueryRun.of(f"SELECT ?v {{ {A} <x:p> ?v }}").may_run_away
    assert QueryRun.of("SELECT ?v { ?s <x:p> ?v }").may_run_away


def test_a_format_that_is_not_offered_is_refused_before_the_query_runs() -> None:
    with pytest.raises(QueryError, match="image/png"):
        QueryRun.of("no query at all", "image/png")


def test_the_answer_has_limits(store: Any) -> None:
    run = QueryRun.of("SELECT * { ?s ?p ?v }")
    with pytest.raises(QueryLimitError):
        run.answer(store.query, None, QueryLimits(rows=1))
