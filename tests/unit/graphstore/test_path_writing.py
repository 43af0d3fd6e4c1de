"""Writing by path: twins are born whole, values are what the ontology says, a misfit changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voltwin.errors import InputError, PathNotFoundError, UnitError
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.ontology.iris import RDF, VT
from voltwin.ontology.literals import to_python
from voltwin.testing import Bench

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)


class Desk:
    """A writer over one bench, and commits of what it wrote."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.fleet = bench, bench.fleet
        self.begin()

    def begin(self) -> None:
        self.changes = ChangeSet(self.bench.committer.store)
        self.writer = TwinWriter(self.changes, self.fleet.schema, self.fleet.names, self.bench.committer.journal.series)

    def create_twin(self, key: Any, cls: str = "Module") -> Any:
        return self.writer.create_twin(key, self.fleet.schema.class_named(cls).iri)

    def put(self, twin: Any, path: Any, value: Any, unit: Any = None, moment: Any = T0, kind: str = "asserted") -> None:
        self.writer.put(twin, path.split("/"), value, unit, Provenance(kind, moment))

    def commit(self) -> None:
        entry = Entry("test", T0, self.changes.changes(), tuple(self.changes.samples))
        self.bench.committer.commit(entry, tuple(self.changes.touched()))
        self.begin()


@pytest.fixture
def desk(bench: Bench) -> Any:
    return Desk(bench)


def test_a_twin_is_born_with_its_key_and_required_parts(desk: Any) -> None:
    desk.create_twin("module-0001")
    desk.commit()
    fleet = desk.fleet
    assert [answer.path for answer in fleet.all("/module-0001/cells")] == [
        f"/module-0001/cells/cell-{number:02d}" for number in range(1, 13)
    ]
    assert fleet.get("/module-0001/key").value == "module-0001"
    assert fleet.get("/module-0001/cells/cell-07/key").value == "cell-07"
    assert fleet.all("/module-0001/transport") == []


def test_types_are_stated_up_to_the_top_and_are_named_classes_only(desk: Any) -> None:
    twin = desk.create_twin("module-0001")
    desk.commit()
    types = {quad.object.value for quad in desk.bench.committer.store.quads(twin, RDF.type, None, twin)}
    assert {VT.Twin.value, VT.Product.value, VT.Element.value} <= types
    assert not any("genid" in name for name in types)
    assert types <= {iri.value for iri in desk.fleet.schema.classes}


def test_bearing_twice_is_bearing_once(desk: Any) -> None:
    first = desk.create_twin("a")
    assert desk.create_twin("a") == first
    assert desk.writer.created == [first]
    desk.commit()
    desk.create_twin("a")
    assert desk.changes.changes() == ()
    assert desk.writer.created == []


@pytest.mark.parametrize(
    ("path", "value", "unit", "error", "said"),
    [
        ("capacity", 12.5, None, UnitError, "send it in A-HR"),
        ("capacity", 12500, "MilliA-HR", UnitError, "has MilliA-HR"),
        ("serial", "x", "V", UnitError, "no unit"),
        ("capacity", "much", "A-HR", InputError, "not of type double"),
        ("capacity", True, "A-HR", InputError, "not of type double"),
        ("capacity", [12.5], "A-HR", InputError, "must be one number"),
        ("capacity", None, "A-HR", InputError, "must be one number"),
        ("serial", 12, None, InputError, "not of type string"),
        ("endOfLineTest/performedAt", "2019-04-01T06:00:00", None, InputError, "zone"),
        ("arrivalTest/decision", "MAYBE", None, InputError, "ACCEPT"),
        ("arrivalTest/decision", ["ACCEPT"], None, InputError, "not one of"),
        ("transport/truck", 5, None, InputError, "key of a twin"),
        ("transport/truck", "", None, InputError, "empty"),
        ("cells//voltage", 3.6, "V", InputError, "empty"),
        ("colour", "red", None, PathNotFoundError, "Module has no 'colour'"),
        ("cells/cell-01/colour", "red", None, PathNotFoundError, "Cell has no 'colour'"),
        ("cells", 1, None, InputError, "cells"),
        ("cells/cell-01", 1, None, PathNotFoundError, "Cell has no"),
        ("transport/truck/logger/temperature", 1.0, "DEG_C", PathNotFoundError, "other twin"),
        ("selfDischarge/trend", "high", "PERCENT", InputError, "double"),
        ("selfDischarge/trend", [1.0], "PERCENT", InputError, "one number at a time"),
        ("selfDischarge/trend", float("nan"), "PERCENT", InputError, "finite"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    desk: Any, path: Any, value: Any, unit: Any, error: Any, said: Any
) -> None:
    twin = desk.create_twin("module-0001")
    desk.commit()
    with pytest.raises(error) as caught:
        attempt(desk, twin, path, value, unit)
    assert said in str(caught.value)
    assert desk.changes.changes() == ()
    assert desk.changes.samples == []


def attempt(desk: Any, twin: Any, path: Any, value: Any, unit: Any) -> None:
    with desk.changes.savepoint():
        desk.put(twin, path, value, unit)


def test_a_twin_that_was_never_born_takes_no_value(desk: Any) -> None:
    with pytest.raises(PathNotFoundError, match="does not exist"):
        desk.put(desk.fleet.names.twin("nobody"), "serial", "x")


def test_a_link_bears_the_twin_it_names(desk: Any) -> None:
    twin = desk.create_twin("module-0001")
    desk.put(twin, "transport/truck", "truck-09")
    desk.commit()
    assert desk.fleet.get("/truck-09").value.type == "Truck"
    assert desk.fleet.get("/module-0001/transport/truck/logger").value.path == "/truck-09/logger"


def test_a_computed_value_stands_in_the_companion_graph(desk: Any) -> None:
    twin = desk.create_twin("module-0001")
    desk.put(twin, "stateOfCharge", 50.0, "PERCENT", kind="computed")
    desk.commit()
    names = desk.fleet.names
    prop = desk.fleet.schema.property_of(desk.fleet.schema.class_named("Module").iri, "stateOfCharge")
    (quad,) = desk.bench.committer.store.quads(twin, prop.iri, None, None)
    assert quad.graph_name == names.computed_graph(twin)


samples = st.lists(
    st.lists(st.tuples(st.integers(0, 30), st.integers(-20, 20).map(float)), min_size=1, max_size=5), max_size=5
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=samples, number=st.integers(0, 10**9))
def test_a_series_node_tells_count_first_and_last_in_any_order_of_samples(
    bench: Bench, commits: Any, number: Any
) -> None:
    desk, wanted, key = Desk(bench), {}, f"truck-{number}"
    fresh = key not in bench.fleet
    twin = desk.create_twin(key, "Truck")
    for commit in commits:
        for minute, value in commit:
            desk.put(twin, "logger/temperature", value, "DEG_C", T0 + timedelta(minutes=minute))
            wanted[minute] = value
        desk.commit()
    if not wanted or not fresh:
        return
    answer = bench.fleet.get(f"/{key}/logger/temperature")
    assert answer.value.values == tuple(wanted[minute] for minute in sorted(wanted))
    series = bench.fleet.names.part(bench.fleet.names.part(twin, "logger"), "temperature")
    marks = (VT.sampleCount, VT.firstTime, VT.lastTime, VT.lastValue)
    told = [to_python(next(iter(bench.committer.store.quads(series, mark, None, twin))).object) for mark in marks]
    first, last = min(wanted), max(wanted)
    assert told == [len(wanted), T0 + timedelta(minutes=first), T0 + timedelta(minutes=last), wanted[last]]
