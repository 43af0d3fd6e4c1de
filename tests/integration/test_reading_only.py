"""A fleet in a folder that cannot be written (read-only, or its disk full) answers as ever; writes are refused."""

from __future__ import annotations

import ctypes
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from ..unit.api.sample_fleet import EOL, make_fleet

pytestmark = pytest.mark.integration

VERBS: Final = (
    ("get", "/*/arrivalTest/decision"),
    ("get", "/truck-01/logger/temperature"),
    ("query", "SELECT ?s ?o { ?s a ?o } ORDER BY ?s ?o", "--format", "csv"),
    ("tree", "/module-0001"),
    ("status",),
    ("log",),
    ("fsck",),
    ("validate",),
)
WRITER: Final = f"""
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from voltwin import Fleet
fleet = Fleet.open(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    try:
        fleet.put("/module-0001/serial", f"S-{{number}}" * 40, unit=None, time=datetime.now(UTC), author="anna")
    except Exception:
        break
os.kill(os.getpid(), {int(signal.SIGKILL)})
"""


def voltwin(folder: Path, *words: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "voltwin", words[0], *words[1:], "--fleet", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def answers(folder: Path, verbs: Sequence[Sequence[str]] = VERBS) -> list[str]:
    """What every reading verb prints."""
    found = []
    for words in verbs:
        done = voltwin(folder, *words)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        # A trend is said as of now.
        found.append(re.sub(r"20[2-9]\d-\S+Z", "NOW", done.stdout.replace(str(folder), "FLEET")))
    return found


def refuses(folder: Path) -> None:
    """A write is refused in one sentence."""
    done = voltwin(folder, "put", "/module-0001/serial", "S-9", "--author", "anna")
    assert done.returncode == 4, (done.stdout, done.stderr)
    assert "reading only" in done.stderr
    assert "Traceback" not in done.stderr


def served(folder: Path) -> None:
    """``serve --read-only`` answers paths and queries, and refuses writes with 503."""
    command = [sys.executable, "-m", "voltwin", "serve", str(folder), "--port", "0", "--read-only"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split(" on ")[1].split(";")[0].strip()
            assert httpx2.get(f"{address}/twins/module-0001/serial").status_code == 200
            query = {"query": "SELECT (COUNT(*) AS ?n) { ?s a ?o }"}
            assert httpx2.get(f"{address}/sparql", params=query, timeout=60).status_code == 200
            written = httpx2.put(f"{address}/twins/module-0001/serial", json={"value": "S", "author": "anna"})
            assert (written.status_code, "reading only" in written.text) == (503, True)
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


def mount(*words: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    made = subprocess.run([shutil.which("mount") or "/bin/mount", *words], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"nothing can be mounted here: {made.stderr.strip()}")


def unmount(place: Path) -> None:
    # Lazily: an engine's own threads may let go of a file a moment later.
    assert ctypes.CDLL(None).umount2(str(place).encode(), 2) == 0


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Shows a folder at another place, where nothing can be written."""
    place, shown = tmp_path / "read-only", list[Path]()

    def show(folder: Path) -> Path:
        place.mkdir()
        mount("--bind", str(folder), str(place))
        shown.append(place)
        mount("-o", "remount,bind,ro", str(place))
        return place

    yield show
    for one in shown:
        unmount(one)


def make(folder: Path) -> Path:
    with make_fleet(folder) as fleet:
        fleet.put("/module-0001/serial", "S-7", unit=None, time=EOL, author="anna")
    return folder / "fleet"


def test_a_read_only_folder_answers_as_ever(tmp_path: Path, read_only: Callable[[Path], Path]) -> None:
    folder = make(tmp_path)
    wanted, before = answers(folder), sorted(path.name for path in folder.rglob("*"))
    place = read_only(folder)
    assert answers(place) == wanted
    refuses(place)
    served(place)
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_a_read_only_folder_of_a_killed_writer_answers_as_it_would_writable(
    tmp_path: Path, read_only: Callable[[Path], Path]
) -> None:
    folder = make(tmp_path)
    subprocess.run([sys.executable, "-c", WRITER, str(folder), "20"], check=False)
    assert (folder / "journal.sqlite-wal").stat().st_size
    shutil.copytree(folder, tmp_path / "other")
    place = read_only(folder)
    asked = [words for words in VERBS if words != ("fsck",)]  # which names the lock that the killed one has left
    found = answers(place, asked)
    served(place)
    assert found == answers(tmp_path / "other", asked)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place))
    yield place
    unmount(place)


def fill(place: Path, left: int) -> Path:
    """Take all but ``left`` bytes."""
    disk = os.statvfs(place)
    file = place / "filler"
    with file.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, max(1, disk.f_bavail * disk.f_frsize - left))
    return file


@pytest.mark.parametrize("left", [0, 64 << 10, 1 << 20])
def test_a_closed_fleet_on_a_full_disk_answers_as_ever(small_disk: Path, left: int) -> None:
    folder = make(small_disk)
    wanted = answers(folder)
    filler = fill(small_disk, left)
    assert answers(folder) == wanted
    refuses(folder)
    served(folder)
    filler.unlink()
    assert answers(folder) == wanted
    assert voltwin(folder, "put", "/module-0001/serial", "S-9", "--author", "anna").returncode == 0


@pytest.mark.parametrize("left", [random.Random(3).randrange(9 << 20) for _ in range(3)])
def test_a_fleet_whose_writer_was_killed_on_a_full_disk_answers(small_disk: Path, left: int) -> None:
    folder = make(small_disk)
    filler = fill(small_disk, left)
    subprocess.run([sys.executable, "-c", WRITER, str(folder), "3000"], check=False)
    serial = voltwin(folder, "get", "/module-0001/serial")
    assert serial.returncode == 0, serial.stderr
    checked = voltwin(folder, "fsck")
    assert "Traceback" not in checked.stderr
    served(folder)
    filler.unlink()
    assert voltwin(folder, "get", "/module-0001/serial").stdout == serial.stdout
    assert voltwin(folder, "fsck").returncode == 0
