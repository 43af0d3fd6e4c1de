"""Maintenance of the sealed files: list, check, and delete those no longer needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ...errors import StoreError
from ...ontology.literals import to_microseconds
from . import hot
from .sealing import Sealer
from .source import decode_file


@dataclass(frozen=True)
class SealedFiles:
    """The sealed files of one fleet, for backup, compact and fsck. Names are those inside the archive."""

    _sealer: Sealer

    def all(self) -> list[hot.Sealed]:
        """Every file that is part of the series."""
        return hot.all_sealed(self._sealer.source.database.reader())

    def check(self, item: hot.Sealed) -> None:
        """Raises StoreError if a file is missing, damaged or not the registered one."""
        archive = self._sealer.source.archive
        rows = decode_file(item, archive.get(item.file), archive.address)
        if len(rows) != item.rows:
            raise StoreError(f"{archive.address}: {item.file} contains {len(rows)} samples instead of {item.rows}")

    def unnamed(self) -> Iterator[str]:
        """Files that are not registered, because of a crash after writing them. Not to be used during a sealing."""
        known = {item.file for item in self.all()} | set(self.discarded())
        return (name for name in self._sealer.source.archive.names() if name not in known)

    def discarded(self, before: datetime | None = None) -> list[str]:
        """Files no longer needed since before a moment."""
        reader = self._sealer.source.database.reader()
        rows = reader.execute("SELECT file, since FROM discarded ORDER BY file").fetchall()
        limit = None if before is None else to_microseconds(before)
        return [
            file.removeprefix(hot.PLACE)
            for file, since in rows
            if file.startswith(hot.PLACE) and (limit is None or since < limit)
        ]

    def delete_discarded(self, before: datetime | None = None) -> int:
        """Delete files no longer needed and return their number. Not during a backup, which may copy one of them."""
        source, done = self._sealer.source, 0
        for file in self.discarded(before):
            with self._sealer.lock:
                row = "SELECT 1 FROM discarded WHERE file = ?"
                # It may be in use again: the same samples have the same name.
                if source.database.reader().execute(row, (hot.PLACE + file,)).fetchone():
                    source.archive.delete(file)
                    with source.database.transaction() as writer:
                        writer.execute("DELETE FROM discarded WHERE file = ?", (hot.PLACE + file,))
                    done += 1
        return done
