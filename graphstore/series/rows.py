"""Rows of samples as columns, and the one rule by which several sources of them are read as one.

A value is known by its series, its time and the commit that brought it. Hot rows, sealed files and the values
that were replaced may hold the same time; *the value of the newest commit counts*. Reading "as of" a commit is the
same rule without the commits after it.

>>> old = Rows(np.array([10, 20]), np.array([1.0, 2.0]), np.array([5, 5]))
>>> late = Rows(np.array([20, 30]), np.array([2.5, 3.0]), np.array([9, 9]))
>>> latest_values([old, late]).values.tolist(), latest_values([old, late], as_of=8).values.tolist()
([1.0, 2.5, 3.0], [1.0, 2.0])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

Times = NDArray[np.int64]
Values = NDArray[np.float64]

FIRST: Final = -(2**63)
LAST: Final = 2**63 - 1


@dataclass(frozen=True)
class Rows:
    """Columns of one series, (n,) each: microseconds since 1970 UTC, values, and the commit that brought each."""

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
    """One row a time, ascending, of the newest commit not after ``as_of`` (None: of all)."""
    if as_of is not None:
        parts = [part.pick(part.sequences <= as_of) for part in parts]
    parts = [part for part in parts if len(part)]
    if not parts:
        return EMPTY
    if len(parts) == 1:
        return parts[0]
    whole = join(parts)
    if np.all(whole.times[1:] > whole.times[:-1]):
        return whole
    order = np.lexsort((whole.sequences, whole.times))
    times = whole.times[order]
    latest = np.append(times[1:] != times[:-1], True)
    return whole.pick(order[latest])


def join(parts: Sequence[Rows]) -> Rows:
    """One after the other, none left out."""
    return Rows(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.sequences for part in parts]),
    )


def merge_versions(parts: Sequence[Rows]) -> tuple[Rows, Rows]:
    """What stands when all come together, and the rows that lost their place to one of a newer commit."""
    whole = join(parts)
    whole = whole.pick(np.lexsort((whole.sequences, whole.times)))
    lost = np.zeros(len(whole), np.bool_)
    lost[:-1] = whole.times[1:] == whole.times[:-1]
    return whole.pick(~lost), whole.pick(lost)


def differing(stands: Rows, coming: Rows) -> Rows:
    """The rows of ``coming`` that say something else than what stands; both ascend in time."""
    if not len(stands):
        return coming
    places = np.minimum(np.searchsorted(stands.times, coming.times), len(stands) - 1)
    known = (stands.times[places] == coming.times) & (stands.values[places] == coming.values)
    return coming.pick(~known)


def sort_and_deduplicate(times: Times, values: Values) -> tuple[Times, Values]:
    """Times ascending and once each; of several values for one time the last counts.

    Raises InputError where the two do not fit each other or a value is not finite.
    """
    times, values = np.asarray(times), np.asarray(values)
    if times.ndim != 1 or times.shape != values.shape:
        raise InputError(f"samples: {times.shape} times and {values.shape} values; give one value for each time")
    if len(times) and not np.issubdtype(times.dtype, np.integer):
        raise InputError(f"samples: times are {times.dtype}; give whole microseconds since 1970 UTC")
    times, values = times.astype(np.int64, copy=False), values.astype(np.float64, copy=False)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise InputError(
            f"sample {wrong[0]}: value {values[wrong[0]]} is not a finite number; leave the sample out instead"
        )
    if np.all(times[1:] > times[:-1]):
        return times, values
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)
    return times[last], values[last]
