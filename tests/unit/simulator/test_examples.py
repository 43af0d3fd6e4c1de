from __future__ import annotations

import doctest
import importlib
from typing import Any

import pytest


@pytest.mark.parametrize(
    "name", ["", ".climate", ".journey", ".messages", ".pace", ".physics", ".plan", ".replay", ".route"]
)
def test_the_example_of_a_module_runs(name: Any) -> None:
    result = doctest.testmod(importlib.import_module(f"voltwin.simulator{name}"))
    assert result.attempted > 0
    assert result.failed == 0
