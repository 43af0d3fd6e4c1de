"""Sealed files in a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ....errors import StoreError
from .archive import missing


class FolderArchive:
    """Files in a local folder, which is created with the first file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = str(folder)

    def put(self, name: str, data: bytes) -> None:
        """Write under another name, sync, rename: the file is complete or missing."""
        target = self._folder / name
        beside = target.with_name(target.name + PARTIAL)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.rename(target)
            # The directory entries as well: after power loss a registered file must be found.
            for folder in (target.parent, self._folder, self._folder.parent):
                sync_folder(folder)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise StoreError(f"{target}: the sealed file cannot be written: {error}") from error

    def get(self, name: str) -> bytes:
        """The content of a file."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError as error:
            raise missing(self.address, name) from error
        except OSError as error:
            raise StoreError(f"{self._folder / name}: the sealed file cannot be read: {error}") from error

    def delete(self, name: str) -> None:
        """Delete a file."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder / name}: the sealed file cannot be deleted: {error}") from error

    def names(self) -> Iterator[str]:
        """Every file, including those half-written before a crash (``….partial``)."""
        return (str(file.relative_to(self._folder)) for file in self._folder.rglob("*") if file.is_file())

    def path(self, name: str) -> Path | None:
        """The path of a file."""
        return self._folder / name

    def close(self) -> None:
        """Do nothing."""


PARTIAL: Final = ".partial"
"""The extension of files during writing."""


def sync_folder(folder: Path) -> None:
    """Write the directory entries of ``folder`` to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
