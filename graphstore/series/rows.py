"""Rows of samples as columns, and the rule that merges several sources of them.

A value is identified by its series, its time and the commit that added it. Hot rows, sealed files and superseded
values may contain the same time; *the value of the newest commit counts*. Reading "as of" a commit is the
same rule without the commits after it.

>>> old = Rows(np.array([10, 20]), np.array([1.0, 2.0]), np.array([5, 5]))
>>> late = Rows(np.array([20, 30]), np.array([2.5, 3.0]), np.array([9, 9]))
>>> latest_values([old, late]).values.tolist(), latest_values([old, late], as_of=8).values.tolist()
([1.0, 2.5, 3.0], [1.0, 2.0])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..interfaces import Samples

Times = NDArray[np.int64]
Values = NDArray[np.float64]

FIRST: Final = -(2**63)
LAST: Final = 2**63 - 1

WITHDRAWN: Final = float("inf")
"""The stored value of a sample that a later commit took back; no sample has it, since values are finite."""


@dataclass(frozen=True)
class Rows:
    """Columns of one series, (n,) each: microseconds since 1970 UTC, values, and the commit that added each."""

    times: Times
    values: Values
    sequences: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.times)

    def within(self, start: int, end: int) -> Rows:
        """The rows in [start, end); times ascend."""
        low, high = np.searchsorted(self.times, (start, end))
        return self if high - low == len(self) else self.pick(slice(int(low), int(high)))

    def pick(self, which: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Rows:
        """Some of the rows."""
        return Rows(self.times[which], self.values[which], self.sequences[which])


EMPTY: Final = Rows(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))


def latest_values(parts: Sequence[Rows], as_of: int | None = None) -> Rows:
    """One row for each time, ascending, from the newest commit not after ``as_of`` (None: of all)."""
    if as_of is not None:
        parts = [part.pick(part.sequences <= as_of) for part in parts]
    parts = [part for part in parts if len(part)]
    if not parts:
        return EMPTY
    # One part may hold several values for a time too: those that were superseded one after the other.
    whole = parts[0] if len(parts) == 1 else join(parts)
    if np.all(whole.times[1:] > whole.times[:-1]):
        return whole
    order = np.lexsort((whole.sequences, whole.times))
    times = whole.times[order]
    latest = np.append(times[1:] != times[:-1], True)
    return whole.pick(order[latest])


def not_withdrawn(rows: Rows) -> Rows:
    """The rows without those that were taken back."""
    here = rows.values != WITHDRAWN
    return rows if np.all(here) else rows.pick(here)


def join(parts: Sequence[Rows]) -> Rows:
    """Concatenate rows."""
    return Rows(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.sequences for part in parts]),
    )


class MergedRows(NamedTuple):
    """The current row for each time, and the rows superseded by a newer commit."""

    current: Rows
    superseded: Rows


def merge_versions(parts: Sequence[Rows]) -> MergedRows:
    """Merge rows by time; of several rows for one time the newest commit's is current."""
    whole = join(parts)
    whole = whole.pick(np.lexsort((whole.sequences, whole.times)))
    superseded = np.zeros(len(whole), np.bool_)
    superseded[:-1] = whole.times[1:] == whole.times[:-1]
    return MergedRows(whole.pick(~superseded), whole.pick(superseded))


def differing(current: Rows, new: Rows) -> Rows:
    """The rows of ``new`` that differ from the current ones; both ascend in time."""
    if not len(current):
        return new
    places = np.minimum(np.searchsorted(current.times, new.times), len(current) - 1)
    known = (current.times[places] == new.times) & (current.values[places] == new.values)
    return new.pick(~known)


def sort_and_deduplicate(times: Times, values: Values) -> Samples:
    """Samples with ascending, unique times; of several values for one time the last counts.

    Raises InputError if the two have different lengths or a value is not finite.
    """
    times, values = np.asarray(times), np.asarray(values)
    if times.ndim != 1 or times.shape != values.shape:
        raise InputError(f"samples: {times.shape} times and {values.shape} values; give one value for each time")
    if len(times) and not np.issubdtype(times.dtype, np.integer):
        raise InputError(f"samples: times are {times.dtype}; give whole microseconds since 1970 UTC")
    times, values = times.astype(np.int64, copy=False), values.astype(np.float64, copy=False)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise InputError(f"sample {wrong[0]}: value {values[wrong[0]]} is not a finite number; omit the sample")
    if np.all(times[1:] > times[:-1]):
        return Samples(times, values)
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)
    return Samples(times[last], values[last])
