from __future__ import annotations

from typing import Any

import pytest

from voltwin.errors import InputError
from voltwin.simulator.publisher import Broker, publish


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://127.0.0.1:1884", Broker("127.0.0.1", 1884)),
        ("mqtt://broker.example", Broker("broker.example", 1883)),
        ("mqtt://broker.example/", Broker("broker.example", 1883)),
        ("mqtt://[::1]:1883", Broker("::1", 1883)),
        ("mqtt://anna:p%40ss%3Aword@broker.example", Broker("broker.example", 1883, "anna", "p@ss:word")),
    ],
)
def test_an_address_is_read(url: Any, broker: Any) -> None:
    assert Broker.parse(url) == broker


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:1883",
        "http://127.0.0.1",
        "mqtts://127.0.0.1",
        "mqtt://",
        "mqtt://host:port",
        "mqtt://h:99999",
        "mqtt://host/topic",
    ],
)
def test_anything_else_is_refused_with_an_example(url: Any) -> None:
    with pytest.raises(InputError, match=r"mqtt://127\.0\.0\.1:1883"):
        Broker.parse(url)


@pytest.mark.parametrize("url", ["mqtt://anna:secret@h:x", "http://anna:secret@h", "mqtt://anna:secret@h/topic"])
def test_a_password_never_shows(url: Any) -> None:
    with pytest.raises(InputError) as caught:
        Broker.parse(url)
    assert "secret" not in str(caught.value)
    broker = Broker.parse("mqtt://anna:secret@broker.example")
    assert "secret" not in f"{broker} {broker!r}"


def test_an_ipv6_address_is_written_as_it_was_read() -> None:
    assert str(Broker.parse("mqtt://[::1]:1884")) == "mqtt://[::1]:1884"


def test_a_window_lets_something_through() -> None:
    with pytest.raises(InputError, match="window 0"):
        publish([], Broker("127.0.0.1"), window=0)
