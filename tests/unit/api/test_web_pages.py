"""The pages of the platform, on a fleet that has nothing to do with batteries and on one of the case study."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.api.presentation.tables import read_table
from voltwin.api.web import classes
from voltwin.api.web.classes import read_classes, read_twins
from voltwin.api.web.plots import Style, plot_series, thin_out
from voltwin.api.web.structure import read_structure
from voltwin.api.web.views import discover_views, example_queries
from voltwin.assembly import ServerHooks, assemble
from voltwin.control.clock import SystemClock
from voltwin.errors import InputError, NotFoundError, TwinNotFoundError
from voltwin.graphstore.fleets.remote import RemoteFleet
from voltwin.graphstore.fleets.structure import structure_from_json
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.paths.answers import Answer
from voltwin.graphstore.series.reading import SeriesReading
from voltwin.ontology.literals import to_microseconds
from voltwin.ontology.steps import natural_order
from voltwin.verbs.tree import tree

from .gearbox_fleet import KEYS, RIGS, START, description, make_gearbox_fleet
from .html_page import Page, check_page
from .sample_fleet import make_fleet

PAGES = (
    "/",
    "/fleet",
    "/fleet/twins",
    "/fleet/twins?order=desc",
    "/fleet/classes/Gearbox",
    "/fleet/twins/gearbox-1",
    "/fleet/twins/gearbox-10",
    "/fleet/twins/rig-1",
    "/query",
)


@pytest.fixture(scope="module")
def gears(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with make_gearbox_fleet(tmp_path_factory.mktemp("gears")) as made:
        yield made


@pytest.fixture
def web(gears: Any) -> Any:
    return TestClient(create_app(gears), raise_server_exceptions=False)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_well_formed_and_every_address_on_it_answers(web: Any, path: Any) -> None:
    response = web.get(path)
    assert response.status_code == 200
    for address in set(check_page(response).addresses):
        assert web.get(address).status_code == 200, address


@pytest.mark.parametrize("path", PAGES)
def test_a_fleet_of_gearboxes_shows_nothing_of_batteries(web: Any, path: Any) -> None:
    words = " ".join(Page(web.get(path).text).words)
    found = re.findall(r"\b(?:modules?|cells?|SOC|arrival|self-discharge|batter\w+|±10)\b", words, re.IGNORECASE)
    assert found == []


@pytest.mark.parametrize("path", ["/modules", "/modules/gearbox-1", "/battery/plots/self-discharge.svg"])
def test_the_pages_of_a_view_that_does_not_apply_are_not_there(web: Any, path: Any) -> None:
    response = web.get(path)
    assert response.status_code == 404
    assert "view 'battery'" in response.json()["message"]


def test_the_overview_counts_twins_by_class(gears: Any) -> None:
    rows = {row.name: (row.twins, row.parents) for row in read_classes(gears)}
    assert rows == {
        "Gearbox": (3, ("product",)),
        "PlanetaryGearbox": (1, ("Gearbox",)),
        "TestRig": (2, ("resource",)),
    }


def test_keys_are_listed_in_the_natural_order_of_digits(web: Any) -> None:
    keys = re.compile(r'<a href="/fleet/twins/([^"]+)">')
    assert keys.findall(web.get("/fleet/classes/Gearbox").text) == ["gearbox-1", "gearbox-2", "gearbox-10"]
    assert keys.findall(web.get("/fleet/classes/Gearbox?order=desc").text) == ["gearbox-10", "gearbox-2", "gearbox-1"]
    assert sorted(["b", "a10", "A9", "a010", ""], key=natural_order) == ["", "A9", "a010", "a10", "b"]


def test_a_long_list_is_paged(gears: Any, web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes, "PAGE_ROWS", 2)
    pages = [read_twins(gears, None, number) for number in (1, 2, 3)]
    assert [row.key for page in pages for row in page.rows] == ["gearbox-1", "gearbox-2", "gearbox-10", *RIGS]
    assert {(page.twins, page.pages) for page in pages} == {(5, 3)}
    assert read_twins(gears, None, 99).page == 3
    text = web.get("/fleet/twins?page=2").text
    assert "Page 2 of 3" in text
    assert "page=1" in text
    assert "page=3" in text


@pytest.mark.parametrize("fixture", ["gears", "fleet"])
def test_every_twin_of_every_class_is_on_a_list_and_has_a_page(fixture: Any, request: pytest.FixtureRequest) -> None:
    fleet = request.getfixturevalue(fixture)
    client = TestClient(create_app(fleet))
    keys = set(fleet)
    assert {row.key for row in read_twins(fleet, None).rows} == keys
    by_class = {row.key for cls in read_classes(fleet) for row in read_twins(fleet, cls.address).rows}
    assert by_class == keys
    for key in keys:
        response = client.get(f"/fleet/twins/{key}")
        assert response.status_code == 200
        check_page(response)


def test_a_twin_shows_values_with_unit_time_and_origin_and_what_is_not_set(gears: Any, web: Any) -> None:
    rows = {row.name: row for row in read_structure(gears, "gearbox-1").root.rows}
    torque = rows["ratedTorque"].answer
    assert (torque.value, torque.unit, torque.time, torque.origin) == (1200.0, "N-M", START, "measured")
    assert rows["state"].answer.value == "RUN_IN"
    assert rows["rig"].links == ("/rig-1",)
    assert not rows["serialNumber"].is_set
    text = web.get("/fleet/twins/gearbox-1").text
    assert re.search(r"ratedTorque</td>.*?>1200</td><td>N·m</td><td[^>]*>2024-05-06 07:00</td><td[^>]*>measured", text)
    assert re.search(r'serialNumber</td><td class="content"><span class="quiet">not set', text)
    assert '<a href="/fleet/twins/rig-1">/rig-1</a>' in text
    assert "90 samples, 20 to 56.267" in text
    assert "noisy &lt;b&gt;third&lt;/b&gt; stage" in text


def test_parts_are_nested_in_natural_order_and_missing_ones_are_named(gears: Any) -> None:
    root = read_structure(gears, "gearbox-1").root
    assert [part.path for part in root.walk()] == [
        "/gearbox-1",
        "/gearbox-1/stages/stage-1",
        "/gearbox-1/stages/stage-1/bearing",
        "/gearbox-1/stages/stage-2",
        "/gearbox-1/stages/stage-10",
    ]
    assert [part.missing for part in root.parts] == [(), ("bearing",), ("bearing",)]
    assert read_structure(gears, "gearbox-10").root.missing == ("stages",)


def test_only_series_with_samples_have_a_plot(gears: Any) -> None:
    fresh = read_structure(gears, "gearbox-10")
    assert [row.name for row in read_structure(gears, "gearbox-1").root.rows if row.has_plot] == ["oilTemperature"]
    assert not any(row.has_plot for row in fresh.root.rows)
    assert (fresh.parts, fresh.set_count, fresh.property_count) == (0, 2, 7)


def test_what_rules_infer_is_on_the_page_of_its_twin(fleet: Any) -> None:
    structure = read_structure(fleet, "module-0001")
    rows = {row.path: row for part in structure.root.walk() for row in part.rows}
    assert rows["/module-0001/temperatureTrend"].answer.origin == "inferred"
    assert rows["/module-0001/temperatureTrend"].has_plot
    assert rows["/module-0001/transport/truck"].links == ("/truck-01",)
    assert rows["/module-0001/storageStays/outbound/storage"].links == ("/storage-cell-plant",)
    assert structure.latest < START
    assert structure.parts == 18


def test_words_of_a_view_explain_codes_on_the_platforms_page(client: Any) -> None:
    text = client.get("/fleet/twins/module-0002").text
    assert '<abbr title="a cell&#39;s voltage is below its lower limit">LOW_OCV</abbr>' in text
    assert 'href="/modules/module-0002"' in text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/fleet/twins/nobody", 404, "there is no twin &#39;nobody&#39;"),
        (f"/fleet/twins/{quote('a/b?<i>c', safe='')}", 404, "a/b?&lt;i&gt;c"),
        ("/fleet/classes/Nothing", 404, "no such class"),
        ("/fleet/twins?page=0", 422, "pages count from 1"),
        ("/fleet/twins?order=up", 422, "asc or desc"),
    ],
)
def test_what_is_not_there_is_a_page_with_a_sentence(web: Any, path: Any, status: Any, words: Any) -> None:
    response = web.get(path)
    assert response.status_code == status
    check_page(response)
    assert words in response.text


def test_a_plot_is_of_one_series(web: Any) -> None:
    assert web.get("/fleet/plot.svg", params={"path": "/*/oilTemperature"}).status_code == 422
    assert web.get("/fleet/plot.svg", params={"path": "/gearbox-1/ratio"}).status_code == 422
    assert web.get("/fleet/plot.svg", params={"path": "/gearbox-10/oilTemperature"}).status_code == 404
    light = web.get("/fleet/plot.svg", params={"path": "/gearbox-1/oilTemperature"})
    dark = web.get("/fleet/plot.svg", params={"path": "/gearbox-1/oilTemperature", "theme": "dark"})
    assert light.headers["content-type"] == "image/svg+xml"
    assert "oilTemperature (°C)" in light.text
    assert "#171c23" in dark.text
    assert "#171c23" not in light.text


def test_a_plot_of_something_else_is_refused() -> None:
    with pytest.raises(InputError, match="only a series or a trend"):
        plot_series(Answer("/gearbox-1/ratio", 4.5), Style("svg"))


def test_a_long_series_is_thinned_out_to_its_extremes() -> None:
    times = np.arange(100_000, dtype=np.int64)
    values = np.sin(times / 500.0)
    values[54_321] = 9.0
    shown_times, shown = thin_out(times, values, buckets=100)
    assert len(shown) <= 200
    assert (shown.max(), shown.min()) == (9.0, values.min())
    assert (np.diff(shown_times) > 0).all()
    assert thin_out(times[:150], values[:150], buckets=100)[1] is not None
    assert len(thin_out(times[:150], values[:150], buckets=100)[1]) == 150


def test_example_queries_are_of_the_fleets_own_classes_and_answer(gears: Any, web: Any) -> None:
    examples = example_queries(discover_views(), gears)
    titles = [example.title for example in examples]
    assert titles == [
        "Twins of each class",
        "Twins of class Gearbox",
        "Highest ratedTorque of Gearbox in N·m",
        "Mean and maximum of oilTemperature of Gearbox in °C",
    ]
    rows = [read_table(gears.query(example.text)).rows for example in examples]
    assert [len(found) for found in rows] == [3, len(KEYS), len(KEYS), 2]
    assert float(rows[3][0][3].text) == pytest.approx(56.267, abs=1e-3)
    for example in examples:
        page = web.get("/query", params={"query": example.text})
        assert "was refused" not in page.text
        for address in check_page(page).addresses:
            assert web.get(address).status_code == 200, address
    assert (
        '<a href="/fleet/twins/gearbox-10">https://gears' in web.get("/query", params={"query": examples[1].text}).text
    )


def test_a_fleet_without_twins_says_so_and_its_examples_run(tmp_path: Path) -> None:
    with make_gearbox_fleet(tmp_path, []) as empty:
        web = TestClient(create_app(empty))
        assert "There is no twin yet" in web.get("/").text
        assert "There is no twin of this class yet" in web.get("/fleet/classes/Gearbox").text
        for example in example_queries(discover_views(), empty):
            empty.query(example.text)


HOSTILE = '"><script>alert(1)</script>'


def test_hostile_names_and_keys_are_text(tmp_path: Path) -> None:
    model = description(HOSTILE)
    for cls in model["classes"]:
        if cls["name"] == "TestRig":
            cls["name"] = HOSTILE
            cls["key"] = "drive::TestRig"
    with make_gearbox_fleet(tmp_path, [], model) as fleet:
        for key, name in ((HOSTILE, "Gearbox"), ("<i>rig</i>", HOSTILE)):
            cls = fleet.schema.class_named(name).iri
            graph = fleet.names.twin(key).value
            types = " ".join(f"a <{above.value}> ;" for above in fleet.schema.ancestors(cls))
            fleet.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <{graph}> {types} vt:key 'x' }} }}", author="test")
        segment = next(answer.path for answer in fleet.all("/") if "script" in answer.path)
        (prop,) = [prop for prop in fleet.schema.properties.values() if "script" in prop.name]
        twin = fleet.names.twin(HOSTILE).value
        fleet.update(f"INSERT DATA {{ GRAPH <{twin}> {{ <{twin}> <{prop.iri.value}> '<b>&amp;' }} }}", author="test")
        assert read_structure(fleet, HOSTILE).root.rows[0].answer.value == "<b>&amp;"
        web = TestClient(create_app(fleet))
        pages = [
            "/fleet",
            "/fleet/twins",
            f"/fleet/classes/{quote(HOSTILE)}",
            f"/fleet/twins/{quote(HOSTILE)}",
            "/query",
        ]
        for path in pages:
            response = web.get(path)
            assert response.status_code == 200, (path, segment)
            for address in set(check_page(response).addresses):
                assert web.get(address).status_code == 200, address
            assert "<b>" not in response.text
            assert "<i>" not in response.text


def test_two_classes_of_one_name_have_a_list_each(tmp_path: Path) -> None:
    model = description()
    model["packages"].append({"name": "spare"})
    model["classes"].append({"name": "Gearbox", "package": "spare", "parents": ["framework::Product"]})
    with make_gearbox_fleet(tmp_path, [], model) as fleet:
        for number, cls in enumerate(item for item in fleet.schema.classes.values() if item.name == "Gearbox"):
            graph = fleet.names.twin(f"box-{number}").value
            types = " ".join(f"a <{above.value}> ;" for above in cls.ancestors)
            fleet.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <{graph}> {types} vt:key 'x' }} }}", author="test")
        rows = read_classes(fleet)
        assert [row.name for row in rows] == ["Gearbox", "Gearbox"]
        assert sorted(read_twins(fleet, row.address).rows[0].key for row in rows) == ["box-0", "box-1"]
        web = TestClient(create_app(fleet))
        for address in Page(web.get("/fleet").text).addresses:
            assert web.get(address).status_code == 200, address


def test_a_fleet_behind_a_server_has_the_same_structure(gears: Any) -> None:
    with WebServer(create_app(gears), port=0) as server, RemoteFleet(server.url) as remote:
        for key in gears:
            assert read_structure(remote, key) == read_structure(gears, key)
        assert read_classes(remote) == read_classes(gears)
        with pytest.raises(TwinNotFoundError):
            read_structure(remote, "nobody")
        with pytest.raises(NotFoundError):
            read_twins(remote, "Nothing")


def test_values_and_parts_that_no_class_declares_are_shown_all_the_same(tmp_path: Path) -> None:
    with make_gearbox_fleet(tmp_path, ["gearbox-1", "gearbox-10"]) as fleet:
        stage, bearing, place, clearance = (
            fleet.schema.class_named("Stage"),
            fleet.schema.class_named("Bearing"),
            *(fleet.schema.by_name[name][0].iri.value for name in ("place", "clearance")),
        )
        graph = fleet.names.twin("gearbox-1").value
        known, loose = f"<{graph}/stages/stage-2>", f"<{graph}/spare/left>"
        types = " ".join(f"a <{above.value}> ;" for above in bearing.ancestors)
        fleet.update(
            f"INSERT DATA {{ GRAPH <{graph}> {{ {known} <{place}> 'shelf' . {loose} {types} <{clearance}> 0.5e0 }} }}",
            author="test",
        )
        root = read_structure(fleet, "gearbox-1").root
        second = next(part for part in root.parts if part.path.endswith("stage-2"))
        assert (second.type, second.rows[1].name, second.rows[1].answer.value) == (stage.name, "place", "shelf")
        assert (root.parts[-1].name, root.parts[-1].type) == ("spare/left", "Bearing")
        assert [row.answer.value for row in root.parts[-1].rows] == [0.5]
        found = fleet.structure("/gearbox-1")
        assert [other.path for other in found.others] == ["/gearbox-1/spare/left"]
        assert structure_from_json(found.to_json()) == found
        assert fleet.structure("/gearbox-1", 1).others == ()
    said = CliRunner().invoke(tree, ["/gearbox-1", "--fleet", str(tmp_path / "gearboxes")]).output
    assert re.search(r"place +string +shelf", said)
    assert re.search(r"^/gearbox-1/spare/left  Bearing$", said, re.MULTILINE)
    assert re.search(r"clearance +double \[mm\]  0\.5 mm", said)


def test_the_page_of_a_twin_reads_no_samples(gears: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = []
    read = SeriesReading.read

    def watched(self: Any, series: Any, start: Any = None, end: Any = None) -> Any:
        spans.append((start, end))
        return read(self, series, start, end)

    monkeypatch.setattr(SeriesReading, "read", watched)
    row = next(row for row in read_structure(gears, "gearbox-1").root.rows if row.name == "oilTemperature")
    assert (row.series.samples, row.series.origin) == (90, "measured")
    assert spans
    assert all(start == end is not None for start, end in spans)


@pytest.mark.parametrize(("told", "is_said"), [({"listening": None}, True), ({"listening": "#"}, False), ({}, False)])
@pytest.mark.parametrize("make", [make_gearbox_fleet, make_fleet])
def test_the_start_page_says_that_nothing_is_listened_to(tmp_path: Path, make: Any, told: Any, is_said: Any) -> None:
    make(tmp_path, []).close()
    (folder,) = (file.parent for file in tmp_path.glob("*/fleet.json"))
    with assemble(read_folder(folder), SystemClock(), None, ServerHooks([], lambda: told)).fleet as fleet:
        assert ("Nothing is listened to" in TestClient(create_app(fleet)).get("/").text) is is_said


def test_the_plot_of_a_trend_tells_measured_from_guessed(fleet: Any) -> None:
    answer = fleet.get("/module-0001/temperatureTrend")
    text = plot_series(answer.within(None, START), Style("svg")).decode()
    assert "<!-- measured -->" in text
    assert "<!-- best guess -->" in text
    assert answer.value.segments[0].start < to_microseconds(START)
