"""The contract of every registered model, ours and those of other packages."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from voltwin.models.base.columns import Ragged, Trends
from voltwin.models.base.protocol import Batch, Model, ModelAnswer
from voltwin.models.base.units import unit_named
from voltwin.models.registry import Registry

REGISTRY = Registry.discover()


@pytest.fixture(params=REGISTRY.names())
def model(request: pytest.FixtureRequest) -> Model:
    return REGISTRY.get(request.param)


def empty_batch(model: Model) -> Batch:
    none = np.empty(0)
    start = np.zeros(1, dtype=np.int64)
    columns = {
        "scalar": none,
        "cells": Ragged(none, start),
        "trend": Trends(none, none, none, none, none.astype(bool), start),
    }
    return Batch(
        0,
        {port.name: columns[port.shape] for port in model.inputs},  # type: ignore[misc]  # drawn values are wider than they seem
        {parameter.name: [] for parameter in model.parameters},
    )


def test_it_follows_the_protocol(model: Any) -> None:
    assert isinstance(model, Model)
    assert re.fullmatch(r"[a-z][a-z0-9-]*", model.name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", model.version)
    assert model.description


def test_ports_are_named_once_and_numbers_have_a_known_unit(model: Any) -> None:
    for ports in (model.inputs, model.outputs):
        names = [port.name for port in ports]
        assert len(names) == len(set(names))
        for port in ports:
            assert re.fullmatch(r"[a-z][A-Za-z0-9]*", port.name)
            assert port.description
            if port.shape in ("scalar", "cells", "trend"):
                assert port.unit is not None
                unit_named(port.unit)
            else:
                assert port.unit is None
    assert {port.name for port in model.inputs}.isdisjoint(parameter.name for parameter in model.parameters)


def test_parameter_defaults_lie_within_their_own_bounds(model: Any) -> None:
    for parameter in model.parameters:
        if isinstance(parameter.default, str):
            assert not parameter.choices or parameter.default in parameter.choices
        else:
            assert parameter.minimum <= parameter.default <= parameter.maximum
        if parameter.unit is not None:
            unit_named(parameter.unit)


def sound_batch(model: Model, size: int) -> Batch:
    """Instances within every port's bounds: half-charged cells, a day at 20 °C, all defaults."""
    cells = Ragged.from_rows([[3.67, 3.68]] * size)
    day = Trends(
        np.zeros(size),
        np.full(size, 86400.0),
        np.full(size, 293.15),
        np.full(size, 293.15),
        np.ones(size, dtype=bool),
        np.arange(size + 1),
    )
    scalars = {"SEC": 86400.0, "DEG_C": 20.0, "HR": 10.0, "A-HR": 12.5}
    columns = {}
    for port in model.inputs:
        if port.shape == "trend":
            columns[port.name] = day
        elif port.shape == "cells":
            columns[port.name] = cells if port.unit == "V" else cells.with_values(np.full(2 * size, 50.0))  # type: ignore[assignment]  # a stand-in takes the place of the real part
        else:
            if not port.optional and port.unit not in scalars:
                pytest.skip(f"no sound value is known for {port.name} in {port.unit}")
            value = np.nan if port.optional else 0.0 if port.name == "endOfLineTime" else scalars[port.unit]
            columns[port.name] = np.full(size, value)  # type: ignore[assignment]  # the first value is narrower than those to come
    return Batch(size, columns, {parameter.name: [parameter.default] * size for parameter in model.parameters})


def test_outputs_have_the_shapes_their_ports_declare(model: Any) -> None:
    answer = model.run(sound_batch(model, 3))
    assert not answer.problems
    for port in model.outputs:
        column = answer.columns[port.name]
        assert len(column) == 3
        if port.shape == "scalar":
            assert isinstance(column, np.ndarray)
            assert column.dtype == np.float64
        elif port.shape == "cells":
            assert isinstance(column, Ragged)
            assert column.lengths.tolist() == [2, 2, 2]
        elif port.shape == "text":
            assert all(isinstance(word, str) for word in column)
        else:
            assert all(isinstance(word, str) for words in column for word in words)


def test_a_fleet_is_answered_as_its_twins_are_one_by_one(model: Any) -> None:
    together, alone = model.run(sound_batch(model, 3)), model.run(sound_batch(model, 1))
    for port in model.outputs:
        many, one = together.columns[port.name], alone.columns[port.name]
        if isinstance(one, Ragged):
            assert many.row(2) == pytest.approx(one.row(0), rel=1e-12, nan_ok=True)
        elif isinstance(one, np.ndarray):
            assert many[2] == pytest.approx(one[0], rel=1e-12, nan_ok=True)
        else:
            assert many[2] == one[0]


def test_an_empty_batch_is_answered(model: Any) -> None:
    answer = model.run(empty_batch(model))
    assert isinstance(answer, ModelAnswer)
    assert not answer.problems
    assert set(answer.columns) == {port.name for port in model.outputs}
