"""Real servers for the tests of this folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """A mosquitto of our own on a loopback port; it can be stopped and started again."""

    def __init__(self, program: str, folder: Path, *settings: str) -> None:
        self.port = free_port()
        self._log = folder / "mosquitto.log"
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        self._process: subprocess.Popen[bytes] | None = None
        lines = (f"listener {self.port} 127.0.0.1", "max_queued_messages 0", "user root", *settings)
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + 15.0
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        text = self._log.read_text(encoding="utf-8")
        self.stop()
        pytest.fail(f"mosquitto did not start:\n{text}")

    def stop(self) -> None:
        """An orderly end (SIGTERM); a broker with persistence writes its sessions to disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=15)
            self._process = None


@pytest.fixture
def make_mosquitto(tmp_path: Path) -> Iterator[Any]:
    """Starts brokers with settings of the test's own; skips where mosquitto is not installed."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed; on Debian: apt install mosquitto")
    brokers: list[Mosquitto] = []

    def make(*settings: str) -> Mosquitto:
        folder = tmp_path / f"mosquitto-{len(brokers)}"
        folder.mkdir()
        broker = Mosquitto(program, folder, *(setting.replace("{folder}", str(folder)) for setting in settings))
        brokers.append(broker)
        broker.start()
        return broker

    yield make
    for broker in brokers:
        broker.stop()


@pytest.fixture
def mosquitto(make_mosquitto: Any) -> Any:
    """An open broker that keeps sessions over a restart."""
    return make_mosquitto("allow_anonymous true", "persistence true", "persistence_location {folder}/")
