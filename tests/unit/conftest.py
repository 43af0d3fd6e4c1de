"""A real fleet of the case study's model, without processes, and the strategies these tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import voltwin.ontology
from voltwin.converter import convert
from voltwin.testing import Bench

START = datetime(2019, 4, 1, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def case_study() -> Any:
    """The case study's model, converted once."""
    return convert(Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj")


@pytest.fixture
def bench(tmp_path: Path, case_study: Any) -> Iterator[Any]:
    """An empty fleet of the case study."""
    made = Bench.make(tmp_path, case_study)
    yield made
    made.close()


@pytest.fixture
def start() -> Any:
    return START


@pytest.fixture
def hours() -> Any:
    return lambda number: START + timedelta(hours=number)


@pytest.fixture(scope="session")
def message_examples() -> Any:
    """By schema: the first example that the message schema itself publishes."""
    folder = Path(voltwin.ontology.__file__).parent / "messages"
    return {
        file.name.removesuffix(".schema.json"): json.loads(file.read_text("utf-8"))["examples"][0]
        for file in folder.glob("*.schema.json")
    }
