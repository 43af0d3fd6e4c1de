"""Two fleets with the default base on one broker have sessions of their own: each gets every message."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import voltwin.ontology
from voltwin.graphstore.folder import read_folder
from voltwin.maintenance import back_up_fleet, restore_fleet

from .fleet_process import START_SECONDS, FleetProcess, messages_taken, serve_models

pytestmark = pytest.mark.integration

MESSAGES = 20


def test_two_fleets_on_one_broker_both_get_all_messages(mosquitto: Any, tmp_path: Path) -> None:
    services = serve_models()
    fleets = [FleetProcess(tmp_path / name, mosquitto, services) for name in ("one", "two")]
    place = Path(voltwin.ontology.__file__).parent / "messages" / "module-birth.schema.json"
    birth = json.loads(place.read_text("utf-8"))["examples"][0]
    try:
        for fleet in fleets:
            fleet.start()
            fleet.serving()
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", mosquitto.port)
        client.loop_start()
        for number in range(MESSAGES):
            body = json.dumps({**birth, "id": f"birth-{number}"})
            client.publish(f"voltwin/modules/module-{number}/birth", body, qos=1).wait_for_publish(30)
        client.disconnect()
        client.loop_stop()
        deadline = time.monotonic() + START_SECONDS
        while [messages_taken(fleet.folder)[0] for fleet in fleets] != [MESSAGES, MESSAGES]:
            assert time.monotonic() < deadline, [messages_taken(fleet.folder) for fleet in fleets]
            time.sleep(0.1)
        for fleet in fleets:
            fleet.stop()
    finally:
        for fleet in fleets:
            process: Any = fleet.process
            if process is not None and process.poll() is None:
                fleet.kill()
        services.shutdown()
        services.server_close()


def test_a_restored_fleet_is_one_of_its_own_unless_it_continues_the_same(tmp_path: Path) -> None:
    from ..unit.api.sample_fleet import make_fleet

    make_fleet(tmp_path).close()
    back_up_fleet(tmp_path / "fleet", tmp_path / "copy")
    restore_fleet(tmp_path / "copy", tmp_path / "other")
    restore_fleet(tmp_path / "copy", tmp_path / "again", same=True)
    first, other, again = (read_folder(tmp_path / name).id for name in ("fleet", "other", "again"))
    assert first
    assert (first == again, first == other) == (True, False)
