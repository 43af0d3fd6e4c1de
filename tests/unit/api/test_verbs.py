"""The verbs over a real server: what they print, and the exit codes scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyoxigraph import Dataset, RdfFormat, parse

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.errors import InputError, PathNotFoundError, ServiceError
from voltwin.verbs.query import get, put, query, status, validate
from voltwin.verbs.report import report

from .sample_fleet import AGES, make_fleet

KEYS = "SELECT ?key WHERE { ?t a vt:Product ; vt:key ?key } ORDER BY ?key"


@pytest.fixture(scope="module")
def url(fleet: Any) -> Iterator[Any]:
    with WebServer(create_app(fleet), port=0) as running:
        yield running.url


def run(verb: Any, *arguments: Any, fleet: Any, code: Any = 0, text: Any = None) -> Any:
    result = CliRunner().invoke(verb, arguments, input=text, env={"VOLTWIN_FLEET": fleet})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def test_get_prints_a_line_an_answer(url: Any) -> None:
    lines = run(get, "/*/arrivalTest/decision", fleet=url).splitlines()
    assert lines[1] == ("/module-0002/arrivalTest/decision  REJECT  computed by decide-arrival 2019-04-12T22:00:00Z")
    assert len(lines) == 3


def test_get_writes_units_as_people_do_and_says_how_it_is_known(url: Any) -> None:
    (line,) = run(get, "/module-0001/endOfLineTest/temperature", fleet=url).splitlines()
    assert line == "/module-0001/endOfLineTest/temperature  25 °C  measured 2019-04-01T06:00:00Z"


def test_get_prints_the_segments_of_a_trend_and_the_type_of_an_element(url: Any) -> None:
    first, *segments = run(get, "/module-0001/reasoner/temperatureTrend", fleet=url).splitlines()
    assert first.startswith("/module-0001/temperatureTrend")
    assert any("storage-set-point, priority 20" in line for line in segments)
    assert "/truck-01  Truck" in run(get, "/", fleet=url).splitlines()


def test_get_as_json_is_the_rest_document(url: Any) -> None:
    document = json.loads(run(get, "/module-0001/capacity", "--json", fleet=url))
    assert document["path"] == "/module-0001/capacity"
    assert document["answers"][0]["value"] == 12.5


def test_get_of_one_missing_thing_is_an_error_and_of_many_is_not(url: Any) -> None:
    with pytest.raises(PathNotFoundError):
        run(get, "/module-0001/type", fleet=url)
    assert run(get, "/*/type", fleet=url) == ""


def test_query_takes_text_files_and_standard_input(url: Any, tmp_path: Path) -> None:
    file = tmp_path / "keys.rq"
    file.write_text(KEYS)
    outputs = [
        run(query, KEYS, fleet=url),
        run(query, f"@{file}", fleet=url),
        run(query, "-", fleet=url, text=KEYS),
        run(query, fleet=url, text=KEYS),
    ]
    assert len(set(outputs)) == 1
    assert [b["key"]["value"] for b in json.loads(outputs[0])["results"]["bindings"]] == sorted(AGES)


def test_query_names_a_file_that_is_not_there(url: Any, tmp_path: Path) -> None:
    result = CliRunner().invoke(query, [f"@{tmp_path / 'none.rq'}"], env={"VOLTWIN_FLEET": url})
    assert isinstance(result.exception, InputError)
    assert "none.rq: cannot be read" in str(result.exception)


def test_query_as_a_table(url: Any) -> None:
    text = run(query, KEYS, "--format", "table", fleet=url)
    assert all(key in text for key in AGES)
    assert "rows: 3" in text


def test_query_for_a_graph_gives_turtle(url: Any) -> None:
    text = run(query, "CONSTRUCT { ?t vt:key ?k } WHERE { ?t a vt:Product ; vt:key ?k }", fleet=url)
    assert len(Dataset(parse(text, format=RdfFormat.TURTLE))) == 3


def test_query_as_xml(url: Any) -> None:
    assert run(query, KEYS, "--format", "xml", fleet=url).count("<literal>") == 3


def test_status(url: Any) -> None:
    assert "twins        9" in run(status, fleet=url)
    assert json.loads(run(status, "--json", fleet=url))["twins"] == 9


def test_put_then_get(tmp_path: Path) -> None:
    with make_fleet(tmp_path, ["module-0001"]) as fleet, WebServer(create_app(fleet), port=0) as running:
        path = "/module-0001/cells/cell-01/voltage"
        out = run(
            put, path, "3.6", "--unit", "V", "--time", "2019-04-20T08:00:00Z", "--author", "me", fleet=running.url
        )
        assert out == f"commit 3: {path} at 2019-04-20T08:00:00Z\n"
        assert run(get, path, fleet=running.url) == f"{path}  3.6 V  measured 2019-04-20T08:00:00Z\n"
        run(put, "/module-0001/serial", "S 1", "--author", "me", fleet=running.url)
        assert run(get, "/module-0001/serial", fleet=running.url) == "/module-0001/serial  S 1  given\n"
        reasons = '["A", "B"]'
        out = run(put, "/module-0001/arrivalTest/reasons", reasons, "--author", "me", "--json", fleet=running.url)
        assert json.loads(out) == {"sequence": 5}
        with pytest.raises(InputError, match="zone"):
            run(put, path, "3.6", "--unit", "V", "--time", "2019-04-20T08:00", fleet=running.url)


def test_validate_tells_what_where_and_by_its_exit_code(tmp_path: Path) -> None:
    with make_fleet(tmp_path, ["module-0001"]) as fleet, WebServer(create_app(fleet), port=0) as running:
        url = running.url
        assert run(validate, "--twin", "module-0001", fleet=url) == "twins 1, violations 0\n"
        run(put, "/module-0001/cells/cell-01/voltage", "7", "--unit", "V", "--author", "me", fleet=url)
        first, last = run(validate, "--twin", "module-0001", fleet=url, code=1).splitlines()
        assert first.startswith("module-0001  /module-0001/cells/cell-01/voltage = 7")
        assert "Shape" in first
        assert last == "twins 1, violations 1"
        document = json.loads(run(validate, "--json", "--twin", "module-0001", fleet=url, code=1))
        assert document["conforms"] is False


def test_report_prints_what_it_wrote(url: Any, tmp_path: Path) -> None:
    out = run(report, "--out", str(tmp_path / "r"), "--twin", "module-0002", "--json", fleet=url)
    files = json.loads(out)["files"]
    assert [name.rpartition("/")[2] for name in files][-1] == "report.html"
    assert run(report, "--out", str(tmp_path / "r"), fleet=url).splitlines() == files


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ServiceError, match="no server answers there"):
        run(status, fleet="http://127.0.0.1:9")
