"""A real ``voltwin serve`` in a process of its own, with everything it talks to, for tests that kill it."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pyoxigraph import Dataset

import voltwin.ontology
from voltwin.assembly import assemble, create_fleet
from voltwin.control.clock import ReplayClock
from voltwin.converter import convert
from voltwin.graphstore.folder import read_folder

MODEL = Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj"
START_SECONDS = 60


class Models(BaseHTTPRequestHandler):
    """A model service and a weather service whose figures depend on all that they are sent."""

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({"results": [{"outputs": self._one(item["inputs"])} for item in document["instances"]]})

    def do_GET(self) -> None:
        moment = parse_qs(urlsplit(self.path).query)["time"][0]
        self._answer({"temperature": {"value": float(moment[11:13]), "unit": "DEG_C"}})

    def _one(self, inputs: Any) -> Any:
        given = sum(_numbers(inputs)) % 97
        if "arrival-gate" in self.path:
            return {"decision": "ACCEPT" if given < 50 else "REJECT", "reasons": [f"{given:.3f}"]}
        soc = {"value": [given] * 12, "unit": "PERCENT"}
        return {"soc": soc, "loss": {"value": given, "unit": "PERCENT"}}

    def _answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [float(value)] if isinstance(value, int | float) else []


def serve_models() -> Any:
    """The services at a free port; the caller shuts them down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Models)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class FleetProcess:
    """``voltwin serve`` over one folder, which can be killed and started again."""

    def __init__(self, folder: Any, broker: Any, services: Any, *options: Any) -> None:
        self.folder, self.log = folder, folder.with_suffix(".log")
        port = services.server_address[1]
        self._command = [
            sys.executable, "-m", "voltwin.cli", "serve", str(folder), "--port", "0", "--broker", broker.url,
            "--clock", "replay", "--service", f"models=http://127.0.0.1:{port}", "--service", f"weather=http://127.0.0.1:{port}",
            *options,
        ]  # fmt: skip
        if not folder.exists():
            create_fleet(folder, convert(MODEL), "https://fleet.example/")
        self.process = None

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # type: ignore[assignment]  # a stand-in takes the place of the real part
                self._command,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONFAULTHANDLER": "1"},
            )

    def serving(self) -> None:
        """Wait until it serves for the first time."""
        deadline = time.monotonic() + START_SECONDS
        while "serving on" not in self.log.read_text("utf-8"):
            assert self.process.poll() is None, self.where()
            assert time.monotonic() < deadline, self.where()
            time.sleep(0.05)

    def kill(self) -> None:
        """As the kernel would: the master's process alone, without a word to anybody."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)

    def where(self) -> Any:
        """What it printed, and, if it still runs, where each of its threads stands; it ends by that."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(timeout=30)
        return "\n".join(line for line in self.log.read_text("utf-8").splitlines() if "site-packages" not in line)[
            -9000:
        ]

    def stop(self) -> None:
        """An orderly end."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0, self.log.read_text("utf-8")[-3000:]


def publish(broker: Any, messages: Any) -> None:
    """Send messages at QoS 1 in order; returns when the broker has them all."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for item in [client.publish(message.topic, message.encode(), qos=1) for message in messages]:
        item.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def messages_taken(folder: Any) -> Any:
    """How many messages the journal holds, read beside the process that writes it."""
    with sqlite3.connect(f"{(folder / 'journal.sqlite').as_uri()}?mode=ro", uri=True, timeout=30) as reader:
        count = reader.execute("SELECT count(*) FROM messages").fetchone()[0]
        queued = reader.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone()[0]
    reader.close()
    return count, queued


def run_through(folder: Any, broker: Any, services: Any, messages: Any, kills: Any, seed: Any = 0) -> Any:
    """Let the fleet take ``messages`` while it is killed ``kills`` times; what it came to in the end."""
    fleet = FleetProcess(folder, broker, services)
    try:
        # The broker has to know the fleet's session before the first message.
        fleet.start()
        fleet.serving()
        fleet.stop()
        publish(broker, messages)
        _take_all(fleet, sum(1 for message in messages if message.topic != "voltwin/clock"), kills, random.Random(seed))
        fleet.stop()
    finally:
        if fleet.process.poll() is None:
            fleet.kill()
    return read_result(folder)


def _take_all(fleet: Any, wanted: Any, kills: Any, chance: Any) -> None:
    fleet.start()
    seen = 0
    for left in range(kills, 0, -1):
        # Every process gets to work before it is killed: points chosen beforehand may all have passed in one go.
        assert seen < wanted, f"all messages are taken in with {left} kills to go: send more"
        point = seen + chance.randint(1, max(1, (wanted - seen) // (4 * (left + 1))))
        deadline = time.monotonic() + START_SECONDS
        while messages_taken(fleet.folder)[0] < point:
            assert time.monotonic() < deadline, (point, messages_taken(fleet.folder), fleet.where())
            assert fleet.process.poll() is None, (point, fleet.process.returncode, fleet.where())
            time.sleep(0.002)
        time.sleep(chance.random() * 0.01)
        fleet.kill()
        seen = messages_taken(fleet.folder)[0]
        fleet.start()
    deadline, steady = time.monotonic() + 4 * START_SECONDS, 0
    while steady < 10:
        count, queued = messages_taken(fleet.folder)
        steady = steady + 1 if (count, queued) == (wanted, 0) else 0
        assert time.monotonic() < deadline, (count, wanted, queued, fleet.where())
        time.sleep(0.05)
    fleet.serving()


def read_result(folder: Any) -> Any:
    """The graph and the journal's totals of a fleet that nobody holds."""
    parts = assemble(read_folder(folder), ReplayClock(datetime(2020, 1, 1, tzinfo=UTC)))
    store, names = parts.fleet.committer.store, parts.fleet.names
    graph = Dataset(quad for quad in store.quads(None, None, None, None) if quad.graph_name != names.state_graph)
    counts = {name: count for name, count in parts.fleet.committer.journal.counts().items() if name != "commits"}
    parts.fleet.close()
    return graph, counts


def difference(graph: Any, other: Any) -> Any:
    """The quads that only one of two graphs has, a few of them, for a failed test to show."""
    mine, theirs = set(graph), set(other)
    return [f"- {quad}" for quad in sorted(map(str, mine - theirs))[:8]] + [
        f"+ {quad}" for quad in sorted(map(str, theirs - mine))[:8]
    ]


def environment_allows() -> Any:
    """Why the long version does not run here, or nothing."""
    return "" if os.environ.get("VOLTWIN_TORTURE") else "a long test: make torture (or VOLTWIN_TORTURE=1)"
