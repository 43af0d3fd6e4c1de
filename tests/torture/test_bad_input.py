"""The long version of tests/integration/test_bad_input.py: 100,000 bad messages and requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ..integration.conftest import make_mosquitto, mosquitto
from ..integration.fleet_process import environment_allows
from ..integration.test_bad_input import MOST_GROWTH, flood

__all__ = ["make_mosquitto", "mosquitto"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(environment_allows() != "", reason=environment_allows()),
    pytest.mark.timeout(7200),
]


def test_a_hundred_thousand_bad_messages_and_requests(mosquitto: Any, tmp_path: Path) -> None:
    grown = flood(mosquitto, tmp_path / "fleet", 50_000)
    print(f"grown by {grown / 2**20:.1f} MiB in the requests")  # noqa: T201 - make torture shows it
    assert grown < MOST_GROWTH
