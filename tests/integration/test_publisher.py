from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from click.testing import CliRunner
from paho.mqtt.enums import CallbackAPIVersion

from voltwin.errors import BrokerError
from voltwin.simulator.plan import ReplaySettings, plan_fleet
from voltwin.simulator.publisher import Broker, publish
from voltwin.simulator.replay import replay
from voltwin.verbs.simulate import replay as verb

pytestmark = pytest.mark.integration

PLAN = plan_fleet(ReplaySettings(modules=3, cells=4, leaky=1))


@contextlib.contextmanager
def subscriber(port: Any) -> Iterator[Any]:
    """Everything that arrives below voltwin/, in order; the session survives a restart of the broker."""
    arrived: list[tuple[str, bytes]] = []
    subscribed = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listening-test", clean_session=False)
    client.on_connect = lambda client, *_: client.subscribe("voltwin/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _client, _data, message: arrived.append((message.topic, message.payload))
    client.reconnect_delay_set(min_delay=1, max_delay=1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert subscribed.wait(10)
    try:
        yield arrived
    finally:
        client.disconnect()
        client.loop_stop()


def wait_for_final(arrived: Any) -> None:
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        if arrived and b'"final":true' in arrived[-1][1]:
            return
        time.sleep(0.02)
    pytest.fail(f"the final message did not arrive; {len(arrived)} did")


def expected() -> Any:
    return [(message.topic, message.encode()) for message in replay(PLAN)]


def test_every_message_arrives_once_and_in_order(mosquitto: Any) -> None:
    told: list[int] = []
    with subscriber(mosquitto.port) as arrived:
        sent = publish(replay(PLAN), Broker.parse(mosquitto.url), progress=told.append)
        wait_for_final(arrived)
    assert arrived == expected()
    assert told == list(range(1, sent + 1))
    assert sent == len(arrived)


def test_a_small_window_changes_nothing_but_the_speed(mosquitto: Any) -> None:
    with subscriber(mosquitto.port) as arrived:
        publish(replay(PLAN), Broker.parse(mosquitto.url), window=1)
        wait_for_final(arrived)
    assert arrived == expected()


@pytest.mark.parametrize("away", [0.0, 0.7])
def test_a_restart_of_the_broker_loses_nothing(mosquitto: Any, away: Any) -> None:
    # the publisher goes on while the broker is away
    restart = threading.Timer(away, mosquitto.start)

    def with_a_restart() -> Iterator[Any]:
        for number, message in enumerate(replay(PLAN)):
            if number == 400:
                mosquitto.stop()
                restart.start()
            yield message

    with subscriber(mosquitto.port) as arrived:
        publish(with_a_restart(), Broker.parse(mosquitto.url))
        restart.join()
        wait_for_final(arrived)
    first_times = list(dict.fromkeys(arrived))
    assert first_times == expected()


def test_a_broker_that_stays_away_is_an_error(mosquitto: Any) -> None:
    def without_a_broker() -> Iterator[Any]:
        for number, message in enumerate(replay(PLAN)):
            if number == 50:
                mosquitto.stop()
            yield message

    with pytest.raises(BrokerError, match=r"no acknowledgement for 0\.5 s"):
        publish(without_a_broker(), Broker.parse(mosquitto.url), patience=0.5)


def test_a_login_is_asked_for_and_used(make_mosquitto: Any, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("simulator:secret\n", encoding="utf-8")
    # mosquitto accepts hashed entries only; its own tool does that
    hasher = shutil.which("mosquitto_passwd")
    if hasher is None:
        pytest.skip("mosquitto_passwd is not installed; on Debian it comes with mosquitto")
    subprocess.run([hasher, "-U", str(passwords)], check=True, capture_output=True)
    broker = make_mosquitto("allow_anonymous false", f"password_file {passwords}")
    with pytest.raises(BrokerError, match="refuses the connection"):
        publish(replay(PLAN), Broker.parse(broker.url))
    with pytest.raises(BrokerError, match="refuses the connection") as caught:
        publish(replay(PLAN), Broker.parse(broker.url.replace("//", "//simulator:guess@")))
    assert "guess" not in str(caught.value)
    assert publish(replay(PLAN), Broker.parse(broker.url.replace("//", "//simulator:secret@"))) == len(expected())


def test_no_broker_is_one_clear_sentence() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can, and connecting fails
        address = Broker.parse(f"mqtt://127.0.0.1:{reserved.getsockname()[1]}")
        with pytest.raises(BrokerError, match="no broker answers there") as caught:
            publish(replay(PLAN), address)
    assert "\n" not in str(caught.value)


def test_no_more_than_the_window_is_under_way() -> None:
    """A broker that takes messages and never acknowledges sees exactly one window of them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = bytearray()

        def mute_broker() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"\x20\x02\x00\x00")  # CONNACK, accepted
                while data := connection.recv(65536):
                    seen.extend(data)

        thread = threading.Thread(target=mute_broker)
        thread.start()
        with pytest.raises(BrokerError, match="no acknowledgement"):
            publish(replay(PLAN), Broker("127.0.0.1", server.getsockname()[1]), window=7, patience=0.5)
        thread.join(10)
    assert seen.count(b'{"id":') == 7


def test_the_verb_publishes_what_it_records(mosquitto: Any, tmp_path: Path) -> None:
    record = tmp_path / "messages.jsonl"
    options = ["--modules", "3", "--cells", "4", "--leaky", "1", "--as-fast-as-possible", "--json"]
    with subscriber(mosquitto.port) as arrived:
        done = CliRunner().invoke(
            verb, [*options, "--broker", mosquitto.url, "--record", str(record)], catch_exceptions=False
        )
        wait_for_final(arrived)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["messages"] == len(arrived)
    recorded = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert [(line["topic"], line["payload"]) for line in recorded] == [
        (topic, json.loads(payload)) for topic, payload in arrived
    ]
