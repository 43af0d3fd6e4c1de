"""The manifest of a backup or an export: every file with its size and SHA-256, and the fleet it was made from.

It is written last, so that a folder without one is no backup, and a folder with one is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from ...errors import FleetVersionError, StoreError
from ..series.archives.folder import sync_folder

NAME: Final = "manifest.json"
VERSION: Final = 1
_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class FileEntry:
    """One file: bytes and SHA-256 in hex."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """``format`` names the kind of the folder; ``facts`` are the entries that only this kind has."""

    format: str
    base: str
    sequence: int
    created: str
    files: Mapping[str, FileEntry]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the manifest into ``folder``; it is on disk when this returns."""
        files = {name: {"bytes": entry.size, "sha256": entry.sha256} for name, entry in sorted(self.files.items())}
        head = {"format": self.format, "version": VERSION, "base": self.base, "sequence": self.sequence}
        document = {**head, "created": self.created, **self.facts, "files": files}
        unfinished = folder / f"{NAME}.unfinished"
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / NAME)
        sync_folder(folder)

    @classmethod
    def read(cls, folder: Path, format: str) -> Self:
        """The manifest of ``folder``. Raises StoreError, FleetVersionError."""
        file = folder / NAME
        if not file.is_file():
            raise StoreError(f"{folder}: is no {format.removeprefix('voltwin-')} (there is no {NAME})")
        try:
            document = json.loads(file.read_text("utf-8"))
            found, version = str(document.pop("format")), int(document.pop("version"))
            if found != format:
                raise StoreError(f"{file}: is a {found}, not a {format}")
            if version > VERSION:
                raise FleetVersionError(
                    f"{file}: version {version} is newer than this voltwin's ({VERSION}); upgrade voltwin"
                )
            base, sequence = str(document.pop("base")), int(document.pop("sequence"))
            created, files = str(document.pop("created")), document.pop("files")
            entries = {name: FileEntry(int(item["bytes"]), str(item["sha256"])) for name, item in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{file}: cannot be read as a manifest: {error!r}; take another copy") from error
        for name in entries:
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise StoreError(
                    f"{file}: names the file {name!r}, which lies outside of the folder; take another copy"
                )
        return cls(format, base, sequence, created, entries, document)

    def copy(self, name: str, source: Path, target: Path) -> None:
        """Copy the file ``name`` from folder to folder. Raises StoreError if it differs from its entry."""
        entry = self.files[name]
        try:
            found = copy_file(source / name, target / name)
        except FileNotFoundError:
            raise StoreError(f"{source / name}: is missing though the manifest names it; take another copy") from None
        if found != entry:
            raise StoreError(
                f"{source / name}: is damaged ({found.size} bytes with SHA-256 {found.sha256[:12]}…, the manifest says "
                f"{entry.size} with {entry.sha256[:12]}…); take another copy"
            )


def copy_file(source: Path, target: Path) -> FileEntry:
    """Copy one file and return its entry; the copy is on disk when this returns."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())
    return FileEntry(size, digest.hexdigest())


def entry_of(file: Path) -> FileEntry:
    """The entry of ``file``."""
    with file.open("rb") as reading:
        digest = hashlib.file_digest(reading, "sha256").hexdigest()
        return FileEntry(reading.tell(), digest)
