"""The archive of a fleet by its address: a folder, a bucket, any fsspec file system, a PostgreSQL table."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ....errors import InputError
from .archive import SeriesArchive
from .folder import FolderArchive


def open_archive(address: str, folder: Path) -> SeriesArchive:
    """The archive at ``address``; empty: ``folder``. It connects on first use.

    Raises InputError for an address that is not understood or contains a password.
    """
    if "://" not in address:
        return FolderArchive(folder.parent / address if address else folder)
    parts = urlsplit(address)
    if parts.password is not None:
        raise InputError(
            f"archive {parts.scheme}://{parts.hostname}: contains a password, which must not be in fleet.json; "
            "remove it and set it in the environment"
        )
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "file":
        return FolderArchive(Path(parts.path))
    if parts.scheme in ("postgresql", "postgres"):
        from .postgres import PostgresArchive

        return PostgresArchive(address)
    from .arrow import open_file_system

    return open_file_system(parts, options)
