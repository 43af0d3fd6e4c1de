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

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ....errors import StoreError


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


def missing(address: str, name: str) -> SealedFileMissing:
    """The error of a file that is not there."""
    return SealedFileMissing(
        f"{address}: the sealed file {name} is missing; `voltwin fsck` lists what it held, and a backup has it"
    )
