"""The log says in words what came and went, and leaves out what only says where a thing belongs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voltwin.graphstore.history.audit_log import line, paragraph, triples

from ..api.sample_fleet import EOL, make_fleet


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with make_fleet(tmp_path_factory.mktemp("log"), ["module-0001"]) as made:
        yield made


@pytest.fixture
def told(fleet: Any) -> Any:
    def last(**asked: Any) -> Any:
        (event,) = fleet.events(fleet.status()["commits"] - 1, follow=False, changes=True, **asked)
        return paragraph(event, fleet.names)

    return last


def test_a_value_that_changed_has_its_old_one(fleet: Any, told: Any) -> None:
    fleet.put("/module-0001/cells/cell-03/voltage", 3.5, unit="V", time=EOL, author="anna")
    head, *rest = told()
    assert head.startswith("commit ")
    assert head.endswith(" · anna")
    assert rest == ["  /module-0001/cells/cell-03/voltage: 3.6492 becomes 3.5"]


def test_a_birth_on_the_way_and_a_reference_are_said(fleet: Any, told: Any) -> None:
    fleet.put("/module-0001/transport/truck", "truck-07", unit=None, time=EOL, author="anna")
    assert "  /module-0001/transport/truck: /truck-01 becomes /truck-07" in told()
    assert "  /truck-07: created as Truck" in told()
    assert told(twin="module-0001")[1:] == ["  /module-0001/transport/truck: /truck-01 becomes /truck-07"]


def test_a_sample_is_counted_and_the_figures_of_its_series_are_not_listed(fleet: Any, told: Any) -> None:
    fleet.put("/truck-01/logger/temperature", 4.0, unit="DEG_C", time=EOL + timedelta(days=20), author="logger")
    assert told()[1:] == ["  /truck-01/logger/temperature: 1 sample"]


def test_other_graphs_are_counted_with_what_they_are_about(fleet: Any, told: Any) -> None:
    rule = f"<{fleet.names.base}rules/default-temperature>"
    fleet.update(
        f"DELETE {{ GRAPH ?g {{ {rule} vt:priority ?p }} }} INSERT {{ GRAPH ?g {{ {rule} vt:priority 91 }} }} "
        f"WHERE {{ GRAPH ?g {{ {rule} vt:priority ?p }} }}",
        author="expert",
    )
    assert told()[1:] == ["  rules: 1 added, 1 removed (default-temperature)"]


def test_a_long_paragraph_is_cut_and_says_how_much_is_missing(fleet: Any) -> None:
    (event,) = [item for item in fleet.events(follow=False, changes=True) if item.sequence == 2]
    short, whole = paragraph(event, fleet.names), paragraph(event, fleet.names, None)
    assert len(short) == 22
    assert short[-1] == f"  and {len(whole) - 21} more"
    assert whole[:21] == short[:21]


def test_a_line_tells_how_much_was_touched(fleet: Any) -> None:
    first, _, third = list(fleet.events(follow=False, changes=True))[:3]
    assert "actions ontology rules shapes" in line(first)
    assert "module-0001" in line(third)
    assert "anna" in line(third)
    assert any(text.strip().startswith("- <") and "3.6492" in text for text in triples(third))
    assert datetime.now(UTC).strftime("%Y-%m-%d") in line(third)
