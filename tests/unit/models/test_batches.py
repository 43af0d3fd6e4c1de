"""A batch in parts gives the results of the whole batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voltwin.models.base.batches import run_in_batches
from voltwin.models.base.columns import Ragged
from voltwin.models.base.protocol import ModelAnswer
from voltwin.models.service.json_codec import decode

from .samples import discharge_instance, gate_instance, quantity

GATE = [
    gate_instance(250.0 + number, cells=4 + number % 9, parameters={"policy": ("arrhenius", "clamp")[number % 2]})
    for number in range(12)
]
GATE[5] = gate_instance(280.0, arrivalTime=quantity(0.0, "SEC"))
LOST = [discharge_instance(250.0 + number, [20.0 + number, 60.0]) for number in range(12)]
LOST[0] = discharge_instance(250, until=quantity(0.0, "SEC"))
LOST[7] = discharge_instance(250, socSigma=quantity([0.5], "PERCENT"))
OCV = [{"inputs": {"ocv": quantity([3.6 + 0.01 * number] * (number % 3), "V")}} for number in range(9)]


@pytest.mark.parametrize("size", [1, 30, 100])
@pytest.mark.parametrize(
    ("name", "instances"),
    [
        ("arrival-gate", GATE),
        ("self-discharge", LOST),
        ("self-discharge-two-electrode", [discharge_instance(250.0 + number) for number in range(6)]),
        ("ocv-soc", OCV),
    ],
)
def test_parts_give_what_the_whole_gives(registry: Any, name: Any, instances: Any, size: Any) -> None:
    model = registry.get(name)
    batch, good, _ = decode(model, instances)
    assert len(good) == len(instances)
    whole, parts = run_in_batches(batch, model._run, 10**9), run_in_batches(batch, model._run, size)
    assert dict(parts.problems) == dict(whole.problems)
    assert parts.columns.keys() == whole.columns.keys()
    for port, column in whole.columns.items():
        other = parts.columns[port]
        if isinstance(column, Ragged):
            assert isinstance(other, Ragged)
            assert other.offsets.tolist() == column.offsets.tolist()
            np.testing.assert_allclose(other.values, column.values, rtol=1e-12)
        elif isinstance(column, np.ndarray):
            np.testing.assert_allclose(other, column, rtol=1e-12)
        else:
            assert list(other) == list(column)


def test_no_part_is_larger_than_asked_for_and_no_row_is_split(registry: Any) -> None:
    model = registry.get("self-discharge")
    batch, _, _ = decode(model, LOST)
    seen = []

    def note(part: Any) -> Any:
        seen.append((part.size, part.trend("temperatureTrend").start.size + part.cells("soc").values.size))
        return ModelAnswer({})

    run_in_batches(batch, note, 20)
    assert sum(rows for rows, _ in seen) == batch.size
    assert (
        sum(values for _, values in seen) == batch.trend("temperatureTrend").start.size + batch.cells("soc").values.size
    )
    assert all(values <= 20 for _, values in seen)
    assert len(seen) > 3
