"""Paths over a real fleet: each is one query, and finds what it names and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voltwin.errors import InputError, PathNotFoundError
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.compile import compile_path
from voltwin.graphstore.paths.parse import parse
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.testing import Bench

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
ODD = "a/b 'c' \"d\" ä%41?#\\"


def at(hour: Any) -> Any:
    return T0 + timedelta(hours=hour)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, case_study: Any) -> Iterator[Any]:
    bench = Bench.make(tmp_path_factory.mktemp("fleet"), case_study)
    made = bench.fleet
    changes = ChangeSet(bench.committer.store)
    writer = TwinWriter(changes, made.schema, made.names, bench.committer.journal.series)
    module, truck = (made.schema.class_named(name).iri for name in ("Module", "Truck"))

    def put(twin: Any, path: Any, value: Any, unit: Any = None, hour: Any = 0, kind: str = "asserted") -> None:
        writer.put(twin, path, value, unit, Provenance(kind, at(hour)))

    for number, key in enumerate(["m1", "m2", ODD]):
        twin = writer.create_twin(key, module)
        put(twin, ["serial"], f"S-{number}")
        put(twin, ["capacity"], 12.0 + number, "A-HR")
        put(twin, ["endOfLineTest", "performedAt"], at(number))
        for cell in range(1, 13):
            put(twin, ["cells", f"cell-{cell:02d}", "voltage"], 3.6 + cell / 100 + number, "V", number)
        put(twin, ["storageStays", "out side", "begin"], at(number))
        put(twin, ["storageStays", "out side", "storage"], "storage-cell-plant")
        put(twin, ["transport", "truck"], "t1")
    put(writer.create_twin("m1", module), ["arrivalTest", "decision"], "ACCEPT")
    put(writer.create_twin("m2", module), ["arrivalTest", "decision"], "REJECT", kind="computed")
    put(writer.create_twin("m1", module), ["capacity"], 99.0, "A-HR", kind="computed")
    put(writer.create_twin("m2", module), ["stateOfCharge"], 50.0, "PERCENT", 3, "computed")
    for hour in range(6):
        put(writer.create_twin("t1", truck), ["logger", "temperature"], float(hour), "DEG_C", hour)
    entry = Entry("test", T0, changes.changes(), tuple(changes.samples))
    bench.committer.commit(entry, tuple(changes.touched()))
    yield made
    bench.close()


CELLS = [f"/m1/cells/cell-{number:02d}" for number in range(1, 13)]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/m1/serial", ["S-0"]),
        ("/m1/cells/cell-03/voltage", [3.63]),
        ("/m1/cells[3]/voltage", [3.63]),
        ("/m1/cells/*[voltage>3.71]/voltage", [3.72]),
        ("/m1/cells/*[voltage<=3.62]/voltage", [3.61, 3.62]),
        ("/m1/cells/*[voltage!=3.61][voltage<3.63]/voltage", [3.62]),
        ("/m1/cells[voltage<3.62]/voltage", [3.61]),
        ("/m1/cells/cell-03/../serial", ["S-0"]),
        ("/m1/./serial", ["S-0"]),
        ("/m1/cells/../serial", ["S-0"]),
        ("/*/serial", ["S-0", "S-1", "S-2"]),
        ("/*[serial='S-1']/serial", ["S-1"]),
        ("/*[serial='nothing']/serial", []),
        ("/*[serial='S-1\\' || true || \\'']/serial", []),
        ("/*[capacity<13.5]/serial", ["S-0", "S-1"]),
        ("/*[endOfLineTest/performedAt>2019-04-01T06:30Z]/serial", ["S-1", "S-2"]),
        ("/*[endOfLineTest/performedAt=2019-04-01T08:00:00+02:00]/serial", ["S-0"]),
        ("/*[arrivalTest/decision='ACCEPT']/serial", ["S-0"]),
        ("/*[arrivalTest/decision!='ACCEPT']/serial", ["S-1"]),
        ("/m1/storageStays/'out side'/storage/setPoint", [25.0]),
        ("/*/storageStays/*/storage/setPoint", [25.0]),  # one storage, however many are stored there
        ("/m1/**[voltage=3.63]/voltage", [3.63]),
        ("/m1/nothing-like-it/voltage", None),
        ("/nobody/serial", []),
    ],
)
def test_a_path_finds_what_it_names(fleet: Any, path: Any, values: Any) -> None:
    if values is None:
        with pytest.raises(PathNotFoundError):
            fleet.all(path)
        return
    found = sorted(answer.value for answer in fleet.all(path))
    if values and isinstance(values[0], float):
        assert found == pytest.approx(values)
    else:
        assert found == values


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/*[arrivalTest/decision<'ACCEPT']/serial", "decision have no order"),
        ("/*[arrivalTest/decision='ACEPT']/serial", "decision is one of ACCEPT, "),
    ],
)
def test_a_choice_is_compared_with_a_choice(fleet: Any, path: Any, said: Any) -> None:
    with pytest.raises(InputError, match=said):
        fleet.all(path)


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        ("/m1/cells/*", CELLS),
        ("/m1/cells", CELLS),
        ("/m1/cells[12]", CELLS[11:]),
        ("/m1/cells[13]", []),
        ("/*[transport/truck/logger/temperature>-300]", []),
        ("/m1", ["/m1"]),
        ("/m1/transport/truck", ["/t1"]),
    ],
)
def test_a_path_that_ends_on_elements_names_them(fleet: Any, path: Any, paths: Any) -> None:
    assert [getattr(answer.value, "path", None) for answer in fleet.all(path)] == paths


def test_any_depth_is_the_element_and_all_its_parts(fleet: Any) -> None:
    found = {answer.path for answer in fleet.all("/m1/**")}
    assert {"/m1", "/m1/transport", *CELLS} <= found
    assert not any(path.startswith("/m2") for path in found)


def test_keys_may_hold_any_character(fleet: Any) -> None:
    (answer,) = fleet.all("/*[serial='S-2']/serial")
    assert fleet[ODD]["serial"].value == "S-2"
    assert ODD in fleet
    # A path that was answered can be asked again.
    assert fleet.get(answer.path).value == "S-2"


def test_a_window_cuts_a_series(fleet: Any) -> None:
    whole = fleet.get("/t1/logger/temperature").value
    assert whole.values == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    cut = fleet.get("/t1/logger/temperature@[2019-04-01T07:00Z,2019-04-01T09:00Z)").value
    assert cut.values == (1.0, 2.0)
    assert fleet.get("/t1/logger/temperature@[,2019-04-01T07:00Z)").value.values == (0.0,)
    assert fleet.get("/t1/logger/temperature@[2020-01-01T00:00Z,)").value.values == ()


def test_what_was_asserted_is_believed_before_what_was_computed(fleet: Any) -> None:
    assert (fleet.get("/m1/capacity").value, fleet.get("/m1/capacity").origin) == (12.0, "measured")
    computed = fleet.get("/m2/stateOfCharge")
    assert (computed.value, computed.origin, computed.time, computed.unit) == (50.0, "computed", at(3), "PERCENT")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/m1/seriall", "did you mean serial"),
        ("/m1/cells/cell-01/volts", "did you mean voltage|there are"),
        ("/m1/serial/x", "no step can follow"),
        ("/m1/cells/*[volt=1]/voltage", "did you mean voltage"),
        ("/m1[2]", "position"),
    ],
)
def test_a_step_that_does_not_exist_comes_with_a_hint(fleet: Any, path: Any, hint: Any) -> None:
    with pytest.raises(PathNotFoundError, match=hint) as caught:
        fleet.all(path)
    assert path in str(caught.value)


@pytest.mark.parametrize(
    "path", ["/", "/*", "/m1", "/m1/cells[3]/voltage", "/*/**[voltage>3]/voltage", "/*[serial='x']/cells/*", "/m1/*"]
)
@pytest.mark.parametrize("observed", [True, False])
def test_every_path_is_one_query(fleet: Any, path: Any, observed: Any) -> None:
    compiled = compile_path(parse(path), fleet.schema, fleet.names, observed)
    assert isinstance(compiled.query, str)
    list(fleet.committer.store.query(compiled.query))
    assert ";\n" not in compiled.query


def test_a_relative_path_has_to_be_asked_of_a_twin(fleet: Any) -> None:
    with pytest.raises(PathNotFoundError, match="relative"):
        compile_path(parse("serial"), fleet.schema, fleet.names)
