"""The long version of tests/integration/test_crash.py: fifty kills.

Run by ``make torture``; it takes some minutes.
"""

from __future__ import annotations

import pytest

from ..integration.conftest import make_mosquitto
from ..integration.fleet_process import difference, environment_allows, run_through, serve_models
from ..integration.test_crash import journey

__all__ = ["make_mosquitto"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(environment_allows() != "", reason=environment_allows()),
    pytest.mark.timeout(1800),
]
PERSISTENT = ("allow_anonymous true", "persistence true", "persistence_location {folder}/")


@pytest.fixture
def services():
    server = serve_models()
    yield server
    server.shutdown()
    server.server_close()


def test_fifty_kills_change_nothing(make_mosquitto, tmp_path, services):
    messages = journey(6, 1)
    graph, counts = run_through(tmp_path / "undisturbed", make_mosquitto(*PERSISTENT), services, messages, 0)
    assert counts["deadLetters"] == counts["queued"] == counts["failed"] == 0
    other, other_counts = run_through(tmp_path / "killed", make_mosquitto(*PERSISTENT), services, messages, 50, seed=1)
    assert difference(graph, other) == []
    assert other_counts == counts
