"""Samples as a Parquet file: columns ``series``, ``time`` (UTC), ``value``, ``sequence``, compressed with zstd.

Any reader of Parquet can read these files without voltwin: ``duckdb -c "FROM 'series/*/*.parquet'"``.
Times and commits are stored as differences: about two bytes a sample for a logger that rounds to hundredths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .rows import Rows, Times, Values

TIME: Final = pa.timestamp("us", "UTC")
TABLE: Final = pa.schema([("series", pa.dictionary(pa.int32(), pa.string())), ("time", TIME), ("value", pa.float64())])
"""The columns of :meth:`SeriesStore.read_table`."""

_SCHEMA: Final = TABLE.append(pa.field("sequence", pa.int64()))
_DELTA: Final = {"time": "DELTA_BINARY_PACKED", "sequence": "DELTA_BINARY_PACKED"}


def encode(series: str, rows: Rows) -> bytes:
    """The bytes of a file of one series; the same rows give the same bytes."""
    table = pa.table([_name(series, len(rows)), rows.times.view("M8[us]"), rows.values, rows.sequences], schema=_SCHEMA)
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd", use_dictionary=["series"], column_encoding=_DELTA)
    data: bytes = out.getvalue().to_pybytes()
    return data


def decode(data: bytes) -> Rows:
    """The rows of one file. Raises pyarrow's ArrowException if it is damaged."""
    file = pq.ParquetFile(pa.BufferReader(data))
    table = file.read(columns=["time", "value", "sequence"], use_threads=False).combine_chunks()
    return Rows(
        table["time"].to_numpy().astype("M8[us]", copy=False).view(np.int64),
        table["value"].to_numpy(),
        table["sequence"].to_numpy(),
    )


def series_of(data: bytes) -> str:
    """The IRI of the series of a file. Raises as :func:`decode`, IndexError for an empty file."""
    return str(pq.ParquetFile(pa.BufferReader(data)).read(columns=["series"])["series"][0])


def as_table(parts: Sequence[tuple[str, Times, Values]]) -> pa.Table:
    """Series, times and values concatenated into one Arrow table."""
    tables = [
        pa.table([_name(series, len(times)), times.view("M8[us]"), values], schema=TABLE)
        for series, times, values in parts
    ]
    return pa.concat_tables(tables).unify_dictionaries() if tables else TABLE.empty_table()


def _name(series: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([series]))
