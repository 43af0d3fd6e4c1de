"""Real processes, killed while they work: at the end nothing is lost and nothing happened twice.

The short version; ``make torture`` has the long one (tests/torture).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voltwin.assembly import create_fleet
from voltwin.converter import convert
from voltwin.simulator.plan import ReplaySettings, plan_fleet
from voltwin.simulator.replay import replay

from .fleet_process import MODEL, difference, run_through, serve_models
from .killed_writer import survive

pytestmark = pytest.mark.integration


def journey(modules: Any, every: Any) -> Any:
    """The messages of a few modules, with every so many-th sample of the trucks."""
    plan = plan_fleet(ReplaySettings(modules=modules))
    return [item for n, item in enumerate(replay(plan)) if "sample" not in item.topic or n % every == 0]


@pytest.mark.timeout(240)
def test_a_server_that_is_killed_comes_to_the_same_end(make_mosquitto: Any, tmp_path: Path) -> None:
    messages = journey(2, 10)
    services = serve_models()
    try:
        results = []
        for name, kills in (("undisturbed", 0), ("killed", 3)):
            broker = make_mosquitto(
                "allow_anonymous true", "persistence true", "persistence_location {folder}/", "max_inflight_messages 20"
            )
            results.append(run_through(tmp_path / name, broker, services, messages, kills))
            broker.stop()
    finally:
        services.shutdown()
        services.server_close()
    (graph, counts), (other, other_counts) = results
    assert counts["deadLetters"] == counts["queued"] == counts["failed"] == 0
    assert counts["messages"] == sum(1 for item in messages if item.topic != "voltwin/clock")
    assert difference(graph, other) == []
    assert other_counts == counts


@pytest.mark.timeout(120)
def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    create_fleet(folder, convert(MODEL), "https://fleet.example/")
    survive(folder, 5)
