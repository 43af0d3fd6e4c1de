"""Twins go out as TriG and Parquet and come in again, into this fleet or another, in one commit."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from voltwin import converter
from voltwin.assembly import create_fleet, open_fleet
from voltwin.errors import InputError, StoreError, TwinNotFoundError
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.operations.export import export_twins
from voltwin.maintenance import check_view, import_into_fleet
from voltwin.ontology.iris import VT

from ..unit.api.sample_fleet import EOL, MODEL, make_fleet

pytestmark = pytest.mark.integration

TWINS = ("module-0001", "module-0002", "truck-01")
TREND = "/module-0001/reasoner/temperatureTrend@[2019-04-02T00:00Z,2019-04-11T00:00Z)"
PATHS = (
    "/module-0001/cells/*/voltage",
    "/module-0002/arrivalTest/decision",
    "/module-0002/arrivalTest/reasons",
    "/module-0001/selfDischarge/trend",
    TREND,
    "/truck-01/logger/temperature",
    "/truck-01/logger/temperature@[2019-04-08T18:00Z,2019-04-09T12:00Z)",
    "/module-0001/transport/truck/logger/temperature",
)


@pytest.fixture
def fleet(tmp_path: Path) -> Any:
    with make_fleet(tmp_path):
        pass
    return tmp_path / "fleet"


@pytest.fixture
def exported(fleet: Any, tmp_path: Path) -> Any:
    return export_twins(read_folder(fleet), TWINS, tmp_path / "out")


def fresh(folder: Any, base: str = "https://fleet.example/") -> Any:
    create_fleet(folder, converter.convert(MODEL), base)
    return folder


def answers(folder: Any) -> Any:
    with open_fleet(folder) as opened:
        found = {path: [answer.to_json() for answer in opened.all(path)] for path in PATHS}
        mean = opened.query("SELECT ?s (vtf:mean(?s) AS ?m) WHERE { ?s a vt:Series } ORDER BY ?s").body
    for answer in found[TREND]:
        del answer["time"]  # when it was asked
    return found, mean


def test_what_goes_out_comes_in_as_the_same_answers(fleet: Any, exported: Any, tmp_path: Path) -> None:
    other = fresh(tmp_path / "other")
    made = import_into_fleet(other, exported.folder, author="anna")
    assert made.twins == sorted(TWINS)
    assert made.samples == exported.samples > 0
    assert made.warnings == []
    found, _ = answers(other)
    assert found == answers(fleet)[0]
    assert all(found.values())
    assert check_view(other) == []
    with open_fleet(other) as opened:
        (commit,) = opened.committer.journal.since(made.sequence - 1)
        assert commit.author == "anna"


def test_an_export_is_read_by_others(exported: Any) -> None:
    table = pq.read_table(exported.folder / "series.parquet")
    assert table.column_names == ["series", "time", "value"]
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
    assert table.num_rows == exported.samples
    document = json.loads((exported.folder / "manifest.json").read_text("utf-8"))
    assert (document["base"], document["twins"]) == ("https://fleet.example/", list(TWINS))
    assert set(document["files"]) == {"twins.trig", "series.parquet"}


def test_another_base_is_renamed(fleet: Any, exported: Any, tmp_path: Path) -> None:
    other = fresh(tmp_path / "other", "https://plant.example/b/")
    import_into_fleet(other, exported.folder, author="anna")
    text = json.dumps(answers(fleet)[0]).replace("https://fleet.example/", "https://plant.example/b/")
    assert json.dumps(answers(other)[0]) == text
    with open_fleet(other) as opened:
        left = [q for q in opened.committer.store.quads(None, None, None, None) if "https://fleet.example/" in str(q)]
    assert left == []


def test_a_server_may_hold_the_fleet_that_is_exported(fleet: Any, tmp_path: Path) -> None:
    with open_fleet(fleet):
        assert export_twins(read_folder(fleet), ["truck-01"], tmp_path / "out").samples == 3


def test_twins_that_are_there_are_replaced_only_when_asked(fleet: Any, exported: Any, tmp_path: Path) -> None:
    before = answers(fleet)
    with pytest.raises(InputError, match=r"in the fleet already \(module-0001.*--replace"):
        import_into_fleet(fleet, exported.folder, author="anna")
    with open_fleet(fleet) as opened:
        opened.put("/module-0001/serial", "changed", unit=None, time=EOL, author="ben")
        opened.put("/truck-01/logger/temperature", 9.0, unit="DEG_C", time=EOL + timedelta(hours=220), author="ben")
    import_into_fleet(fleet, exported.folder, author="anna", replace=True)
    found, _ = answers(fleet)
    # What was sampled since the export stays, and the figures speak of it.
    changed = {path for path in PATHS if found[path] != before[0][path]}
    assert all("logger/temperature" in path or "temperatureTrend" in path for path in changed)
    assert "/truck-01/logger/temperature" in changed
    with open_fleet(fleet) as opened:
        assert opened.get("/module-0001/serial").value == "S-0001"
        node = opened.names.part(opened.names.part(opened.names.twin("truck-01"), "logger"), "temperature")
        (count,) = opened.committer.store.quads(node, VT.sampleCount, None, None)
        assert int(count.object.value) == 4 == len(opened.committer.journal.series.read(node)[0])
        (value,) = opened.committer.store.quads(node, VT.lastValue, None, None)
        assert float(value.object.value) == 9.0


def test_an_import_that_does_not_fit_leaves_nothing(fleet: Any, exported: Any, tmp_path: Path) -> None:
    create_fleet(tmp_path / "other", converter.convert(_school()), "https://school.example/")
    with pytest.raises(InputError, match="the fleet's ontology has no class"):
        import_into_fleet(tmp_path / "other", exported.folder, author="anna")
    (exported.folder / "twins.trig").write_bytes(b"")
    with pytest.raises(StoreError, match=r"twins\.trig: is missing or damaged"):
        import_into_fleet(fresh(tmp_path / "third"), exported.folder, author="anna")
    with open_fleet(tmp_path / "third") as opened:
        assert opened.committer.journal.last_sequence == 1


def _school() -> Any:
    return Path(__file__).parents[1] / "goldens" / "converter" / "school.mdj"


def test_twins_that_are_referred_to_and_missing_are_told(fleet: Any, tmp_path: Path) -> None:
    out = export_twins(read_folder(fleet), ["module-0001"], tmp_path / "out")
    made = import_into_fleet(fresh(tmp_path / "other"), out.folder, author="anna")
    assert made.warnings == ["the twins refer to others that are not in this fleet: truck-01"]


def test_a_twin_that_is_not_there_is_said(fleet: Any, tmp_path: Path) -> None:
    with pytest.raises(TwinNotFoundError, match="nobody"):
        export_twins(read_folder(fleet), ["nobody"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
