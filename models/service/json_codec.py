"""Conversion between JSON and columns: units converted, lengths checked, wrong instances reported one by one.

>>> from voltwin.models.registry import Registry
>>> from voltwin.models.service.json_codec import decode
>>> model = Registry.discover().get("ocv-soc")
>>> batch, positions, problems = decode(model, [{"inputs": {"ocv": {"value": [3650], "unit": "MilliV"}}}])
>>> batch.cells("ocv").values.tolist()
[3.65]

A quantity is ``{"value": number or list, "unit": QUDT local name}``, a word ``{"value": text}``, a
temperature trend ``{"start", "end", "startValue", "endValue", "origin", "unit"}``. All instances of a
request are read column by column, so a batch needs a few numpy calls and not one per instance.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from ...errors import InputError, UnitError
from ..base.columns import Flags, Floats, Integers, Ragged, Trends, offsets_of
from ..base.protocol import Batch, Column, InstanceProblem, Model, Parameter, ParameterValue, Port, Problems
from ..base.units import convert, scale

Instance = Mapping[str, Any]
_TREND_LISTS: Final = ("start", "end", "startValue", "endValue", "origin")
MEASURED: Final = "measured"
BEST_GUESS: Final = "best guess"
_ORIGINS: Final = {MEASURED: True, BEST_GUESS: False}


class Decoded(NamedTuple):
    """The batch of the well-formed instances, their positions in the request, and the problems of the others."""

    batch: Batch
    positions: list[int]
    problems: Mapping[int, InstanceProblem]


def decode(model: Model, instances: Sequence[Any]) -> Decoded:
    """Read the instances of a request; a malformed one does not affect the others."""
    problems = Problems()
    for index, instance in enumerate(instances):
        _check_shape(model, index, instance, problems)
    good = [i for i in range(len(instances)) if i not in problems.found]
    # An instance with an unreadable value is dropped; the others are read again, without it.
    while True:
        local = Problems()
        inputs = [instances[i]["inputs"] for i in good]
        columns: dict[str, Column] = {port.name: _READERS[port.shape](port, inputs, local) for port in model.inputs}
        given = [instances[i].get("parameters", {}) for i in good]
        parameters = {p.name: read_parameter(p, [item.get(p.name) for item in given], local) for p in model.parameters}
        if not local.found:
            return Decoded(Batch(len(good), columns, parameters), good, problems.found)
        for position, problem in local.found.items():
            problems.add(good[position], problem.field, problem.message)
        good = [i for i in good if i not in problems.found]


def _check_shape(model: Model, index: int, instance: Any, problems: Problems) -> None:
    if not isinstance(instance, Mapping):
        problems.add(index, "instances", "each instance must be an object with inputs and parameters")
        return
    inputs, parameters = instance.get("inputs"), instance.get("parameters", {})
    if not isinstance(inputs, Mapping):
        problems.add(index, "inputs", "missing; give an object with one member per input port")
        return
    if not isinstance(parameters, Mapping):
        problems.add(index, "parameters", "must be an object with one member per parameter")
        return
    for extra in instance.keys() - {"inputs", "parameters"}:
        problems.add(index, str(extra), "is not known here; an instance has inputs and parameters")
    ports = {port.name: port for port in model.inputs}
    for name in inputs.keys() - ports.keys():
        problems.add(index, str(name), f"is not an input of {model.name}; inputs are {', '.join(ports)}")
    known = [parameter.name for parameter in model.parameters]
    for name in parameters.keys() - set(known):
        problems.add(index, str(name), f"is not a parameter of {model.name}; parameters are {', '.join(known)}")
    for port in model.inputs:
        value = inputs.get(port.name)
        if value is None:
            if not port.optional:
                problems.add(index, port.name, f"missing; {model.name} needs it ({port.description})")
        elif not isinstance(value, Mapping):
            problems.add(index, port.name, 'must be an object such as {"value": …, "unit": …}')


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _unit_scales(
    port: Port, given: Sequence[Instance | None], problems: Problems, wanted: str
) -> tuple[Floats, Floats]:
    """Factor and offset per instance ``(n,)``; a missing or incompatible unit is a problem."""
    factor, offset = np.ones(len(given)), np.zeros(len(given))
    seen: dict[Any, tuple[float, float] | str] = {wanted: (1.0, 0.0)}
    for index, item in enumerate(given):
        unit = wanted if item is None else item.get("unit")
        if unit == wanted:
            continue
        if not isinstance(unit, str):
            problems.add(index, port.name, f"has no unit; give a QUDT unit such as {wanted}")
            continue
        if unit not in seen:
            try:
                seen[unit] = scale(unit, wanted)
            except UnitError as error:
                seen[unit] = str(error)
        result = seen[unit]
        if isinstance(result, str):
            problems.add(index, port.name, result)
        else:
            factor[index], offset[index] = result
    return factor, offset


def _read_scalar(port: Port, inputs: Sequence[Instance], problems: Problems) -> Column:
    given = [item.get(port.name) for item in inputs]
    factor, offset = _unit_scales(port, given, problems, port.unit or "UNITLESS")
    values = np.full(len(inputs), np.nan)
    for index, item in enumerate(given):
        if item is None:
            continue
        value = item.get("value")
        if _finite(value):
            values[index] = value
        else:
            problems.add(index, port.name, f"value must be a finite number, not {value!r}")
    values = values * factor + offset
    check_range(port, values, np.arange(len(inputs)), problems)
    return values


def _read_cells(port: Port, inputs: Sequence[Instance], problems: Problems) -> Column:
    given = [item.get(port.name) for item in inputs]
    factor, offset = _unit_scales(port, given, problems, port.unit or "UNITLESS")
    lists: list[list[float]] = []
    for index, item in enumerate(given):
        value = [] if item is None else item.get("value")
        if _finite(value):
            value = [value]
        if not isinstance(value, list | tuple):
            problems.add(index, port.name, f"value must be a list of numbers, not {value!r}")
            value = []
        lists.append(list(value))
    flat, lengths = _flatten(lists, _reporter(problems, port.name))
    ragged = Ragged(flat, offsets_of(lengths))
    values = flat * np.repeat(factor, lengths) + np.repeat(offset, lengths)
    check_range(port, values, ragged.rows, problems)
    return ragged.with_values(values)


def _reporter(problems: Problems, port: str, prefix: str = "") -> Callable[[int, str], None]:
    return lambda index, message: problems.add(index, port, prefix + message)


def _flatten(lists: list[list[float]], report: Callable[[int, str], None]) -> tuple[Floats, list[int]]:
    """One flat array of all lists, and their lengths; a list that is not all finite numbers is reported and emptied."""
    flat = _numbers(list(chain.from_iterable(lists)))
    if flat is None or not np.isfinite(flat).all():
        for index, items in enumerate(lists):
            bad = next((i for i, item in enumerate(items) if not _finite(item)), None)
            if bad is not None:
                report(index, f"value {bad} must be a finite number, not {items[bad]!r}")
                lists[index] = []
        flat = np.array(list(chain.from_iterable(lists)), dtype=np.float64)
    return flat, [len(items) for items in lists]


def _numbers(values: list[Any]) -> Floats | None:
    """The values as floats, or None if one is not a number (text, null, a list, a truth value)."""
    try:
        flat = np.frombuffer(array("d", values), dtype=np.float64) if values else np.empty(0)
    except (TypeError, OverflowError):
        return None
    # Truth values are converted to 0 and 1: only those need a second check.
    doubtful = np.flatnonzero((flat == 0.0) | (flat == 1.0)).tolist()
    return None if any(isinstance(values[i], bool) for i in doubtful) else flat


def check_range(port: Port, values: Floats, rows: Integers, problems: Problems) -> None:
    """Note the instance (``rows`` ``(N,)``) of every value ``(N,)`` outside the port's bounds."""
    outside = (values < port.minimum) | (values > port.maximum)
    for index in np.flatnonzero(outside).tolist():
        value = values[index]
        hint = ""
        if port.unit == "DEG_C":
            hint = "; were kelvin given as DEG_C?" if value > port.maximum else "; were degrees Celsius given as K?"
        elif port.unit == "PERCENT" and value > port.maximum:
            hint = "; was a percentage given as FRACTION?"
        bounds = f"{port.minimum:g} to {port.maximum:g}" if math.isfinite(port.maximum) else f"{port.minimum:g} or more"
        problems.add(int(rows[index]), port.name, f"is {value:.6g} {port.unit}, must be {bounds}{hint}")


def _read_trend(port: Port, inputs: Sequence[Instance], problems: Problems) -> Column:
    lists: dict[str, list[list[Any]]] = {name: [] for name in _TREND_LISTS}
    trends: list[Instance] = []
    for index, item in enumerate(inputs):
        trend = item.get(port.name) or {}
        if isinstance(trend.get("value"), Mapping):
            trend = {**trend, **trend["value"]}
        columns = [trend.get(name) for name in _TREND_LISTS]
        missing = [name for name, column in zip(_TREND_LISTS, columns, strict=True) if not isinstance(column, list)]
        usable = not missing and len({len(column) for column in columns if column is not None}) == 1
        if missing:
            problems.add(index, port.name, f"{', '.join(missing)}: missing or not a list")
        elif not usable:
            problems.add(index, port.name, f"{', '.join(_TREND_LISTS)} must have the same length")
        for name, column in zip(_TREND_LISTS, columns, strict=True):
            lists[name].append(column if usable and column is not None else [])
        trends.append(trend)
    factor, offset = _unit_scales(port, trends, problems, "K")
    flats: list[Floats] = []
    for name in _TREND_LISTS[:-1]:
        flat, _ = _flatten(lists[name], _reporter(problems, port.name, f"{name}: "))
        flats.append(flat)
    measured = _read_origins(lists["origin"], _reporter(problems, port.name))
    if problems.found:
        # decode reads again without these instances; for now any column of the right type will do.
        return Trends(*(np.empty(0),) * 4, np.empty(0, dtype=np.bool_), np.zeros(len(inputs) + 1, dtype=np.int64))
    lengths = [len(column) for column in lists["start"]]
    by_segment, shift = np.repeat(factor, lengths), np.repeat(offset, lengths)
    start, end, first, last = flats
    return Trends(start, end, first * by_segment + shift, last * by_segment + shift, measured, offsets_of(lengths))


def _read_origins(lists: list[list[Any]], report: Callable[[int, str], None]) -> Flags:
    """Mask of the measured segments, flat; any other origin than the two words is reported."""
    count = sum(map(len, lists))
    try:
        return np.fromiter(map(_ORIGINS.__getitem__, chain.from_iterable(lists)), dtype=np.bool_, count=count)
    except (KeyError, TypeError):
        for index, column in enumerate(lists):
            bad = next((i for i, origin in enumerate(column) if origin not in (MEASURED, BEST_GUESS)), None)
            if bad is not None:
                report(index, f"origin {bad} must be {MEASURED!r} or {BEST_GUESS!r}, not {column[bad]!r}")
        return np.zeros(count, dtype=np.bool_)


_READERS: Final[dict[str, Callable[[Port, Sequence[Instance], Problems], Column]]] = {
    "scalar": _read_scalar,
    "cells": _read_cells,
    "trend": _read_trend,
}


def read_parameter(parameter: Parameter, given: Iterable[Any], problems: Problems) -> list[ParameterValue]:
    """The parameter's values, one per instance; absent (None) and wrong ones are the default."""
    values: list[ParameterValue] = []
    for index, raw in enumerate(given):
        value = parameter.default
        try:
            if raw is not None:
                value = _parameter_value(parameter, raw)
        except InputError as error:
            problems.add(index, parameter.name, str(error))
        values.append(value)
    return values


def _parameter_value(parameter: Parameter, raw: Any) -> ParameterValue:
    """The value of a parameter, given bare or as ``{"value", "unit"}``, in its unit. Raises InputError."""
    value, unit = (raw.get("value"), raw.get("unit")) if isinstance(raw, Mapping) else (raw, None)
    if isinstance(parameter.default, str):
        if not isinstance(value, str):
            raise InputError(f"must be text, not {value!r}")
        if parameter.choices and value not in parameter.choices:
            raise InputError(f"must be one of {', '.join(parameter.choices)}, not {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"must be a finite number, not {value!r}")
    number = float(value)
    if parameter.unit is not None:
        if not isinstance(unit, str):
            raise UnitError(f'has no unit; give {{"value": …, "unit": "{parameter.unit}"}} or a compatible one')
        number = convert(number, unit, parameter.unit)
    elif unit not in (None, "UNITLESS"):
        number = convert(number, unit, "UNITLESS")
    if not parameter.minimum <= number <= parameter.maximum:
        raise InputError(f"is {number:g}, must be {parameter.minimum:g} to {parameter.maximum:g}")
    if parameter.whole and number != int(number):
        raise InputError(f"must be a whole number, is {number:g}")
    return number


def encode(model: Model, columns: Mapping[str, Column], size: int) -> list[dict[str, Any]]:
    """One ``{"outputs": …}`` object per instance; absent values (NaN) are omitted."""
    outputs: list[dict[str, Any]] = [{} for _ in range(size)]
    for port in model.outputs:
        column = columns[port.name]
        if isinstance(column, Ragged):
            flat, borders = column.values.tolist(), column.offsets.tolist()
            complete = ~np.isnan(column.sum())
            for index in np.flatnonzero(complete).tolist():
                outputs[index][port.name] = {"value": flat[borders[index] : borders[index + 1]], "unit": port.unit}
        elif isinstance(column, np.ndarray):
            for index, value in enumerate(column.tolist()):
                if math.isfinite(value):
                    outputs[index][port.name] = {"value": value, "unit": port.unit}
        elif not isinstance(column, Trends):
            for index, words in enumerate(column):
                outputs[index][port.name] = {"value": words}
    return [{"outputs": item} for item in outputs]
