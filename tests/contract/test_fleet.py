"""What every FleetAccess keeps, the local one and the one behind a server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Dataset, RdfFormat, parse

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.errors import (
    InputError,
    PathNotFoundError,
    PathSyntaxError,
    QueryError,
    TwinNotFoundError,
    UnitError,
    VoltwinError,
)
from voltwin.graphstore.fleets.fleet import FleetAccess
from voltwin.graphstore.fleets.remote import RemoteFleet
from voltwin.graphstore.fleets.structure import class_counts
from voltwin.graphstore.paths.answers import Element, SeriesValue, Trend

from ..unit.api.sample_fleet import AGES, EOL, LOSSES, make_fleet

LOSS = LOSSES["module-0002"]
KINDS = ("local", "remote")
PATHS = (
    "/",
    "/*",
    "/module-0001",
    "/nobody",
    "/module-0001/*",
    "/module-0001/**",
    "/module-0001/cells",
    "/module-0001/cells[2]/voltage",
    "/module-0001/cells/cell-03/voltage",
    "/module-0001/cells/cell-03/../serial",
    "/module-0002/cells/*[arrivalOcv<3.645]/arrivalOcv",
    "/'module-0001'/cells/'cell-03'/voltage",
    "/*[serial='S-0002']/arrivalTest/reasons",
    "/*/arrivalTest/decision",
    "/*/endOfLineTest/performedAt",
    "/module-0001/selfDischarge/trend",
    "/module-0001/selfDischarge/trend@[2019-04-04T00:00Z,2019-04-08T00:00Z)",
    "/module-0001/selfDischarge/trend@[2020-01-01T00:00Z,)",
    "/module-0001/reasoner/temperatureTrend@[,2019-04-11T00:00Z)",
    "/module-0001/temperatureTrend@[2019-04-07T12:00Z,2019-04-09T12:00Z)",
    "/module-0001/storageStays/*/storage/setPoint",
    "/'a/b?c#d%e'/serial",
)
WRONG_PATHS = ("", "module-0001", "//", "/module-0001/[2]", "/module-0001/nonsense", "/../x", "/module-0001/serial/x")
QUERIES = (
    "SELECT ?s (COUNT(?p) AS ?n) WHERE { ?s a vt:Product ; ?p ?o } GROUP BY ?s ORDER BY ?s",
    "ASK { ?s a vt:Twin }",
    'SELECT ("ä \\"q\\"\\n<" AS ?text) WHERE {}',
    "SELECT (vtf:min(?t) AS ?low) WHERE { ?l a vt:Series . ?m vt:partOf ?truck . BIND(?l AS ?t) } LIMIT 1",
)
ACCEPTS = (None, "text/csv", "application/sparql-results+xml", "text/tab-separated-values, */*;q=0.1")


@contextlib.contextmanager
def opened(kind: Any, folder: Any, modules: Any = tuple(AGES)) -> Iterator[Any]:
    with make_fleet(folder, modules) as local, contextlib.ExitStack() as stack:
        if kind == "local":
            yield local
            return
        server = stack.enter_context(WebServer(create_app(local), port=0))
        yield stack.enter_context(RemoteFleet(server.url))


@pytest.fixture(scope="module", params=KINDS)
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with opened(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture(params=KINDS)
def own_fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with opened(request.param, tmp_path, ["module-0001"]) as made:
        yield made


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with (
        make_fleet(tmp_path_factory.mktemp("pair")) as local,
        WebServer(create_app(local), port=0) as server,
        RemoteFleet(server.url) as remote,
    ):
        yield local, remote


def outcome(call: Any) -> Any:
    try:
        return call()
    except VoltwinError as error:
        return type(error), str(error), getattr(error, "position", None)


def timeless(answer: Any) -> Any:
    """What a rule infers is as of the moment it is asked for, and two askings are two moments."""
    return replace(answer, time=None) if answer.origin == "inferred" else answer


@pytest.mark.parametrize("path", PATHS + WRONG_PATHS)
def test_both_answer_every_path_alike(pair: Any, path: Any) -> None:
    local, remote = (outcome(lambda fleet=fleet: list(map(timeless, fleet.all(path)))) for fleet in pair)
    assert local == remote
    local, remote = (outcome(lambda fleet=fleet: timeless(fleet.get(path))) for fleet in pair)
    assert local == remote


@pytest.mark.parametrize("depth", [None, 0, 1])
@pytest.mark.parametrize("path", [*PATHS, "/module-0001/arrivalTest/performedAt", "/module-0001/nonsense", "/truck-01"])
def test_both_describe_every_structure_alike(pair: Any, path: Any, depth: Any) -> None:
    local, remote = (outcome(lambda fleet=fleet: fleet.structure(path, depth)) for fleet in pair)
    if isinstance(local, tuple) or path == "/module-0001":  # rules answer as of the moment they are asked
        assert type(local) is type(remote)
        return
    assert local == remote


def test_a_structure_has_what_is_set_and_what_is_not(fleet: Any) -> None:
    found = fleet.structure("/module-0002")
    assert (found.path, found.type) == ("/module-0002", "Module")
    properties = {item.name: item for item in found.properties}
    assert [item.name for item in found.properties] == sorted(properties)
    capacity = properties["capacity"]
    assert (capacity.type, capacity.unit, capacity.kind, capacity.is_set) == ("double", "A-HR", "data", True)
    assert [answer.value for answer in capacity.answers] == [12.5]
    cells = properties["cells"]
    assert (cells.type, cells.many, cells.composition, len(cells.parts)) == ("Cell", True, True, 12)
    cell = {item.name: item for item in cells.parts[6].properties}
    assert [answer.value for answer in cell["voltage"].answers] == [pytest.approx(3.6432)]
    assert "module" not in cell  # the way back to the whole is no property to fill
    loss = next(item for item in properties["selfDischarge"].parts[0].properties if item.name == "trend")
    assert (loss.kind, loss.type, loss.series.samples, loss.answers) == ("series", "series", 4, ())
    assert (loss.series.low, loss.series.last) == pytest.approx((LOSS / 4, LOSS))
    assert loss.series.time == EOL + timedelta(hours=AGES["module-0002"])
    assert (loss.series.origin, loss.series.source) == ("computed", None)
    transport = {item.name: item for item in properties["transport"].parts[0].properties}
    (inferred,) = transport["temperature"].answers  # a rule borrows the samples of the truck's series
    assert (type(inferred.value), inferred.origin, transport["temperature"].series) == (Trend, "inferred", None)
    test = {item.name: item for item in properties["arrivalTest"].parts[0].properties}
    assert test["decision"].choices == ("ACCEPT", "REJECT", "RETEST")
    assert not fleet.structure("/module-0002", 0).properties[0].parts


def test_a_property_without_a_value_is_there_and_not_set(fleet: Any) -> None:
    found = {item.name: item for item in fleet.structure("/module-0001/cells/cell-01", 0).properties}
    assert [name for name, item in found.items() if not item.is_set] == ["serial"]


def test_twins_are_counted_by_class(fleet: Any) -> None:
    counts = {item.name: item.twins for item in class_counts(fleet.all("/"))}
    assert (counts["Module"], counts["Truck"]) == (3, 1)
    assert sum(counts.values()) == len(fleet)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("accept", ACCEPTS)
def test_both_answer_every_query_alike(pair: Any, query: Any, accept: Any) -> None:
    local, remote = (fleet.query(query, accept) for fleet in pair)
    assert local == remote
    assert local.body


@pytest.mark.parametrize("query", ["SELEKT", "SELECT * WHERE {", "INSERT DATA { <a:a> <a:a> <a:a> }", ""])
def test_both_refuse_a_query_alike(pair: Any, query: Any) -> None:
    local, remote = (outcome(lambda fleet=fleet: fleet.query(query)) for fleet in pair)
    assert local == remote
    assert local[0] is QueryError


@pytest.mark.parametrize("twin", [None, "module-0002", "nobody"])
def test_both_validate_alike(pair: Any, twin: Any) -> None:
    local, remote = (outcome(lambda fleet=fleet: fleet.validate(twin)) for fleet in pair)
    assert local == remote


def test_both_tell_the_same_totals(pair: Any) -> None:
    local, remote = pair
    assert local.status() == remote.status()


def test_it_is_a_fleet_of_twins(fleet: Any) -> None:
    assert isinstance(fleet, FleetAccess)
    assert "module-0002" in fleet
    assert "nobody" not in fleet
    assert len(fleet) == len(list(fleet)) == fleet.status()["twins"]
    assert set(AGES) < set(fleet)


def test_a_value_comes_with_unit_time_and_origin(fleet: Any) -> None:
    answer = fleet["module-0002"]["cells/cell-07/arrivalOcv"]
    assert float(answer) == pytest.approx(3.6432)
    assert (answer.unit, answer.origin) == ("V", "measured")
    assert answer.time == EOL + timedelta(hours=AGES["module-0002"])


def test_a_computed_value_names_its_run(fleet: Any) -> None:
    answer = fleet.get("/module-0001/selfDischarge/loss")
    assert answer.origin == "computed"
    assert answer.source == "self-discharge-at-arrival~module-0001~2019-04-11T16:00:00Z"


def test_series_trends_times_lists_and_elements_keep_their_kind(fleet: Any) -> None:
    assert isinstance(fleet.get("/module-0001/selfDischarge/trend").value, SeriesValue)
    trend = fleet.get("/module-0001/reasoner/temperatureTrend").value
    assert isinstance(trend, Trend)
    rules = [
        "default-temperature",
        "storage-set-point",
        "logged-temperature",
        "storage-set-point",
        "default-temperature",
    ]
    assert [segment.rule for segment in trend.segments] == rules
    assert [segment.origin for segment in trend.segments].count("measured") == 1
    assert fleet.get("/module-0001/endOfLineTest/performedAt").value == EOL
    assert fleet.get("/module-0003/arrivalTest/reasons").value == ("HISTORY_GAP", "NOT_SOAKED")
    assert fleet.get("/module-0001/transport/truck").value == Element("/truck-01", "Truck")


def test_what_is_missing_is_called_missing(fleet: Any) -> None:
    with pytest.raises(TwinNotFoundError, match="nobody"):
        fleet.get("/nobody/serial")
    with pytest.raises(TwinNotFoundError):
        fleet["nobody"]
    with pytest.raises(PathNotFoundError):
        fleet.get("/module-0001/type")
    with pytest.raises(PathNotFoundError, match="did you mean voltage"):
        fleet.all("/module-0001/cells/cell-01/voltag")


def test_a_syntax_error_says_its_column(fleet: Any) -> None:
    with pytest.raises(PathSyntaxError, match="column 14") as caught:
        fleet.all("/module-0001/[2]")
    assert caught.value.position == 13


def test_construct_gives_a_graph(fleet: Any) -> None:
    answer = fleet.query("CONSTRUCT { ?t vt:key ?k } WHERE { ?t a vt:Product ; vt:key ?k }", "text/turtle")
    assert answer.media_type == "text/turtle"
    triples = Dataset(parse(answer.body, format=RdfFormat.TURTLE))
    assert {quad.object.value for quad in triples} == set(AGES)


def test_series_functions_reach_the_samples(fleet: Any) -> None:
    text = """
        SELECT DISTINCT (vtf:min(?series) AS ?low) (vtf:count(?series) AS ?n) WHERE {
          ?property vt:pathName "temperature" . ?logger ?property ?series . ?series a vt:Series }"""
    (row,) = json.loads(fleet.query(text).body)["results"]["bindings"]
    assert float(row["low"]["value"]) == 5.2
    assert int(row["n"]["value"]) == 3


def test_every_twin_conforms(fleet: Any) -> None:
    report = fleet.validate("module-0001")
    assert (report.twins, report.conforms) == (1, True)


def test_what_was_put_is_there(own_fleet: Any) -> None:
    before = own_fleet.status()["commits"]
    moment = datetime(2019, 4, 20, 12, 30, tzinfo=UTC)
    sequence = own_fleet.put("/module-0001/cells/cell-03/voltage", 3.61, unit="V", time=moment, author="bench-2")
    assert sequence == before + 1
    answer = own_fleet.get("/module-0001/cells/cell-03/voltage")
    assert (answer.value, answer.unit, answer.time, answer.origin) == (3.61, "V", moment, "measured")


@pytest.mark.parametrize(
    ("path", "value", "unit"),
    [
        ("serial", 'S / "4" \' ü', None),
        ("endOfLineTest/performedAt", datetime(2019, 4, 2, 8, 0, 0, 250000, tzinfo=UTC), None),
        ("endOfLineTest/performedAt", datetime(2019, 4, 2, 8, tzinfo=timezone(timedelta(hours=2))), None),
        ("arrivalTest/decision", "RETEST", None),
        ("arrivalTest/reasons", ("A", "B"), None),
        ("capacity", 13, "A-HR"),
    ],
)
def test_values_of_every_kind_come_back_as_they_were_put(own_fleet: Any, path: Any, value: Any, unit: Any) -> None:
    given = list(value) if isinstance(value, tuple) else value
    own_fleet["module-0001"].put(path, given, unit=unit, time=EOL, author="test")
    if path == "arrivalTest/decision" or path == "arrivalTest/reasons":
        # A computed value stands beside it; what was asserted is believed first.
        assert own_fleet["module-0001"][path].origin != "computed"
    assert own_fleet["module-0001"][path].value == value


def test_a_sample_joins_its_series(own_fleet: Any) -> None:
    later = EOL + timedelta(hours=260)
    own_fleet.put("/truck-01/logger/temperature", 7.5, unit="DEG_C", time=later, author="logger")
    series = own_fleet.get("/truck-01/logger/temperature").value
    assert series.values[-1] == 7.5
    assert len(series.values) == 4


@pytest.mark.parametrize(
    ("path", "value", "unit", "error"),
    [
        ("/module-0001/cells/cell-03/voltage", 3610, "MilliV", UnitError),
        ("/module-0001/cells/cell-03/voltage", 3.61, None, UnitError),
        ("/module-0001/cells/cell-03/voltage", "high", "V", InputError),
        ("/module-0001/cells/cell-03/colour", "red", None, PathNotFoundError),
        ("/module-0001/cells/*/voltage", 3.61, "V", InputError),
        ("module-0001/serial", "x", None, InputError),
        ("/nobody/serial", "x", None, TwinNotFoundError),
    ],
)
def test_a_wrong_put_changes_nothing(own_fleet: Any, path: Any, value: Any, unit: Any, error: Any) -> None:
    before = own_fleet.status()
    with pytest.raises(error):
        own_fleet.put(path, value, unit=unit, time=EOL, author="test")
    assert own_fleet.status() == before
