"""Sealed files as rows of a table in PostgreSQL (extra ``postgres``).

The address is libpq's, ``postgresql://host/database?table=fleet_7``; ``table`` is added by voltwin and names the table
(by default ``voltwin_series``). Passwords are read from ``PGPASSWORD`` or ``~/.pgpass``. A put is one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from ....errors import InputError, StoreError
from .archive import missing

_TABLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresArchive:
    """One table; one connection, opened on first use and again after it broke."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query))
        self._table = options.pop("table", "voltwin_series")
        # Built by hand: the host may be empty, and a socket's folder among the options.
        self.address = f"postgresql://{parts.netloc}{parts.path}"
        self._connect_to = f"{self.address}?{urlencode(options)}"
        if not _TABLE.fullmatch(self._table):
            raise InputError(f"archive {self.address}: table {self._table!r}; use lower case, digits and underscores")
        if "password" in options:
            raise InputError(f"archive {self.address}: contains a password; set it in PGPASSWORD or ~/.pgpass")
        self._lock = RLock()
        self._connection: Any = None

    @contextmanager
    def _cursor(self, what: str) -> Iterator[Any]:
        try:
            postgres = import_module("psycopg")
        except ImportError as error:
            raise StoreError(
                f"{self.address}: PostgreSQL requires an extra; install it with: pip install voltwin[postgres]"
            ) from error
        with self._lock:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = postgres.connect(self._connect_to, connect_timeout=20)
                    self._prepare()
                with self._connection.transaction(), self._connection.cursor() as cursor:
                    yield cursor
            except postgres.Error as error:
                raise StoreError(f"{self.address}: {what}: {error}") from error

    def _prepare(self) -> None:
        self._connection.autocommit = True
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table} (name text PRIMARY KEY, data bytea NOT NULL)"
        )

    def _ask(self, what: str, statement: str, values: tuple[Any, ...] = (), give: Callable[[Any], Any] = bool) -> Any:
        with self._cursor(what) as cursor:
            cursor.execute(statement, values)
            return give(cursor)

    def put(self, name: str, data: bytes) -> None:
        """Store ``data``, in one transaction."""
        statement = f"INSERT INTO {self._table} VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET data = excluded.data"  # noqa: S608 - the table's name was checked
        self._ask(f"{name} cannot be written", statement, (name, data))

    def get(self, name: str) -> bytes:
        """The content of a file."""
        statement = f"SELECT data FROM {self._table} WHERE name = %s"  # noqa: S608 - the table's name was checked
        row = self._ask(f"{name} cannot be read", statement, (name,), lambda cursor: cursor.fetchone())
        if row is None:
            raise missing(self.address, name)
        return bytes(row[0])

    def delete(self, name: str) -> None:
        """Delete a file."""
        statement = f"DELETE FROM {self._table} WHERE name = %s"  # noqa: S608 - the table's name was checked
        self._ask(f"{name} cannot be deleted", statement, (name,))

    def names(self) -> Iterator[str]:
        """Every file."""
        statement = f"SELECT name FROM {self._table}"  # noqa: S608 - the table's name was checked
        rows = self._ask("cannot be listed", statement, (), lambda cursor: cursor.fetchall())
        return (str(name) for (name,) in rows)

    def path(self, name: str) -> Path | None:
        """None: the files are on no local disk."""
        return None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
