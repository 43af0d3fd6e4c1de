from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from voltwin.testing import Bench


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("vtf:min(?s)", 2.0),
        ("vtf:max(?s)", 9.0),
        ("vtf:mean(?s)", 5.0),
        ("vtf:sum(?s)", 15.0),
        ("vtf:count(?s)", 3),
        ('vtf:max(?s, "2019-04-01T06:00:00Z"^^xsd:dateTime, "2019-04-01T08:00:00Z"^^xsd:dateTime)', 4.0),
        ('vtf:at(?s, "2019-04-01T07:30:00Z"^^xsd:dateTime)', 5.5),
        ('vtf:at(?s, "2019-04-01T05:00:00Z"^^xsd:dateTime)', None),
        ('vtf:count(?s, "2020-04-01T05:00:00Z"^^xsd:dateTime)', None),
        ("vtf:mean(vt:nothing)", None),
    ],
)
def test_series_functions(bench: Bench, truck: Any, call: Any, value: Any) -> None:
    body = bench.fleet.query(f"SELECT ({call} AS ?v) WHERE {{ BIND({truck} AS ?s) }}").body
    (row,) = json.loads(body)["results"]["bindings"]
    assert (float(row["v"]["value"]) if row else None) == value


@pytest.mark.parametrize(
    "call", ['vtf:mean("t1")', 'vtf:at(?s, "yesterday")', 'vtf:at(?s, "2019-04-01T05:00:00"^^xsd:dateTime)']
)
def test_a_misused_function_is_unbound_and_logged(
    bench: Bench, truck: Any, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        body = bench.fleet.query(f"SELECT ({call} AS ?v) WHERE {{ BIND({truck} AS ?s) }}").body
    assert json.loads(body)["results"]["bindings"] == [{}]
    assert "vtf:" in caplog.text
