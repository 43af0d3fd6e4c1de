"""The MQTT listener: a process of its own that acknowledges a message only after its commit.

QoS 1 with a persistent session and manual acknowledgement: the broker sends every message that is
not acknowledged again, so nothing is lost, and the journal drops duplicates.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ...errors import BrokerError, InputError
from ...processes import Child
from ..interfaces import Received

CHANNEL: Final = "mqtt"
RETRY_SECONDS: Final = 5
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 1.0
QUICK_SECONDS: Final = 15.0
"""A connection that the broker closes sooner may have been taken by another client of the same name."""
TAKEN_AFTER: Final = 3
"""Such connections in a row, with no failed attempt between them, after which the session counts as taken."""
_LOG: Final = logging.getLogger(__name__)
RECEIPTS_OF_A_PROCESS: Final = 2**40
"""More than the process of any listener uses."""


def serve(pipe: Connection, url: str, client_id: str, filters: Sequence[str], first_receipt: int) -> None:
    """Run in the listener's process: messages out, receipts in, until the pipe closes."""
    _Session(pipe, url, client_id, filters, first_receipt).run()


class _Session:
    """One connection to a broker, mirrored into a pipe."""

    def __init__(self, pipe: Connection, url: str, client_id: str, filters: Sequence[str], first_receipt: int) -> None:
        self._address = urlsplit(url)
        self._filters, self._pipe = filters, pipe
        self._pending: dict[int, tuple[int, int]] = {}
        self._receipts = itertools.count(first_receipt)
        self._sending = threading.Lock()
        self._connected = False
        self._since, self._quick = 0.0, 0
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True)
        if self._address.username:
            client.username_pw_set(unquote(self._address.username), unquote(self._address.password or ""))
        if self._address.scheme == "mqtts":
            client.tls_set()
        client.on_connect, client.on_message = self._on_connect, self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_disconnect, client.on_connect_fail = self._on_disconnect, self._on_connect_fail
        client.reconnect_delay_set(1, RETRY_SECONDS)
        self._client = client

    def run(self) -> None:
        secure = self._address.scheme == "mqtts"
        self._client.connect_async(
            self._address.hostname or "127.0.0.1", self._address.port or (8883 if secure else 1883)
        )
        self._client.loop_start()
        while True:
            try:
                receipts: Sequence[int] | None = self._pipe.recv()
            except (EOFError, OSError):
                break
            if receipts is None:
                break
            for receipt in receipts:
                # A receipt from before a reconnection is unknown to the broker's new session: it sends again.
                mid, qos = self._pending.pop(receipt, (0, 0))
                if qos:
                    self._client.ack(mid, qos)
        self._client.disconnect()
        self._client.loop_stop()

    def _send(self, kind: str, content: Any) -> None:
        try:
            with self._sending:
                self._pipe.send((kind, content))
        except (BrokenPipeError, OSError):
            self._client.disconnect()  # the master has gone; unacknowledged messages stay with the broker

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._send("problem", f"the broker refuses: {code}")
            return
        self._connected, self._since = True, time.monotonic()
        client.subscribe([(topic, 1) for topic in self._filters])

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        # Only now: what was published before the broker granted the subscription never comes.
        refused = [topic for topic, code in zip(self._filters, codes, strict=True) if code.is_failure]
        self._send(*(("problem", f"the broker refuses to send {', '.join(refused)}") if refused else ("ready", None)))

    def _on_connect_fail(self, _client: mqtt.Client, _data: Any) -> None:
        self._quick = 0  # the broker itself went away, no other took the session
        self._send("problem", "no broker answers")

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._pending.clear()
        # A broker that refused closes the connection too; why it refused is the better reason.
        connected, self._connected = self._connected, False
        if not (code.is_failure and connected):
            return
        self._quick = self._quick + 1 if time.monotonic() - self._since < QUICK_SECONDS else 1
        if self._quick < TAKEN_AFTER:
            self._send("problem", f"the connection was lost: {code}")
            return
        # A broker of MQTT 3.1.1 only closes the connection. One that takes us back at once each time has another
        # client of our name, which comes back as we do: one of the two has to go.
        self._send("taken", None)
        self._client.disconnect()

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        receipt = next(self._receipts)
        self._pending[receipt] = (message.mid, message.qos)
        self._send("message", Received(CHANNEL, message.topic, bytes(message.payload), receipt))


class MqttListener:
    """Listens to topic filters of one broker (``mqtt://user:password@host:port`` or ``mqtts://…``)."""

    def __init__(self, url: str, client_id: str, filters: Sequence[str], deliver: Callable[[Received], None]) -> None:
        if urlsplit(url).scheme not in ("mqtt", "mqtts"):
            raise InputError(f"broker {url!r}: write it as mqtt://host:port or mqtts://host:port")
        self._url, self._deliver = url, deliver
        self._arguments = (url, client_id, tuple(filters))
        # No receipt is used twice: one from a process that died must not acknowledge a message of the next.
        self._first_receipts = itertools.count(1, RECEIPTS_OF_A_PROCESS)
        self._problem: str | None = "not connected yet"
        self._settled = threading.Event()
        self._closing = self._taken = False
        self._shown = url.rpartition("@")[2]
        self._child = Child(__name__)
        self._pipe = self._start()
        self._thread = threading.Thread(target=self._receive, name="mqtt listener", daemon=True)
        self._thread.start()

    def _start(self) -> Connection:
        return self._child.start(*self._arguments, next(self._first_receipts))

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait for the subscription. Raises BrokerError with the reason if there is none in time."""
        self._settled.wait(seconds)
        problem = self.problem()
        if problem is not None:
            raise BrokerError(f"{problem}; start one (for example mosquitto -p 1883) or name another with --broker")

    def _receive(self) -> None:
        while not self._closing:
            try:
                kind, content = self._pipe.recv()
            except (EOFError, OSError):
                if self._taken:
                    return
                if not self._closing:
                    # The process died; the broker sends its unacknowledged messages to the new one.
                    self._problem = "the listener's process died and was started again"
                    self._child.end()
                    self._pipe = self._start()
                continue
            if kind == "message":
                self._deliver(content)
                continue
            if kind == "taken":
                self._taken = True
                content = (
                    f"another process has the session {self._arguments[1]!r}, so this listener has ended; stop one "
                    "of the two and start this server again, or make a copied folder a fleet of its own with "
                    "`voltwin fork`"
                )
                _LOG.error("broker %s: %s", self._shown, content)
            self._problem = content
            self._settled.set()
            if self._taken:
                with contextlib.suppress(OSError):
                    self._pipe.send(None)

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Acknowledge these messages to the broker."""
        if self._taken:
            return  # they are the other process's now, and whichever has them twice drops one
        try:
            self._pipe.send(list(receipts))
        except (BrokenPipeError, OSError):
            self._problem = "the listener's process died"  # the broker sends them again, the journal drops them

    def problem(self) -> str | None:
        """The reason why no message can be received now."""
        return None if self._problem is None else f"broker {self._url}: {self._problem}"

    def close(self) -> None:
        """Stop receiving; acknowledgements given before are still sent."""
        self._closing = True
        with contextlib.suppress(OSError):  # the process has ended already
            self._pipe.send(None)
        self._child.wait(STOP_SECONDS)
        self._thread.join()
        self._child.end()
