"""MQTT: flow control, a killed process, brokers that go away or refuse; the rest: test_every_listener.py."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from voltwin.control.listeners.mqtt import MqttListener
from voltwin.errors import BrokerError, InputError

from ..integration.conftest import free_port, make_mosquitto, mosquitto

__all__ = ["make_mosquitto", "mosquitto"]
pytestmark = pytest.mark.integration
WAIT = 30.0


class Post:
    """What a listener has handed on so far."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self._more = threading.Condition()

    def __call__(self, received: Any) -> None:
        with self._more:
            self.received.append(received)
            self._more.notify_all()

    def wait(self, enough: Any) -> Any:
        with self._more:
            assert self._more.wait_for(lambda: enough(self.received), WAIT), self.texts()
        return list(self.received)

    def texts(self) -> Any:
        return [item.payload.decode() for item in self.received]


def publish(broker: Any, texts: Any, topic: str = "voltwin/modules/m1/birth") -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for text in texts:
        client.publish(topic, text, qos=1).wait_for_publish(WAIT)
    client.disconnect()
    client.loop_stop()


def listen(broker: Any, post: Any, filters: Any = ("voltwin/modules/+/birth",)) -> Any:
    listener = MqttListener(broker.url, "test-listener", filters, post)
    listener.wait()
    return listener


def until(condition: Any) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_messages_come_in_order_with_topic_and_payload(mosquitto: Any) -> None:
    post = Post()
    listener = listen(mosquitto, post, ["voltwin/modules/+/birth", "voltwin/clock"])
    assert listener.problem() is None
    publish(mosquitto, [f"{n} ä" for n in range(50)])
    publish(mosquitto, ["not for us"], "voltwin/other")
    publish(mosquitto, ["tick"], "voltwin/clock")
    received = post.wait(len)
    while len(post.received) < 51:
        # The broker sends no more than it may have unacknowledged.
        listener.acknowledge([item.receipt for item in received])
        count = len(received)
        received = post.wait(lambda all_, count=count: len(all_) > count)
    assert post.texts() == [*(f"{n} ä" for n in range(50)), "tick"]
    assert {item.topic for item in post.received} == {"voltwin/modules/m1/birth", "voltwin/clock"}
    assert {item.channel for item in post.received} == {"mqtt"}
    assert len({item.receipt for item in post.received}) == 51
    listener.close()


def test_a_killed_process_is_started_again_and_its_messages_come_again(mosquitto: Any) -> None:
    post = Post()
    listener = listen(mosquitto, post)
    publish(mosquitto, "abc")
    first = post.wait(lambda all_: len(all_) == 3)
    os.kill(listener._child.pid, signal.SIGKILL)
    again = post.wait(lambda all_: len(all_) == 6)[3:]
    assert [item.payload for item in again] == [item.payload for item in first]
    assert not {item.receipt for item in first} & {item.receipt for item in again}
    # Receipts of the process that died are worth nothing: these messages are not safe yet.
    listener.acknowledge([item.receipt for item in first])
    listener.close()
    other = Post()
    third = listen(mosquitto, other)
    other.wait(lambda all_: len(all_) == 3)
    third.acknowledge([item.receipt for item in other.received])
    third.close()
    last = Post()
    fourth = listen(mosquitto, last)
    publish(mosquitto, "d")
    last.wait(lambda all_: len(all_) == 1)
    assert last.texts() == ["d"]
    fourth.close()


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_broker_that_goes_away_is_a_problem_until_it_is_back(make_mosquitto: Any, way: Any) -> None:
    broker = make_mosquitto(
        "allow_anonymous true",
        "persistence true",
        "persistence_location {folder}/",
        "autosave_on_changes true",
        "autosave_interval 1",
    )
    post = Post()
    listener = listen(broker, post)
    publish(broker, "ab")
    first = post.wait(lambda all_: len(all_) == 2)
    listener.acknowledge([first[0].receipt])
    time.sleep(0.3)
    if way == "kill":
        os.kill(broker._process.pid, signal.SIGKILL)
        broker._process.wait()
    broker.stop()
    until(lambda: listener.problem() is not None)
    assert broker.url in listener.problem()
    broker.start()
    until(lambda: listener.problem() is None)
    post.wait(lambda all_: all_[-1].payload == b"b" and len(all_) >= 3)
    # A receipt from before acknowledges nothing in the new session, and does no harm.
    listener.acknowledge([first[1].receipt])
    publish(broker, "c")
    post.wait(lambda all_: all_[-1].payload == b"c")
    listener.close()


def test_no_broker_is_said_at_once() -> None:
    listener = MqttListener(f"mqtt://127.0.0.1:{free_port()}", "nobody", ["x"], Post())
    with pytest.raises(BrokerError, match="no broker answers"):
        listener.wait()
    listener.close()


def test_a_broker_that_refuses_is_said(make_mosquitto: Any) -> None:
    broker = make_mosquitto("allow_anonymous false")
    listener = MqttListener(broker.url, "stranger", ["x"], Post())
    with pytest.raises(BrokerError, match="refuses"):
        listener.wait()
    listener.close()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="mqtt://host:port"):
        MqttListener("http://127.0.0.1", "x", ["x"], Post())


def test_a_session_that_another_process_takes_ends_one_of_the_two_with_a_sentence(
    mosquitto: Any, caplog: pytest.LogCaptureFixture
) -> None:
    posts = [Post(), Post()]
    first, second = (listen(mosquitto, post) for post in posts)
    taken = "another process has the session 'test-listener'"
    until(lambda: any(taken in (listener.problem() or "") for listener in (first, second)))
    ended = [listener for listener in (first, second) if taken in (listener.problem() or "")]
    (other,) = (listener for listener in (first, second) if listener not in ended)
    until(lambda: other.problem() is None)
    time.sleep(3 * 1.5)  # longer than a listener waits before it comes back: nobody does
    assert other.problem() is None
    assert taken in (ended[0].problem() or "")
    publish(mosquitto, "x")
    posts[(first, second).index(other)].wait(lambda all_: all_ and all_[-1].payload == b"x")
    assert [record.levelname for record in caplog.records if taken in record.getMessage()] == ["ERROR"]
    ended[0].acknowledge([1])
    assert taken in (ended[0].problem() or "")
    for listener in (first, second):
        listener.close()


def test_a_broker_that_restarts_often_is_not_taken_for_another_process(make_mosquitto: Any) -> None:
    broker = make_mosquitto("allow_anonymous true")
    listener = listen(broker, Post())
    for _ in range(4):
        broker.stop()
        until(lambda: "no broker answers" in (listener.problem() or ""))
        broker.start()
        until(lambda: listener.problem() is None)
    listener.close()
