"""One sentence about every broken query and update: line, column, what is there, what was expected."""

from __future__ import annotations

from typing import Any

import pytest
from pyoxigraph import Store

from voltwin.errors import QueryError
from voltwin.graphstore.engines.oxigraph import evaluate
from voltwin.graphstore.sparql.syntax_errors import MOST_CHARACTERS
from voltwin.graphstore.update.parse import parse_update

QUERIES = {
    "": "line 1, column 1: the text ends; expected SELECT, ASK, CONSTRUCT, DESCRIBE, PREFIX or BASE",
    "SELEKT * { ?s ?p ?o }": "line 1, column 1: found 'SELEKT'; expected SELECT, ASK",
    "SELECT WHERE { ?s ?p ?o }": "line 1, column 8: found 'WHERE'; expected DISTINCT, a variable, '(' or '*'",
    "SELECT * {\n  ?s ?p\n}": "line 3, column 1: found '}'; expected a value or '('",
    "SELECT * { ?s ?p ?o }}": "line 1, column 22: found '}'; expected VALUES, ORDER, GROUP, HAVING, LIMIT or OFFSET",
    "SELECT * { ?s ?p ?o FILTER(?o > ) }": "line 1, column 33: found ')'; expected a value or '('",
    "SELECT * { ?s ?p ?o } LIMIT x": "line 1, column 29: found 'x'; expected a number",
    "SELECT * { ?s ?p ?o } ORDER ?s": "line 1, column 29: found '?s'; expected BY",
    "SELECT * { ?s ?p 'a'^^ }": "line 1, column 24: found '}'; expected an IRI",
    "SELECT (COUNT(?s) ?n) { ?s ?p ?o }": "line 1, column 19: found '?n'; expected AS or '*'",
    "SELECT ?s { ?s ?p ?o } GROUP BY": "line 1, column 32: the text ends; expected a variable, an IRI or '('",
    "CONSTRUCT { ?s } WHERE { ?s ?p ?o }": "line 1, column 16: found '}'; expected a variable or an IRI",
    "ASK ?s": "line 1, column 5: found '?s'; expected WHERE, FROM or '{'",
    "SELECT * { OPTIONAL ?x }": "line 1, column 21: found '?x'; expected '{'",
    "SELECT * { ?s ex:b ?o }": "line 1, column 15: the prefix ex: is not declared; begin with PREFIX ex: <…>",
    "PREFIX a: <b> SELECT * { ?s a:b ?o }": "line 1, column 11: <b> is not an absolute IRI",
    "SELECT * { ?s <a b> ?o }": "line 1, column 15: an IRI begins here, and it does not end or holds a character",
    "SELECT * { ?s ?p 'abc }": "line 1, column 18: a text in quotes begins here and does not end",
    "SELECT ?s (COUNT(?o) AS ?n) { ?s ?p ?o }": "line 1, column 41: the SELECT contains a variable that is unbound",
    "SELECT * { BIND(1 AS ?x) BIND(2 AS ?x) }": "line 1, column 40: these braces hold something that is not allowed",
    "# a comment\nSELECT * { ?s ?p ?o # here }\n": "line 2, column 20: the text ends; expected '}'",
}
UPDATES = {
    "INSERT DATA <urn:a>": "line 1, column 13: found '<urn:a>'; expected '{'",
    "DELETE DATA { ?s ?p ?o }": "line 1, column 24: variables and blank nodes are not allowed in DELETE DATA",
    "DROP": "line 1, column 5: the text ends; expected GRAPH, DEFAULT, NAMED or ALL",
    "COPY <urn:a>": "line 1, column 13: the text ends; expected TO",
    "INSERT { <urn:a> <urn:b> ?x }": "line 1, column 30: the text ends; expected WHERE or USING",
    "PREFIX ex: <a b> INSERT DATA { ex:a ex:b 1 }": "line 1, column 12: an IRI begins here",
    "CREATE GRAPH <urn:g> ;\n  PREFIX ex: <urn:x> INSERT DATA { ex:a ey:b 1 }": "line 2, column 41: the prefix ey:",
    "CREATE GRAPH <urn:g> ;\n NONSENSE": "line 2, column 2: found 'NONSENSE'; expected INSERT, DELETE, CLEAR",
}


def sentence(call: Any) -> str:
    with pytest.raises(QueryError) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert "\\u{" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("text", QUERIES, ids=repr)
def test_a_broken_query(text: Any) -> None:
    assert sentence(lambda: evaluate(Store(), text, True, None)).startswith(f"query: {QUERIES[text]}")


@pytest.mark.parametrize("text", UPDATES, ids=repr)
def test_a_broken_update(text: Any) -> None:
    assert sentence(lambda: parse_update(text)).startswith(f"update: {UPDATES[text]}")


def test_a_long_text_is_not_asked_about_again() -> None:
    text = "SELECT * {\n" + "?s ?p ?o .\n" * (MOST_CHARACTERS // 10) + "?s ?p }"
    assert "near line 2002" in sentence(lambda: evaluate(Store(), text, True, None))
