"""The place of a fleet's folder when it last listened: a copy of it must not take the messages of the first.

The journal notes path, host, device and inode of its folder. A folder that agrees in neither (host and path) nor inode
is a copy, or was moved to another disk; which of the two only people know.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Final

from ...errors import StoreError
from ..database.sqlite import Database
from ..journal.verification import note, noted

PLACE: Final = "place"


def settle(database: Database, folder: Path, moved: bool = False) -> None:
    """Note the place of a folder that is about to listen. Raises StoreError where it is another than the one noted.

    ``moved``: the caller says that the fleet was moved here, and that no other folder of it listens.
    """
    text = noted(database, PLACE)
    here = _place(folder)
    if text and not moved:
        known = json.loads(text)
        same_path = (known["host"], known["path"]) == (here["host"], here["path"])
        same_inode = known["inode"] == here["inode"] and (
            known["device"] == here["device"] or known["path"] == here["path"]
        )
        if not (same_path or same_inode):
            raise StoreError(
                f"{folder}: this fleet last listened in {known['path']} on {known['host']}; if this folder is a copy "
                f"of that one, make it a fleet of its own with `voltwin fork {folder}`; if it was moved here, start it "
                "once with --moved"
            )
    note(database, PLACE, json.dumps(here, sort_keys=True))


def forget_place(database: Database) -> None:
    """The next folder that listens is the first: that of a fleet that was restored or forked."""
    note(database, PLACE, "")


def _place(folder: Path) -> dict[str, object]:
    found = folder.stat()
    return {
        "path": str(folder.resolve()),
        "host": socket.gethostname(),
        "device": found.st_dev,
        "inode": found.st_ino,
    }
