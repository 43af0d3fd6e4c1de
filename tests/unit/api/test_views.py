"""Views: found by entry point, seen only where they apply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from voltwin.api.app import create_app
from voltwin.api.battery.view import battery_view
from voltwin.api.web.fleet_schema import fleet_schema
from voltwin.api.web.views import (
    GROUP,
    applicable,
    discover_views,
    find_model_request,
    find_report,
    has_properties,
    property_terms,
)
from voltwin.errors import EnvironmentProblem, NotFoundError

from .gearbox_fleet import make_gearbox_fleet
from .html_page import check_page

NOTHING = """

def nothing():
    return 7
"""


@pytest.fixture(scope="module")
def gears(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with make_gearbox_fleet(tmp_path_factory.mktemp("gears")) as made:
        yield made


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Any:
    """Installs the example of docs/views.md with one entry point, as a package's installation would."""
    (example,) = re.findall(r"^```python\n(.*?)^```", (root / "docs" / "views.md").read_text("utf-8"), re.M | re.S)

    def install(target: Any) -> None:
        (tmp_path / "gear_pages.py").write_text(example + NOTHING)
        info = tmp_path / "gear_pages-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gear-pages\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\ngears = {target}\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def test_the_battery_view_comes_through_the_entry_point_and_applies_to_its_fleet_alone(fleet: Any, gears: Any) -> None:
    views = discover_views()
    assert [view.name for view in views] == ["battery"]
    assert applicable(views, fleet) == views
    assert applicable(views, gears) == ()


def test_a_view_of_a_third_party_is_seen_where_it_applies(
    gears: Any, fleet: Any, register: Any, tmp_path: Path
) -> None:
    register("gear_pages:gear_view")
    assert [view.name for view in discover_views()] == ["battery", "gears"]
    web = TestClient(create_app(gears))
    check_page(web.get("/gears"))
    assert web.get("/gears/ratios.svg").text.count("<!-- /gearbox") == 3
    page = web.get("/fleet")
    check_page(page)
    assert '<a href="/gears">Gears &amp; co</a>' in page.text
    assert "Ratios" in web.get("/query").text
    twin = web.get("/fleet/twins/gearbox-1").text
    assert '<a href="/gears#gearbox-1">' in twin
    assert '<abbr title="has run its &lt;first&gt; two hours">RUN_IN</abbr>' in twin
    (file,) = find_report(gears)(gears, tmp_path / "out", "gearbox-1")
    assert file.read_text() == "/gearbox-1/ratio = 4.5"
    assert len(find_model_request(gears, "wear")(gears, None)) == 3

    other = TestClient(create_app(fleet))
    assert other.get("/gears").status_code == 404
    assert "/gears" not in other.get("/").text


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("gear_pages:missing", "cannot be loaded"),
        ("no_such_package:view", "reinstall its package"),
        ("gear_pages:nothing", "returns no"),
    ],
)
def test_a_view_that_cannot_be_loaded_is_named(register: Any, target: Any, words: Any) -> None:
    register(target)
    with pytest.raises(EnvironmentProblem, match=f"view 'gears'.*{words}"):
        discover_views()


def test_a_fleet_without_a_fitting_view_has_no_report_and_no_requests(gears: Any) -> None:
    with pytest.raises(NotFoundError, match="no view with a report"):
        find_report(gears)
    with pytest.raises(NotFoundError, match="model 'arrival-gate': no view"):
        find_model_request(gears, "arrival-gate")


def test_terms_are_named_by_class_and_property(gears: Any) -> None:
    schema = fleet_schema(gears)
    assert property_terms(schema)["Gearbox_ratio"].value.endswith("#Gearbox.ratio")
    assert has_properties(schema, ("Gearbox", "ratio"), ("TestRig", "place"))
    assert not has_properties(schema, ("Gearbox", "ratio"), ("Gearbox", "place"))
    assert not battery_view().applies(schema)
