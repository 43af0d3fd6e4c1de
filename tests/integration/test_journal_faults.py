"""No single flipped bit of a journal, its log, a load or a sealed file goes unseen or ends in a traceback."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode, Triple

from voltwin.assembly import open_fleet
from voltwin.graphstore.interfaces import Due, Entry, FinishedRun, GraphLoad, QueuedRun
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.maintenance import check_everything

from ..unit.api.sample_fleet import EOL, make_fleet
from .journal_faults import content, kinds_of_files, outcome, places, salvages

pytestmark = pytest.mark.integration

FAULTS, SEED = 60, 20190401


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small fleet with a row in every table that a commit fills."""
    folder = tmp_path_factory.mktemp("faults")
    with make_fleet(folder) as made:
        twin, action = made.names.twin("module-0001"), NamedNode("https://fleet.example/actions/x")
        load = made.committer.loads.store([Triple(twin, NamedNode("https://x.example/p"), twin)])
        made.committer.commit(Entry("loader", EOL, loads=(GraphLoad(twin, *load),)))
        for number in range(12):
            runs = [QueuedRun(f"run-{number}-{part}", action, twin, EOL, "schedule") for part in range(2)]
            made.committer.commit(
                Entry(
                    "master",
                    EOL + timedelta(hours=number),
                    message_keys=[f"message-{number}-{part}" for part in range(20)],
                    queued=runs,
                    finished=[FinishedRun(runs[0].id, "failed", "no answer")],
                    due=[Due(action, twin, EOL + timedelta(days=number))],
                )
            )
            made.put("/module-0001/serial", f"S-{number}", unit=None, time=EOL, author="anna")
            for value in (20.5, 21.0):  # the second replaces the first
                moment = EOL + timedelta(hours=300 + number)
                made.put("/truck-01/logger/temperature", value + number, unit="DEG_C", time=moment, author="ben")
    with closing(SqliteJournal.open(folder / "fleet" / "journal.sqlite")) as journal:
        assert journal.series.seal(EOL + timedelta(hours=306), least_rows=1).files
    with sqlite3.connect(folder / "fleet" / "journal.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    assert check_everything(folder / "fleet") == []
    return folder / "fleet"


@pytest.fixture(scope="module")
def killed(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same fleet as a process leaves it that is killed: its newest commits are in SQLite's log alone."""
    folder = tmp_path_factory.mktemp("killed")
    shutil.copytree(sound, folder / "running")
    with open_fleet(folder / "running") as fleet:
        for number in range(5):
            fleet.put("/module-0002/serial", f"K-{number}", unit=None, time=EOL, author="anna")
        shutil.copytree(
            folder / "running", folder / "fleet", ignore=shutil.ignore_patterns("lock", "*-shm", "snapshots")
        )
    assert (folder / "fleet" / "journal.sqlite-wal").stat().st_size > 10_000
    shutil.copytree(folder / "fleet", folder / "looked-at")  # looking at it takes the log in
    assert check_everything(folder / "looked-at") == []
    return folder / "fleet"


@pytest.mark.parametrize(
    ("world", "kind", "faults"),
    [
        ("sound", "journal", FAULTS),
        ("killed", "log", 24),
        ("killed", "journal", 16),
        ("sound", "loads", 12),
        ("sound", "series", 12),
    ],
)
def test_every_flipped_bit_is_found_or_changes_nothing(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    world: str,
    kind: str,
    faults: int,
) -> None:
    fleet = request.getfixturevalue(world)
    shutil.copytree(fleet, tmp_path / "wanted")
    wanted: Any = content(tmp_path / "wanted")
    counted, files = Counter[str](), kinds_of_files(fleet)[kind]
    for file in files:
        for number, (place, bit) in enumerate(places(file, max(1, faults // len(files)), SEED)):
            name = str(file.relative_to(fleet))
            found = outcome(fleet, wanted, name, place, bit, tmp_path / "work")
            counted[found] += 1
            if found != "harmless" and number % 12 == 1:
                salvages(fleet, tmp_path / "work")
    record_property("outcomes", dict(counted))
    assert counted["found"] + counted["refused"] > counted.total() / 3


@pytest.mark.parametrize("seed", range(8))
def test_a_journal_with_overwritten_pages_is_found_and_salvaged(sound: Path, tmp_path: Path, seed: int) -> None:
    shutil.copytree(sound, tmp_path / "work")
    file, chosen = tmp_path / "work" / "journal.sqlite", random.Random(seed)
    data = bytearray(file.read_bytes())
    for page in chosen.sample(range(seed % 4 and 1, len(data) // 4096), 1 + seed // 2):  # the first one now and then
        data[page * 4096 : (page + 1) * 4096] = chosen.randbytes(4096)
    file.write_bytes(data)
    findings = check_everything(tmp_path / "work")
    assert findings
    assert any("voltwin salvage" in finding.remedy for finding in findings)
    salvages(sound, tmp_path / "work")
