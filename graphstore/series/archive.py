"""Where sealed files lie: a folder, a bucket, any file system that fsspec knows, a table in PostgreSQL.

    open_archive("", folder)                                            # the fleet's own folder ``series``
    open_archive("s3://bucket/fleet-7?endpoint_override=s3.example:8333&scheme=http", folder)
    open_archive("sftp://host/fleet-7", folder)                         # by fsspec, where its package is installed
    open_archive("postgresql://host/database?table=fleet_7", folder)    # extra ``postgres``

Give every fleet an address of its own. Credentials never stand in an address, since it is written into
``fleet.json``: S3 takes them from the environment (``AWS_ACCESS_KEY_ID`` and so on), PostgreSQL too (``PGPASSWORD``).

A file is written once under a name that no other content has, and never changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from ...errors import InputError, StoreError


class SeriesArchive(Protocol):
    """Keeps files by name. Every method raises StoreError where the place refuses or is not there."""

    @property
    def address(self) -> str:
        """Where it is, for people."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data``; on disk or taken over by the service when this returns, and never seen half."""
        ...

    def get(self, name: str) -> bytes:
        """The whole file. Raises SealedFileMissing where it is not there."""
        ...

    def delete(self, name: str) -> None:
        """Take it away; one that is not there is no error."""
        ...

    def names(self) -> Iterator[str]:
        """Every file there is, in no particular order."""
        ...

    def path(self, name: str) -> Path | None:
        """The file on a local disk, where programs can read it themselves; None elsewhere."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class SealedFileMissing(StoreError):
    """A sealed file is not where it was put."""


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


def missing(address: str, name: str) -> SealedFileMissing:
    """The error of a file that is not there."""
    return SealedFileMissing(
        f"{address}: the sealed file {name} is missing; `voltwin fsck` lists what it held, and a backup has it"
    )


def open_archive(address: str, folder: Path) -> SeriesArchive:
    """The archive at ``address``; empty: ``folder``. Nothing is connected before it is used.

    Raises InputError for an address that is not understood or that carries a password.
    """
    if "://" not in address:
        return FolderArchive(folder.parent / address if address else folder)
    parts = urlsplit(address)
    if parts.password is not None:
        raise InputError(
            f"archive {parts.scheme}://{parts.hostname}: has a password in it, and fleet.json is no place for one; "
            "leave it out and give it by the environment"
        )
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "file":
        return FolderArchive(Path(parts.path))
    if parts.scheme in ("postgresql", "postgres"):
        from .archive_postgres import PostgresArchive

        return PostgresArchive(address)
    from .archive_arrow import open_file_system

    return open_file_system(parts, options)
