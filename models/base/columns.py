"""Ragged columns: one row per instance, rows of any length, in flat arrays (the CSR layout).

>>> from voltwin.models.base.columns import Ragged
>>> cells = Ragged.from_rows([[3.65, 3.66], [3.70]])
>>> cells.lengths.tolist(), cells.minimum().tolist()
([2, 1], [3.65, 3.7])

A fleet has modules with different numbers of cells and histories with different numbers of segments;
in this layout one numpy call processes them all, without padding and without a loop over modules.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_Key = TypeVar("_Key", bound=Hashable)

#: Values to process at once where whole rows are needed: temporaries of half a megabyte each.
VALUES_AT_ONCE: Final = 65_536
#: Values to process at once where any will do: the temporaries stay in the processor's cache.
CACHED_VALUES: Final = 8192
#: Two segment ends closer than this (seconds) are one instant: doubles of Unix seconds resolve 0.2 µs.
TIME_TOLERANCE: Final = 1e-3


def offsets_of(lengths: Integers | Sequence[int]) -> Integers:
    """Row boundaries ``(n + 1,)`` from row lengths ``(n,)``."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def row_sums(values: Floats, offsets: Integers) -> Floats:
    """Sum of each row ``(n,)``; an empty row sums to 0."""
    sums = np.zeros(len(offsets) - 1)
    # reduceat misreads empty rows; without them each row ends where the next one starts.
    filled = offsets[:-1] < offsets[1:]
    if filled.any():
        sums[filled] = np.add.reduceat(values, offsets[:-1][filled])
    return sums


def running_sums(values: Floats, offsets: Integers) -> Floats:
    """Sum of each row up to and including each value ``(N,)``.

    By doubling within the rows: a cumulative sum over the flat array would round each row by what lies before it.
    """
    sums = values.copy()
    lengths = np.diff(offsets)
    place = np.arange(values.size) - np.repeat(offsets[:-1], lengths)
    step, longest = 1, int(lengths.max(initial=0))
    while step < longest:
        sums[step:] += np.where(place[step:] >= step, sums[:-step], 0.0)
        step *= 2
    return sums


def row_blocks(offsets: Integers, size: int = VALUES_AT_ONCE) -> Iterator[tuple[int, int]]:
    """Consecutive rows, as (first, end), with at most ``size`` values together; a longer row is a block of its own."""
    first = 0
    while first < len(offsets) - 1:
        end = max(int(np.searchsorted(offsets, offsets[first] + size, side="right")) - 1, first + 1)
        yield first, end
        first = end


class _Rows:
    """Rows in flat arrays, delimited by ``offsets`` ``(n + 1,)``."""

    __slots__ = ()
    offsets: Integers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Integers:
        """Row lengths ``(n,)``."""
        return np.diff(self.offsets)

    @property
    def rows(self) -> Integers:
        """The row each flat value belongs to ``(N,)``."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, rows: Integers) -> Self:
        """The rows named, in that order."""
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        return self._select(np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths), offsets)

    def between(self, first: int, end: int) -> Self:
        """The rows from ``first`` to before ``end``: views, not copies."""
        offsets = self.offsets[first : end + 1]
        return self._select(slice(int(offsets[0]), int(offsets[-1])), offsets - offsets[0])

    def _select(self, index: Integers | slice, offsets: Integers) -> Self:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Ragged(_Rows):
    """Rows of floats: ``values`` ``(N,)`` flat, ``offsets`` ``(n + 1,)`` where each row begins and ends."""

    values: Floats
    offsets: Integers

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[float] | Floats]) -> Ragged:
        """From one sequence per row."""
        arrays = [np.asarray(row, dtype=np.float64) for row in rows]
        values = np.concatenate(arrays) if arrays else np.empty(0)
        return cls(values, offsets_of([len(a) for a in arrays]))

    def row(self, i: int) -> Floats:
        """Row ``i``."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def with_values(self, values: Floats) -> Ragged:
        """The same rows with other values ``(N,)``."""
        return Ragged(values, self.offsets)

    def spread(self, per_row: Floats) -> Floats:
        """One value per row ``(n,)`` repeated for each of its cells ``(N,)``."""
        return np.repeat(per_row, self.lengths)

    def _select(self, index: Integers | slice, offsets: Integers) -> Self:
        return replace(self, values=self.values[index], offsets=offsets)

    def scatter(self, rows: Integers, size: int) -> Ragged:
        """These rows at positions ``rows`` (ascending) among ``size``; the others are empty."""
        lengths = np.zeros(size, dtype=np.int64)
        lengths[rows] = self.lengths
        return Ragged(self.values, offsets_of(lengths))

    def sum(self) -> Floats:
        """Row sums ``(n,)``; an empty row gives 0."""
        return row_sums(self.values, self.offsets)

    def mean(self) -> Floats:
        """Row means ``(n,)``; an empty row gives NaN."""
        lengths = self.lengths
        result: Floats = np.divide(self.sum(), lengths, out=np.full(len(self), np.nan), where=lengths > 0)
        return result

    def minimum(self) -> Floats:
        """Row minima ``(n,)``; an empty row gives NaN."""
        return self._extreme(np.minimum)

    def maximum(self) -> Floats:
        """Row maxima ``(n,)``; an empty row gives NaN."""
        return self._extreme(np.maximum)

    def median(self) -> Floats:
        """Row medians ``(n,)``; an empty row, or one with a NaN in it, gives NaN."""
        result = np.full(len(self), np.nan)
        ordered = self.values[np.lexsort((self.values, self.rows))]
        lengths = self.lengths
        filled = lengths > 0
        first = self.offsets[:-1][filled]
        low, high = first + (lengths[filled] - 1) // 2, first + lengths[filled] // 2
        # NaN sorts last: a NaN anywhere in the row is at its end.
        last = ordered[first + lengths[filled] - 1]
        result[filled] = np.where(np.isnan(last), np.nan, 0.5 * (ordered[low] + ordered[high]))
        return result

    def argmax(self) -> Floats:
        """Position of each row's first maximum ``(n,)``, from 0; NaN where there is none."""
        result = np.full(len(self), np.nan)
        hits = np.flatnonzero(self.values == self.spread(self.maximum()))
        owners = self.rows[hits]
        rows, first = np.unique(owners, return_index=True)
        result[rows] = hits[first] - self.offsets[rows]
        return result

    def _extreme(self, which: np.ufunc) -> Floats:
        result = np.full(len(self), np.nan)
        filled = self.lengths > 0
        if filled.any():
            result[filled] = which.reduceat(self.values, self.offsets[:-1][filled])
        return result


def grouped(keys: Sequence[_Key]) -> Iterator[tuple[_Key, Integers]]:
    """Each distinct key once, with the positions that have it, both in order of appearance."""
    found: dict[_Key, list[int]] = {}
    for position, key in enumerate(keys):
        found.setdefault(key, []).append(position)
    for key, positions in found.items():
        yield key, np.array(positions, dtype=np.int64)


def absent(size: int) -> Floats:
    """A scalar column ``(size,)`` without values."""
    return np.full(size, np.nan)


@dataclass(frozen=True, slots=True)
class Trends(_Rows):
    """Temperature histories of many twins: segments, linear inside each, steps allowed between them.

    All segment arrays are flat ``(N,)``: ``start`` and ``end`` in seconds since 1970-01-01 UTC,
    ``first`` and ``last`` (the temperatures at both ends) in kelvin, ``measured`` true for a sensor's
    reading and false for a best guess. ``offsets`` ``(n + 1,)`` delimits the rows.
    """

    start: Floats
    end: Floats
    first: Floats
    last: Floats
    measured: Flags
    offsets: Integers

    def begins(self) -> Floats:
        """First instant of each row ``(n,)``, seconds; NaN for an empty row."""
        return self._edge(self.start, self.offsets[:-1])

    def ends(self) -> Floats:
        """Last instant of each row ``(n,)``, seconds; NaN for an empty row."""
        return self._edge(self.end, self.offsets[1:] - 1)

    def _select(self, index: Integers | slice, offsets: Integers) -> Self:
        return replace(
            self,
            start=self.start[index],
            end=self.end[index],
            first=self.first[index],
            last=self.last[index],
            measured=self.measured[index],
            offsets=offsets,
        )

    def _edge(self, values: Floats, index: Integers) -> Floats:
        result = np.full(len(self), np.nan)
        filled = self.lengths > 0
        result[filled] = values[index[filled]]
        return result

    def within(self, begin: Floats, until: Floats) -> Trends:
        """Cut to ``[begin, until]`` (seconds, ``(n,)`` each); segments outside keep zero length.

        The temperature at a cut is interpolated on the segment's own line.
        """
        lengths = self.lengths
        lower, upper = np.repeat(begin, lengths), np.repeat(until, lengths)
        start = np.clip(self.start, lower, upper)
        end = np.clip(self.end, lower, upper)
        span = self.end - self.start
        slope = np.divide(self.last - self.first, span, out=np.zeros_like(span), where=span != 0)
        first = np.where(start > self.start, self.first + slope * (start - self.start), self.first)
        last = np.where(end < self.end, self.last - slope * (self.end - end), self.last)
        outside = end <= start
        # A segment wholly outside would be extrapolated far; it has no weight, but must stay finite.
        first = np.where(outside, self.first, first)
        last = np.where(outside, self.first, last)
        return Trends(start, end, first, last, self.measured, self.offsets)
