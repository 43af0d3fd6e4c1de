from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.api.sparql.query import UpdateRefused, accepted_types, query_text
from voltwin.api.sparql.request import ProtocolRequest, UnsupportedBody
from voltwin.api.sparql.update import update_text
from voltwin.errors import QueryError
from voltwin.settings import InputLimits

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"

read = ProtocolRequest.read


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_a_query_arrives_as_it_was_sent(text: Any) -> None:
    encoded = urlencode({"query": text})
    by_url = read(None, None, encoded)
    by_form = read(f"{FORM}; charset=UTF-8", encoded.encode(), "")
    directly = read(QUERY, text.encode(), "")
    assert query_text(by_url) == query_text(by_form) == query_text(directly) == text


def test_parameters_of_the_url_go_with_a_direct_post() -> None:
    found = read(QUERY, b"ASK {}", urlencode({"default-graph-uri": "https://g.example/"}))
    assert query_text(found) == "ASK FROM <https://g.example/> {}"
    assert accepted_types(found, "text/csv") == "text/csv;q=1"


@pytest.mark.parametrize("url", ["", "author=ann", "query=ASK%20{}&query=ASK%20{}"])
def test_a_query_is_given_once(url: Any) -> None:
    with pytest.raises(QueryError, match="give it once"):
        query_text(read(None, None, url))


@pytest.mark.parametrize(("kind", "body"), [(QUERY, b"ASK {}"), (FORM, b"query=ASK%20{}")])
def test_two_queries_in_url_and_body_are_two(kind: Any, body: Any) -> None:
    with pytest.raises(QueryError, match="2 times"):
        query_text(read(kind, body, "query=ASK%20{}"))


def test_an_update_in_a_url_is_refused_with_the_way_to_go() -> None:
    with pytest.raises(UpdateRefused, match="by POST"):
        query_text(read(None, None, "update=CLEAR%20ALL"))


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
def test_an_update_arrives_as_it_was_sent(kind: Any, body: Any, url: Any) -> None:
    found = read(kind, body.encode(), url)
    assert found.is_update
    assert (update_text(found, InputLimits()), found.one("author")) == (TEXT, "ann")


def test_the_dataset_of_an_update_comes_from_url_or_form() -> None:
    by_url = read(UPDATE, TEXT.encode(), urlencode({"using-graph-uri": GRAPH}))
    by_form = read(FORM, urlencode({"update": TEXT, "using-graph-uri": GRAPH}).encode(), "")
    assert update_text(by_url, InputLimits()) == update_text(by_form, InputLimits())
    assert f"USING <{GRAPH}>" in update_text(by_url, InputLimits())


@pytest.mark.parametrize(("kind", "body"), [(QUERY, "ASK {}"), (FORM, "query=ASK%20{}"), (None, None)])
def test_a_query_is_no_update(kind: Any, body: Any) -> None:
    assert not read(kind, body and body.encode(), "").is_update


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
def test_an_update_that_cannot_be_read_says_why(kind: Any, body: Any, url: Any, words: Any) -> None:
    with pytest.raises(QueryError, match=words):  # noqa: PT012 - either step may refuse it
        found = read(kind, body, url)
        assert update_text(found, InputLimits())
        assert found.one("author")


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/json", "multipart/form-data"])
def test_a_body_of_another_kind_is_refused(kind: Any) -> None:
    with pytest.raises(UnsupportedBody, match="sparql-query"):
        read(kind, b"ASK {}", "")


@pytest.mark.parametrize(("kind", "text"), [(QUERY, "ASK {}"), (UPDATE, "DROP ALL")])
def test_other_encodings_are_refused(kind: Any, text: Any) -> None:
    with pytest.raises(UnsupportedBody, match="utf-16"):
        read(f"{kind}; charset=UTF-16", text.encode("utf-16"), "")


@pytest.mark.parametrize("kind", [QUERY, UPDATE, FORM])
def test_the_part_that_is_not_utf8_is_named(kind: Any) -> None:
    body = b"query=ASK" if kind == FORM else b"ASK {}"
    with pytest.raises(QueryError, match=r"^parameters: .*percent-encode UTF-8$") as of_url:
        read(kind, body, "author=%ff")
    with pytest.raises(QueryError, match=r"^body: byte 5 is not UTF-8; send UTF-8$") as of_body:
        read(kind, b"ASK {\xff}", "author=ann")
    assert type(of_url.value) is type(of_body.value) is QueryError
