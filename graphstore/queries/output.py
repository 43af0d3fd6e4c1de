"""An answer on its way out of the engine, cut off where it has too many rows or bytes.

The engine writes results as text in pieces of a few kilobytes and cannot be told how many; so the rows are
counted in that text, by what separates rows in each format and can stand nowhere else.
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
    """TSV: a line a row behind the header; line ends in values are escaped."""

    def __init__(self) -> None:
        self._lines = 0

    def __call__(self, piece: bytes) -> int:
        self._lines += piece.count(b"\n")
        return self._lines - 1


class _CsvCounter:
    """CSV: like lines, but a quoted value may hold some; quotes within a value are doubled, which cancels out."""

    def __init__(self) -> None:
        self._lines = 0
        self._quoted = False

    def __call__(self, piece: bytes) -> int:
        parts = piece.split(b'"')
        self._lines += sum(part.count(b"\n") for part in parts[self._quoted :: 2])
        self._quoted ^= len(parts) % 2 == 0
        return self._lines - 1


class _XmlCounter:
    """XML: an element a row; ``<`` in values is escaped."""

    def __init__(self) -> None:
        self._rows = 0
        self._tail = b""

    def __call__(self, piece: bytes) -> int:
        text = self._tail + piece
        self._rows += text.count(_ROW_TAG)
        self._tail = text[1 - len(_ROW_TAG) :]
        return self._rows


class _JsonCounter:
    """JSON: ``},{`` outside of strings stands between two rows and nowhere else."""

    def __init__(self) -> None:
        self._rows = 1
        self._inside = False
        self._held = b""
        self._tail = b""

    def __call__(self, piece: bytes) -> int:
        text = self._held + piece
        body = text.rstrip(b"\\")  # an escape may go on in the next piece
        self._held = text[len(body) :]
        parts = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        # Where a string was taken out a quote is left, so that nothing joins over it.
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
    """Give it the pieces of a SELECT's answer in order; it returns the rows so far (at least 1 in JSON)."""
    return _COUNTERS[kind.file_extension]()


class BoundedOutput(BytesIO):
    """Collects what is written, at most ``limits.bytes``; writing raises QueryLimitError beyond."""

    def __init__(self, limits: QueryLimits, rows: Callable[[bytes], int] | None = None) -> None:
        super().__init__()
        self._limits, self._rows = limits, rows

    def write(self, piece: ReadableBuffer, /) -> int:
        """Take one piece."""
        if self._rows is not None and self._rows(bytes(piece)) > self._limits.rows:
            raise self._limits.over_rows()
        written = super().write(piece)
        if self.tell() > self._limits.bytes:
            raise self._limits.over_bytes()
        return written


def at_most(items: Iterable[_Item], limits: QueryLimits) -> Iterator[_Item]:
    """``items``, as long as they are not too many. Raises QueryLimitError."""
    for number, item in enumerate(items, start=1):
        if number > limits.rows:
            raise limits.over_rows()
        yield item
