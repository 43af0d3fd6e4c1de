"""A fleet's folder belongs to one process at a time, which says so, and where it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voltwin.errors import FleetLockedError, FleetVersionError, InputError, StoreError
from voltwin.graphstore.folder import (
    VERSION,
    FolderLock,
    create_folder,
    describe_owner,
    is_held,
    read_folder,
    read_owner,
)

BASE = "https://fleet.example/"
HOLD = """
import sys
from pathlib import Path
from voltwin.graphstore.folder import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.publish("http://127.0.0.1:8123")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Any]:
    """Another process that holds the folder until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_told_who_holds_it_and_where_it_answers(tmp_path: Path, holder: Any) -> None:
    with pytest.raises(FleetLockedError, match=f"process {holder.pid} .*, which answers at http://127.0.0.1:8123"):
        FolderLock(tmp_path)
    owner = read_owner(tmp_path)
    assert (owner["pid"], owner["address"]) == (holder.pid, "http://127.0.0.1:8123")
    assert is_held(tmp_path)


def test_one_without_an_address_is_told_by_its_command() -> None:
    owner = {"pid": 7, "command": "voltwin load", "host": "elsewhere"}
    assert describe_owner(owner) == "process 7 (voltwin load) on elsewhere; stop it or wait until it ends"
    assert "another process" in describe_owner({})


def test_a_killed_holder_holds_nothing(tmp_path: Path, holder: Any) -> None:
    holder.kill()
    holder.wait()
    assert not is_held(tmp_path)
    lock = FolderLock(tmp_path)
    assert "address" not in read_owner(tmp_path)
    lock.close()


def test_letting_go_leaves_nothing_behind(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(FleetLockedError):
        FolderLock(tmp_path)
    lock.close()
    lock.close()
    assert read_owner(tmp_path) == {}
    FolderLock(tmp_path).close()


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    made = create_folder(tmp_path / "fleet", BASE)
    assert read_folder(tmp_path / "fleet") == made
    with pytest.raises(StoreError, match="already"):
        create_folder(tmp_path / "fleet", BASE)


def test_what_is_no_place_for_a_fleet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="is not empty"):
        create_folder(tmp_path, BASE)
    with pytest.raises(InputError, match="base IRI"):
        create_folder(tmp_path / "fleet", "fleet.example")
    assert not (tmp_path / "fleet").exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, StoreError),
        ("{", StoreError),
        ("{}", StoreError),
        (json.dumps({"version": VERSION + 1, "base": BASE}), FleetVersionError),
    ],
)
def test_what_is_no_fleet_is_said(tmp_path: Path, text: Any, error: Any) -> None:
    if text is not None:
        (tmp_path / "fleet.json").write_text(text)
    with pytest.raises(error, match=tmp_path.name):
        read_folder(tmp_path)
