"""Series in a fleet: asked by SPARQL with the graph, put many at once, let go of, sealed by the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voltwin.errors import InputError, PathNotFoundError, UnitError
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.operations.retention import retain_series
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.graphstore.series.periodic import PeriodicSealing
from voltwin.ontology.iris import VT
from voltwin.testing import Bench

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
ZERO = int(T0.timestamp()) * 1_000_000
MINUTE = 60_000_000


class Desk:
    """A writer over one bench, and commits of what it wrote."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.fleet = bench, bench.fleet
        self.begin()

    def begin(self) -> None:
        self.changes = ChangeSet(self.bench.committer.store)
        self.writer = TwinWriter(self.changes, self.fleet.schema, self.fleet.names, self.bench.committer.journal.series)

    def create_twin(self, key: Any, cls: Any) -> Any:
        return self.writer.create_twin(key, self.fleet.schema.class_named(cls).iri)

    def put(self, twin: Any, path: Any, value: Any, unit: Any = None) -> None:
        self.writer.put(twin, path.split("/"), value, unit, Provenance("asserted", T0))

    def log(self, twin: Any, times: Any, values: Any, path: str = "logger/temperature", unit: str = "DEG_C") -> Any:
        given = Provenance("asserted", T0)
        return self.writer.put_series(twin, path.split("/"), np.array(times), np.array(values), unit, given)

    def commit(self) -> None:
        changes = self.changes
        entry = Entry("t", T0, changes.changes(), tuple(changes.samples), batches=tuple(changes.batches))
        self.bench.committer.commit(entry, tuple(changes.touched()))
        self.begin()


@pytest.fixture
def desk(bench: Bench) -> Any:
    return Desk(bench)


def ask(fleet: Any, text: Any) -> Any:
    rows = json.loads(fleet.query(text).body)["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in rows]


QUERY = """
PREFIX logistics: <https://w3id.org/voltwin/models/battery-logistics/logistics#>
PREFIX plant: <https://w3id.org/voltwin/models/battery-logistics/plant#>
PREFIX product: <https://w3id.org/voltwin/models/battery-logistics/product#>
SELECT ?truckKey (AVG(?mean) AS ?meanTemperature) (COUNT(?module) AS ?modules) WHERE {
  ?module product:Module.selfDischarge/logistics:SelfDischarge.loss ?loss ; product:Module.transport ?trip .
  FILTER(?loss > 0.1)
  ?trip logistics:Transport.truck ?truck ; logistics:Transport.begin ?begin ; logistics:Transport.end ?end .
  ?truck vt:key ?truckKey ; plant:Truck.logger/plant:DataLogger.temperature ?series .
  BIND(vtf:mean(?series, ?begin, ?end) AS ?mean)
} GROUP BY ?truckKey ORDER BY ?truckKey
"""
"""Mean transport temperature per truck of modules with a loss of more than 0.1 % (docs/series.md)."""


def test_the_page_shows_this_query(root: Path) -> None:
    assert QUERY.strip() in (root / "docs" / "series.md").read_text("utf-8")


@pytest.mark.parametrize("sealed", [False, True])
def test_graph_and_series_are_joined_in_one_query(desk: Any, sealed: Any) -> None:
    moments = ZERO + np.arange(6000) * MINUTE
    curves = {"truck-a": 8 + np.arange(6000) / 100, "truck-b": 20 - np.arange(6000) / 50}
    trucks = {key: desk.create_twin(key, "Truck") for key in curves}
    for key, truck in trucks.items():
        assert desk.log(truck, moments, curves[key]) == 6000
    trips = [("m1", "truck-a", 0, 60, 0.2), ("m2", "truck-a", 30, 600, 0.3), ("m3", "truck-a", 0, 6000, 0.05)]
    trips += [("m4", "truck-b", 100, 200, 0.11), ("m5", "truck-b", 0, 10, 0.1)]
    for key, truck, begin, end, loss in trips:
        module = desk.create_twin(key, "Module")
        desk.put(module, "transport/truck", truck)
        desk.put(module, "transport/begin", T0 + timedelta(minutes=begin))
        desk.put(module, "transport/end", T0 + timedelta(minutes=end))
        desk.put(module, "selfDischarge/loss", loss, "PERCENT")
    desk.commit()
    if sealed:
        desk.bench.committer.journal.series.seal(T0 + timedelta(days=60))
    wanted: dict[Any, Any] = {}
    for _, truck, begin, end, loss in trips:
        if loss > 0.1:
            wanted.setdefault(truck, []).append(curves[truck][begin:end].mean())
    found = {row["truckKey"]: (float(row["meanTemperature"]), int(row["modules"])) for row in ask(desk.fleet, QUERY)}
    assert found == {truck: (pytest.approx(np.mean(means)), len(means)) for truck, means in wanted.items()}  # type: ignore[comparison-overlap]  # approx compares with anything


@pytest.fixture
def logged(desk: Any) -> Any:
    truck = desk.create_twin("t1", "Truck")
    desk.log(truck, [ZERO, ZERO + 60 * MINUTE, ZERO + 120 * MINUTE], [4.0, 2.0, 8.0])
    desk.commit()
    return desk.fleet.names.part(desk.fleet.names.part(truck, "logger"), "temperature")


def time_of(hour: Any) -> str:
    return f'"2019-04-01T{hour}:00Z"^^xsd:dateTime'


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("vtf:first(?s)", 4.0),
        ("vtf:last(?s)", 8.0),
        (f"vtf:last(?s, {time_of('06:00')}, {time_of('08:00')})", 2.0),
        (f"vtf:first(?s, {time_of('06:30')})", 2.0),
        ("vtf:integral(?s)", 3600 * (3.0 + 5.0)),
        (f"vtf:integral(?s, {time_of('06:30')}, {time_of('07:00')})", 1800 * 2.5),
        (f"vtf:integral(?s, {time_of('09:30')}, {time_of('10:00')})", None),
        ("vtf:duration_below(?s, 3)", 1800 + 600),
        (f"vtf:duration_below(?s, 3.0, {time_of('06:45')}, {time_of('07:00')})", 900),
        ('vtf:duration_below(?s, "INF"^^xsd:double)', 7200),
        (f"vtf:duration_below(?s, 1e3, {time_of('05:00')}, {time_of('07:00')})", 3600),
        ('vtf:duration_below(?s, "cold")', None),
        (f"vtf:at(?s, {time_of('07:30')})", 5.0),
        (f"vtf:at(?s, {time_of('08:01')})", None),
    ],
)
def test_figures_in_sparql(desk: Any, logged: Any, call: Any, value: Any) -> None:
    for _ in ("hot", "sealed"):
        (row,) = ask(desk.fleet, f"SELECT ({call} AS ?v) WHERE {{ BIND({logged} AS ?s) }}")
        assert (float(row["v"]) if row else None) == (value if value is None else pytest.approx(value))
        desk.bench.committer.journal.series.seal(T0 + timedelta(days=60))


def figures(desk: Any, series: Any) -> Any:
    store = desk.bench.committer.store
    found = {quad.predicate: quad.object.value for quad in store.quads(series, None, None, None)}
    return tuple(found.get(mark) for mark in (VT.sampleCount, VT.firstTime, VT.lastTime, VT.lastValue))


def test_many_samples_at_once_bring_the_node_up_to_date(desk: Any, logged: Any) -> None:
    truck = desk.fleet.names.twin("t1")
    assert desk.log(truck, [ZERO + 60 * MINUTE, ZERO - 60 * MINUTE, ZERO + 90 * MINUTE], [2.5, 1.0, 3.0]) == 2
    # Within one commit the second batch sees the first.
    assert desk.log(truck, [ZERO + 90 * MINUTE, ZERO + 180 * MINUTE], [3.5, 9.0]) == 1
    desk.put(truck, "logger/temperature", 7.0, "DEG_C")
    desk.commit()
    assert figures(desk, logged) == ("6", "2019-04-01T05:00:00Z", "2019-04-01T09:00:00Z", "9")
    times, values = desk.bench.committer.journal.series.read(logged)
    assert ((times - ZERO) // MINUTE).tolist() == [-60, 0, 60, 90, 120, 180]
    assert values.tolist() == [1.0, 7.0, 2.5, 3.5, 8.0, 9.0]


def test_what_is_no_series_or_in_another_unit_is_refused(desk: Any, logged: Any) -> None:
    truck = desk.fleet.names.twin("t1")
    with pytest.raises(UnitError, match="samples have K; send them in DEG_C"):
        desk.log(truck, [1], [1.0], unit="K")
    with pytest.raises(InputError, match="is no series"):
        desk.log(truck, [1], [1.0], "key", None)
    with pytest.raises(PathNotFoundError):
        desk.log(truck, [1], [1.0], "logger/colour")
    with pytest.raises(InputError, match=r"t1/logger/temperature: .*not a finite"):
        desk.log(truck, [1], [np.inf])
    assert desk.log(truck, np.array([], np.int64), []) == 0
    assert desk.changes.changes() == ()


def test_retention_says_in_the_graph_what_is_left(desk: Any, logged: Any) -> None:
    committer = desk.bench.committer
    gone = retain_series(committer, T0 + timedelta(hours=1), "anna", T0)
    assert (gone.samples, gone.series) == (1, 1)
    assert figures(desk, logged) == ("2", "2019-04-01T07:00:00Z", "2019-04-01T08:00:00Z", "8")
    commits = committer.journal.last_sequence
    assert retain_series(committer, T0 + timedelta(hours=1), "anna", T0).samples == 0
    assert committer.journal.last_sequence == commits
    retain_series(committer, T0 + timedelta(days=1), "anna", T0, [logged])
    assert figures(desk, logged) == ("0", None, None, None)
    assert desk.log(desk.fleet.names.twin("t1"), [ZERO], [4.0]) == 1
    desk.commit()
    assert figures(desk, logged) == ("1", "2019-04-01T06:00:00Z", "2019-04-01T06:00:00Z", "4")


def test_sealing_follows_the_fleets_clock(desk: Any, logged: Any) -> None:
    series = desk.bench.committer.journal.series
    moments = iter([None, T0 + timedelta(days=2), T0 + timedelta(days=40)])
    sealing = PeriodicSealing(series, lambda: next(moments), hot_days=3)
    assert [sealing.seal().samples for _ in range(3)] == [0, 0, 3]


def test_the_thread_seals_by_itself_and_ends(desk: Any, logged: Any) -> None:
    series = desk.bench.committer.journal.series
    sealing = PeriodicSealing(series, lambda: T0 + timedelta(days=40), hot_days=3, every_seconds=0.01)
    sealing.start()
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while not series.files.all() and datetime.now(UTC) < deadline:
        pass
    sealing.stop()
    assert not sealing._thread.is_alive()
    assert [item.rows for item in series.files.all()] == [3]
