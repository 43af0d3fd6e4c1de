"""Run a large batch in parts of bounded size: a run needs little memory beside its inputs, whatever the fleet.

    answer = run_in_batches(batch, run)

A model allocates many temporaries as long as its histories. For a hundred thousand twins with 20 million segments
that would be several times the inputs; in parts it is next to nothing, and several times as fast, since the
temporaries stay near the processor (benchmarks/models_throughput.py measures both). Parts are views of the batch,
not copies; rows are never split, and no instance's results depend on its neighbours, so the answer is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from .columns import VALUES_AT_ONCE, Integers, Ragged, Trends, offsets_of, row_blocks
from .protocol import Batch, Column, InstanceProblem, ModelAnswer, Problems, answer_good


class BatchedModel:
    """Base of the package's models: note the instances that are wrong, compute the others, in parts of bounded size."""

    __slots__ = ()

    @classmethod
    def shipped(cls, folder: Path | None = None) -> Self:
        """With the files of the package, and those of ``folder``."""
        raise NotImplementedError

    def with_files(self, folder: Path) -> Self:
        """The same model with the files of ``folder`` besides the shipped ones."""
        return type(self).shipped(folder)

    def run(self, batch: Batch) -> ModelAnswer:
        """Answer all instances at once; the units are those the ports declare."""
        return run_in_batches(batch, self._run)

    def _run(self, batch: Batch) -> ModelAnswer:
        problems = Problems()
        self._check(batch, problems)
        return answer_good(batch, problems, self._compute)

    def _check(self, batch: Batch, problems: Problems) -> None:
        """Note the instances that cannot be computed."""
        raise NotImplementedError

    def _compute(self, batch: Batch, problems: Problems) -> Mapping[str, Column]:
        """The output columns of instances that passed the check."""
        raise NotImplementedError


def run_in_batches(batch: Batch, run: Callable[[Batch], ModelAnswer], size: int = VALUES_AT_ONCE) -> ModelAnswer:
    """The answer of ``run`` to ``batch``, computed in parts of about ``size`` values (segments and cells)."""
    weight: Integers = np.ones(batch.size, dtype=np.int64)
    for column in batch.columns.values():
        if isinstance(column, Ragged | Trends):
            weight += column.lengths
    blocks = list(row_blocks(offsets_of(weight), size))
    if len(blocks) <= 1:
        return run(batch)
    answers: list[ModelAnswer] = []
    problems: dict[int, InstanceProblem] = {}
    for first, end in blocks:
        answer = run(batch.between(first, end))
        answers.append(answer)
        problems |= {first + position: problem for position, problem in answer.problems.items()}
    # A part without one sound instance still has every column, all absent.
    names = answers[0].columns
    return ModelAnswer({name: _join([answer.columns[name] for answer in answers]) for name in names}, problems)


def _join(columns: Sequence[Column]) -> Column:
    first = columns[0]
    if isinstance(first, Ragged):
        rows = cast("Sequence[Ragged]", columns)
        return Ragged(
            np.concatenate([row.values for row in rows]), offsets_of(np.concatenate([row.lengths for row in rows]))
        )
    if isinstance(first, Trends):
        raise TypeError("a trend cannot be an output")
    if isinstance(first, np.ndarray):
        return np.concatenate(cast("Sequence[Any]", columns))
    return list(chain.from_iterable(cast("Sequence[Any]", columns)))
