"""Series functions after the graph part: the two halves give what the whole gives, or the whole is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QuerySolutions, Store

from voltwin.errors import QueryError
from voltwin.graphstore.engines.endpoint.series_calls import answer_in_two_parts
from voltwin.graphstore.engines.endpoint.series_split import split_query
from voltwin.graphstore.sparql.tokens import read_tokens, with_prefixes

X = "https://x.example/"
F = NamedNode(X + "double")
FUNCTIONS = {F: lambda value: Literal(2 * int(value.value))}


@pytest.fixture
def graph() -> Any:
    store = Store()
    for number in range(6):
        node = NamedNode(f"{X}n{number}")
        store.add(Quad(node, NamedNode(X + "v"), Literal(number)))
        if number % 2:
            store.add(Quad(node, NamedNode(X + "odd"), Literal(True)))
        else:
            store.add(Quad(node, NamedNode(X + "v"), Literal(number + 10)))
    return store


def rows(result: Any) -> Any:
    if isinstance(result, QuerySolutions):
        return sorted(tuple(str(row[v.value]) for v in sorted(result.variables, key=str)) for row in result)
    return bool(result)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?s (f:double(?v) AS ?d) { ?s x:v ?v }",
        "SELECT (f:double(?v)-1 AS ?d) { ?s x:v ?v } ORDER BY f:double(?v) LIMIT 3",
        "SELECT ?s { ?s x:v ?v FILTER(f:double(?v) > 6) FILTER(?v < 12) ?s x:odd ?o }",
        "SELECT ?s ?d { ?s x:v ?v . BIND(f:double(?v) AS ?d) . OPTIONAL { ?s x:odd ?o } FILTER(!BOUND(?o) || ?d > 4) }",
        "SELECT * { ?s x:v ?v BIND(?v + 1 AS ?w) BIND(f:double(?w) AS ?d) BIND(?d + 1 AS ?e) FILTER(?e > 10) }",
        "SELECT ?o (SUM(f:double(?v)) AS ?d) { ?s x:v ?v OPTIONAL { ?s x:odd ?o } } GROUP BY ?o HAVING (MAX(?v) > 3)",
        "SELECT (COUNT(*) AS ?n) { ?s x:v ?v FILTER(f:double(?v) != 4) }",
        "SELECT (COUNT(DISTINCT *) AS ?n) (MAX(f:double(?v)) AS ?m) { ?s x:v ?v }",
        "SELECT DISTINCT (f:double(1) AS ?d) { ?s x:odd true }",
        "SELECT (f:double(1) AS ?d) { x:n1 x:odd true }",
        "SELECT (f:double(1) AS ?d) { }",
        "SELECT ?s (f:double(?v) AS ?d) { { SELECT ?s (MAX(?w) AS ?v) { ?s x:v ?w } GROUP BY ?s } }",
        "SELECT ?s ?d { ?s x:v ?v # f:double(?v) }\n BIND(f:double(?v) AS ?d) # and { here\n ?s x:odd true }",
        "SELECT ?s { ?s x:v ?v FILTER(f:double(?v) > 6 && ?v<12) } VALUES ?s { x:n3 x:n4 }",
        "ASK { ?s x:v ?v FILTER(f:double(?v) = 10) }",
        "ASK { ?s x:v ?v FILTER(f:double(?v) = 11) }",
    ],
)
def test_both_halves_give_what_the_whole_gives(graph: Any, query: Any) -> None:
    prologue = f"PREFIX x: <{X}> PREFIX f: <{X}> "
    whole = graph.query(prologue + query, custom_functions=FUNCTIONS)
    asked = []

    def ask(part: Any) -> Any:
        asked.append(part)
        return graph.query(part)

    halves = answer_in_two_parts(prologue + query, FUNCTIONS, ask)
    assert rows(halves) == rows(whole)
    assert not any("f:double" in token.text for part in asked for token in read_tokens(part))


def test_what_calls_no_function_is_left_alone() -> None:
    for query in (
        "SELECT ?s { ?s vtf:mean ?o }",
        'SELECT ("vtf:mean(?s)" AS ?t) { }',
        "SELECT ?s { ?s ?p ?o # vtf:mean(\n}",
    ):
        assert split_query(query, ()) is None


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("SELECT * { ?s ?p ?v OPTIONAL { ?s ?q ?w FILTER(vtf:mean(?w) > 1) } }", "inside an OPTIONAL"),
        ("SELECT * { { SELECT (vtf:mean(?v) AS ?m) { ?s ?p ?v } } }", "sub-select"),
        ("SELECT * { ?s ?p ?v BIND(vtf:mean(?v) AS ?m) ?m ?q ?r }", r"for \?m"),
        ("SELECT * { BIND(vtf:mean(?v) AS ?m) ?s ?p ?v }", r"patterns for \?v"),
        ("SELECT * { OPTIONAL { ?s ?p ?v } BIND(vtf:mean(?v) AS ?m) ?s ?q ?v }", r"patterns for \?v"),
        ("SELECT * { ?s ?p ?v FILTER(vtf:mean(?v) > 1 && EXISTS { ?v ?q ?r }) }", "EXISTS"),
        ("SELECT (vtf:mean(?v) AS ?m) (EXISTS { ?s ?q ?r } AS ?e) { ?s ?p ?v }", "EXISTS"),
        ("DESCRIBE ?s { ?s ?p ?v FILTER(vtf:mean(?v) > 1) }", "DESCRIBE"),
    ],
)
def test_what_cannot_be_split_is_refused_with_what_to_do(query: Any, where: Any) -> None:
    with pytest.raises(QueryError, match=rf"vtf:mean cannot be evaluated .*{where}.*Move the call into SELECT"):
        split_query(query, ())


@pytest.mark.parametrize(
    "text",
    [
        "vtf:mean(?s)",
        "SELECT (vtf:mean(?s) AS ?m)",
        "SELECT * { BIND(vtf:mean(?s",
        "} vtf:mean(",
        "SELECT * FROM { ?s ?p ?o FILTER(vtf:mean(?o) > 1) }",
        "SELECT * { ?s ?p ?o FILTER(vtf:misspelt(?o) > 1) }",
    ],
)
def test_what_is_no_query_is_a_query_error_before_anything_is_asked(text: Any) -> None:
    with pytest.raises(QueryError, match="query: "):
        rows(answer_in_two_parts(text, FUNCTIONS, pytest.fail))


def test_a_blank_node_cannot_be_carried_over() -> None:
    store = Store()
    store.add(Quad(BlankNode(), NamedNode(X + "v"), Literal(1)))
    with pytest.raises(QueryError, match="remove its variable from SELECT"):
        answer_in_two_parts(f"SELECT ?s (<{F.value}>(?v) AS ?d) {{ ?s <{X}v> ?v }}", FUNCTIONS, store.query)
    result = answer_in_two_parts(f"SELECT (<{F.value}>(?v) AS ?d) {{ ?s <{X}v> ?v }}", FUNCTIONS, store.query)
    assert rows(result) == [('"2"^^<http://www.w3.org/2001/XMLSchema#integer>',)]


def test_prefixes_are_declared_where_they_are_used_and_not_declared() -> None:
    assert with_prefixes("PREFIX a: <u:> SELECT ?s { ?s a:b b:c }", {"a": "A", "b": "B", "c": "C"}).startswith(
        "PREFIX b: <B> PREFIX a: <u:>"
    )
