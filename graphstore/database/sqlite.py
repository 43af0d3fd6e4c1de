"""One SQLite file with one writer and as many readers as there are threads.

Writes go through :meth:`Database.transaction`: all of it or nothing, on disk when it returns (WAL,
``synchronous=FULL``). Readers never wait for the writer and see whole transactions only. Opened with
``writable=False`` it may be read by a second process while the first one writes, also where the folder is read-only
or the disk full.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ...errors import FleetVersionError, StoreError
from .accounts import Accounts
from .chain import HASHES_SINCE
from .check import fill_hashes
from .hashes import teach
from .still import StillFile


class Database:
    """A database file; ``versions[n]`` is the script that upgrades it from version ``n`` to ``n + 1``.

    It is created if there is none, unless ``create`` is false.
    """

    def __init__(self, file: Path, versions: Sequence[str], *, writable: bool = True, create: bool = True) -> None:
        self.file = file
        self._lock = threading.RLock()
        self._readers = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        self.writable = writable
        self._still: StillFile | None = None
        # Asked before connecting, which would leave an empty file behind.
        if not create and not (file.is_file() and file.stat().st_size):
            raise self._no_journal()
        try:
            self._writer = self._connect() if writable else self._connect_beside()
            try:
                self._upgrade(versions, writable, create)
                self._accounts = Accounts(self._writer) if writable and len(versions) >= HASHES_SINCE else None
            except BaseException:
                self._writer.close()
                self._forget_copy()
                raise
        except (sqlite3.Error, UnicodeError) as error:  # an error's own text may be damaged
            raise StoreError(
                f"{file}: cannot open the journal: {error}; check that the disk has space and that the file is writable"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            teach(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL: a commit that returned survives power loss, not only the end of the process.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = OFF")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_beside(self) -> sqlite3.Connection:
        """A connection for reading, also where SQLite cannot put its shared memory beside the file."""
        try:
            return self._connect_tried()
        except sqlite3.OperationalError:
            if not self.file.is_file():
                raise
        self._still = StillFile.of(self.file)
        try:
            return self._connect_tried()
        except BaseException:
            self._forget_copy()
            raise

    def _connect_tried(self) -> sqlite3.Connection:
        connection = self._connect_reader()
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _forget_copy(self) -> None:
        if self._still is not None:
            self._still.close()

    def _connect_reader(self) -> sqlite3.Connection:
        address = f"{self.file.absolute().as_uri()}?mode=ro" if self._still is None else self._still.address
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
        teach(connection)
        return connection

    def _no_journal(self) -> StoreError:
        problem = "is empty" if self.file.is_file() else "is missing"
        return StoreError(
            f"{self.file}: the fleet's journal {problem}; nothing was created or changed; put the file back, or "
            "restore a backup with `voltwin restore` (do not rebuild: the graph may be the only copy)"
        )

    def _upgrade(self, versions: Sequence[str], writable: bool, create: bool) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version == len(versions):
            return
        if version <= 0 and not (create and writable):
            raise self._no_journal()
        if version > len(versions):
            raise FleetVersionError(
                f"{self.file}: journal version {version} is newer than this voltwin's ({len(versions)}); "
                "upgrade voltwin"
            )
        if not writable:
            raise FleetVersionError(
                f"{self.file}: journal version {version} is older than this voltwin's ({len(versions)}); "
                "open the fleet once to upgrade it"
            )
        try:
            self._writer.executescript(f"BEGIN IMMEDIATE; {''.join(versions[version:])}")
            if version < HASHES_SINCE <= len(versions):
                fill_hashes(self._writer)
            # Not executescript: it would commit what is pending before it begins.
            self._writer.execute(f"PRAGMA user_version = {len(versions)}")
            self._writer.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def reader(self) -> sqlite3.Connection:
        """The calling thread's connection for reading."""
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._connect_reader()
            self._readers.connection = connection
            with self._lock:
                self._open_readers.append(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writer, for one transaction. Raises StoreError (disk full, file missing); then nothing was written."""
        with self._lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                if self._accounts is not None:
                    self._accounts.clear()
                yield self._writer
                if self._accounts is not None:
                    self._accounts.write()
                self._writer.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                # Text and numbers that SQLite cannot store are refused before they reach it.
                if isinstance(error, sqlite3.Error | UnicodeError | OverflowError):
                    raise StoreError(f"{self.file}: the commit was not written: {error}") from error
                raise

    def _roll_back(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # closed: nothing to roll back
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def maintain(self, statement: str) -> None:
        """Run a statement outside of transactions, such as ``VACUUM``. Raises StoreError."""
        with self._lock:
            try:
                self._writer.execute(statement)
            except sqlite3.Error as error:
                raise StoreError(f"{self.file}: {statement} failed: {error}") from error

    def close(self) -> None:
        """Close the file, including the readers of other threads."""
        with self._lock, closing(self._writer):
            for connection in self._open_readers:
                connection.close()
            self._open_readers.clear()
        self._forget_copy()
