from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.api.sparql.query import BodyRefused, UpdateRefused, parse_parameters, read_parameters, read_post
from voltwin.api.sparql.update import NOBODY, is_update, read_update
from voltwin.errors import QueryError

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_a_query_arrives_as_it_was_sent(text):
    encoded = urlencode({"query": text})
    by_url = read_parameters(parse_parameters(encoded), None)
    by_form = read_post(f"{FORM}; charset=UTF-8", encoded.encode(), {}, None)
    directly = read_post(QUERY, text.encode(), {}, None)
    assert by_url.query == by_form.query == directly.query == text


def test_parameters_of_the_url_go_with_a_direct_post():
    found = read_post(QUERY, b"ASK {}", {"default-graph-uri": ["https://g.example/"]}, "text/csv")
    assert found.query == "ASK FROM <https://g.example/> {}"
    assert found.accept == "text/csv;q=1"


@pytest.mark.parametrize("parameters", [{}, {"query": []}, {"query": ["ASK {}", "ASK {}"]}])
def test_a_query_is_given_once(parameters):
    with pytest.raises(QueryError, match="give it once"):
        read_parameters(parameters, None)


def test_two_queries_in_url_and_body_are_two():
    with pytest.raises(QueryError, match="2 times"):
        read_post(QUERY, b"ASK {}", {"query": ["ASK {}"]}, None)


def test_an_update_in_a_url_is_refused_with_the_way_to_go():
    with pytest.raises(UpdateRefused, match="by POST"):
        read_parameters({"update": ["CLEAR ALL"]}, None)


TEXT = "DELETE WHERE { GRAPH ?g { ?s ?p 'ü&+' } }"
GRAPH = "https://g.example/"


@pytest.mark.parametrize(
    ("kind", "body", "url"),
    [
        (FORM, urlencode({"update": TEXT, "author": "ann"}), ""),
        (f"{FORM}; charset=UTF-8", urlencode({"author": "ann", "update": TEXT}), ""),
        (UPDATE, TEXT, "author=ann"),
        (f"{UPDATE}; charset=utf-8", TEXT, "author=ann&x=y"),
    ],
)
def test_an_update_arrives_as_it_was_sent(kind, body, url):
    assert is_update(kind, body.encode())
    found = read_update(kind, body.encode(), url)
    assert (found.text, found.author) == (TEXT, "ann")


def test_the_dataset_of_an_update_comes_from_url_or_form():
    by_url = read_update(UPDATE, TEXT.encode(), urlencode({"using-graph-uri": GRAPH}))
    by_form = read_update(FORM, urlencode({"update": TEXT, "using-graph-uri": GRAPH}).encode(), "")
    assert by_url == by_form
    assert f"USING <{GRAPH}>" in by_url.text
    assert by_url.author == NOBODY


@pytest.mark.parametrize(("kind", "body"), [(QUERY, "ASK {}"), (FORM, "query=ASK%20{}"), (None, ""), ("text/x", "a=b")])
def test_a_query_is_no_update(kind, body):
    assert not is_update(kind, body.encode())


@pytest.mark.parametrize(
    ("kind", "body", "url", "words"),
    [
        (FORM, b"update=A&update=B", "", "given 2 times"),
        (UPDATE, b"DROP ALL", "update=B", "given 2 times"),
        (UPDATE, b"DROP ALL", "query=ASK{}", "send one of them"),
        (UPDATE, b"DROP ALL", "author=a&author=b", "author: given 2 times"),
        (UPDATE, "DROP GRAPH <x:ü>".encode("latin-1"), "", "byte 14 is not UTF-8"),
        (f"{UPDATE}; charset=latin-1", b"DROP ALL", "", "send UTF-8"),
    ],
)
def test_an_update_that_cannot_be_read_says_why(kind, body, url, words):
    with pytest.raises(QueryError, match=words):
        read_update(kind, body, url)


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/json", "multipart/form-data"])
def test_a_body_of_another_kind_is_refused(kind):
    with pytest.raises(BodyRefused, match="sparql-query"):
        read_post(kind, b"ASK {}", {}, None)


def test_other_encodings_are_refused():
    with pytest.raises(BodyRefused, match="utf-16"):
        read_post(f"{QUERY}; charset=UTF-16", "ASK {}".encode("utf-16"), {}, None)
    with pytest.raises(QueryError, match="byte 5"):
        read_post(QUERY, b"ASK {\xff}", {}, None)
    with pytest.raises(QueryError, match="percent-encode"):
        parse_parameters("query=%ff")
