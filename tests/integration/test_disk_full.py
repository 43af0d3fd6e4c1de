"""A disk that is full: a clear error, nothing half written, everything still readable, and work goes on with room.

A small file system of its own is mounted (tmpfs) and filled; where that is not allowed the tests are skipped.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyoxigraph import NamedNode

import voltwin.ontology
from voltwin.assembly import open_fleet
from voltwin.control.master.handling import HandlingMark
from voltwin.control.master.inbox import Stop
from voltwin.converter import convert
from voltwin.errors import StoreError
from voltwin.graphstore.interfaces import Entry, SampleBatch
from voltwin.maintenance import back_up_fleet, check_everything, restore_fleet
from voltwin.testing import Bench, InlineExecutor, message

from ..unit.api.sample_fleet import EOL, make_fleet
from .fleet_state import state

pytestmark = pytest.mark.integration

SERIES = NamedNode("https://fleet.example/twins/truck-01/logger/temperature")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Any]:
    """A file system of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount") or "/bin/mount"
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.strip()}")
    yield place
    # Lazily: an engine's own threads may let go of a file a moment later.
    assert ctypes.CDLL(None).umount2(str(place).encode(), 2) == 0


class Filled:
    """Takes all but ``left`` bytes of a file system until it is closed."""

    def __init__(self, place: Any, left: Any = 0) -> None:
        self.file = place / "filler"
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        with self.file.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free - left))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.file.unlink()


def put(fleet: Any, number: Any) -> None:
    fleet.put("/module-0001/serial", f"S-{number}" * 50, unit=None, time=EOL, author="anna")


def test_a_commit_that_finds_no_room_is_refused_and_the_next_one_with_room_is_taken(small_disk: Any) -> None:
    with make_fleet(small_disk) as fleet:
        put(fleet, 0)
        with Filled(small_disk, left=64 << 10):
            taken = 0
            with pytest.raises(StoreError, match="full"):  # noqa: PT012 - how many fit is the disk's to say
                for number in range(10_000):
                    put(fleet, number)
                    taken = number
            last = fleet.committer.journal.last_sequence
            assert fleet.get("/module-0001/serial").value == f"S-{taken}" * 50
            assert len(fleet.all("/*/arrivalTest/decision")) == 3
            with pytest.raises(StoreError, match="full"):
                put(fleet, -1)
        put(fleet, "again")
        assert fleet.committer.journal.last_sequence == last + 1
    before = state(small_disk / "fleet")
    assert before.sequence == last + 1
    assert check_everything(small_disk / "fleet") == []


def test_sealing_without_room_moves_nothing_and_works_later(small_disk: Any) -> None:
    with make_fleet(small_disk) as fleet:
        times = np.arange(40_000, dtype=np.int64) * 1_000_000 + int(EOL.timestamp() * 1e6)
        values = np.random.default_rng(0).normal(size=len(times))
        fleet.committer.commit(Entry("test", EOL, batches=(SampleBatch(SERIES, times[:100], values[:100]),)))
        with Filled(small_disk, left=8 << 10):
            with pytest.raises(StoreError):
                fleet.committer.commit(Entry("test", EOL, batches=(SampleBatch(SERIES, times, values),)))
            with pytest.raises(StoreError):
                fleet.committer.journal.series.seal(datetime(2030, 1, 1, tzinfo=UTC))
            assert len(fleet.committer.journal.series.read(SERIES)[0]) == 103
        sealed = fleet.committer.journal.series.seal(datetime(2030, 1, 1, tzinfo=UTC))
        assert sealed.samples > 100
        assert len(fleet.committer.journal.series.read(SERIES)[0]) == 103
        assert list(fleet.committer.journal.series.files.unnamed()) == []


def test_a_backup_without_room_leaves_nothing_and_harms_nothing(small_disk: Any, tmp_path: Path) -> None:
    with make_fleet(tmp_path):
        pass
    before = state(tmp_path / "fleet")
    with Filled(small_disk, left=100 << 10), pytest.raises(StoreError, match="nothing of it remains"):
        back_up_fleet(tmp_path / "fleet", small_disk / "copy")
    assert list(small_disk.iterdir()) == []
    back_up_fleet(tmp_path / "fleet", small_disk / "copy")
    with (
        Filled(small_disk, left=100 << 10),
        pytest.raises(StoreError, match=r"nothing of it remains|could not be made"),
    ):
        restore_fleet(small_disk / "copy", small_disk / "again")
    assert [path.name for path in small_disk.iterdir()] == ["copy"]
    restore_fleet(small_disk / "copy", tmp_path / "again")
    assert state(tmp_path / "again") == before


def test_messages_that_find_no_room_wait_unacknowledged_and_are_taken_later(small_disk: Any) -> None:
    place = Path(voltwin.ontology.__file__).parent
    birth = json.loads((place / "messages" / "module-birth.schema.json").read_text("utf-8"))["examples"][0]
    bench = Bench.make(small_disk, convert(place / "models" / "battery_logistics.mdj"))
    master = bench.master()
    master.handling = HandlingMark(small_disk / "handling")
    thread = threading.Thread(target=master.run, args=(InlineExecutor({}, master.inbox.put),))
    thread.start()
    with Filled(small_disk, left=256 << 10):
        sent = 0
        for sent in range(1, 20_000):
            body = {**birth, "id": f"birth-{sent}"}
            master.inbox.put(message(f"voltwin/modules/module-{sent}/birth", body, receipt=sent))
            if sent % 20 == 0:
                if master.status()["problem"]:
                    break
                time.sleep(0.02)
        assert "full" in str(master.status()["problem"])
        taken = len(bench.acknowledged)
        assert taken < sent
        assert master.status()["internal"] == 0
    assert master.idle.wait(60)
    master.inbox.put(Stop())
    thread.join(30)
    assert sorted(bench.acknowledged) == list(range(1, sent + 1))
    assert (bench.fleet.status()["messages"], bench.fleet.status()["deadLetters"]) == (sent, 0)
    assert master.status()["problem"] is None
    bench.close()


def test_without_room_a_fleet_opens_for_reading_and_is_written_later(small_disk: Any) -> None:
    with make_fleet(small_disk):
        pass
    before = state(small_disk / "fleet")
    with Filled(small_disk), open_fleet(small_disk / "fleet") as fleet:
        assert len(fleet.all("/*/arrivalTest/decision")) == 3
        with pytest.raises(StoreError, match="reading only"):
            put(fleet, 1)
    with open_fleet(small_disk / "fleet") as fleet:
        fleet.put("/module-0001/serial", "S", unit=None, time=EOL + timedelta(hours=1), author="anna")
    assert state(small_disk / "fleet").sequence == before.sequence + 1
    assert check_everything(small_disk / "fleet") == []
