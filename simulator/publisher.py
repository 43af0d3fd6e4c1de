"""Publisher of messages to an MQTT broker: QoS 1, in order, every one acknowledged.

::

    from voltwin.simulator.plan import ReplaySettings, plan_fleet
    from voltwin.simulator.publisher import Broker, publish
    from voltwin.simulator.replay import replay

    publish(replay(plan_fleet(ReplaySettings())), Broker.parse("mqtt://127.0.0.1:1883"))

At most ``window`` messages are in flight at a time. After a broken connection the unacknowledged messages are
sent again, before any new one; a receiver may then see a message twice (with the same ``id``), but every message
at least once, and first in its order.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ..errors import BrokerError, InputError
from .messages import Message

DEFAULT_PORT: Final = 1883
WINDOW: Final = 100
PATIENCE: Final = 30.0
_LONGEST_RECONNECT_DELAY: Final = 4


@dataclass(frozen=True, slots=True)
class Broker:
    """Address and login of a broker."""

    host: str
    port: int = DEFAULT_PORT
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Broker:
        """A broker from ``mqtt://[user:password@]host[:port]``; InputError for anything else."""
        hint = "write mqtt://host:port, for example mqtt://127.0.0.1:1883"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InputError(f"broker address: {error}; {hint}") from error
        if parts.scheme != "mqtt" or not host or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise InputError(f"broker address with scheme {parts.scheme!r} and host {host!r}: {hint}")
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(host, port or DEFAULT_PORT, user, password)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt://{host}:{self.port}"


def publish(
    messages: Iterable[Message],
    broker: Broker,
    *,
    window: int = WINDOW,
    patience: float = PATIENCE,
    progress: Callable[[int], None] = lambda sent: None,
) -> int:
    """Send ``messages`` in their order and wait until the broker has acknowledged the last one.

    ``window`` limits the messages in flight, ``patience`` (seconds) the time without any acknowledgement,
    reconnects included; ``progress`` receives the number sent so far. Returns the number acknowledged.
    Raises BrokerError when the broker does not answer, or refuses the connection.
    """
    if window < 1:
        raise InputError(f"window {window}: must be 1 or more messages in flight")
    connection = _Connection(broker, window, patience)
    connection.open()
    try:
        sent = 0
        for message in messages:
            connection.send(message.topic, message.encode())
            sent += 1
            progress(sent)
        connection.drain()
    finally:
        connection.close()
    return sent


class _Connection:
    """One MQTT session and its messages in flight; used by one thread, called back by paho's."""

    def __init__(self, broker: Broker, window: int, patience: float) -> None:
        self._broker = broker
        self._window = window
        self._patience = patience
        self._change = threading.Condition()
        self._in_flight = 0
        self._acknowledged = 0
        self._answer: ReasonCode | None = None
        self._connected = False
        self._broken = False
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"voltwin-simulator-{uuid.uuid4().hex[:12]}")
        client.max_inflight_messages_set(window)
        client.reconnect_delay_set(min_delay=1, max_delay=_LONGEST_RECONNECT_DELAY)
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._client = client

    def open(self) -> None:
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=30)
        except OSError as error:
            raise BrokerError(
                f"{self._broker}: no broker answers there ({error}); start one, for example mosquitto, "
                "or name another with --broker"
            ) from error
        self._client.loop_start()
        with self._change:
            answered = self._change.wait_for(lambda: self._answer is not None or self._broken, self._patience)
        if self._answer is None or self._answer.is_failure:
            reason = str(self._answer) if answered and self._answer is not None else "no answer to CONNECT"
            self.close()
            raise BrokerError(f"{self._broker}: the broker refuses the connection ({reason}); check user and password")

    def send(self, topic: str, payload: bytes) -> None:
        if self._broken:
            # older messages first: paho sends those in flight again once it is connected
            self._wait(lambda: self._connected and self._in_flight == 0)
            self._broken = False
        self._wait(lambda: self._in_flight < self._window)
        with self._change:
            self._in_flight += 1
        info = self._client.publish(topic, payload, qos=1)
        if info.rc not in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_NO_CONN):
            raise BrokerError(f"{self._broker}: {topic} could not be sent ({mqtt.error_string(info.rc)})")

    def drain(self) -> None:
        self._wait(lambda: self._in_flight == 0)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _wait(self, done: Callable[[], bool]) -> None:
        """Wait until ``done``; each acknowledgement restarts the patience, a mere reconnect does not."""

        def news(known: int) -> Callable[[], bool]:
            return lambda: done() or self._acknowledged != known

        with self._change:
            while not done():
                if not self._change.wait_for(news(self._acknowledged), self._patience):
                    raise BrokerError(
                        f"{self._broker}: no acknowledgement for {self._patience:g} s after "
                        f"{self._acknowledged} messages; when the broker is back, replay from the start: "
                        "receivers know duplicates by their id"
                    )

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        *_: Any,
    ) -> None:
        with self._change:
            self._answer = reason
            self._connected = not reason.is_failure
            self._change.notify_all()

    def _on_disconnect(self, *_: Any) -> None:
        with self._change:
            self._broken = True
            self._connected = False
            self._change.notify_all()

    def _on_publish(self, *_: Any) -> None:
        with self._change:
            self._in_flight -= 1
            self._acknowledged += 1
            self._change.notify_all()
