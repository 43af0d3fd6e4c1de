"""What a model is: named ports with units and shapes, parameters, a version and ``run`` over a batch.

>>> from voltwin.models.registry import Registry
>>> model = Registry.discover().get("ocv-soc")
>>> [port.name for port in model.inputs]
['ocv', 'temperature']

A model never sees JSON, twins or the network: it gets columns (one row per instance) whose units were
already converted to what its ports declare, and gives columns back. A bad instance is named in
``ModelAnswer.problems`` and does not spoil the others. Third parties register a model, an object with the
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
    the wire. ``minimum`` and ``maximum`` bound an input in that unit: outside them the value is refused.
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
    """What is wrong with one instance: the port or parameter, and a sentence."""

    field: str
    message: str


class InstanceError(InputError):
    """One instance's input is wrong; ``field`` names the port or parameter."""

    def __init__(self, problem: InstanceProblem) -> None:
        super().__init__(f"{problem.field}: {problem.message}")
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

    def numbers(self, name: str) -> Floats:
        """A numeric parameter's values ``(n,)``, in the parameter's unit."""
        return np.asarray(self.parameters[name], dtype=np.float64)

    def words(self, name: str) -> Texts:
        """A text parameter's values."""
        return [str(value) for value in self.parameters[name]]


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """Outputs of a batch: a column per port, and the instances that could not be answered.

    A scalar of NaN means the figure does not exist for that instance; it is left out on the wire.
    """

    columns: Mapping[str, Column]
    problems: Mapping[int, InstanceProblem] = field(default_factory=dict)

    def raise_first(self) -> ModelAnswer:
        """This answer, or InstanceError for its first problem: for callers with one instance."""
        for problem in self.problems.values():
            raise InstanceError(problem)
        return self


class Problems:
    """Collects at most one problem per instance while a batch is worked on; the first one stays."""

    def __init__(self) -> None:
        self.found: dict[int, InstanceProblem] = {}

    def add(self, index: int, name: str, message: str) -> None:
        """Instance ``index`` has this problem."""
        self.found.setdefault(index, InstanceProblem(name, message))

    def flag(self, mask: Flags, name: str, message: str, values: Floats | None = None) -> None:
        """Every instance where ``mask`` ``(n,)`` holds; ``{}`` in the message takes its value."""
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
    """Compute the instances without a problem, and put the columns back in the batch's order.

    A model checks its inputs first and notes what it finds; ``compute`` then sees sound instances only
    and may note further problems, by their position in the batch it was given.
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
        raise TypeError("a trend is no output")
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
    """A model: what it wants, what it gives, and the calculation."""

    @property
    def name(self) -> str:
        """Short name, as in the URL of the service."""
        ...

    @property
    def version(self) -> str:
        """Semantic version of the calculation: another figure out of the same input is another version."""
        ...

    @property
    def description(self) -> str:
        """One sentence on what the model answers."""
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
