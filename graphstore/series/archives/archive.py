"""The protocol of archives for sealed files: a folder, a bucket, any fsspec file system, a table in PostgreSQL.

    open_archive("", folder)                                            # the fleet's own folder ``series``
    open_archive("s3://bucket/fleet-7?endpoint_override=s3.example:8333&scheme=http", folder)
    open_archive("sftp://host/fleet-7", folder)                         # by fsspec, where its package is installed
    open_archive("postgresql://host/database?table=fleet_7", folder)    # extra ``postgres``

Give every fleet an address of its own. An address must not contain credentials, since it is written into
``fleet.json``: S3 reads them from the environment (``AWS_ACCESS_KEY_ID`` and so on), PostgreSQL too (``PGPASSWORD``).

A file is written once under a name unique to its content, and never changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ....errors import StoreError


class SeriesArchive(Protocol):
    """Stores files by name. Every method raises StoreError if the place refuses or cannot be reached."""

    @property
    def address(self) -> str:
        """The address, for people."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Store ``data``; durable when this returns, and never visible in part."""
        ...

    def get(self, name: str) -> bytes:
        """The content of a file. Raises SealedFileMissing."""
        ...

    def delete(self, name: str) -> None:
        """Delete a file; a missing one is no error."""
        ...

    def names(self) -> Iterator[str]:
        """Every file, in no particular order."""
        ...

    def path(self, name: str) -> Path | None:
        """The file on a local disk, which programs can read directly; None elsewhere."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class SealedFileMissing(StoreError):
    """A sealed file is missing from its archive."""


def missing(address: str, name: str) -> SealedFileMissing:
    """The error for a missing file."""
    return SealedFileMissing(
        f"{address}: the sealed file {name} is missing; `voltwin fsck` lists its content, and a backup has it"
    )
