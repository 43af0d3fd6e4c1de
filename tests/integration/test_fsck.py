"""Whatever is wrong with a fleet is found, named and explained; compaction gives room back and changes no answer."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyoxigraph import NamedNode, Triple

from voltwin.assembly import open_fleet
from voltwin.graphstore.database.sqlite import Database
from voltwin.graphstore.database.tables import VERSIONS
from voltwin.graphstore.interfaces import Entry, GraphChange, GraphLoad, Sample
from voltwin.graphstore.operations import backup_lock
from voltwin.maintenance import back_up_fleet, check_everything, compact_fleet, restore_fleet
from voltwin.verbs.operations import fsck

from ..unit.api.sample_fleet import EOL, make_fleet
from .fleet_state import state

pytestmark = pytest.mark.integration

TEMPERATURE = "https://fleet.example/twins/truck-01/logger/temperature"
LOSE_SAMPLES = f"DELETE FROM samples WHERE series = (SELECT id FROM series WHERE iri = '{TEMPERATURE}')"
P = NamedNode("https://x.example/p")


@pytest.fixture
def fleet(tmp_path: Path) -> Any:
    with make_fleet(tmp_path) as made:
        twin = made.names.twin("module-0001")
        load = made.committer.loads.store([Triple(twin, P, twin)])
        made.committer.commit(Entry("loader", EOL, loads=(GraphLoad(twin, *load),)))
    return tmp_path / "fleet"


@pytest.fixture
def sealed(fleet: Any) -> Any:
    compact_fleet(fleet, seal_before=datetime(2020, 1, 1, tzinfo=UTC))
    return fleet


def commit(folder: Any, graph: str = "", added: str = "", removed: str = "", samples: Any = ()) -> None:
    with open_fleet(folder) as opened:
        change = GraphChange(NamedNode(f"https://fleet.example/twins/{graph}"), removed, added)
        opened.committer.commit(Entry("test", EOL, (change,) if graph else (), samples))


def refers_to(place: Any) -> str:
    module, target = (NamedNode(f"https://fleet.example/twins/{name}") for name in ("module-0001", place))
    return f"{Triple(module, P, target)} .\n"


def only(folder: Any) -> Any:
    (finding,) = check_everything(folder)
    return finding


def sql(folder: Any, *statements: Any) -> None:
    with sqlite3.connect(folder / "journal.sqlite") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def write(folder: Any, *statements: str) -> None:
    """As the journal itself would: its accounts follow."""
    with closing(Database(folder / "journal.sqlite", VERSIONS)) as database, database.transaction() as writer:
        for statement in statements:
            writer.execute(statement)


def test_a_sound_fleet_has_nothing_wrong(fleet: Any, sealed: Any) -> None:
    assert check_everything(fleet) == []
    assert any((fleet / "series").rglob("*.parquet"))


def test_a_reference_to_nobody(fleet: Any) -> None:
    commit(fleet, "module-0001", added=refers_to("nobody"))
    finding = only(fleet)
    assert finding.kind == "dangling reference"
    assert "/module-0001" in finding.where
    assert "/nobody" in finding.problem


def test_a_reference_to_a_part_that_is_not_there(fleet: Any) -> None:
    commit(fleet, "module-0001", added=refers_to("module-0002/cells/cell-99"))
    assert "no twin and no part of one" in only(fleet).problem


def test_a_series_whose_samples_are_gone(fleet: Any) -> None:
    write(fleet, LOSE_SAMPLES)
    finding = only(fleet)
    assert (finding.kind, finding.where) == ("series without samples", "/truck-01/logger/temperature")


def test_samples_whose_series_is_not_in_the_graph(fleet: Any) -> None:
    commit(fleet, samples=(Sample(NamedNode("https://fleet.example/twins/truck-01/logger/humidity"), 1, 2.0),))
    finding = only(fleet)
    assert (finding.kind, finding.where) == ("samples without a series", "/truck-01/logger/humidity")


def test_samples_that_were_lost_behind_the_journals_back(fleet: Any) -> None:
    sql(fleet, f"{LOSE_SAMPLES} AND value = 6.5")
    finding = only(fleet)
    assert finding.kind == "journal"
    assert "its samples do not match its hash" in finding.problem


def test_figures_that_the_samples_do_not_bear_out(fleet: Any) -> None:
    write(fleet, f"{LOSE_SAMPLES} AND value = 6.5")
    findings = check_everything(fleet)
    assert {finding.kind for finding in findings} == {"statistics of a series"}
    assert {finding.problem.partition(" ")[0] for finding in findings} == {"sampleCount", "lastTime", "lastValue"}


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_load_that_is_not_what_it_was(fleet: Any, damage: Any) -> None:
    (load,) = (fleet / "loads").iterdir()
    if damage == "missing":
        load.unlink()
    else:
        load.write_bytes(load.read_bytes()[:-2])
    finding = only(fleet)
    assert (finding.kind, finding.where) == (f"{damage} file", str(load))
    assert "backup" in finding.remedy


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_sealed_file_that_is_not_what_it_was(sealed: Any, damage: Any) -> None:
    file = sorted((sealed / "series").rglob("*.parquet"))[0]
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-2])
    findings = [finding for finding in check_everything(sealed) if finding.kind == "sealed file"]
    assert len(findings) == 1
    assert file.name in findings[0].where


def test_files_that_nothing_names(sealed: Any) -> None:
    (sealed / "loads" / "x.nt.gz").write_bytes(b"")
    file = sorted((sealed / "series").rglob("*.parquet"))[0]
    shutil.copy(file, file.with_name(f"x{file.name}"))
    (sealed / "graph.old").mkdir()
    assert [finding.kind for finding in check_everything(sealed)] == ["unnamed file"] * 3


def test_files_beside_a_damaged_journal_are_held_against_their_own_hashes(sealed: Any) -> None:
    sql(sealed, "UPDATE commits SET author = 'eve' WHERE sequence = 2", "DELETE FROM loads")
    file = sorted((sealed / "series").rglob("*.parquet"))[0]
    file.write_bytes(file.read_bytes()[:-2])
    findings = check_everything(sealed)
    # A file of the deleted load is not called unnamed: nobody should delete it now.
    assert {finding.kind for finding in findings} == {"journal", "sealed file"}


def test_a_lock_whose_holder_was_killed(fleet: Any) -> None:
    (fleet / "lock").write_text(json.dumps({"pid": 7, "command": "voltwin serve"}))
    finding = only(fleet)
    assert finding.kind == "stale lock"
    assert "process 7" in finding.problem


def test_a_fleet_that_is_held_is_looked_at_beside_its_holder(fleet: Any) -> None:
    with open_fleet(fleet):
        assert only(fleet).kind == "held"
        result = CliRunner().invoke(fsck, ["--fleet", str(fleet)])
        assert result.exit_code == 0
    write(fleet, LOSE_SAMPLES)
    with open_fleet(fleet):
        assert {finding.kind for finding in check_everything(fleet)} == {"held", "series without samples"}


def test_a_view_that_is_behind_ahead_different_or_damaged(fleet: Any, tmp_path: Path) -> None:
    back_up_fleet(fleet, tmp_path / "copy")
    shutil.copytree(fleet / "graph", tmp_path / "old")
    commit(fleet, "module-0001", added=refers_to("module-0002"))
    shutil.copytree(fleet / "graph", tmp_path / "new")
    shutil.rmtree(fleet / "graph")
    shutil.copytree(tmp_path / "old", fleet / "graph")
    assert only(fleet).kind == "view behind"
    restore_fleet(tmp_path / "copy", tmp_path / "again")
    shutil.rmtree(tmp_path / "again" / "graph")
    shutil.copytree(tmp_path / "new", tmp_path / "again" / "graph")
    assert only(tmp_path / "again").kind == "view ahead"
    (fleet / "graph" / "CURRENT").write_bytes(b"")
    assert only(fleet).kind == "view"
    shutil.rmtree(fleet / "graph")
    with open_fleet(fleet) as opened:
        opened.committer.store.replace(opened.names.twin("module-0002"), [])
    finding = only(fleet)
    assert (finding.kind, finding.where) == ("view differs", "https://fleet.example/twins/module-0002")


def test_a_journal_that_lost_a_commit_is_newer_or_damaged(fleet: Any) -> None:
    sql(fleet, "DELETE FROM commits WHERE sequence = 2")
    kinds = [finding.problem for finding in check_everything(fleet)]
    assert any("commit 2 is missing" in problem for problem in kinds)
    sql(fleet, "PRAGMA user_version = 99")
    assert only(fleet).kind == "version"
    content = bytearray((fleet / "journal.sqlite").read_bytes())
    content[:16] = b"not a database.."
    (fleet / "journal.sqlite").write_bytes(content)
    assert only(fleet).kind == "journal"


def test_the_verb_says_it_in_words_in_json_and_by_its_exit_code(fleet: Any) -> None:
    assert CliRunner().invoke(fsck, ["--fleet", str(fleet)]).output == f"{fleet}: nothing is wrong\n"
    (fleet / "loads" / "x.nt.gz").write_bytes(b"")
    result = CliRunner().invoke(fsck, ["--fleet", str(fleet), "--json"])
    assert result.exit_code == 1
    assert [item["kind"] for item in json.loads(result.output)] == ["unnamed file"]


def test_compaction_gives_room_back_and_changes_no_answer(fleet: Any) -> None:
    with open_fleet(fleet) as opened:
        for number in range(4):
            moment = EOL + timedelta(hours=230 + number)
            opened.put("/truck-01/logger/temperature", float(number), unit="DEG_C", time=moment, author="anna")
        for number in range(300):
            opened.put("/module-0001/serial", f"S-{number}", unit=None, time=EOL, author="anna")
    before = state(fleet)
    gained = compact_fleet(fleet, keep_days=0, seal_before=datetime(2020, 1, 1, tzinfo=UTC))
    assert gained.after < gained.before
    assert gained.history.changes > 300
    assert gained.history.loads == 1
    assert gained.sealed.samples == len(before.samples)
    assert gained.deleted == 1
    after = state(fleet)
    assert (after.sequence, after.quads, after.samples) == (before.sequence, before.quads, before.samples)
    assert check_everything(fleet) == []
    back_up_fleet(fleet, fleet.with_name("copy"), thorough=True)
    restore_fleet(fleet.with_name("copy"), fleet.with_name("again"))
    assert state(fleet.with_name("again")) == after


def test_compaction_lets_go_of_samples_older_than_fleet_json_keeps(fleet: Any) -> None:
    before = state(fleet)
    document = json.loads((fleet / "fleet.json").read_text())
    (fleet / "fleet.json").write_text(json.dumps(document | {"series": {"keep_days": 365}}))
    gained = compact_fleet(fleet)
    assert gained.retained.samples == len(before.samples) > 0
    assert len(state(fleet).samples) == 0
    assert check_everything(fleet) == []


def test_files_stay_for_a_backup_that_is_under_way(sealed: Any) -> None:
    file = "loads/gone.nt.gz"
    write(sealed, f"INSERT INTO discarded VALUES ('{file}', 1, row_hash('{file}', 1))")
    (sealed / "loads" / "gone.nt.gz").write_bytes(b"")
    with backup_lock.shared(sealed):
        gained = compact_fleet(sealed)
    assert gained.backup_running
    assert (sealed / "loads" / "gone.nt.gz").exists()
    assert compact_fleet(sealed).deleted == 1
