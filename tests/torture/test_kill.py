"""The long version of tests/integration/test_crash.py: fifty kills of the server, fifty of a writer under full load.

Run by ``make torture``; it takes some minutes. A kill -9 is not a power cut: what the kernel has taken over reaches the
disk all the same. What stands for power loss is told in docs/operations.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voltwin.assembly import create_fleet
from voltwin.converter import convert
from voltwin.maintenance import check_everything, check_view

from ..integration.conftest import make_mosquitto
from ..integration.fleet_process import MODEL, difference, environment_allows, run_through, serve_models
from ..integration.killed_writer import survive
from ..integration.test_crash import journey

__all__ = ["make_mosquitto"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(environment_allows() != "", reason=environment_allows()),
    pytest.mark.timeout(7200),
]
PERSISTENT = ("allow_anonymous true", "persistence true", "persistence_location {folder}/", "max_inflight_messages 20")
KILLS = 50


@pytest.fixture
def services() -> Iterator[Any]:
    server = serve_models()
    yield server
    server.shutdown()
    server.server_close()


def test_fifty_kills_of_the_server_change_nothing(make_mosquitto: Any, tmp_path: Path, services: Any) -> None:
    messages = journey(24, 1)
    graph, counts = run_through(tmp_path / "undisturbed", make_mosquitto(*PERSISTENT), services, messages, 0)
    assert counts["deadLetters"] == counts["queued"] == counts["failed"] == 0
    other, other_counts = run_through(
        tmp_path / "killed", make_mosquitto(*PERSISTENT), services, messages, KILLS, seed=1
    )
    assert difference(graph, other) == []
    assert other_counts == counts
    assert check_view(tmp_path / "killed") == []
    assert check_everything(tmp_path / "killed") == []


def test_fifty_kills_of_a_writer_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    create_fleet(folder, convert(MODEL), "https://fleet.example/")
    commits, looks = survive(folder, KILLS, seed=1, most=150)
    print(f"\n{KILLS} kills, {commits} commits, {looks} looks beside them")  # noqa: T201 - what `make torture -s` tells
