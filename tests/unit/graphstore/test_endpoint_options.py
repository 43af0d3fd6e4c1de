"""The options of a SPARQL endpoint: what is said wrongly is said back, and no secret is among them."""

from __future__ import annotations

from typing import Any

import pytest

from voltwin.errors import InputError, StoreError
from voltwin.graphstore.engines.endpoint.http import EndpointHttp
from voltwin.graphstore.engines.endpoint.options import EndpointOptions

QUERY = "http://127.0.0.1:1/query"


def test_updates_go_where_queries_go_unless_said_otherwise() -> None:
    assert EndpointOptions.from_json({"query": QUERY}).update == QUERY
    assert EndpointOptions.from_json({"query": QUERY, "update": "http://b.example/u"}).update == "http://b.example/u"


def test_they_are_written_as_they_were_read() -> None:
    document = {"query": QUERY, "update": "http://b.example/u", "auth": "digest", "answer_seconds": 5.0}
    assert EndpointOptions.from_json(document).to_json() == document
    assert EndpointOptions.from_json({"query": QUERY}).to_json() == {"query": QUERY}


def test_numbers_may_be_text() -> None:
    options = EndpointOptions.from_json({"query": QUERY, "answer_seconds": "2.5", "attempts": "3"})
    assert (options.answer_seconds, options.attempts) == (2.5, 3)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"query": ""}, "give the URL"),
        ({"query": "localhost:7878"}, "must be an http or https address"),
        ({"graphs": "ftp://x/"}, "must be an http or https address"),
        ({"auth": "kerberos"}, "none, basic, bearer, digest"),
        ({"dialect": "klingon"}, "ask, standard, virtuoso"),
        ({"attempts": "many"}, "must be a number"),
        ({"attempts": 0}, "too small"),
        ({"answer_seconds": 0}, "too small"),
        ({"password": "secret"}, "option 'password': unknown"),
    ],
)
def test_what_is_wrong_is_said(option: Any, sentence: Any) -> None:
    with pytest.raises(InputError, match=sentence):
        EndpointOptions.from_json({"query": QUERY} | option)


def test_a_missing_secret_is_named_before_anything_is_sent() -> None:
    with pytest.raises(StoreError, match="needs bearer credentials; set MY_TOKEN"):
        EndpointHttp(EndpointOptions(QUERY, auth="bearer", token_variable="MY_TOKEN"), {})
