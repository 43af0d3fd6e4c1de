"""Requests and replies as Arrow tables: a row per instance, a column per port, without the cost of text.

Optional: needs pyarrow, which is imported only here and only for a request of this kind.

    table = pyarrow.table({"ocv": [[3.65, 3.66], [3.70]]})
    field = table.schema.field("ocv").with_metadata({"unit": "V"})

Columns of the request, by port: a scalar port is a number, a port of cells a list of numbers, a trend a
struct of the lists start, end, startValue, endValue and origin. The unit is in the field's metadata
under ``unit``. Parameters are columns called ``parameters.<name>``. The reply has a column per output with
its unit, and ``error``, a struct of field and message that is null for a row with outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np

from ...errors import InputError, UnitError
from ..base.columns import Floats, Ragged, Trends, absent, offsets_of
from ..base.protocol import Batch, Column, Model, Parameter, ParameterValue, Port, Problems, scatter
from ..base.units import scale
from ..registry import Registry
from .json_codec import BEST_GUESS, MEASURED, check_range, read_parameter

MEDIA_TYPE: Final = "application/vnd.apache.arrow.stream"
_LISTS: Final = ("start", "end", "startValue", "endValue")


class ArrowMissing(InputError):
    """A request is an Arrow stream, but pyarrow is not installed."""

    status = 415


def load_arrow() -> Any:
    """The pyarrow package; ArrowMissing when it is not installed."""
    try:
        arrow = import_module("pyarrow")
        import_module("pyarrow.compute")
    except ImportError as error:
        raise ArrowMissing("body: Arrow needs the package pyarrow on this service; install it, or send JSON") from error
    return arrow


class ArrowReply(NamedTuple):
    """The reply as an Arrow stream, and the number of rows with outputs and with errors."""

    body: bytes
    answered: int
    refused: int


def answer_arrow(registry: Registry, name: str, body: bytes) -> ArrowReply:
    """The reply to an Arrow stream.

    Raises NotFoundError for an unknown model, ArrowMissing, and InputError for a body that is not a stream or
    a column that is unknown, of the wrong type, or without a compatible unit.
    """
    arrow = load_arrow()
    model = registry.get(name)
    try:
        table = arrow.ipc.open_stream(body).read_all().combine_chunks()
    except (arrow.ArrowInvalid, OSError) as error:
        raise InputError(f"body: not an Arrow stream ({error})") from error
    problems = Problems()
    batch = _decode(arrow, model, table, problems)
    good = np.flatnonzero(problems.good(batch.size))
    reply = model.run(batch.take(good))
    for position, problem in reply.problems.items():
        problems.add(int(good[position]), problem.field, problem.message)
    columns = {port: scatter(column, good, batch.size) for port, column in reply.columns.items()}
    refused = len(problems.found)
    return ArrowReply(_encode(arrow, model, columns, problems, batch.size), batch.size - refused, refused)


def _decode(arrow: Any, model: Model, table: Any, problems: Problems) -> Batch:
    size = table.num_rows
    known = {port.name for port in model.inputs} | {f"parameters.{p.name}" for p in model.parameters}
    for name in table.column_names:
        if name not in known:
            raise InputError(f"{name}: is not a column of {model.name}; columns are {', '.join(sorted(known))}")
    columns: dict[str, Column] = {}
    for port in model.inputs:
        if port.name in table.column_names:
            columns[port.name] = _column(arrow, port, table, problems)
        elif port.optional:
            columns[port.name] = absent(size) if port.shape == "scalar" else Ragged(np.empty(0), offsets_of([0] * size))
        else:
            raise InputError(f"{port.name}: missing; {model.name} needs it ({port.description})")
    return Batch(size, columns, {p.name: _parameter(p, table, problems) for p in model.parameters})


def _unit(field: Any) -> str | None:
    metadata = field.metadata or {}
    unit = metadata.get(b"unit")
    return None if unit is None else str(unit.decode())


def _scale(port: Port, field: Any) -> tuple[float, float]:
    wanted = "K" if port.shape == "trend" else port.unit or "UNITLESS"
    unit = _unit(field)
    if unit is None:
        raise UnitError(f"{port.name}: has no unit; put one such as {port.unit} into the field's metadata")
    try:
        return scale(unit, wanted)
    except UnitError as error:
        raise UnitError(f"{port.name}: {error}") from error


def _column(arrow: Any, port: Port, table: Any, problems: Problems) -> Column:
    field, column = table.schema.field(port.name), _whole(table.column(port.name))
    factor, offset = _scale(port, field)
    absent_rows = np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)
    if not port.optional:
        problems.flag(absent_rows, port.name, "is null; every row needs it")
    if port.shape == "trend":
        return _trend(arrow, port, column, factor, offset, problems)
    if port.shape == "scalar":
        values = _numbers(arrow, port.name, column)
        problems.flag(~absent_rows & ~np.isfinite(values), port.name, "must be a finite number")
        scaled = values * factor + offset
        check_range(port, scaled, np.arange(len(scaled)), problems)
        return scaled
    ragged = _ragged(arrow, port.name, column)
    _refuse_infinite(ragged, port.name, problems)
    scaled = ragged.values * factor + offset
    check_range(port, scaled, ragged.rows, problems)
    return ragged.with_values(scaled)


def _whole(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _numbers(arrow: Any, name: str, array: Any) -> Floats:
    if not (arrow.types.is_floating(array.type) or arrow.types.is_integer(array.type)):
        raise InputError(f"{name}: must hold numbers, not {array.type}")
    return np.asarray(array.cast(arrow.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _ragged(arrow: Any, name: str, array: Any) -> Ragged:
    if not (arrow.types.is_list(array.type) or arrow.types.is_large_list(array.type)):
        raise InputError(f"{name}: must hold lists of numbers, not {array.type}")
    lengths = arrow.compute.fill_null(arrow.compute.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    return Ragged(_numbers(arrow, name, array.flatten()), offsets_of(lengths.astype(np.int64)))


def _refuse_infinite(ragged: Ragged, name: str, problems: Problems) -> None:
    for index in np.flatnonzero(~np.isfinite(ragged.values)).tolist():
        row = int(ragged.rows[index])
        problems.add(row, name, f"value {index - int(ragged.offsets[row])} must be a finite number")


def _trend(arrow: Any, port: Port, column: Any, factor: float, offset: float, problems: Problems) -> Trends:
    if not arrow.types.is_struct(column.type):
        raise InputError(f"{port.name}: must hold structs of {', '.join(_LISTS)} and origin, not {column.type}")
    names = [column.type.field(i).name for i in range(column.type.num_fields)]
    for name in (*_LISTS, "origin"):
        if name not in names:
            raise InputError(f"{port.name}: {name}: missing; a trend has {', '.join(_LISTS)} and origin")
    parts = [_ragged(arrow, f"{port.name}.{name}", column.field(name)) for name in _LISTS]
    origins = column.field("origin")
    counts = arrow.compute.fill_null(arrow.compute.list_value_length(origins), 0).to_numpy(zero_copy_only=False)
    same = np.all([part.lengths == parts[0].lengths for part in parts], axis=0) & (counts == parts[0].lengths)
    if not same.all():
        row = int(np.flatnonzero(~same)[0])
        raise InputError(f"{port.name}: row {row}: {', '.join(_LISTS)} and origin must have the same length")
    for part in parts:
        _refuse_infinite(part, port.name, problems)
    words = origins.flatten()
    if not arrow.compute.all(arrow.compute.is_in(words, arrow.array([MEASURED, BEST_GUESS]))).as_py() and len(words):
        raise InputError(f"{port.name}: origin must be {MEASURED!r} or {BEST_GUESS!r} throughout")
    measured = arrow.compute.equal(words, MEASURED).to_numpy(zero_copy_only=False).astype(np.bool_)
    start, end, first, last = parts
    return Trends(
        start.values, end.values, first.values * factor + offset, last.values * factor + offset, measured, start.offsets
    )


def _parameter(parameter: Parameter, table: Any, problems: Problems) -> Sequence[ParameterValue]:
    name = f"parameters.{parameter.name}"
    if name not in table.column_names:
        return [parameter.default] * int(table.num_rows)
    unit = _unit(table.schema.field(name))
    values = table.column(name).to_pylist()
    return read_parameter(parameter, (None if v is None else {"value": v, "unit": unit} for v in values), problems)


def _encode(arrow: Any, model: Model, columns: dict[str, Column], problems: Problems, size: int) -> bytes:
    fields, arrays = [], []
    for port in model.outputs:
        array = _ENCODERS[port.shape](arrow, columns[port.name])
        fields.append(arrow.field(port.name, array.type, metadata={"unit": port.unit} if port.unit else None))
        arrays.append(array)
    errors = [
        None
        if row not in problems.found
        else {"field": problems.found[row].field, "message": problems.found[row].message}
        for row in range(size)
    ]
    kind = arrow.struct([("field", arrow.string()), ("message", arrow.string())])
    fields.append(arrow.field("error", kind))
    arrays.append(arrow.array(errors, type=kind))
    metadata = {"model": model.name, "version": model.version}
    table = arrow.Table.from_arrays(arrays, schema=arrow.schema(fields, metadata=metadata))
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _encode_cells(arrow: Any, column: Any) -> Any:
    return arrow.ListArray.from_arrays(arrow.array(column.offsets.astype(np.int32)), arrow.array(column.values))


_ENCODERS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "scalar": lambda arrow, column: arrow.array(column, mask=~np.isfinite(column)),
    "cells": _encode_cells,
    "text": lambda arrow, column: arrow.array(list(column), type=arrow.string()),
    "texts": lambda arrow, column: arrow.array([list(words) for words in column], type=arrow.list_(arrow.string())),
}
