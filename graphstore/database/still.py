"""A database whose folder cannot be written: read-only, or on a full disk.

SQLite in WAL mode wants a file of shared memory beside the database even for reading. Without a log to replay the file
is read as it is; otherwise file and log are copied into a temporary folder, where the log is replayed.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ...errors import StoreError


@dataclass(frozen=True)
class StillFile:
    """The address of a database that no process writes; ``copy`` is the folder of a private copy, if one was needed."""

    address: str
    copy: TemporaryDirectory[str] | None = None

    @classmethod
    def of(cls, file: Path) -> StillFile:
        """Raises StoreError if a copy is needed and there is no room for it."""
        log = file.with_name(f"{file.name}-wal")
        if not log.is_file() or not log.stat().st_size:
            return cls(f"{file.absolute().as_uri()}?mode=ro&immutable=1")
        place = TemporaryDirectory(prefix="voltwin-")
        try:
            for part in (file, log):
                shutil.copyfile(part, Path(place.name) / part.name)
        except OSError as error:
            place.cleanup()
            raise StoreError(
                f"{file}: has a log that must be replayed, its folder cannot be written, and there is no room for a "
                f"copy in {Path(place.name).parent} ({error}); make room, or set TMPDIR to a place that has it"
            ) from error
        return cls(f"{(Path(place.name) / file.name).as_uri()}?mode=rw", place)

    def close(self) -> None:
        """Delete the copy."""
        if self.copy is not None:
            self.copy.cleanup()
