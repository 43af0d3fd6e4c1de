"""A copied folder does not listen before it is a fleet of its own, or is said to have been moved."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from voltwin.cli import voltwin
from voltwin.errors import StoreError
from voltwin.graphstore.database.sqlite import Database
from voltwin.graphstore.database.tables import VERSIONS
from voltwin.graphstore.folder import read_folder, write_id
from voltwin.graphstore.journal.verification import prove
from voltwin.graphstore.operations.place import settle
from voltwin.maintenance import back_up_fleet, fork_fleet, restore_fleet
from voltwin.server import Server
from voltwin.settings import Settings

from .conftest import make_mosquitto, mosquitto

__all__ = ["make_mosquitto", "mosquitto"]
pytestmark = pytest.mark.integration

SERVICES = {"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"}


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    from ..unit.api.sample_fleet import make_fleet

    make_fleet(tmp_path).close()
    return tmp_path / "fleet"


def listen(folder: Path, moved: bool = False) -> None:
    """As a server that is about to listen does."""
    with closing(Database(folder / "journal.sqlite", VERSIONS)) as database:
        settle(database, folder, moved)
        prove(database)


def copied(source: Path, to: str) -> Path:
    return Path(shutil.copytree(source, source.parent / to))


def test_a_server_of_a_copied_folder_does_not_listen(fleet: Path, mosquitto: Any) -> None:
    settings = Settings(port=0, broker=mosquitto.url, services=SERVICES)
    server = Server(fleet, settings)
    server.start()
    server.stop()
    copy = copied(fleet, "copy")
    with pytest.raises(StoreError, match=r"voltwin fork .*copy`; if it was moved.*--moved"):
        Server(copy, settings)
    Server(copy, Settings(port=0)).stop()  # it may be looked at
    fork_fleet(copy)
    server = Server(copy, settings)
    server.start()
    server.stop()
    Server(fleet, settings).stop()


def test_a_moved_folder_is_itself_and_a_copy_is_not(fleet: Path) -> None:
    listen(fleet)
    listen(fleet)
    renamed = fleet.rename(fleet.parent / "renamed")  # the same inode at another path
    listen(renamed)
    copy = copied(renamed, "copy")
    with pytest.raises(StoreError, match=r"last listened in .*renamed"):
        listen(copy)
    shutil.rmtree(renamed)
    copy.rename(renamed)  # put back at its path, as from an image of the disk
    listen(renamed)
    other = copied(renamed, "other")
    listen(other, moved=True)
    listen(other)


def test_a_fork_and_a_restored_fleet_have_an_id_and_a_place_of_their_own(fleet: Path) -> None:
    listen(fleet)
    back_up_fleet(fleet, fleet.parent / "backup")
    for number, same in enumerate((False, True)):
        folder = fleet.parent / f"restored-{number}"
        restore_fleet(fleet.parent / "backup", folder, same=same)
        listen(folder)
    assert voltwin.main(["fork", str(fleet), str(fleet.parent / "forked")], standalone_mode=False) is None
    forked = fleet.parent / "forked"
    listen(forked)
    listen(fleet)
    assert read_folder(forked).id not in ("", read_folder(fleet).id)
    assert not [path for path in fleet.parent.iterdir() if path.name.startswith(".forking")]
    from voltwin import Fleet

    with Fleet.open(forked) as one, Fleet.open(fleet) as two:
        assert list(one) == list(two)


def test_a_fork_that_was_interrupted_can_be_done_again(fleet: Path) -> None:
    copy = copied(fleet, "copy")
    write_id(copy, "half")
    fork_fleet(copy)
    Server(copy, Settings(port=0)).stop()
    assert read_folder(copy).id not in ("half", read_folder(fleet).id)
