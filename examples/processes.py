"""The case study's processes: voltwin's own verbs and a broker, started in order and ended in reverse."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from voltwin.errors import BrokerError, ServiceError

START_SECONDS = 60
STOP_SECONDS = 20
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
"""Where systems put mosquitto, though only root's PATH may look there."""
_URL = re.compile(r"https?://[^\s/]+")

MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
# A subscriber that is slow for a while must not lose anything: no limit to what waits for it.
max_queued_messages 0
max_inflight_messages 1000
"""

AMQTT = """\
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


class Processes:
    """Everything that was started; leaving the context ends it, the last first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[str]]] = []

    def call(self, verb: object, *arguments: object) -> str:
        """Run a voltwin verb to its end; what it printed. Raises ServiceError with its one sentence."""
        command = voltwin(verb, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceError(_last_line(done.stderr) or f"voltwin {verb} ended with {done.returncode}")
        return done.stdout

    def serve(self, verb: object, *arguments: object) -> str:
        """Start a voltwin verb that serves; returns the address it prints. Raises ServiceError with its sentence."""
        process = self.start(str(verb), voltwin(verb, *arguments))
        assert process.stdout is not None
        timer = threading.Timer(START_SECONDS, process.kill)
        timer.start()
        try:
            for line in process.stdout:
                found = _URL.search(line)
                if found:
                    return found[0]
        finally:
            timer.cancel()
        process.wait()
        raise ServiceError(_last_line(self.log(str(verb)).read_text("utf-8")) or f"voltwin {verb} did not start")

    def start(self, name: str, command: list[str]) -> subprocess.Popen[str]:
        """Start a program; its errors go to its log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("w", encoding="utf-8") as log:
            # A session of its own: Ctrl-C is for the case study, which then ends the others in order.
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, stdin=subprocess.DEVNULL
            )
        self._running.append((name, process))
        return process

    def log(self, name: str) -> Path:
        """Where a process's errors go."""
        return self._logs / f"{name}.log"

    def wait(self) -> None:
        """Until one of them ends. Raises ServiceError with its last line."""
        while all(process.poll() is None for _, process in self._running):
            time.sleep(0.5)
        ended = next(name for name, process in self._running if process.poll() is not None)
        raise ServiceError(f"{ended} ended by itself: {_last_line(self.log(ended).read_text('utf-8'))}")

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, process in reversed(self._running):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self._running.clear()


def voltwin(*arguments: object) -> list[str]:
    """The command line of a voltwin verb, with this interpreter."""
    return [sys.executable, "-m", "voltwin.cli", *map(str, arguments)]


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("voltwin: ") if lines else ""


def start_broker(processes: Processes, folder: Path) -> str:
    """Mosquitto where it is installed, else amqtt, on a free port of this machine; returns its address."""
    port = free_port()
    # Debian puts mosquitto where only root's PATH looks.
    program = shutil.which("mosquitto") or shutil.which(
        "mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
    )
    if program:
        configuration = folder / "mosquitto.conf"
        configuration.write_text(MOSQUITTO.format(port=port), "utf-8")
        process = processes.start("broker", [program, "-c", str(configuration)])
    else:
        configuration = folder / "amqtt.yaml"
        configuration.write_text(AMQTT.format(port=port), "utf-8")
        process = processes.start(
            "broker", [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(configuration)]
        )
    await_port(port, process, processes.log("broker"))
    return f"mqtt://127.0.0.1:{port}"


def free_port() -> int:
    """A TCP port of this machine that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[str], log: Path) -> None:
    """Until something answers there. Raises BrokerError."""
    for _ in range(START_SECONDS * 10):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise BrokerError(f"the broker did not start: {_last_line(log.read_text('utf-8')) or 'it says nothing'}")
