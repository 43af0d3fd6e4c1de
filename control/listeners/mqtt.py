"""The MQTT listener: a process of its own that acknowledges a message only after its commit.

QoS 1 with a persistent session and manual acknowledgement: whatever the broker has not had
acknowledged it sends again, so nothing is lost, and the journal drops what comes twice.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ...errors import BrokerError, InputError
from ..interfaces import Received

_CONTEXT: Final = multiprocessing.get_context("spawn")
CHANNEL: Final = "mqtt"
RETRY_SECONDS: Final = 5
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
RECEIPTS_OF_A_PROCESS: Final = 2**40
"""More than any listener's process hands out."""


def _serve(url: str, client_id: str, filters: Sequence[str], first_receipt: int, pipe: Connection) -> None:
    """What runs in the listener's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the master's to handle
    _Session(url, client_id, filters, first_receipt, pipe).run()


class _Session:
    """One connection to a broker, mirrored into a pipe."""

    def __init__(self, url: str, client_id: str, filters: Sequence[str], first_receipt: int, pipe: Connection) -> None:
        self._address = urlsplit(url)
        self._filters, self._pipe = filters, pipe
        self._pending: dict[int, tuple[int, int]] = {}
        self._receipts = itertools.count(first_receipt)
        self._sending = threading.Lock()
        self._connected = False
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

    def _tell(self, kind: str, content: Any) -> None:
        try:
            with self._sending:
                self._pipe.send((kind, content))
        except (BrokenPipeError, OSError):
            self._client.disconnect()  # the master is gone; unacknowledged messages stay with the broker

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._tell("problem", f"the broker refuses: {code}")
            return
        self._connected = True
        client.subscribe([(topic, 1) for topic in self._filters])

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        # Only now: what was published before the broker granted the subscription never comes.
        refused = [topic for topic, code in zip(self._filters, codes, strict=True) if code.is_failure]
        self._tell(*(("problem", f"the broker refuses to send {', '.join(refused)}") if refused else ("ready", None)))

    def _on_connect_fail(self, _client: mqtt.Client, _data: Any) -> None:
        self._tell("problem", "no broker answers")

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._pending.clear()
        # A broker that refused closes the connection too; why it refused is the better reason.
        connected, self._connected = self._connected, False
        if code.is_failure and connected:
            self._tell("problem", f"the connection was lost: {code}")

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        receipt = next(self._receipts)
        self._pending[receipt] = (message.mid, message.qos)
        self._tell("message", Received(CHANNEL, message.topic, bytes(message.payload), receipt))


class MqttListener:
    """Listens to topic filters of one broker (``mqtt://user:password@host:port`` or ``mqtts://…``)."""

    def __init__(self, url: str, client_id: str, filters: Sequence[str], deliver: Callable[[Received], None]) -> None:
        if urlsplit(url).scheme not in ("mqtt", "mqtts"):
            raise InputError(f"broker {url!r}: write it as mqtt://host:port or mqtts://host:port")
        self._url, self._deliver = url, deliver
        self._arguments = (url, client_id, tuple(filters))
        # Receipts are never given twice: one from a process that died must not acknowledge a message of the next.
        self._first_receipts = itertools.count(1, RECEIPTS_OF_A_PROCESS)
        self._problem: str | None = "not connected yet"
        self._settled = threading.Event()
        self._closing = False
        self._start()
        self._thread = threading.Thread(target=self._receive, name="mqtt listener", daemon=True)
        self._thread.start()

    def _start(self) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=_serve,
            args=(*self._arguments, next(self._first_receipts), theirs),
            name="voltwin listener mqtt",
            daemon=True,
        )
        self._process.start()
        theirs.close()

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Until the subscription stands. Raises BrokerError with the reason if it does not in time."""
        self._settled.wait(seconds)
        problem = self.problem()
        if problem is not None:
            raise BrokerError(f"{problem}; start one (for example mosquitto -p 1883) or name another with --broker")

    def _receive(self) -> None:
        while not self._closing:
            try:
                kind, content = self._pipe.recv()
            except (EOFError, OSError):
                if not self._closing:
                    # The process died; what it had not acknowledged comes again to the new one.
                    self._problem = "the listener's process died and was started again"
                    self._process.join()
                    self._start()
                continue
            if kind == "message":
                self._deliver(content)
                continue
            self._problem = content
            self._settled.set()

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Tell the broker that these messages are safe."""
        try:
            self._pipe.send(list(receipts))
        except (BrokenPipeError, OSError):
            self._problem = "the listener's process died"  # the broker sends them again, the journal drops them

    def problem(self) -> str | None:
        """Why nothing can be received just now."""
        return None if self._problem is None else f"broker {self._url}: {self._problem}"

    def close(self) -> None:
        """Stop receiving; acknowledgements already given still go out."""
        self._closing = True
        with contextlib.suppress(OSError):  # a process that is gone needs no telling
            self._pipe.send(None)
        self._process.join(STOP_SECONDS)
        self._process.kill()
        self._process.join()
        self._thread.join()
        self._pipe.close()
