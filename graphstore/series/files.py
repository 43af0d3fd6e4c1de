"""Care of the sealed files: which there are, whether they are whole, which nothing needs any more."""

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
    """What backup, compact and fsck ask of the files of one fleet. Names are those inside the archive."""

    _sealer: Sealer

    def all(self) -> list[hot.Sealed]:
        """Every file that is part of the series."""
        return hot.all_sealed(self._sealer.source.database.reader())

    def check(self, item: hot.Sealed) -> None:
        """Raises StoreError where a file is missing, damaged or not what was registered."""
        archive = self._sealer.source.archive
        rows = decode_file(item, archive.get(item.file), archive.address)
        if len(rows) != item.rows:
            raise StoreError(f"{archive.address}: {item.file} holds {len(rows)} samples, {item.rows} were registered")

    def unnamed(self) -> Iterator[str]:
        """Files that nothing names: what a crash left between writing and naming. Not while somebody seals."""
        known = {item.file for item in self.all()} | set(self.discarded())
        return (name for name in self._sealer.source.archive.names() if name not in known)

    def discarded(self, before: datetime | None = None) -> list[str]:
        """Files that nothing needs any more, since before a moment."""
        reader = self._sealer.source.database.reader()
        rows = reader.execute("SELECT file, since FROM discarded ORDER BY file").fetchall()
        limit = None if before is None else to_microseconds(before)
        return [
            file.removeprefix(hot.PLACE)
            for file, since in rows
            if file.startswith(hot.PLACE) and (limit is None or since < limit)
        ]

    def delete_discarded(self, before: datetime | None = None) -> int:
        """Delete files that nothing needs; how many. Not while a backup runs: it may be copying one of them."""
        source, done = self._sealer.source, 0
        for file in self.discarded(before):
            with self._sealer.lock:
                row = "SELECT 1 FROM discarded WHERE file = ?"
                # It may be in use again: same samples, same name.
                if source.database.reader().execute(row, (hot.PLACE + file,)).fetchone():
                    source.archive.delete(file)
                    with source.database.transaction() as writer:
                        writer.execute("DELETE FROM discarded WHERE file = ?", (hot.PLACE + file,))
                    done += 1
        return done

    def delete_unnamed(self) -> int:
        """Delete what a crash left; how many."""
        with self._sealer.lock:
            names = list(self.unnamed())
            for name in names:
                self._sealer.source.archive.delete(name)
        return len(names)
