from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from voltwin.errors import QueryError
from voltwin.graphstore.sparql.dataset import names_dataset, query_form, with_base, with_dataset
from voltwin.graphstore.sparql.tokens import read_tokens

A, B, C, P = (NamedNode(f"https://{name}.example/") for name in "abcp")


@pytest.fixture
def store() -> Any:
    made = Store()
    for number, graph in enumerate((A, B, C)):
        made.add(Quad(graph, P, Literal(number), graph))
    return made


def subjects(store: Any, text: Any) -> Any:
    return {row["s" if "?g" not in text else "g"] for row in store.query(text)}


def hold_the_text(text: Any) -> None:
    """Each token stands where it says, and what is between them is white space or a comment."""
    end = 0
    for token in read_tokens(text):
        assert text[token.start : token.end] == token.text
        assert read_tokens(text[end : token.start]) == []
        end = token.end
    assert read_tokens(text[end:]) == []


@given(st.text())
def test_tokens_and_space_are_the_text(text: Any) -> None:
    hold_the_text(text)


@given(st.lists(st.sampled_from(["'", '"', "'''", "#", "\n", "{", "}", "<", ">", "FROM", "SELECT", "\\", " ", "a:b"])))
def test_no_arrangement_of_sparql_signs_confuses_it(pieces: Any) -> None:
    text = "".join(pieces)
    hold_the_text(text)
    with_dataset(text, [A.value], [])


def test_without_a_dataset_the_text_stays(store: Any) -> None:
    assert with_dataset("ASK {}", [], []) == "ASK {}"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s WHERE { ?s ?p ?o }",
        "SELECT ?s { ?s ?p ?o }",
        "select * where { ?s ?p ?o filter(?o < 9 && ?o > -1) }",
        "SELECT ?s FROM <https://c.example/> WHERE { ?s ?p ?o }",
        "SELECT ?s FROM <https://c.example/> FROM NAMED <https://c.example/> { ?s ?p ?o }",
        "PREFIX from: <https://c.example/> SELECT ?s FROM from: WHERE { ?s ?p ?o }",
        "# SELECT { FROM <x:x>\nSELECT ?s # FROM <https://c.example/> {\n{ ?s ?p ?o }",
        "PREFIX select: <https://s.example/> SELECT ?s (EXISTS { ?s ?p ?o } AS ?from) { ?s ?p ?o }",
        'SELECT ?s (\'FROM <x:x> {\' AS ?t) ("""a"}""" AS ?u) { ?s ?p ?o } ORDER BY ?s LIMIT 9',
        "SELECT ?s { { SELECT ?s { ?s ?p ?o } } }",
        "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s HAVING (COUNT(*) > 0)",
    ],
)
def test_a_select_asks_over_the_graphs_of_the_request(store: Any, text: Any) -> None:
    assert subjects(store, with_dataset(text, [A.value, B.value], [])) == {A, B}


def test_named_graphs_of_the_request_replace_those_of_the_query(store: Any) -> None:
    text = "SELECT ?g FROM NAMED <https://c.example/> WHERE { GRAPH ?g { ?s ?p ?o } }"
    assert subjects(store, with_dataset(text, [], [A.value, B.value])) == {A, B}


@pytest.mark.parametrize(
    "text",
    [
        "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }",
        "CONSTRUCT WHERE { ?s ?p ?o }",
        "DESCRIBE <https://a.example/>",
        "DESCRIBE ?s WHERE { ?s ?p ?o }",
        "DESCRIBE <https://a.example/> LIMIT 3",
    ],
)
def test_graphs_for_construct_and_describe(store: Any, text: Any) -> None:
    assert {triple.subject for triple in store.query(with_dataset(text, [A.value], []))} == {A}


def test_a_graph_that_is_no_iri_is_refused() -> None:
    with pytest.raises(QueryError, match="not an absolute IRI"):
        with_dataset("ASK {}", ["> } DROP ALL"], [])


@pytest.mark.parametrize(
    ("text", "form"),
    [("ask {}", "ASK"), ("BASE <select:x> CONSTRUCT WHERE {}", "CONSTRUCT"), ("{ SELECT }", None), ("", None)],
)
def test_the_form_of_a_query(text: Any, form: Any) -> None:
    assert query_form(text) == form


@pytest.mark.parametrize(
    ("text", "based"),
    [
        ("ASK { <https://a.example/> ?p 'it <is> text' }", False),
        ("ASK { ?s ?p ?o FILTER(1 < 2 && 3 > 2) }", False),
        ("ASK { <s> ?p ?o }", True),
        ("PREFIX : <#> ASK { :s ?p ?o }", True),
    ],
)
def test_a_base_is_declared_only_where_an_iri_is_relative(text: Any, based: Any) -> None:
    assert (with_base(text, "https://h.example/sparql") != text) == based


def test_relative_iris_are_below_the_endpoint_or_the_querys_own_base() -> None:
    def graph(text: Any) -> Any:
        return {triple.subject.value for triple in Store().query(with_base(text, "https://h.example/sparql"))}

    assert graph("CONSTRUCT { <s> <p> 1 } WHERE {}") == {"https://h.example/s"}
    assert graph("BASE <https://own.example/x/> CONSTRUCT { <s> <p> 1 } WHERE {}") == {"https://own.example/x/s"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT * FROM <https://a.example/> { ?s ?p ?o }", True),
        ("select * from named <https://a.example/> { ?s ?p ?o }", True),
        ("PREFIX from: <https://a.example/> SELECT * { ?s ?p from:x }", False),
        ("SELECT * { ?s ?p 'FROM <x:y>' } # FROM <x:y>", False),
        ("SELECT * { { SELECT ?from { ?from ?p ?o } } }", False),
        ("", False),
    ],
)
def test_whether_a_query_names_its_dataset(text: Any, named: Any) -> None:
    assert names_dataset(text) is named
