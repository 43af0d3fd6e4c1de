"""What every registered model keeps, ours and those of other packages."""

from __future__ import annotations

import re

import numpy as np
import pytest

from voltwin.models.columns import Ragged, Trends
from voltwin.models.protocol import Answer, Batch, Model
from voltwin.models.registry import Registry
from voltwin.models.units import unit_named

REGISTRY = Registry.discover()


@pytest.fixture(params=REGISTRY.names())
def model(request) -> Model:
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
        {port.name: columns[port.shape] for port in model.inputs},
        {parameter.name: [] for parameter in model.parameters},
    )


def test_it_follows_the_protocol(model):
    assert isinstance(model, Model)
    assert re.fullmatch(r"[a-z][a-z0-9-]*", model.name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", model.version)
    assert model.description


def test_ports_are_named_once_and_numbers_have_a_known_unit(model):
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


def test_parameter_defaults_lie_within_their_own_bounds(model):
    for parameter in model.parameters:
        if isinstance(parameter.default, str):
            assert not parameter.choices or parameter.default in parameter.choices
        else:
            assert parameter.minimum <= parameter.default <= parameter.maximum
        if parameter.unit is not None:
            unit_named(parameter.unit)


def test_an_empty_batch_is_answered(model):
    answer = model.run(empty_batch(model))
    assert isinstance(answer, Answer)
    assert not answer.problems
    assert set(answer.columns) == {port.name for port in model.outputs}
