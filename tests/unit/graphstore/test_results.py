from __future__ import annotations

from typing import Any

import pytest
from pyoxigraph import Store

from voltwin.errors import QueryError
from voltwin.graphstore.queries.limits import QueryLimits
from voltwin.graphstore.queries.results import choose_formats, serialise


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.1, application/sparql-results+xml", "application/sparql-results+xml"),
        ("image/png, text/tab-separated-values;q=0.2", "text/tab-separated-values"),
        ("text/turtle, text/csv;q=0.3", "text/csv"),
    ],
)
def test_the_most_wished_format_is_given(accept: Any, media_type: Any) -> None:
    answer = serialise(Store().query("SELECT (1 AS ?x) {}"), choose_formats(accept), QueryLimits())
    assert answer.media_type == media_type


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "text/csv;q=high"])
def test_a_format_that_cannot_be_given_is_refused(accept: Any) -> None:
    with pytest.raises(QueryError, match="Accept"):
        choose_formats(accept)
