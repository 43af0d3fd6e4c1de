from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.models.base.columns import Ragged, offsets_of, row_blocks, running_sums

ROWS = st.lists(st.lists(st.floats(0, 1e3), max_size=9), max_size=6)


@given(ROWS)
def test_running_sums_are_the_cumulative_sums_of_each_row(rows: Any) -> None:
    ragged = Ragged.from_rows(rows)
    sums = ragged.with_values(running_sums(ragged.values, ragged.offsets))
    for number, row in enumerate(rows):
        assert sums.row(number) == pytest.approx(np.cumsum(row), rel=1e-12)


@given(ROWS, st.sampled_from([1e300, np.inf, np.nan]))
def test_a_huge_row_does_not_change_the_running_sums_of_the_others(rows: Any, value: Any) -> None:
    alone, beside = Ragged.from_rows(rows), Ragged.from_rows([[value] * 3, *rows])
    expected = running_sums(alone.values, alone.offsets)
    assert running_sums(beside.values, beside.offsets)[3:].tolist() == expected.tolist()


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(1, 12))
def test_blocks_of_rows_follow_each_other_and_are_no_larger_than_asked(lengths: Any, size: Any) -> None:
    offsets = offsets_of(lengths)
    blocks = list(row_blocks(offsets, size))
    assert [row for first, end in blocks for row in range(first, end)] == list(range(len(lengths)))
    assert all(end - first == 1 or offsets[end] - offsets[first] <= size for first, end in blocks)
    assert all(
        offsets[after[1]] - offsets[before[0]] > size for before, after in pairwise(blocks) if after[1] - after[0] == 1
    )


@given(ROWS, st.data())
def test_rows_between_two_positions_are_those_taken(rows: Any, data: Any) -> None:
    ragged = Ragged.from_rows(rows)
    first = data.draw(st.integers(0, len(rows)))
    end = data.draw(st.integers(first, len(rows)))
    part, taken = ragged.between(first, end), ragged.take(np.arange(first, end))
    assert part.values.tolist() == taken.values.tolist()
    assert part.offsets.tolist() == taken.offsets.tolist()
