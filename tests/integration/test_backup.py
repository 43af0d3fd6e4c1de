"""A backup is one commit of graph and series, made while others write, and comes back as the same fleet."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode, Triple

from voltwin.assembly import open_fleet
from voltwin.errors import FleetLockedError, FleetVersionError, StoreError
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.interfaces import Entry, GraphLoad
from voltwin.graphstore.operations import backup_lock
from voltwin.maintenance import back_up_fleet, check_view, rebuild_fleet, restore_fleet
from voltwin.ontology.iris import VT

from ..unit.api.sample_fleet import EOL, make_fleet
from .fleet_state import quads, state

pytestmark = pytest.mark.integration

SERIES = NamedNode("https://fleet.example/twins/truck-01/logger/temperature")
WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from voltwin.ontology.iris import VT
from voltwin.assembly import open_fleet
start = datetime(2019, 6, 1, tzinfo=UTC)
with open_fleet(sys.argv[1]) as fleet:
    print("ready", flush=True)
    for number in range(100_000):
        moment = start + timedelta(seconds=number)
        fleet.put("/truck-01/logger/temperature", float(number % 30), unit="DEG_C", time=moment, author="writer")
        fleet.put("/module-0001/serial", f"S-{number}", unit=None, time=moment, author="writer")
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Any:
    """A fleet with commits, samples, rules' results and a bulk load, that nobody holds."""
    folder = tmp_path / "fleet"
    made = make_fleet(tmp_path)
    with made:
        graph = made.names.twin("bulk")
        node = NamedNode(f"{graph.value}/n")
        triples = [Triple(node, NamedNode("https://x.example/p"), NamedNode(f"{node.value}{n}")) for n in range(50)]
        load = GraphLoad(graph, *made.committer.loads.store(triples))
        made.committer.commit(Entry("loader", EOL, loads=(load,)))
        made.put("/module-0001/serial", "S-after", unit=None, time=EOL, author="anna")
    return folder


def test_a_backup_comes_back_as_the_same_fleet(fleet: Any, tmp_path: Path) -> None:
    before = state(fleet)
    made = back_up_fleet(fleet, tmp_path / "copy", thorough=True)
    assert made.sequence == before.sequence
    assert made.triples == sum(
        1 for quad in before.quads if not quad.graph_name.value.endswith(("/inferred", "/state"))
    )
    assert not (tmp_path / "copy" / "graph").exists()
    restored = restore_fleet(tmp_path / "copy", tmp_path / "again")
    assert (restored.sequence, restored.triples, restored.base) == (
        made.sequence,
        made.triples,
        "https://fleet.example/",
    )
    assert state(tmp_path / "again") == before
    assert check_view(tmp_path / "again") == []


def test_a_backup_beside_a_writer_is_one_commit(fleet: Any, tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(fleet)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout.readline() == "ready\n"
        first = back_up_fleet(fleet, tmp_path / "first")
        second = back_up_fleet(fleet, tmp_path / "second", thorough=True)
    finally:
        writer.kill()
        writer.communicate()
    assert first.sequence < second.sequence
    for name in ("first", "second"):
        restore_fleet(tmp_path / name, tmp_path / f"{name}-again")
        with open_fleet(tmp_path / f"{name}-again") as again:
            number = int(again.get("/module-0001/serial").value.removeprefix("S-").replace("after", "-1"))
            samples = again.committer.journal.series.read(SERIES)
            # The sample is written before the serial number: they differ by one commit at most.
            (count,) = again.committer.store.quads(SERIES, VT.sampleCount, None, None)
            assert int(count.object.value) == len(samples[0])
            assert again.committer.journal.last_sequence == {"first": first, "second": second}[name].sequence
            written = sum(1 for time in samples[0] if time >= 1_559_347_200_000_000)
            assert number + 1 <= written <= number + 2
        assert check_view(tmp_path / f"{name}-again") == []


@pytest.mark.parametrize("damage", ["byte", "missing", "load", "newer", "manifest", "escape"])
def test_a_damaged_backup_is_refused_by_name_and_leaves_nothing(fleet: Any, tmp_path: Path, damage: Any) -> None:
    copy = tmp_path / "copy"
    back_up_fleet(fleet, copy)
    journal, manifest = copy / "journal.sqlite", copy / "manifest.json"
    document = json.loads(manifest.read_text("utf-8"))
    named, error = "journal.sqlite", StoreError
    if damage == "byte":
        content = bytearray(journal.read_bytes())
        content[len(content) // 2] ^= 1
        journal.write_bytes(content)
    elif damage == "missing":
        journal.unlink()
    elif damage == "load":
        (load,) = (copy / "loads").iterdir()
        load.write_bytes(load.read_bytes()[:-3])
        named = load.name
    elif damage == "newer":
        manifest.write_text(json.dumps(document | {"version": 99}))
        named, error = "version 99 is newer", FleetVersionError
    elif damage == "manifest":
        manifest.write_text(manifest.read_text("utf-8")[:-40])
        named = "manifest.json"
    else:
        document["files"]["../outside"] = document["files"]["fleet.json"]
        manifest.write_text(json.dumps(document))
        named = "outside"
    with pytest.raises(error, match=named):
        restore_fleet(copy, tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "fleet"]


def test_nothing_is_written_over(fleet: Any, tmp_path: Path) -> None:
    back_up_fleet(fleet, tmp_path / "copy")
    with pytest.raises(StoreError, match="exists already"):
        back_up_fleet(fleet, tmp_path / "copy")
    with pytest.raises(StoreError, match="exists already"):
        restore_fleet(tmp_path / "copy", fleet)
    with pytest.raises(StoreError, match=r"no backup \(there is no manifest.json\)"):
        restore_fleet(fleet, tmp_path / "again")


def test_a_load_that_is_gone_is_found_when_it_is_backed_up(fleet: Any, tmp_path: Path) -> None:
    (load,) = (fleet / "loads").iterdir()
    content = load.read_bytes()
    load.unlink()
    with pytest.raises(StoreError, match=f"{load.name}.*missing"):
        back_up_fleet(fleet, tmp_path / "copy")
    load.write_bytes(content[:-5])
    with pytest.raises(StoreError, match=load.name):
        back_up_fleet(fleet, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_half_restored_folder_is_no_fleet(fleet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back_up_fleet(fleet, tmp_path / "copy")
    seen = []

    def look(*_: Any) -> None:
        seen.append(tmp_path / "again.unfinished")
        with pytest.raises(StoreError, match="is no fleet"):
            read_folder(tmp_path / "again.unfinished")
        assert not (tmp_path / "again").exists()

    restore_fleet(tmp_path / "copy", tmp_path / "again", progress=look)
    assert seen
    (tmp_path / "third.unfinished").mkdir()
    with pytest.raises(StoreError, match="remains from interrupted work"):
        restore_fleet(tmp_path / "copy", tmp_path / "third")


def test_a_view_is_made_again_and_is_equal(fleet: Any, tmp_path: Path) -> None:
    before = quads(fleet)
    back_up_fleet(fleet, tmp_path / "copy")
    assert check_view(fleet) == []
    for source in (None, tmp_path / "copy"):
        rebuild_fleet(fleet, source=source)
        assert quads(fleet) == before
    shutil.rmtree(fleet / "graph")
    rebuild_fleet(fleet)
    assert quads(fleet) == before
    for file in (fleet / "graph").glob("*.sst"):
        file.write_bytes(b"damaged")
    (fleet / "graph" / "CURRENT").write_bytes(b"nothing")
    with pytest.raises(StoreError, match="voltwin rebuild"):
        open_fleet(fleet)
    rebuild_fleet(fleet)
    assert quads(fleet) == before
    assert sorted(path.name for path in fleet.iterdir() if path.name.startswith("graph")) == ["graph"]


def test_a_view_from_a_backup_takes_the_commits_after_it(fleet: Any, tmp_path: Path) -> None:
    back_up_fleet(fleet, tmp_path / "copy")
    with open_fleet(fleet) as opened:
        opened.put("/module-0001/serial", "S-later", unit=None, time=EOL, author="anna")
    before = quads(fleet)
    rebuild_fleet(fleet, source=tmp_path / "copy")
    assert quads(fleet) == before
    restore_fleet(tmp_path / "copy", tmp_path / "again")
    back_up_fleet(fleet, tmp_path / "later")
    with pytest.raises(StoreError, match="restore the backup into a new folder"):
        rebuild_fleet(tmp_path / "again", source=tmp_path / "later")


def test_a_view_that_differs_is_told_graph_by_graph(fleet: Any) -> None:
    with open_fleet(fleet) as opened:
        names, store = opened.names, opened.committer.store
        graph = names.twin("module-0001")
        taken = [quad.triple for quad in store.quads(None, None, None, graph)]
        store.replace(graph, taken[1:])
        store.replace(names.inferred_graph(graph), [])
    found = {difference.graph: difference for difference in check_view(fleet)}
    assert (found[graph].missing, found[graph].extra) == (1, 0)
    assert found[names.inferred_graph(graph)].missing > 0
    assert len(found) == 2
    with pytest.raises(StoreError, match="differs"):
        back_up_fleet(fleet, fleet.with_name("copy"), thorough=True)
    assert back_up_fleet(fleet, fleet.with_name("copy")).sequence


def test_a_fleet_that_is_held_is_backed_up_but_not_rebuilt(fleet: Any, tmp_path: Path) -> None:
    with open_fleet(fleet):
        with pytest.raises(FleetLockedError, match="is held by process"):
            rebuild_fleet(fleet)
        assert back_up_fleet(fleet, tmp_path / "copy", thorough=True).sequence


def test_files_stay_while_a_backup_runs(tmp_path: Path) -> None:
    refused = pytest.raises(FleetLockedError, match="backup is running")
    with backup_lock.shared(tmp_path), backup_lock.shared(tmp_path), refused, backup_lock.exclusive(tmp_path):
        pytest.fail("went in")
    waited = threading.Event()
    with backup_lock.exclusive(tmp_path):
        thread = threading.Thread(target=lambda: _stay(tmp_path, waited))
        thread.start()
        assert not waited.wait(0.1)
    assert waited.wait(5)
    thread.join()


def _stay(folder: Any, waited: Any) -> None:
    with backup_lock.shared(folder):
        waited.set()
