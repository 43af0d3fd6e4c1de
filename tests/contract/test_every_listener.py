"""The promises of every listener, kept by MQTT and by the example of docs/extending.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest

from voltwin.control.interfaces import Listener
from voltwin.control.listeners.registry import find_listener
from voltwin.errors import BrokerError

from ..extensions import installed
from ..integration.conftest import Mosquitto, free_port, make_mosquitto, mosquitto
from .test_listener import Post, publish

__all__ = ["make_mosquitto", "mosquitto"]
pytestmark = pytest.mark.integration
BIRTHS = ("voltwin/modules/+/birth",)


class Outside(Protocol):
    """One channel with something outside that keeps messages."""

    channel: str
    address: str
    nowhere: str

    def send(self, texts: Sequence[str], topic: str = "voltwin/modules/m1/birth") -> None: ...


class Broker:
    """MQTT."""

    channel = "mqtt"

    def __init__(self, broker: Mosquitto) -> None:
        self._broker, self.address, self.nowhere = broker, broker.url, f"mqtt://127.0.0.1:{free_port()}"

    def send(self, texts: Sequence[str], topic: str = "voltwin/modules/m1/birth") -> None:
        publish(self._broker, texts, topic)


class Folder:
    """The example."""

    channel = "folder"

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self._place, self._count = place, 0
        self.address, self.nowhere = place.as_uri(), (place / "none").as_uri()

    def send(self, texts: Sequence[str], topic: str = "voltwin/modules/m1/birth") -> None:
        for text in texts:
            self._count += 1
            partial = self._place / "partial"
            partial.write_text(text, "utf-8")
            partial.rename(self._place / f"{self._count:06} {quote(topic, safe='')}")


@pytest.fixture(params=["mqtt", "folder"])
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outside]:
    if request.param == "mqtt":
        yield Broker(request.getfixturevalue("mosquitto"))
    else:
        with installed(tmp_path / "packages"):
            yield Folder(tmp_path / "outside")


def listen(outside: Outside, post: Post, filters: Sequence[str] = BIRTHS) -> Listener:
    listener = find_listener(outside.channel)(outside.address, "test-listener", filters, post)
    listener.wait()
    return listener


def test_messages_come_in_order_with_topic_payload_and_a_receipt_each(outside: Outside) -> None:
    post = Post()
    listener = listen(outside, post, [*BIRTHS, "voltwin/clock"])
    assert listener.problem() is None
    outside.send(["a ä", "b", "c"])
    outside.send(["not for us"], "voltwin/other")
    outside.send(["tick"], "voltwin/clock")
    received = post.wait(lambda all_: len(all_) == 4)
    assert post.texts() == ["a ä", "b", "c", "tick"]
    assert [item.topic for item in received] == ["voltwin/modules/m1/birth"] * 3 + ["voltwin/clock"]
    assert {item.channel for item in received} == {outside.channel}
    assert len({item.receipt for item in received}) == 4
    listener.close()


def test_a_message_is_delivered_again_until_it_is_acknowledged(outside: Outside) -> None:
    first = Post()
    listener = listen(outside, first)
    outside.send("abcde")
    received = first.wait(lambda all_: len(all_) == 5)
    listener.acknowledge([item.receipt for item in received if item.payload in b"ace"])
    listener.acknowledge([10**9])  # not one of its own: no harm
    listener.close()
    second = Post()
    again = listen(outside, second)
    second.wait(lambda all_: len(all_) == 2)
    outside.send("f")
    second.wait(lambda all_: len(all_) == 3)
    assert second.texts() == ["b", "d", "f"]
    again.close()


def test_messages_sent_between_two_listeners_are_delivered_to_the_next(outside: Outside) -> None:
    listen(outside, Post()).close()
    outside.send("xyz")
    post = Post()
    listener = listen(outside, post)
    post.wait(lambda all_: len(all_) == 3)
    assert post.texts() == list("xyz")
    listener.close()


def test_an_outside_that_is_not_there_is_an_error_at_once(outside: Outside) -> None:
    listener = find_listener(outside.channel)(outside.nowhere, "nobody", ["x"], Post())
    with pytest.raises(BrokerError):
        listener.wait()
    assert listener.problem() is not None
    listener.close()
