"""A fleet's folder: its files, and the lock that admits one process at a time.

::

    fleet.json       base IRI, fleet id, format version and engine, fixed when the fleet is created
    journal.sqlite   all commits (with SQLite's -wal and -shm beside it)
    graph/           the triple store, a view of the journal
    snapshots/       hard links to the triple store for running queries; exists only while the folder is held
    loads/           the triples of bulk loads, compressed; the journal names them by their content
    handling         the messages under work, for the next process if this one ends
    dead-letters.jsonl  dead letters that were too many for the graph
    lock             held (flock) by the process that owns the folder; names it and, if it is a server, its address
    backup.lock      held by running backups, so that compaction deletes no file they still copy
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import uuid
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
ROOM_TO_OPEN: Final = 8 << 20
"""Free bytes below which a fleet is opened for reading only: the engine writes files of its own when it opens."""


@dataclass(frozen=True)
class FleetFolder:
    """The paths inside one fleet's folder."""

    path: Path
    base: str
    store: StoreChoice = field(default_factory=StoreChoice)
    """The triple store."""
    id: str = ""
    """The name of this fleet among all, also among those with the same base; empty in fleets of older versions."""

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
        """The folder of snapshots for query workers; empty while they are idle."""
        return self.path / "snapshots"

    @property
    def loads(self) -> Path:
        """The folder of bulk loads."""
        return self.path / "loads"


def create_folder(path: Path, base: str, store: StoreChoice | None = None) -> FleetFolder:
    """Create a fleet's folder. Raises StoreError if it exists already."""
    Naming(base)
    if (path / "fleet.json").exists():
        raise StoreError(f"{path}: is a fleet already; open it, or choose another folder")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StoreError(f"{path}: exists already and is not empty; choose another folder")
    path.mkdir(parents=True, exist_ok=True)
    identity = uuid.uuid4().hex
    document: dict[str, object] = {"format": "voltwin-fleet", "version": VERSION, "base": base, "id": identity}
    if store is not None:
        document["store"] = store.to_json()
    (path / "fleet.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return FleetFolder(path, base, store or StoreChoice(), identity)


def read_folder(path: Path) -> FleetFolder:
    """The folder of an existing fleet. Raises StoreError, FleetVersionError."""
    file = path / "fleet.json"
    if not file.is_file():
        raise StoreError(f"{path}: is no fleet (it has no fleet.json); create one with `voltwin init {path} MODEL`")
    try:
        document = json.loads(file.read_text("utf-8"))
        version, base = int(document["version"]), str(document["base"])
        store, identity = StoreChoice.from_json(document.get("store")), str(document.get("id", ""))
    except (ValueError, KeyError, InputError) as error:
        raise StoreError(f"{file}: cannot be read as a fleet's description: {error}") from error
    if version > VERSION:
        raise FleetVersionError(
            f"{path}: fleet version {version} is newer than this voltwin's ({VERSION}); upgrade voltwin"
        )
    return FleetFolder(path, base, store, identity)


def write_id(path: Path, identity: str) -> None:
    """Replace the id in the fleet.json of ``path``."""
    file = path / "fleet.json"
    document = json.loads(file.read_text("utf-8")) | {"id": identity}
    made = file.with_suffix(".new")
    made.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    made.replace(file)


def write_like(path: Path, model: Path, identity: str) -> None:
    """Write a fleet.json in ``path`` like that of ``model``, for fleet ``identity`` with its engine in the folder."""
    document = json.loads((model / "fleet.json").read_text("utf-8")) | {"id": identity}
    document.pop("store", None)
    if isinstance(document.get("series"), dict):
        document["series"].pop("archive", None)
    (path / "fleet.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def can_be_written(path: Path) -> bool:
    """Whether this process may write into a fleet's folder, and its disk has room to open the fleet."""
    disk = os.statvfs(path)
    return os.access(path, os.W_OK) and disk.f_bavail * disk.f_frsize >= ROOM_TO_OPEN


class FolderLock:
    """Holds a fleet's folder for this process until it is closed or the process ends.

    With ``reading`` several processes hold it, none that writes, and nothing is written into it.
    """

    def __init__(self, folder: Path, *, reading: bool = False) -> None:
        self._file: FileIO | None = None
        self._reading = reading
        file = folder / "lock"
        if reading and not file.exists():
            return  # no process has ever held it, and none can be kept off by a file that cannot be made
        try:
            self._file = file.open("rb" if reading else "ab+", buffering=0)
        except OSError as error:
            raise StoreError(
                f"{folder}: cannot be written ({error.strerror}); its fleet can be read, and served with --read-only"
            ) from error
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if reading else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            owner = read_owner(folder)
            self._file.close()
            raise FleetLockedError(f"{folder}: is held by {describe_owner(owner)}") from error
        self._write({})

    def publish(self, address: str) -> None:
        """Write the address of this server into the lock file."""
        self._write({"address": address})

    def _write(self, more: dict[str, object]) -> None:
        if self._reading:
            return
        assert self._file is not None
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "command": _command()}
        self._file.seek(0)
        self._file.truncate()
        # The lock holds the folder, not the text: on a full disk the owner is not named.
        with suppress(OSError):
            self._file.write(json.dumps(owner | more).encode())

    def close(self) -> None:
        """Release the folder."""
        if self._file is not None:
            if not self._reading:
                self._file.seek(0)
                self._file.truncate()
            self._file.close()
            self._file = None


def read_owner(folder: Path) -> dict[str, object]:
    """The owner named in the lock file; empty if there is none.

    ``pid``, ``host``, ``command``, and, of a server, ``address``.
    """
    try:
        owner = json.loads((folder / "lock").read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # no lock file, or its holder is writing it just now
    return owner if isinstance(owner, dict) else {}


def describe_owner(owner: Mapping[str, object]) -> str:
    """The owner of a folder and the remedy, as the end of a sentence."""
    if "pid" not in owner:
        return "another process; stop it, or use its HTTP address if it is a server"
    who = f"process {owner['pid']}"
    if owner.get("command"):
        who += f" ({owner['command']})"
    if owner.get("host") not in (None, socket.gethostname()):
        who += f" on {owner['host']}"
    if owner.get("address"):
        return f"{who}, which answers at {owner['address']}; use that address, or stop it"
    return f"{who}; stop it or wait until it ends"


def is_held(folder: Path) -> bool:
    """Whether a process holds the folder now, by the lock and not by the file's text."""
    try:
        with (folder / "lock").open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _command() -> str:
    """The program and its verb. No more of the command line, which may contain a password."""
    program = Path(sys.argv[0] if sys.argv and sys.argv[0] else sys.executable).name
    verb = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isidentifier() else ""
    return f"{program} {verb}".strip()
