"""Output of answers, stopped at the limit of rows or bytes.

The engine writes results as text in chunks of a few kilobytes and accepts no limit; so the rows are
counted in that text, by a separator of each format that cannot occur elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Final, TypeVar

from pyoxigraph import QueryResultsFormat

from .limits import QueryLimits

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_Item = TypeVar("_Item")
_ROW_TAG: Final = b"<result>"
_BETWEEN_ROWS: Final = b"},{"


class _LineCounter:
    """TSV: a line for each row after the header; line feeds in values are escaped."""

    def __init__(self) -> None:
        self._lines = 0

    def __call__(self, chunk: bytes) -> int:
        self._lines += chunk.count(b"\n")
        return self._lines - 1


class _CsvCounter:
    """CSV: lines, except in quoted values; quotes in values are doubled, which cancels out."""

    def __init__(self) -> None:
        self._lines = 0
        self._quoted = False

    def __call__(self, chunk: bytes) -> int:
        parts = chunk.split(b'"')
        self._lines += sum(part.count(b"\n") for part in parts[self._quoted :: 2])
        self._quoted ^= len(parts) % 2 == 0
        return self._lines - 1


class _XmlCounter:
    """XML: an element for each row; ``<`` in values is escaped."""

    def __init__(self) -> None:
        self._rows = 0
        self._tail = b""

    def __call__(self, chunk: bytes) -> int:
        text = self._tail + chunk
        self._rows += text.count(_ROW_TAG)
        self._tail = text[1 - len(_ROW_TAG) :]
        return self._rows


class _JsonCounter:
    """JSON: ``},{`` outside of strings occurs only between two rows."""

    def __init__(self) -> None:
        self._rows = 1
        self._inside = False
        self._held = b""
        self._tail = b""

    def __call__(self, chunk: bytes) -> int:
        text = self._held + chunk
        body = text.rstrip(b"\\")  # an escape may continue in the next chunk
        self._held = text[len(body) :]
        parts = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        # A quote replaces each removed string, so that its neighbours do not join.
        outside = self._tail + b'"'.join([b"", *parts[1::2]] if self._inside else parts[::2])
        self._rows += outside.count(_BETWEEN_ROWS)
        self._tail = outside[1 - len(_BETWEEN_ROWS) :]
        self._inside ^= len(parts) % 2 == 0
        return self._rows


_COUNTERS: Final[dict[str, Callable[[], Callable[[bytes], int]]]] = {
    QueryResultsFormat.JSON.file_extension: _JsonCounter,
    QueryResultsFormat.XML.file_extension: _XmlCounter,
    QueryResultsFormat.CSV.file_extension: _CsvCounter,
    QueryResultsFormat.TSV.file_extension: _LineCounter,
}


def row_counter(kind: QueryResultsFormat) -> Callable[[bytes], int]:
    """A function that receives the chunks of an answer and returns the rows so far (at least 1 in JSON)."""
    return _COUNTERS[kind.file_extension]()


class BoundedOutput(BytesIO):
    """A buffer of at most ``limits.bytes``; writing more raises QueryLimitError."""

    def __init__(self, limits: QueryLimits, rows: Callable[[bytes], int] | None = None) -> None:
        super().__init__()
        self._limits, self._rows = limits, rows

    def write(self, chunk: ReadableBuffer, /) -> int:
        """Write one chunk."""
        if self._rows is not None and self._rows(bytes(chunk)) > self._limits.rows:
            raise self._limits.over_rows()
        written = super().write(chunk)
        if self.tell() > self._limits.bytes:
            raise self._limits.over_bytes()
        return written


def at_most(items: Iterable[_Item], limits: QueryLimits) -> Iterator[_Item]:
    """``items``, up to the limit of rows. Raises QueryLimitError."""
    for number, item in enumerate(items, start=1):
        if number > limits.rows:
            raise limits.over_rows()
        yield item
