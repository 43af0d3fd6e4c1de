from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from voltwin.api.app import create_app
from voltwin.api.battery.drawing import GAUGE_WIDTH, gauges, strip
from voltwin.api.battery.module_view import read_module
from voltwin.api.presentation.tables import read_table
from voltwin.api.web.views import discover_views, example_queries
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import Provenance, TwinWriter

from .html_page import Page, check_page
from .sample_fleet import AGES, EOL, make_fleet

PAGES = (
    "/",
    "/?sort=loss&order=desc",
    "/modules",
    "/modules/module-0002",
    "/query",
    "/query?query=ASK%20%7B%7D",
    "/fleet",
    "/fleet/twins",
    "/fleet/classes/Module",
    "/fleet/twins/module-0002",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_well_formed_and_stays_at_home(client: Any, path: Any) -> None:
    response = client.get(path)
    assert response.status_code == 200
    check_page(response)


@pytest.mark.parametrize("path", PAGES)
def test_every_address_on_a_page_answers(client: Any, path: Any) -> None:
    addresses = set(Page(client.get(path).text).addresses)
    assert addresses
    for address in addresses:
        assert client.get(address.partition("#")[0]).status_code == 200, address


def test_the_overview_sorts_as_asked(client: Any) -> None:
    keys = re.compile(r'<td class="key"><a href="/modules/([^"]+)">')
    assert keys.findall(client.get("/?sort=age").text) == sorted(AGES)
    assert keys.findall(client.get("/?sort=age&order=desc").text) == sorted(AGES, reverse=True)
    assert keys.findall(client.get("/?sort=soc").text) == ["module-0003", "module-0002", "module-0001"]


def test_an_unknown_column_is_refused_on_a_page(client: Any) -> None:
    response = client.get("/?sort=colour")
    assert response.status_code == 422
    assert "sort by one of key, age" in response.text


def test_the_overview_shows_the_wanted_modules_figures(client: Any) -> None:
    assert "temperature-trend.svg?module=module-0003" in client.get("/?module=module-0003").text


def test_a_module_page_shows_decision_reasons_cells_and_sources(client: Any) -> None:
    text = client.get("/modules/module-0002").text
    assert "a cell&#39;s voltage is below its lower limit" in text
    assert text.count('<tr class="outside">') == 1
    assert "−6.10" in text
    assert "storage-set-point" in text
    assert "computed by self-discharge-at-arrival 2019-04-12T22:00:00Z" in text
    assert "/twins/module-0002/cells/cell-12/loss" in text


def test_a_missing_module_is_a_page_with_a_sentence(client: Any) -> None:
    response = client.get("/modules/nobody")
    assert response.status_code == 404
    assert "there is no twin" in response.text


def test_a_twin_of_another_class_has_no_module_page_and_is_told_where_its_page_is(client: Any) -> None:
    response = client.get("/modules/truck-01")
    assert response.status_code == 404
    assert "&#39;truck-01&#39; is a twin of class Truck" in response.text
    assert "/fleet/twins/truck-01" in response.text


def test_a_module_that_was_just_created_has_plots_that_say_so(tmp_path: Path) -> None:
    with make_fleet(tmp_path, []) as fleet:
        changes = ChangeSet(fleet.committer.store)
        writer = TwinWriter(changes, fleet.schema, fleet.names, fleet.committer.journal.series)
        twin = writer.create_twin("fresh", fleet.schema.class_named("Module").iri)
        writer.put(twin, ("endOfLineTest", "performedAt"), EOL, None, Provenance("asserted", EOL))
        fleet.committer.commit(Entry("test", EOL, changes.changes()), tuple(changes.touched()))
        client = TestClient(create_app(fleet))
        for path in ("/", "/modules/fresh", "/fleet/twins/fresh"):
            for address in Page(client.get(path).text).addresses:
                assert client.get(address.partition("#")[0]).status_code == 200, address


def test_text_is_escaped(client: Any) -> None:
    attack = "</textarea><script>alert(1)</script>"
    response = client.get("/query", params={"query": attack})
    assert "<script" not in response.text
    assert "&lt;script&gt;" in response.text
    assert "refused" in response.text


def test_the_query_page_shows_rows_graphs_and_problems(client: Any) -> None:
    rows = client.get("/query", params={"query": "SELECT ?k { ?t a vt:Product ; vt:key ?k }"}).text
    assert "3 rows" in rows
    assert "module-0003" in rows
    graph = client.get("/query", params={"query": "CONSTRUCT WHERE { ?t vt:key ?k }"}).text
    assert "vt:key" in graph
    assert "TURTLE" in graph
    assert "refused" in client.get("/query", params={"query": "SELECT"}).text


def test_every_example_answers_something(fleet: Any) -> None:
    examples = example_queries(discover_views(), fleet)
    assert len(examples) == 7
    for example in examples:
        assert read_table(fleet.query(example.text)).rows, example.title


def test_the_cold_modules_of_the_example_are_those_below_six_degrees(fleet: Any) -> None:
    (cold,) = [example for example in example_queries(discover_views(), fleet) if "6 °C" in example.title]
    rows = read_table(fleet.query(cold.text)).rows
    assert {row[0].text for row in rows} == set(AGES)
    assert {float(row[2].text) for row in rows} == {5.2}


def test_a_fleet_without_modules_says_so(tmp_path: Path) -> None:
    with make_fleet(tmp_path, []) as empty:
        client = TestClient(create_app(empty))
        assert "There is no module yet" in client.get("/").text


def test_keys_with_odd_characters_have_pages(tmp_path: Path) -> None:
    with make_fleet(tmp_path, []) as fleet:
        client = TestClient(create_app(fleet))
        response = client.get(f"/modules/{quote('a/b?c', safe='')}")
        assert response.status_code == 404
        assert "a/b?c" in response.text


def test_the_strip_covers_the_whole_life_in_order(fleet: Any) -> None:
    bars = strip(read_module(fleet, "module-0001").stages)
    assert [bar.stage.name for bar in bars] == [
        "End-of-line test",
        "Storage, outbound",
        "Transport",
        "Storage, inbound",
        "Arrival test",
    ]
    assert bars[0].x == 0
    assert bars[-1].x == pytest.approx(1000)
    assert bars[2].hours == 30
    assert strip(()) == ()


def test_gauges_share_one_scale_and_mark_what_is_outside(fleet: Any) -> None:
    found = gauges(read_module(fleet, "module-0002").cells)
    assert len(found) == 12
    assert {key for key, gauge in found.items() if gauge.is_outside} == {"cell-07"}
    assert len({(gauge.low, gauge.expected, gauge.high) for gauge in found.values()}) == 1
    assert all(0 <= gauge.mark <= GAUGE_WIDTH for gauge in found.values())
    assert found["cell-07"].mark < found["cell-07"].low < found["cell-01"].mark
