"""A fleet whose journal is lost, foreign or damaged loses nothing more: it is refused in a sentence."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyoxigraph import NamedNode, Triple

from voltwin.assembly import open_fleet
from voltwin.cli import main
from voltwin.errors import JournalDamagedError, StoreError
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.maintenance import back_up_fleet, check_everything, rebuild_fleet, restore_fleet
from voltwin.verbs.history import log

from ..unit.api.sample_fleet import EOL, make_fleet

pytestmark = pytest.mark.integration


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    make_fleet(tmp_path).close()
    return tmp_path / "fleet"


def files(folder: Path) -> dict[str, bytes]:
    kept = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # The lock's file is there while a process holds the folder; the engine numbers its own logs on each opening.
    return {name: data for name, data in kept.items() if name != "lock" and not name.startswith("graph/")}


def sql(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "journal.sqlite") as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


@pytest.mark.parametrize(("left", "word"), [(None, "missing"), (b"", "empty")])
def test_a_lost_journal_is_not_replaced_by_an_empty_one(fleet: Path, left: bytes | None, word: str) -> None:
    (fleet / "journal.sqlite").unlink()
    if left is not None:
        (fleet / "journal.sqlite").write_bytes(left)
    before = files(fleet)
    for action in (open_fleet, rebuild_fleet, lambda path: back_up_fleet(path, path.with_name("copy"))):
        with pytest.raises(StoreError, match=r"journal\.sqlite"):
            action(fleet)
        assert files(fleet) | {"backup.lock": b""} == before | {"backup.lock": b""}
    with pytest.raises(StoreError, match=f"the fleet's journal is {word}; nothing was created"):
        open_fleet(fleet)
    assert [finding.kind for finding in check_everything(fleet)] == ["journal"]


def test_a_journal_without_tables_is_no_journal_either(fleet: Path) -> None:
    (fleet / "journal.sqlite").unlink()
    connection = sqlite3.connect(fleet / "journal.sqlite")
    connection.execute("VACUUM")
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    with pytest.raises(StoreError, match="nothing was created or changed"):
        open_fleet(fleet)


def test_the_journal_of_another_fleet_is_refused(fleet: Path, tmp_path: Path) -> None:
    make_fleet(tmp_path / "other").close()
    document = json.loads((fleet / "fleet.json").read_text())
    for file in ("journal.sqlite", "graph"):
        shutil.rmtree(fleet / file, ignore_errors=True)
    shutil.copy(tmp_path / "other" / "fleet" / "journal.sqlite", fleet / "journal.sqlite")
    with pytest.raises(StoreError, match=f"fleet.json beside it says {document['id']}"):
        open_fleet(fleet)
    with pytest.raises(StoreError, match="of one fleet together"):
        rebuild_fleet(fleet)
    assert [finding.kind for finding in check_everything(fleet)] == ["journal"]
    (fleet / "fleet.json").write_text(json.dumps(document | {"base": "https://other.example/"}))
    with pytest.raises(StoreError, match="is the journal of the base https"):
        open_fleet(fleet)


def test_rebuild_does_not_replace_a_graph_that_is_further_than_the_journal(fleet: Path, tmp_path: Path) -> None:
    back_up_fleet(fleet, tmp_path / "copy")
    with open_fleet(fleet) as opened:
        opened.put("/module-0001/serial", "S-2", unit=None, time=opened.now(), author="anna")
        sequence = opened.committer.journal.last_sequence
    restore_fleet(tmp_path / "copy", tmp_path / "older", same=True)
    for suffix in ("", "-wal", "-shm"):
        (fleet / f"journal.sqlite{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "older" / "journal.sqlite", fleet / "journal.sqlite")
    with pytest.raises(StoreError, match=f"is at commit {sequence}, .* the only copy .* it was not replaced"):
        rebuild_fleet(fleet)
    (finding,) = check_everything(fleet)
    assert finding.kind == "view ahead"
    assert "rebuild" not in finding.remedy


def test_a_changed_value_is_neither_rebuilt_nor_backed_up(fleet: Path, tmp_path: Path) -> None:
    sql(fleet, "UPDATE changes SET added = replace(added, 'module-0001', 'module-0009')")
    findings = check_everything(fleet)
    assert findings
    for finding in findings:
        assert finding.kind == "journal"
        assert "do not rebuild" in finding.remedy
    for action in (rebuild_fleet, lambda path: back_up_fleet(path, tmp_path / "copy")):
        with pytest.raises(JournalDamagedError, match=r"commit \d+: its changes .*do not rebuild"):
            action(fleet)
    assert not (tmp_path / "copy").exists()


def test_the_log_verifies_and_anchors(fleet: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(log, ["--fleet", str(fleet), *arguments])

    anchor = run("--anchor")
    head = json.loads(anchor.output)
    assert head["fleet"] == json.loads((fleet / "fleet.json").read_text())["id"]
    assert set(head) == {"fleet", "base", "sequence", "hash", "time"}
    (tmp_path / "anchor.json").write_text(anchor.output)
    sound = run("--verify", "--anchor", str(tmp_path / "anchor.json"))
    assert (sound.exit_code, head["hash"] in sound.output) == (0, True)
    assert json.loads(run("--verify", "--json").output) == {"sound": True, "problems": [], "head": head}
    (tmp_path / "anchor.json").write_text(json.dumps(head | {"sequence": head["sequence"] + 1}))
    cut = run("--verify", "--anchor", str(tmp_path / "anchor.json"))
    assert (cut.exit_code, "the rest is cut" in cut.output) == (1, True)
    sql(fleet, "UPDATE commits SET author = 'eve' WHERE sequence = 1")
    wrong = run("--verify")
    assert (wrong.exit_code, "commit 1: its number, time, author" in wrong.output) == (1, True)


def test_an_error_of_sqlite_is_a_sentence(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(fleet / "journal.sqlite") as connection:
        connection.execute("DROP TABLE changes")
    connection.close()
    with pytest.raises(SystemExit) as ended:
        main(["get", "/module-0001/serial", "--fleet", str(fleet)])
    assert ended.value.code == 4
    assert "journal" in capsys.readouterr().err


def test_a_damaged_commit_is_set_aside_and_named_and_nothing_else_stops(fleet: Path) -> None:
    with open_fleet(fleet) as opened:
        for number in range(4):
            opened.put(f"/module-000{number % 3 + 1}/serial", f"S-{number}", unit=None, time=EOL, author="anna")
        last = opened.committer.journal.last_sequence
    sql(fleet, f"UPDATE changes SET added = replace(added, 'S-2', 'S-9') WHERE sequence = {last - 1}")
    with open_fleet(fleet) as opened:
        (named,) = opened.status()["damagedCommits"]
        assert named == {"commit": last - 1, "problem": "its changes do not match its hash"}
        assert opened.get("/module-0003/serial").value == "S-2"  # the graph had it before
        assert opened.get("/module-0001/serial").value == "S-3"
        assert opened.as_of(last).get("/module-0001/serial").value == "S-3"
        assert opened.as_of(last - 2).get("/module-0003/serial").value == "S-0003"
        asked: list[Any] = [
            lambda then: then.get("/module-0003/serial"),
            lambda then: then.query("SELECT ?s { ?s ?p ?o }"),
        ]
        for ask in asked:
            with pytest.raises(JournalDamagedError, match=f"commit {last - 1}: its changes"):
                ask(opened.as_of(last))
        with opened.events(last - 3, follow=False, changes=True) as events:
            found = {event.sequence: event for event in events}
        assert [bool(found[number].damaged) for number in (last - 2, last - 1, last)] == [False, True, False]
        assert (found[last - 1].changes, found[last].twins) == ((), ("module-0001",))
        assert opened.put("/module-0003/serial", "S-4", unit=None, time=EOL, author="anna") == last + 1
    printed = CliRunner().invoke(log, ["--fleet", str(fleet), "--since", str(last - 3)]).output
    assert f"commit {last - 1} · " in printed
    assert "DAMAGED: its changes do not match its hash" in printed
    assert "S-9" not in printed
    assert [finding.kind for finding in check_everything(fleet)] == ["journal"]


def test_a_damaged_commit_that_the_graph_lacks_is_not_applied(fleet: Path) -> None:
    shutil.copytree(fleet / "graph", fleet.parent / "behind")
    with open_fleet(fleet) as opened:
        opened.put("/module-0001/serial", "S-2", unit=None, time=EOL, author="anna")
    shutil.rmtree(fleet / "graph")
    shutil.copytree(fleet.parent / "behind", fleet / "graph")
    sql(fleet, "UPDATE changes SET added = replace(added, 'S-2', 'S-9')")
    with pytest.raises(JournalDamagedError, match=r"its changes do not match its hash.*voltwin salvage"):
        open_fleet(fleet)


@pytest.mark.parametrize("text", ["no triple at all\n", f'<a:s> <a:p> "{"x" * (17 << 20)}" .\n'])
def test_text_that_the_parser_does_not_take_is_set_aside_and_named(fleet: Path, text: str) -> None:
    # As an older version accepted it.
    with closing(SqliteJournal.open(fleet / "journal.sqlite")) as journal:
        bad, good = (NamedNode(f"https://fleet.example/twins/module-000{number}") for number in (1, 2))
        added = f"{Triple(good, NamedNode('https://x.example/p'), good)} .\n"
        number = journal.append(Entry("old", EOL, [GraphChange(bad, "", text), GraphChange(good, "", added)]))
    for _ in range(2):  # the second time the graph is not behind
        with open_fleet(fleet) as opened:
            assert opened.get("/module-0001/serial").value == "S-0001"
            assert any(opened.committer.store.quads(good, NamedNode("https://x.example/p"), good, good))
            with opened.events(number - 1, follow=False, changes=True) as events:
                assert "module-0002" in next(events).twins
            if text.startswith("no"):  # a long term is taken by the loader of whole graphs
                with pytest.raises(StoreError, match="cannot be parsed"):
                    opened.as_of(number).get("/module-0001/serial")
            assert opened.as_of(number).get("/module-0002/serial").value == "S-0002"
    assert any("cannot be" in finding.problem for finding in check_everything(fleet))
    result = CliRunner().invoke(log, ["--fleet", str(fleet), "--since", str(number - 1)])
    assert "changes that cannot be parsed" in result.output
