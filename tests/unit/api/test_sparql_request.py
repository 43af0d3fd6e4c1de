from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.api.sparql import BodyRefused, UpdateRefused, parse_parameters, read_parameters, read_post
from voltwin.errors import QueryError

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"


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


@pytest.mark.parametrize(
    "call",
    [
        lambda: read_parameters({"update": ["CLEAR ALL"]}, None),
        lambda: read_post(FORM, b"update=CLEAR%20ALL", {}, None),
        lambda: read_post("application/sparql-update; charset=UTF-8", b"CLEAR ALL", {}, None),
    ],
)
def test_an_update_is_refused_with_the_way_to_go(call):
    with pytest.raises(UpdateRefused, match="PUT /twins"):
        call()


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
