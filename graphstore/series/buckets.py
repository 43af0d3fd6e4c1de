"""A statistic for each series and bucket of time over a whole fleet: one statement of DuckDB over files and hot rows.

Files without hot rows in their time range are read by DuckDB itself, with several threads and only the columns it
needs. If hot rows overlap a file, or the request is as of an earlier commit, rows are merged first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from pyoxigraph import NamedNode

from ...errors import InputError, StoreError
from . import hot
from .archives.archive import SealedFileMissing
from .parquet import TIME, as_table
from .rows import Rows, latest_values, not_withdrawn
from .source import SampleSource, chosen
from .statistics import OF_SAMPLES

_AGGREGATES: Final = {"mean": "avg(value)", "first": "arg_min(value, us)", "last": "arg_max(value, us)"}
_STATEMENT: Final = """
SELECT series, us - ((us % {bucket}) + {bucket}) % {bucket} AS time, CAST({aggregate} AS DOUBLE) AS value,
       count(*) AS count
FROM (SELECT series, epoch_us(time) AS us, value FROM ({rows}))
WHERE us >= {start} AND us < {end} AND isfinite(value)
GROUP BY ALL ORDER BY ALL"""
_FILES: Final = "SELECT CAST(series AS VARCHAR) AS series, time, value FROM read_parquet($files)"
_MERGED: Final = "SELECT CAST(series AS VARCHAR) AS series, time, value FROM merged"


def resample(
    source: SampleSource,
    connection: sqlite3.Connection,
    bucket: timedelta,
    function: str,
    series: Sequence[NamedNode] | None,
    window: tuple[int, int],
    as_of: int | None,
) -> pa.Table:
    """The table of :meth:`SeriesStore.resample`; ``window`` in microseconds since 1970 UTC."""
    width = bucket // timedelta(microseconds=1)
    if width <= 0:
        raise InputError(f"bucket {bucket}: must be longer than zero, as in timedelta(hours=1)")
    if function not in OF_SAMPLES:
        raise InputError(f"resample by {function!r}: unknown; there are {', '.join(OF_SAMPLES)}")
    files: list[str] = []
    merged: list[tuple[str, Rows]] = []
    for number, iri in chosen(source, connection, series):
        plain, rows = _divide(source, connection, number, window, as_of)
        files += plain
        merged.append((iri, rows))
    table = as_table([(iri, rows.times, rows.values) for iri, rows in merged if len(rows)])
    sources = f"{_FILES} UNION ALL {_MERGED}" if files else _MERGED
    aggregate = _AGGREGATES.get(function, f"{function}(value)")
    statement = _STATEMENT.format(bucket=width, aggregate=aggregate, start=window[0], end=window[1], rows=sources)
    with duckdb.connect() as engine:
        engine.register("merged", table)
        try:
            found = engine.sql(statement, params={"files": files} if files else {}).to_arrow_table()
        except duckdb.IOException as error:
            raise SealedFileMissing(f"{source.archive.address}: a sealed file cannot be read: {error}") from error
        except duckdb.Error as error:
            raise StoreError(f"{source.archive.address}: the series cannot be resampled: {error}") from error
    times = found["time"].cast(pa.int64()).cast(TIME)
    return found.set_column(1, pa.field("time", TIME), times)


def _divide(
    source: SampleSource, connection: sqlite3.Connection, series: int, window: tuple[int, int], as_of: int | None
) -> tuple[list[str], Rows]:
    """Local files of one series that DuckDB can read directly, and all its other rows, merged."""
    overlay = [hot.hot_rows(connection, series, *window)]
    if as_of is not None:
        overlay.append(hot.superseded_rows(connection, series, *window))
    changed = np.sort(np.concatenate([rows.times for rows in overlay]))
    plain: list[str] = []
    others: list[Rows] = []
    for item in hot.sealed_files(connection, series, *window):
        path = source.archive.path(item.file)
        low, high = np.searchsorted(changed, (item.first, item.last + 1))
        # DuckDB interprets these characters as patterns.
        readable = path is not None and not set("*?[") & set(str(path))
        if readable and low == high and (as_of is None or item.sequence <= as_of):
            plain.append(str(path))
        else:
            others.append(source.load(item).within(*window))
    return plain, not_withdrawn(latest_values([*others, *overlay], as_of))
