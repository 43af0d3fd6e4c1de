"""Rows are counted in the text of an answer exactly, however it comes in pieces; too many end it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, QueryResultsFormat, Store, Triple

from voltwin.errors import InputError, QueryLimitError
from voltwin.graphstore.queries.limits import QueryLimits
from voltwin.graphstore.queries.output import BoundedOutput, at_most, row_counter
from voltwin.graphstore.queries.results import RESULT_FORMATS, choose_formats, serialise

ALL = QueryLimits()
NASTY = st.text(st.sampled_from('"\\{},:[]<>result\n\r\t é'), max_size=12)
P = NamedNode("https://e.example/p")


def store_of(values: Any) -> Any:
    store = Store()
    for number, value in enumerate(values):
        subject = NamedNode(f"https://e.example/{number}")
        store.add(Quad(subject, P, Literal(value)))
        store.add(Quad(subject, NamedNode("https://e.example/q"), Triple(subject, P, Literal(value))))
    return store


QUERIES = [
    "SELECT * { ?s <https://e.example/p> ?o }",
    "SELECT ?o ?unbound ?t { ?s <https://e.example/p> ?o ; <https://e.example/q> ?t }",
    "SELECT ?unbound { ?s <https://e.example/p> ?o }",
]


@pytest.mark.parametrize("kind", RESULT_FORMATS, ids=lambda kind: kind.file_extension)
@given(
    values=st.lists(NASTY, max_size=6), query=st.sampled_from(QUERIES), cuts=st.lists(st.integers(0, 2000), max_size=8)
)
def test_rows_are_counted_exactly(kind: Any, values: Any, query: Any, cuts: Any) -> None:
    text = store_of(values).query(query).serialize(format=kind)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    count = row_counter(kind)
    found = [count(text[start:end]) for start, end in pairwise(places)]
    assert found[-1] == (max(1, len(values)) if kind == QueryResultsFormat.JSON else len(values))
    assert found == sorted(found)


@pytest.mark.parametrize("kind", RESULT_FORMATS, ids=lambda kind: kind.file_extension)
@given(values=st.lists(NASTY, min_size=1, max_size=6), rows=st.integers(1, 8))
def test_an_answer_ends_at_its_limit_of_rows_and_not_before(kind: Any, values: Any, rows: Any) -> None:
    result = store_of(values).query(QUERIES[0])
    formats = choose_formats(kind.media_type)
    if len(values) > rows:
        with pytest.raises(QueryLimitError, match=f"{rows} rows"):
            serialise(result, formats, QueryLimits(rows=rows))
    else:
        wanted = store_of(values).query(QUERIES[0]).serialize(format=kind)
        assert serialise(result, formats, QueryLimits(rows=rows)).body == wanted


def test_bytes_are_counted() -> None:
    output = BoundedOutput(QueryLimits(bytes=5))
    assert output.write(b"12345") == 5
    assert output.getvalue() == b"12345"
    with pytest.raises(QueryLimitError, match=r"limit of 5 bytes.*--query-bytes"):
        output.write(b"6")


@pytest.mark.parametrize("accept", ["text/turtle", "application/n-triples", "application/rdf+xml"])
def test_triples_are_counted(accept: Any) -> None:
    query = f"CONSTRUCT {{ ?s {P} ?o }} WHERE {{ ?s {P} ?o }}"
    store = store_of("abc")
    assert serialise(store.query(query), choose_formats(accept), QueryLimits(rows=3)).body
    with pytest.raises(QueryLimitError, match="limit of 2 rows"):
        serialise(store.query(query), choose_formats(accept), QueryLimits(rows=2))
    with pytest.raises(QueryLimitError, match="limit of 9 bytes"):
        serialise(store.query(query), choose_formats(accept), QueryLimits(bytes=9))


@given(st.integers(0, 9), st.integers(1, 9))
def test_items_end_at_the_limit(number: Any, most: Any) -> None:
    taken: list[Any] = []
    try:
        taken.extend(at_most(range(number), QueryLimits(rows=most)))
    except QueryLimitError:
        assert number > most
    else:
        assert taken == list(range(number))


@pytest.mark.parametrize("name", ["seconds", "rows", "bytes", "memory", "at_once"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_is_more_than_nothing(name: Any, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        QueryLimits(**{name: value})
    assert getattr(ALL, name) > 0
