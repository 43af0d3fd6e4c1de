"""A fleet's folder: what is in it, and that only one process at a time holds it.

::

    fleet.json       base IRI, format version and engine, fixed when the fleet is created
    journal.sqlite   the spine (with SQLite's -wal and -shm beside it)
    graph/           the triple store, a view of the journal
    snapshots/       hard links to the triple store for queries under way; there only while the folder is held
    loads/           the triples of bulk loads, compressed; the journal names them by their content
    lock             held (flock) by the process that owns the folder; names it and, if it serves, its address
    backup.lock      held by backups under way, so that compaction deletes nothing they still copy
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Final

from ..errors import FleetLockedError, FleetVersionError, InputError, StoreError
from ..ontology.naming import Naming
from .engines.registry import StoreChoice

VERSION: Final = 1


@dataclass(frozen=True)
class FleetFolder:
    """The paths inside one fleet's folder."""

    path: Path
    base: str
    store: StoreChoice = field(default_factory=StoreChoice)
    """The engine that holds the triples."""

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / "journal.sqlite"

    @property
    def graph(self) -> Path:
        """The triple store's folder."""
        return self.path / "graph"

    @property
    def snapshots(self) -> Path:
        """Where readers find what they read; empty while nobody asks."""
        return self.path / "snapshots"

    @property
    def loads(self) -> Path:
        """The folder of bulk loads."""
        return self.path / "loads"


def create_folder(path: Path, base: str, store: StoreChoice | None = None) -> FleetFolder:
    """Make a new fleet's folder. Raises StoreError where there is one already."""
    Naming(base)
    if (path / "fleet.json").exists():
        raise StoreError(f"{path}: there is a fleet already; open it, or choose another folder")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StoreError(f"{path}: is there already and holds something else; choose another folder")
    path.mkdir(parents=True, exist_ok=True)
    document: dict[str, object] = {"format": "voltwin-fleet", "version": VERSION, "base": base}
    if store is not None:
        document["store"] = store.to_json()
    (path / "fleet.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return FleetFolder(path, base, store or StoreChoice())


def read_folder(path: Path) -> FleetFolder:
    """The folder of an existing fleet. Raises StoreError, FleetVersionError."""
    file = path / "fleet.json"
    if not file.is_file():
        raise StoreError(f"{path}: is no fleet (there is no fleet.json); make one with `voltwin init {path} MODEL`")
    try:
        document = json.loads(file.read_text("utf-8"))
        version, base = int(document["version"]), str(document["base"])
        store = StoreChoice.from_json(document.get("store"))
    except (ValueError, KeyError, InputError) as error:
        raise StoreError(f"{file}: is not readable as a fleet's description: {error}") from error
    if version > VERSION:
        raise FleetVersionError(
            f"{path}: fleet version {version} is newer than this voltwin's ({VERSION}); upgrade voltwin"
        )
    return FleetFolder(path, base, store)


class FolderLock:
    """Holds a fleet's folder for this process until it is closed or the process ends."""

    def __init__(self, folder: Path) -> None:
        self._file: FileIO | None = (folder / "lock").open("ab+", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = read_owner(folder)
            self._file.close()
            raise FleetLockedError(f"{folder}: is held by {describe_owner(owner)}") from error
        self._write({})

    def publish(self, address: str) -> None:
        """Say where this process answers."""
        self._write({"address": address})

    def _write(self, more: dict[str, object]) -> None:
        assert self._file is not None
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "command": _command()}
        self._file.seek(0)
        self._file.truncate()
        # What holds the folder is the lock, not the text: on a full disk nobody is told who it is.
        with suppress(OSError):
            self._file.write(json.dumps(owner | more).encode())

    def close(self) -> None:
        """Let go of the folder."""
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            self._file.close()
            self._file = None


def read_owner(folder: Path) -> dict[str, object]:
    """What the lock file says of its holder; empty where nobody says anything.

    ``pid``, ``host``, ``command``, and, if it serves, ``address``.
    """
    try:
        owner = json.loads((folder / "lock").read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # no lock file, or its holder is writing it just now
    return owner if isinstance(owner, dict) else {}


def describe_owner(owner: Mapping[str, object]) -> str:
    """Who holds a folder and what to do about it, for the end of a sentence."""
    if "pid" not in owner:
        return "another process; stop it, or ask it over HTTP if it serves"
    who = f"process {owner['pid']}"
    if owner.get("command"):
        who += f" ({owner['command']})"
    if owner.get("host") not in (None, socket.gethostname()):
        who += f" on {owner['host']}"
    if owner.get("address"):
        return f"{who}, which answers at {owner['address']}; ask it there, or stop it"
    return f"{who}; stop it or wait for its end"


def is_held(folder: Path) -> bool:
    """Whether some process holds the folder now; asks the kernel, not the file's text."""
    try:
        with (folder / "lock").open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _command() -> str:
    """The program and its verb. No more of the command line: it may hold a broker's password."""
    program = Path(sys.argv[0] if sys.argv and sys.argv[0] else sys.executable).name
    verb = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isidentifier() else ""
    return f"{program} {verb}".strip()
