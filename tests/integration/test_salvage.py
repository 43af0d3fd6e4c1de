"""Salvage brings together what can be proved and names what is lost: against a plain model of what was committed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from voltwin.assembly import open_fleet
from voltwin.errors import FleetLockedError, StoreError
from voltwin.graphstore.history.snapshots import History
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.maintenance import back_up_fleet, check_everything, compact_fleet, rebuild_fleet, salvage_fleet
from voltwin.verbs.operations import salvage

from ..unit.api.sample_fleet import EOL, make_fleet
from .salvage_model import COMMITS, Model, entry, found, graph, line, series

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class World:
    """A fleet, its backup after half of the commits, and what each commit did."""

    fleet: Path
    backup: Path
    first: int
    tells: dict[int, Callable[[Model], None]]

    def model(self, without: set[int] = frozenset()) -> Model:  # type: ignore[assignment]  # nothing changes it
        made = Model()
        for number, tell in self.tells.items():
            if number not in without:
                tell(made)
        return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> World:
    place, tells, first = tmp_path_factory.mktemp("salvage"), {}, 0
    with make_fleet(place) as fleet:
        for number in range(1, COMMITS + 1):
            made, tell = entry(number, fleet.committer.loads)
            tells[fleet.committer.commit(made)] = tell
            first = first or fleet.committer.journal.last_sequence
            if number == COMMITS // 2:
                back_up_fleet(place / "fleet", place / "backup")
    with sqlite3.connect(place / "fleet" / "journal.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return World(place / "fleet", place / "backup", first, tells)


@pytest.fixture
def world(whole: World, tmp_path: Path) -> World:
    shutil.copytree(whole.fleet, tmp_path / "fleet")
    return World(tmp_path / "fleet", whole.backup, whole.first, whole.tells)


def sql(world: World, *statements: str) -> None:
    with sqlite3.connect(world.fleet / "journal.sqlite") as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
    connection.close()


def new(world: World) -> Path:
    return world.fleet.parent / "new"


def sound(folder: Path) -> None:
    """Nothing is wrong but what the graph says of samples that are lost."""
    kinds = {finding.kind for finding in check_everything(folder)}
    assert kinds <= {"series without samples", "samples without a series", "statistics of a series"}


def before(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_sound_fleet_is_salvaged_whole_and_not_touched(world: World) -> None:
    files = before(world.fleet)
    made = salvage_fleet(world.fleet, new(world))
    assert before(world.fleet) == files
    assert (made.losses, made.partial, made.from_graph) == ([], 0, 0)
    model = world.model()
    assert found(new(world), model) == model
    sound(new(world))
    with open_fleet(world.fleet) as old, open_fleet(new(world)) as again:
        assert again.committer.journal.last_sequence == old.committer.journal.last_sequence == made.last
        moment = made.last - 3
        query = "SELECT ?s ?p ?o { GRAPH ?g { ?s ?p ?o } FILTER(STRSTARTS(STR(?g), 'https://fleet.example/notes')) }"
        assert sorted(again.as_of(moment).query(query).body) == sorted(old.as_of(moment).query(query).body)
        with again.events(made.last - 1, follow=False) as events:
            assert next(events).author == f"author-{COMMITS} (voltwin salvage: from the journal)"
    identities = {json.loads((place / "fleet.json").read_text())["id"] for place in (world.fleet, new(world))}
    assert len(identities) == 2


@pytest.mark.parametrize("keep", [4, None])
def test_a_compacted_fleet_whose_samples_are_sealed_is_salvaged_whole(world: World, keep: int | None) -> None:
    with closing(SqliteJournal.open(world.fleet / "journal.sqlite")) as journal:
        last = journal.last_sequence
        moment = EOL + timedelta(days=400, hours=COMMITS - 4)
        if keep:
            History(journal.database, LoadFiles(world.fleet / "loads")).compact(
                last - keep, messages=EOL, runs=moment, now=EOL
            )
        journal.series.seal(EOL, least_rows=1)
    made = salvage_fleet(world.fleet, new(world))
    assert made.losses == []
    assert made.first == (last - keep if keep else 1)
    model = world.model()
    assert found(new(world), model) == model
    sound(new(world))


def test_a_changed_value_is_taken_from_the_backup_or_from_the_graph(world: World) -> None:
    number = world.first + 2  # is in the backup
    sql(world, f"UPDATE changes SET added = replace(added, 'notes/', 'nodes/') WHERE sequence = {number}")
    made = salvage_fleet(world.fleet, new(world), backup=world.backup)
    assert made.losses == []
    assert made.whole["backup"] == 1
    assert found(new(world), world.model()) == world.model()
    shutil.rmtree(new(world))
    made = salvage_fleet(world.fleet, new(world))
    assert [loss.where for loss in made.losses if loss.kind == "commit"] == [str(number)] * 2
    assert made.from_graph > 0
    assert found(new(world), world.model()) == world.model()
    with open_fleet(new(world)) as fleet, fleet.events(made.last, follow=False) as events:
        assert next(events).author == "voltwin salvage: from the graph, which nothing proves"
    sound(new(world))


def test_without_a_graph_a_changed_value_is_lost_and_nothing_else(world: World) -> None:
    number = world.first + COMMITS - 1
    sql(world, f"UPDATE changes SET added = replace(added, 'notes/', 'nodes/') WHERE sequence = {number}")
    shutil.rmtree(world.fleet / "graph")
    made = salvage_fleet(world.fleet, new(world), backup=world.backup)
    assert {loss.kind for loss in made.losses} == {"commit", "graph"}
    model = world.model()
    lost = {graph("abc"[COMMITS % 3]).value, graph("all").value}
    result = found(new(world), model)
    for name in model.graphs.keys() - lost:
        assert result.graphs[name] == model.graphs[name]
    assert line("all", COMMITS) not in result.graphs[graph("all").value]
    assert (result.samples, result.keys, result.queued, result.due) == (
        model.samples, model.keys, model.queued, model.due,
    )  # fmt: skip
    sound(new(world))


def test_a_lost_commit_is_named_with_its_time_and_its_triples_come_from_the_graph(world: World) -> None:
    number = world.first + COMMITS - 3
    sql(
        world, *(f"DELETE FROM {table} WHERE sequence = {number}" for table in ("commits", "changes", "commit_samples"))
    )
    made = salvage_fleet(world.fleet, new(world), backup=world.backup)
    (lost,) = [loss for loss in made.losses if loss.kind == "commits"]
    assert lost.where == str(number)
    assert "made between 2020-05-" in lost.problem
    model, result = world.model(), found(new(world), world.model())
    assert result.graphs == model.graphs
    assert result.keys == model.keys - {f"key-{COMMITS - 2}-{part}" for part in range(3)}
    sound(new(world))


def test_changed_samples_are_not_taken_and_named_and_come_from_the_backup(world: World) -> None:
    early, late = world.first + 1, world.first + COMMITS - 2
    for number in (early, late):
        of_y = f"(SELECT id FROM series WHERE iri = '{series('y').value}')"
        sql(world, f"UPDATE samples SET value = 99 WHERE sequence = {number} AND series = {of_y}")
    made = salvage_fleet(world.fleet, new(world), backup=world.backup)
    (loss,) = made.losses
    assert (loss.kind, loss.where) == ("samples", f"commit {late}")
    assert series("y").value in loss.problem
    model, result = world.model(), found(new(world), world.model())
    assert 99 not in {value for rows in result.samples.values() for value in rows.values()}
    assert result.samples[series("y").value][2] == model.samples[series("y").value][2]
    assert COMMITS - 1 not in result.samples[series("y").value]
    assert result.samples[series("z").value] == model.samples[series("z").value]
    assert result.graphs == model.graphs


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "noise"])
def test_a_journal_that_is_gone_leaves_backup_and_graph(world: World, damage: str) -> None:
    file = world.fleet / "journal.sqlite"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "noise":
        file.write_bytes(bytes(range(256)) * 300)
    else:
        file.unlink()
    model = world.model()
    made = salvage_fleet(world.fleet, new(world), backup=world.backup)
    assert any(loss.kind == "commits" and str(world.first + COMMITS - 1) in loss.where for loss in made.losses)
    result = found(new(world), model)
    assert result.graphs == model.graphs
    half = world.model(set(range(world.first + COMMITS // 2, world.first + COMMITS)))
    assert result.keys == half.keys
    assert result.samples[series("y").value] == half.samples[series("y").value]
    assert result.samples[series("z").value] == model.samples[series("z").value], "sealed files are named by content"
    sound(new(world))
    shutil.rmtree(new(world))
    made = salvage_fleet(world.fleet, new(world))
    assert any("the graph is what remains" in loss.problem for loss in made.losses)
    result = found(new(world), model)
    assert (result.graphs, result.keys) == (model.graphs, set())
    assert result.samples[series("z").value] == model.samples[series("z").value]
    sound(new(world))


def test_a_cut_tail_is_known_from_the_graph(world: World) -> None:
    for suffix in ("", "-wal", "-shm"):
        (world.fleet / f"journal.sqlite{suffix}").unlink(missing_ok=True)
    shutil.copy(world.backup / "journal.sqlite", world.fleet / "journal.sqlite")  # an older copy, sound in itself
    made = salvage_fleet(world.fleet, new(world))
    (lost,) = [loss for loss in made.losses if loss.kind == "commits"]
    assert lost.where == f"{world.first + COMMITS // 2} to {world.first + COMMITS - 1}"
    assert found(new(world), world.model()).graphs == world.model().graphs


def test_a_graph_that_is_behind_takes_nothing_away_from_later_commits(world: World, tmp_path: Path) -> None:
    with closing(SqliteJournal.open(world.fleet / "journal.sqlite")) as journal:
        last = journal.last_sequence
        made, _ = entry(COMMITS + 1, LoadFiles(world.fleet / "loads"))  # has a load, too
        journal.append(made)  # the graph does not have it
    sql(world, f"DELETE FROM commits WHERE sequence = {last - 2}")
    salvaged = salvage_fleet(world.fleet, new(world))
    assert salvaged.last == last + 1
    result, model = found(new(world), world.model()), world.model()
    assert result.graphs[graph("all").value] == model.graphs[graph("all").value] | {line("all", COMMITS + 1)}
    assert result.graphs[graph("loaded").value] == model.graphs[graph("loaded").value] | {line("loaded", COMMITS + 1)}


def test_a_damaged_graph_takes_nothing_from_a_sound_journal(world: World) -> None:
    for file in (world.fleet / "graph").glob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    made = salvage_fleet(world.fleet, new(world))
    assert made.losses == []
    assert found(new(world), world.model()) == world.model()


def test_a_graph_that_differs_from_a_sound_journal_is_not_asked(world: World) -> None:
    with open_fleet(world.fleet) as fleet:
        fleet.committer.store.replace(graph("all"), [])
    made = salvage_fleet(world.fleet, new(world))
    assert (made.losses, made.from_graph) == ([], 0)
    assert found(new(world), world.model()) == world.model()


@pytest.mark.parametrize("folder", ["loads", "series"])
def test_a_lost_file_is_named_or_comes_from_the_backup(world: World, folder: str) -> None:
    files = sorted(path for path in (world.fleet / folder).rglob("*") if path.is_file())
    backed = [path for path in files if (world.backup / path.relative_to(world.fleet)).is_file()]
    other = next(path for path in files if path not in backed)
    backed[0].write_bytes(b"damaged")
    made = salvage_fleet(world.fleet, new(world), backup=world.backup)
    assert made.losses == []
    assert found(new(world), world.model()) == world.model()
    shutil.rmtree(new(world))
    other.unlink()
    made = salvage_fleet(world.fleet, new(world), backup=world.backup)
    assert {loss.kind for loss in made.losses} == ({"load", "graph"} if folder == "loads" else {"sealed file"})
    result = found(new(world), world.model())
    if folder == "loads":
        assert result.graphs == world.model().graphs  # the graph has them
    else:
        assert 0 < len(result.samples[series("z").value]) < len(world.model().samples[series("z").value])


def test_another_fleets_backup_and_a_held_fleet_are_refused(world: World, tmp_path: Path) -> None:
    make_fleet(tmp_path / "other").close()
    back_up_fleet(tmp_path / "other" / "fleet", tmp_path / "foreign")
    with pytest.raises(StoreError, match="name its own backup"):
        salvage_fleet(world.fleet, new(world), backup=tmp_path / "foreign")
    with open_fleet(world.fleet), pytest.raises(FleetLockedError, match="is held by"):
        salvage_fleet(world.fleet, new(world))
    assert not new(world).exists()


def test_the_verb_lists_what_is_lost_and_has_an_exit_code_of_its_own(world: World) -> None:
    def run(*words: str) -> Any:
        shutil.rmtree(new(world), ignore_errors=True)
        return CliRunner().invoke(salvage, ["--fleet", str(world.fleet), "--to", str(new(world)), *words])

    assert (run().exit_code, "nothing is lost" in run().output) == (0, True)
    number = world.first + 7
    sql(world, f"UPDATE messages SET key = 'changed' WHERE key = 'key-8-1' AND sequence = {number}")
    said = run()
    assert said.exit_code == 7
    assert f"commit: {number}: its message keys are lost" in said.output
    document = json.loads(run("--json").output)
    assert [loss["where"] for loss in document["losses"]] == [str(number)]
    assert any("voltwin salvage" in finding.remedy for finding in check_everything(world.fleet))


def test_a_salvaged_fleet_lives_on(world: World, tmp_path: Path) -> None:
    salvage_fleet(world.fleet, new(world))
    with open_fleet(new(world)) as fleet:
        fleet.put("/module-0001/serial", "S-new", unit=None, time=EOL, author="anna")
    compact_fleet(new(world), keep_days=0)
    rebuild_fleet(new(world))
    back_up_fleet(new(world), tmp_path / "again", thorough=True)
    sound(new(world))
