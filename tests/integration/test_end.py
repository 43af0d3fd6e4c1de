"""A server ends within five seconds of SIGTERM or Ctrl-C whatever is under way, and leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import voltwin.ontology
from voltwin.graphstore.folder import read_owner

from .fleet_process import START_SECONDS, FleetProcess, messages_taken, serve_models

pytestmark = pytest.mark.integration

LIMIT = 5.0


@pytest.fixture
def silent() -> Iterator[Any]:
    """Services at an address that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield SimpleNamespace(server_address=listener.getsockname())


def example(name: str) -> dict[str, Any]:
    file = Path(voltwin.ontology.__file__).parent / "messages" / f"{name}.schema.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))["examples"][0]
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("clock", ["replay", "system"])
def test_a_server_whose_handler_hangs_ends_in_time(
    mosquitto: Any, silent: Any, tmp_path: Path, number: int, clock: str
) -> None:
    fleet = FleetProcess(tmp_path / "fleet", mosquitto, silent, "--clock", clock)
    fleet.start()
    process: Any = fleet.process
    try:
        fleet.serving()
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", mosquitto.port)
        client.loop_start()
        for kind in ("birth", "end-of-line"):
            body = json.dumps(example(f"module-{kind}"))
            client.publish(f"voltwin/modules/module-0001/{kind}", body, qos=1).wait_for_publish(30)
        client.disconnect()
        client.loop_stop()
        address = read_owner(fleet.folder)["address"]
        deadline = time.monotonic() + START_SECONDS
        while httpx2.get(f"{address}/status").json()["underWay"] == 0:
            assert time.monotonic() < deadline, fleet.where()
            time.sleep(0.05)
        time.sleep(0.5)  # the handler's process is in its request now
        begun = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=30) == 0, fleet.where()
        assert time.monotonic() - begun < LIMIT
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    finally:
        if process.poll() is None:
            fleet.kill()
    assert "Traceback" not in fleet.log.read_text("utf-8")
    assert messages_taken(fleet.folder)[1] >= 1  # the run is queued still


def test_a_replay_that_catches_up_ends_in_time(mosquitto: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message a hundred years ahead, and no limit of ticks: the signal comes in the middle of the walk."""
    monkeypatch.setenv("VOLTWIN_CATCH_UP_TICKS", str(10**9))
    services = serve_models()
    fleet = FleetProcess(tmp_path / "fleet", mosquitto, services)
    fleet.start()
    process: Any = fleet.process
    try:
        fleet.serving()
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", mosquitto.port)
        client.loop_start()
        birth, clock = example("module-birth"), {"id": "clock/2119", "time": "2119-01-01T00:00:00Z"}
        for topic, body in (("voltwin/modules/module-0001/birth", birth), ("voltwin/clock", clock)):
            client.publish(topic, json.dumps(body), qos=1).wait_for_publish(30)
        client.disconnect()
        client.loop_stop()
        address = read_owner(fleet.folder)["address"]
        deadline, seen = time.monotonic() + START_SECONDS, set[str]()
        while len(seen) < 5:  # the clock walks
            assert time.monotonic() < deadline, fleet.where()
            seen.add(str(httpx2.get(f"{address}/status").json()["clock"]))
            time.sleep(0.05)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, fleet.where()
        assert time.monotonic() - begun < LIMIT
    finally:
        if process.poll() is None:
            fleet.kill()
        services.shutdown()
        services.server_close()
    assert "Traceback" not in fleet.log.read_text("utf-8")
    assert max(seen) < "2119"
