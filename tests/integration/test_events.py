"""Subscribers of a served fleet: every commit once, in order, whatever becomes of the subscriber or the server."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.errors import MomentNotFoundError
from voltwin.graphstore.fleets.remote import RemoteFleet
from voltwin.graphstore.history.event_stream import read_blocks
from voltwin.graphstore.history.events import event_from_json

from ..unit.api.sample_fleet import EOL, make_fleet

pytestmark = pytest.mark.integration

PATH = "/module-0001/cells/cell-03/voltage"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Any]:
    with make_fleet(tmp_path, ["module-0001", "module-0002"]) as made:
        yield made


@pytest.fixture
def server(fleet: Any) -> Iterator[Any]:
    with WebServer(create_app(fleet), port=0) as running:
        yield running


def put(fleet: Any, count: Any, path: Any = PATH) -> Any:
    for number in range(count):
        fleet.put(path, 3.0 + number / 1000, unit="V", time=EOL, author=f"bench-{number}")
    return fleet.committer.journal.last_sequence


class Subscriber:
    """`voltwin events --follow --json` in a process of its own."""

    def __init__(self, url: Any, since: Any) -> None:
        asked = ["events", "--fleet", url, "--follow", "--json", "--since", str(since)]
        self.process = subprocess.Popen([sys.executable, "-m", "voltwin", *asked], stdout=subprocess.PIPE, text=True)

    def read(self, count: Any) -> Any:
        return [json.loads(self.process.stdout.readline())["sequence"] for _ in range(count)]

    def kill(self) -> Any:
        """In the middle of whatever it does; returns what it had printed by then."""
        self.process.send_signal(signal.SIGKILL)
        rest, _ = self.process.communicate()
        whole, _, _ = rest.rpartition("\n")
        return [json.loads(line)["sequence"] for line in whole.splitlines()]


def test_a_subscriber_killed_and_resumed_sees_every_commit_exactly_once(fleet: Any, server: Any) -> None:
    begin = fleet.committer.journal.last_sequence
    writer = threading.Thread(target=put, args=(fleet, 300))
    writer.start()
    seen: list[Any] = []
    for _ in range(3):
        subscriber = Subscriber(server.url, seen[-1] if seen else begin)
        seen += subscriber.read(40)
        seen += subscriber.kill()
    writer.join()
    subscriber = Subscriber(server.url, seen[-1])
    seen += subscriber.read(begin + 300 - seen[-1])
    assert subscriber.kill() == []
    assert seen == list(range(begin + 1, begin + 301))


def test_a_subscriber_who_does_not_read_holds_nobody_up_and_misses_nothing(fleet: Any, server: Any) -> None:
    begin = fleet.committer.journal.last_sequence
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.settimeout(20)
        slow.sendall(f"GET /events?since={begin}&changes=true HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        slow.recv(100)
        # 16 MB, more than the buffers between them hold: were the writer to wait, this would never end.
        for number in range(400):
            fleet.put("/module-0001/serial", f"{number}" * 20_000, unit=None, time=EOL, author="anna")
        last, text = fleet.committer.journal.last_sequence, bytearray()
        while f"id: {last}\n".encode() not in text[-200_000:]:
            text += slow.recv(1 << 20)
    numbers = [int(number) for number in re.findall(rb"id: (\d+)\nevent: commit", text)]
    assert numbers == list(range(begin + 1, last + 1))


def test_last_event_id_goes_on_where_a_browser_was(fleet: Any, server: Any) -> None:
    last = put(fleet, 5)
    with (
        httpx2.Client(base_url=server.url, trust_env=False) as web,
        web.stream("GET", "/events?since=1", headers={"Last-Event-ID": str(last - 2)}) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = read_blocks(answer.iter_lines())
        assert [next(events).sequence for _ in range(2)] == [last - 1, last]


def test_an_event_says_who_touched_what(fleet: Any, server: Any) -> None:
    with RemoteFleet(server.url) as remote:
        with remote.events() as events:
            now = fleet.put(PATH, 3.5, unit="V", time=EOL, author="anna")
            fleet.put("/truck-01/logger/temperature", 7.0, unit="DEG_C", time=EOL + timedelta(days=9), author="logger")
            first, second = next(events), next(events)
        assert (first.sequence, first.author, first.twins) == (now, "anna", ("module-0001",))
        assert any(iri.endswith("Cell.voltage") for iri in first.properties)
        assert (first.samples, first.changes) == ({}, None)
        assert second.samples == {"/truck-01/logger/temperature": 1}
        (whole,) = [event for event in remote.events(now - 1, follow=False, changes=True) if event.sequence == now]
        assert "3.6492" in whole.changes[0].removed
        assert event_from_json(json.loads(json.dumps(whole.to_json()))) == whole
        assert list(remote.events(follow=False)) == list(fleet.events(follow=False))
        assert list(remote.events(EOL, follow=False)) == list(fleet.events(EOL, follow=False))


def test_a_subscriber_of_one_twin_hears_of_that_twin_alone(fleet: Any, server: Any) -> None:
    begin = put(fleet, 3, "/module-0002/cells/cell-01/voltage")
    with RemoteFleet(server.url) as remote, remote.events(0, twin="module-0001", changes=True) as events:
        (birth,) = [next(events)]
        fleet.put(PATH, 3.5, unit="V", time=EOL, author="anna")
        change = next(events)
    assert birth.twins == change.twins == ("module-0001",)
    assert change.sequence == begin + 1
    assert birth.samples == {"/module-0001/selfDischarge/trend": 4}
    assert {item.graph.value.split("/")[4] for item in birth.changes} == {"module-0001"}


@pytest.mark.parametrize("since", ["99999", "tomorrow"])
def test_what_cannot_be_resumed_is_refused(server: Any, since: Any) -> None:
    answer = httpx2.get(f"{server.url}/events", params={"since": since}, trust_env=False)
    assert answer.status_code == (404 if since.isdigit() else 422)
    assert "since" in answer.json()["message"]


def test_events_before_the_history_are_refused_with_where_to_begin(fleet: Any, server: Any) -> None:
    last = put(fleet, 5)
    fleet.fleet_history.history.compact(last - 2, now=EOL)
    with RemoteFleet(server.url) as remote:
        for one in (fleet, remote):
            with pytest.raises(MomentNotFoundError, match=f"since={last - 2}"):
                one.events(1)
            assert [event.sequence for event in one.events(follow=False)] == [last - 1, last]


def test_a_stream_ends_when_the_server_stops_and_when_the_fleet_closes(fleet: Any) -> None:
    server = WebServer(create_app(fleet), port=0)
    server.start()
    with RemoteFleet(server.url) as remote:
        far, near = remote.events(), fleet.events()
        ended = []
        readers = [threading.Thread(target=lambda found=found: ended.append(list(found))) for found in (far, near)]
        for reader in readers:
            reader.start()
        time.sleep(0.3)
        begun = time.monotonic()
        server.stop()
        readers[0].join(10)
        # Long before the server would cut off whom it still answers.
        assert time.monotonic() - begun < 4
        assert ended == [[]]
        fleet.close()
        readers[1].join(10)
        assert ended == [[], []]


def test_nobody_waits_for_what_nobody_will_write(fleet: Any) -> None:
    fleet.close()
    folder = fleet.committer.journal.database.file.parent
    command, named = [sys.executable, "-m", "voltwin"], ["--fleet", str(folder)]
    said = subprocess.run([*command, "events", *named, "--follow"], capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "no server runs it" in said.stderr
    said = subprocess.run([*command, "events", *named], capture_output=True, text=True, check=True)
    assert [int(line.split()[0]) for line in said.stdout.splitlines()] == [1, 2]
    said = subprocess.run(
        [*command, "log", *named, "--twin", "module-0001"], capture_output=True, text=True, check=True
    )
    assert "commit 2 · 2019-04-01T06:00:00Z · test" in said.stdout
    assert "/module-0001: created as Module" in said.stdout
    said = subprocess.run([*command, "get", PATH, "--as-of", "1", *named], capture_output=True, text=True, check=False)
    assert said.returncode == 3
    assert "module-0001" in said.stderr
