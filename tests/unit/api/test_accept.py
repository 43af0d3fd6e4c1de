from __future__ import annotations

from typing import Any

import pytest

from voltwin.api.http.accept import ALIASES, FORMATS, negotiate
from voltwin.errors import QueryError
from voltwin.graphstore.queries.results import RDF_FORMATS, RESULT_FORMATS

OFFERED = {fmt.media_type.partition(";")[0].lower() for fmt in (*RESULT_FORMATS, *RDF_FORMATS)}


def test_nothing_wished_stays_nothing() -> None:
    assert negotiate(None, []) is None
    assert negotiate("", []) is None


def test_every_alias_and_format_stands_for_something_that_is_offered() -> None:
    for media in (*ALIASES.values(), *FORMATS.values()):
        assert set(media) <= OFFERED


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("application/json", "application/sparql-results+json"),
        ("text/xml;q=0.5", "application/sparql-results+xml"),
        ("text/csv; q=0.3, */*;q=0.1", "text/csv"),
        ("Application/SPARQL-Results+JSON", "application/sparql-results+json"),
    ],
)
def test_a_header_becomes_standard_media_types(header: Any, first: Any) -> None:
    assert negotiate(header, []).partition(";")[0] == first


def test_quality_is_kept() -> None:
    assert negotiate("application/xml;q=0.4", []) == ("application/sparql-results+xml;q=0.4, application/rdf+xml;q=0.4")


@pytest.mark.parametrize("header", [None, "", "*/*", "*/*;q=0.8"])
def test_the_format_parameter_decides_where_the_header_leaves_it_open(header: Any) -> None:
    assert negotiate(header, ["csv"]).startswith("text/csv")
    assert negotiate(header, ["application/sparql-results+xml"]).startswith("application/sparql-results+xml")


def test_the_header_wins_over_the_parameter() -> None:
    assert negotiate("text/turtle", ["xml"]).startswith("text/turtle")


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(QueryError, match="'yaml'"):
        negotiate(None, ["yaml"])
