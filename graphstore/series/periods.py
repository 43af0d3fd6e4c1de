"""The periods of sealed files: calendar months in UTC.

A month of one sample a minute is 43,200 rows, some hundred kilobytes: reading a file takes about a
millisecond, an object in a bucket is large enough for its price, and retention is usually set in months.

>>> [(period, part) for period, part in split(np.array([0, 1, 31 * DAY]))]
[('1970-01', slice(0, 2, None)), ('1970-02', slice(2, 3, None))]
>>> bounds("1970-02") == (31 * DAY, 59 * DAY)
True
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from .rows import Times

DAY: Final = 86_400_000_000


def split(times: Times) -> Iterator[tuple[str, slice]]:
    """The months of ascending ``times`` (microseconds since 1970 UTC), each with its rows."""
    months = times.view("datetime64[us]").astype("datetime64[M]")
    edges = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(months)]
    for low, high in pairwise(edges):
        if low < high:
            yield str(months[low]), slice(low, high)


def period_of(time: int) -> str:
    """The month of one moment."""
    return str(np.datetime64(time, "us").astype("datetime64[M]"))


def bounds(period: str) -> tuple[int, int]:
    """Start and end of a month: [start, end), microseconds since 1970 UTC."""
    month = np.datetime64(period, "M")
    start, end = (edge.astype("datetime64[us]").astype(np.int64) for edge in (month, month + np.timedelta64(1, "M")))
    return int(start), int(end)
