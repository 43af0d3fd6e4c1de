"""A large batch, run in parts of bounded size: what a run needs beside its inputs stays small, whatever the fleet.

    answer = run_in_batches(batch, run)

A model allocates many temporaries as long as its histories. For a hundred thousand twins with 20 million segments
that would be several times the inputs; in parts it is next to nothing, and several times as fast, since the
temporaries stay near the processor (benchmarks/models_throughput.py measures both). Parts are views of the batch,
not copies; rows are never split, and no instance's figures depend on its neighbours, so the answer is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any, Final, cast

import numpy as np

from .columns import Integers, Ragged, Trends, offsets_of
from .protocol import Batch, Column, InstanceProblem, ModelAnswer

#: Values (segments and cells) a part: temporaries of half a megabyte each.
CHUNK: Final = 65_536


def run_in_batches(batch: Batch, run: Callable[[Batch], ModelAnswer], size: int = CHUNK) -> ModelAnswer:
    """The answer of ``run`` to ``batch``, worked out in parts of about ``size`` values."""
    borders = _borders(batch, size)
    if len(borders) <= 2:
        return run(batch)
    answers: list[ModelAnswer] = []
    problems: dict[int, InstanceProblem] = {}
    for low, high in pairwise(borders):
        answer = run(_part(batch, low, high))
        answers.append(answer)
        problems |= {low + position: problem for position, problem in answer.problems.items()}
    # A part without one sound instance still has every column, all absent.
    names = answers[0].columns
    return ModelAnswer({name: _joined([answer.columns[name] for answer in answers]) for name in names}, problems)


def _borders(batch: Batch, size: int) -> list[int]:
    """First rows of the parts, and the number of rows at the end."""
    weight: Integers = np.ones(batch.size, dtype=np.int64)
    for column in batch.columns.values():
        if isinstance(column, Ragged | Trends):
            weight += column.lengths
    ends = np.cumsum(weight)
    borders = [0]
    while borders[-1] < batch.size:
        first = borders[-1]
        done = int(ends[first - 1]) if first else 0
        borders.append(max(int(np.searchsorted(ends, done + size, side="right")), first + 1))
    return borders


def _part(batch: Batch, low: int, high: int) -> Batch:
    columns: dict[str, Column] = {}
    for name, column in batch.columns.items():
        if isinstance(column, Ragged | Trends):
            flat = slice(int(column.offsets[low]), int(column.offsets[high]))
            offsets = column.offsets[low : high + 1] - column.offsets[low]
            columns[name] = _cut(column, flat, offsets)
        else:
            columns[name] = column[low:high]
    return Batch(high - low, columns, {name: values[low:high] for name, values in batch.parameters.items()})


def _cut(column: Ragged | Trends, flat: slice, offsets: Integers) -> Ragged | Trends:
    if isinstance(column, Ragged):
        return Ragged(column.values[flat], offsets)
    return replace(
        column,
        start=column.start[flat],
        end=column.end[flat],
        first=column.first[flat],
        last=column.last[flat],
        measured=column.measured[flat],
        offsets=offsets,
    )


def _joined(columns: Sequence[Column]) -> Column:
    first = columns[0]
    if isinstance(first, Ragged):
        rows = cast("Sequence[Ragged]", columns)
        return Ragged(
            np.concatenate([row.values for row in rows]), offsets_of(np.concatenate([row.lengths for row in rows]))
        )
    if isinstance(first, Trends):
        raise TypeError("a trend is no output")
    if isinstance(first, np.ndarray):
        return np.concatenate(cast("Sequence[Any]", columns))
    return list(chain.from_iterable(cast("Sequence[Any]", columns)))
