"""The model protocol: named ports with units and shapes, parameters, a version and ``run`` over a batch.

>>> from voltwin.models.registry import Registry
>>> model = Registry.discover().get("ocv-soc")
>>> [port.name for port in model.inputs]
['ocv', 'temperature']

A model never sees JSON, twins or the network: it receives columns (one row per instance) in the units that
its ports declare, and returns columns. A wrong instance is reported in ``ModelAnswer.problems`` and does not
affect the others. Third parties register a model, an object with the
attributes of ``Model``, under the entry point group ``voltwin.models``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from ...errors import InputError
from .columns import Flags, Floats, Integers, Ragged, Trends, absent

EARLIEST, LATEST = -62_135_596_800.0, 253_402_300_800.0
"""The years 1 to 9999 in seconds since 1970-01-01 UTC: a time outside is a mistake, and squares of it overflow."""

Shape: TypeAlias = Literal["scalar", "cells", "trend", "text", "texts"]
Texts: TypeAlias = Sequence[str]
Column: TypeAlias = Floats | Ragged | Trends | Texts | Sequence[Sequence[str]]
ParameterValue: TypeAlias = str | float


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output.

    ``shape``: ``scalar`` (a number per instance), ``cells`` (a list of numbers per instance),
    ``trend`` (temperature segments), ``text`` or ``texts`` (one or several words).
    ``unit`` is the QUDT local name the model works in; any unit of the same dimension is accepted on
    the wire. ``minimum`` and ``maximum`` bound an input in that unit; values outside are rejected.
    """

    name: str
    shape: Shape
    unit: str | None = None
    description: str = ""
    optional: bool = False
    minimum: float = -np.inf
    maximum: float = np.inf


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a model. With a ``unit`` it is a quantity, without one a word or a plain number."""

    name: str
    default: ParameterValue
    unit: str | None = None
    description: str = ""
    choices: tuple[str, ...] = ()
    minimum: float = -np.inf
    maximum: float = np.inf
    whole: bool = False


@dataclass(frozen=True, slots=True)
class InstanceProblem:
    """The problem of one instance: the port or parameter concerned, and a sentence."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class InstanceError(InputError):
    """A single instance is wrong; ``problem`` names the port or parameter."""

    def __init__(self, problem: InstanceProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs of ``size`` instances: a column per port, a list of ``size`` values per parameter.

    An absent optional scalar is NaN, an absent optional list is an empty row.
    """

    size: int
    columns: Mapping[str, Column]
    parameters: Mapping[str, Sequence[ParameterValue]]

    def scalar(self, name: str) -> Floats:
        """A scalar port's column ``(n,)``, in the port's unit."""
        column = self.columns[name]
        if not isinstance(column, np.ndarray):
            raise TypeError(f"port {name} is not a scalar")
        return column

    def cells(self, name: str) -> Ragged:
        """A per-cell port's column, in the port's unit."""
        column = self.columns[name]
        if not isinstance(column, Ragged):
            raise TypeError(f"port {name} has no cells")
        return column

    def trend(self, name: str) -> Trends:
        """A temperature trend port's column."""
        column = self.columns[name]
        if not isinstance(column, Trends):
            raise TypeError(f"port {name} is not a trend")
        return column

    def take(self, rows: Integers) -> Batch:
        """The instances named, in that order."""
        columns: dict[str, Column] = {}
        for name, column in self.columns.items():
            if isinstance(column, Ragged | Trends):
                columns[name] = column.take(rows)
            elif isinstance(column, np.ndarray):
                columns[name] = column[rows]
        picked = rows.tolist()
        return Batch(
            len(picked), columns, {name: [values[i] for i in picked] for name, values in self.parameters.items()}
        )

    def between(self, first: int, end: int) -> Batch:
        """The instances from ``first`` to before ``end``: views, not copies."""
        columns: dict[str, Column] = {
            name: column.between(first, end) if isinstance(column, Ragged | Trends) else column[first:end]
            for name, column in self.columns.items()
        }
        return Batch(end - first, columns, {name: values[first:end] for name, values in self.parameters.items()})

    def numbers(self, name: str) -> Floats:
        """A numeric parameter's values ``(n,)``, in the parameter's unit."""
        return np.asarray(self.parameters[name], dtype=np.float64)

    def words(self, name: str) -> Texts:
        """A text parameter's values."""
        return [str(value) for value in self.parameters[name]]


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """Outputs of a batch: a column per port, and the instances that could not be answered.

    A scalar of NaN means that the instance has no such value; it is omitted on the wire.
    """

    columns: Mapping[str, Column]
    problems: Mapping[int, InstanceProblem] = field(default_factory=dict)

    def raise_first(self) -> ModelAnswer:
        """This answer, or InstanceError for its first problem: for callers with one instance."""
        for problem in self.problems.values():
            raise InstanceError(problem)
        return self


class Problems:
    """The problems found in a batch: at most one per instance, the first."""

    def __init__(self) -> None:
        self.found: dict[int, InstanceProblem] = {}

    def add(self, index: int, name: str, message: str) -> None:
        """Note a problem of instance ``index``, unless it has one already."""
        self.found.setdefault(index, InstanceProblem(name, message))

    def flag(self, mask: Flags, name: str, message: str, values: Floats | None = None) -> None:
        """Note a problem of every instance in ``mask`` ``(n,)``; ``{}`` in the message stands for its value."""
        for index in np.flatnonzero(mask).tolist():
            self.add(index, name, message if values is None else message.format(f"{values[index]:.6g}"))

    def good(self, size: int) -> Flags:
        """Mask ``(size,)`` of the instances without a problem."""
        mask = np.ones(size, dtype=np.bool_)
        mask[list(self.found)] = False
        return mask


def answer_good(
    batch: Batch, problems: Problems, compute: Callable[[Batch, Problems], Mapping[str, Column]]
) -> ModelAnswer:
    """Compute the instances without a problem, and return the columns in the batch's order.

    A model first notes the problems of its inputs; ``compute`` then receives sound instances only and may
    note further problems, by their position in the batch it received.
    """
    rows = np.flatnonzero(problems.good(batch.size))
    if rows.size == batch.size:
        return ModelAnswer(compute(batch, problems), problems.found)
    local = Problems()
    columns = compute(batch.take(rows), local)
    for position, problem in local.found.items():
        problems.add(int(rows[position]), problem.field, problem.message)
    return ModelAnswer({name: scatter(column, rows, batch.size) for name, column in columns.items()}, problems.found)


def scatter(column: Column, rows: Integers, size: int) -> Column:
    """A column of the instances ``rows`` (ascending) among ``size``; the others are absent."""
    if isinstance(column, Ragged):
        return column.scatter(rows, size)
    if isinstance(column, Trends):
        raise TypeError("a trend cannot be an output")
    if isinstance(column, np.ndarray):
        whole = absent(size)
        whole[rows] = column
        return whole
    words: list[Any] = [""] * size
    for position, word in zip(rows.tolist(), column, strict=True):
        words[position] = word
    return words


@runtime_checkable
class Model(Protocol):
    """A model: its inputs, its outputs, and the calculation."""

    @property
    def name(self) -> str:
        """Short name, as in the URL of the service."""
        ...

    @property
    def version(self) -> str:
        """Semantic version of the calculation: it changes when the same input gives another result."""
        ...

    @property
    def description(self) -> str:
        """One sentence on the question the model answers."""
        ...

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Input ports."""
        ...

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Output ports."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters with their defaults."""
        ...

    def run(self, batch: Batch) -> ModelAnswer:
        """Answer all instances at once; the units are those the ports declare."""
        ...
