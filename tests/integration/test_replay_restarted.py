"""A replay fleet that is opened again answers at the last instant of its replay, not as of today."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from voltwin.assembly import assemble, open_fleet, run_by
from voltwin.control.clock import ReplayClock, SystemClock
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.verification import prove
from voltwin.server import Server
from voltwin.settings import Settings

pytestmark = pytest.mark.integration

LAST = datetime(2019, 4, 12, 6, tzinfo=UTC)


@pytest.fixture
def replayed(tmp_path: Path) -> Path:
    """A fleet whose master has committed in 2019, and a user after that."""
    from ..unit.api.sample_fleet import make_fleet

    make_fleet(tmp_path).close()
    folder = tmp_path / "fleet"
    clock = ReplayClock()
    parts = assemble(read_folder(folder), clock)
    with parts.fleet:
        run_by(parts.fleet, clock)
        parts.fleet.committer.commit(Entry("control master", LAST))
        prove(parts.fleet.committer.journal.database)
    return folder


def test_it_is_opened_at_the_last_instant_of_the_replay(replayed: Path) -> None:
    with open_fleet(replayed) as fleet:
        assert (fleet.status()["time"], fleet.status()["clock"]) == ("replay", "2019-04-12T06:00:00Z")
        put = fleet.update("INSERT DATA { GRAPH <https://x.example/g> { <a:b> <a:c> 1 } }", author="ann")
        assert put.sequence is not None
        (event,) = fleet.events(since=put.sequence - 1, follow=False)
        assert event.time == LAST
    with open_fleet(replayed) as fleet:
        assert fleet.status()["clock"] == "2019-04-12T06:00:00Z"


def test_a_server_without_a_broker_shows_it_so_too(replayed: Path) -> None:
    import httpx2

    server = Server(replayed, Settings(port=0))
    try:
        url = server.start()
        status: Any = json.loads(httpx2.get(f"{url}/status").text)
        assert (status["time"], status["clock"], status["listening"]) == ("replay", "2019-04-12T06:00:00Z", None)
    finally:
        server.stop()


def test_a_fleet_of_the_time_of_day_has_no_such_note(replayed: Path) -> None:
    parts = assemble(read_folder(replayed), SystemClock())
    with parts.fleet:
        run_by(parts.fleet, SystemClock())
    with open_fleet(replayed) as fleet:
        assert "time" not in fleet.status()
