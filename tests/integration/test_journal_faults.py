"""No single flipped bit of a journal goes unseen or ends in a traceback."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode, Triple

from voltwin.graphstore.interfaces import Due, Entry, FinishedRun, GraphLoad, QueuedRun
from voltwin.maintenance import check_everything

from ..unit.api.sample_fleet import EOL, make_fleet
from .journal_faults import content, outcome, places

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
    with sqlite3.connect(folder / "fleet" / "journal.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    assert check_everything(folder / "fleet") == []
    return folder / "fleet"


def test_every_flipped_bit_is_found_or_changes_nothing(
    sound: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    wanted: Any = content(sound)
    counted = Counter(
        outcome(sound, wanted, place, bit, tmp_path / "work")
        for place, bit in places(sound / "journal.sqlite", FAULTS, SEED)
    )
    record_property("outcomes", dict(counted))
    assert counted["found"] + counted["refused"] > FAULTS / 3
