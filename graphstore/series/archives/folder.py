"""Sealed files in a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ....errors import StoreError
from .archive import missing


class FolderArchive:
    """Files in a local folder, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = str(folder)

    def put(self, name: str, data: bytes) -> None:
        """Written beside, synced, renamed: a name either holds all of it or is not there."""
        target = self._folder / name
        beside = target.with_name(target.name + PARTIAL)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.rename(target)
            # The folders' entries as well: after power loss a registered file has to be found.
            for folder in (target.parent, self._folder, self._folder.parent):
                _sync(folder)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise StoreError(f"{target}: the sealed file cannot be written: {error}") from error

    def get(self, name: str) -> bytes:
        """The whole file."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError as error:
            raise missing(self.address, name) from error
        except OSError as error:
            raise StoreError(f"{self._folder / name}: the sealed file cannot be read: {error}") from error

    def delete(self, name: str) -> None:
        """Take it away."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder / name}: the sealed file cannot be deleted: {error}") from error

    def names(self) -> Iterator[str]:
        """Every file, those that a crash left half-written (``….partial``) included."""
        return (str(file.relative_to(self._folder)) for file in self._folder.rglob("*") if file.is_file())

    def path(self, name: str) -> Path | None:
        """The file itself."""
        return self._folder / name

    def close(self) -> None:
        """Nothing is held."""


PARTIAL: Final = ".partial"
"""How the names of files end that are being written."""


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
