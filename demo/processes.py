"""Processes of a demo: voltwin's own verbs and a broker, started side by side and ended in reverse."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ..errors import BrokerError, EnvironmentProblem, InputError, ServiceError, StoreError, VoltwinError

START_SECONDS: Final = 60
STOP_SECONDS: Final = 20
SYSTEM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
"""Folders of mosquitto that may be on root's PATH alone."""
_URL: Final = re.compile(r"https?://[^\s/]+")

MOSQUITTO: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
# A subscriber that is slow for a while must not lose anything: no limit to what waits for it.
max_queued_messages 0
max_inflight_messages 1000
"""

AMQTT: Final = """\
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


@dataclass(frozen=True)
class Starting:
    """A verb that will serve."""

    processes: Processes
    name: str
    process: subprocess.Popen[str]

    def address(self) -> str:
        """The address that it prints once it serves. Raises VoltwinError with its sentence."""
        assert self.process.stdout is not None
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                found = _URL.search(line)
                if found:
                    return found[0]
        finally:
            timer.cancel()
        code = self.process.wait()
        raise _problem(code, self.processes.last_words(self.name) or f"{self.name} did not start")


@dataclass(frozen=True)
class StartingBroker:
    """A broker that will answer."""

    processes: Processes
    port: int
    process: subprocess.Popen[str]

    def address(self) -> str:
        """Its address, once something answers there. Raises BrokerError."""
        for _ in range(START_SECONDS * 10):
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return f"mqtt://127.0.0.1:{self.port}"
        raise BrokerError(f"the broker did not start: {self.processes.last_words('broker') or 'it says nothing'}")


class Processes:
    """Everything that was started; leaving the context ends it, the last first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[str]]] = []

    def call(self, verb: object, *arguments: object) -> str:
        """Run a voltwin verb to its end; what it printed. Raises VoltwinError with its one sentence."""
        command = voltwin(verb, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise _problem(done.returncode, _last_line(done.stderr) or f"voltwin {verb} ended with {done.returncode}")
        return done.stdout

    def begin(self, name: str, *arguments: object) -> Starting:
        """Start a voltwin verb that serves, without waiting for it."""
        return Starting(self, name, self.start(name, voltwin(*arguments)))

    def start(self, name: str, command: list[str]) -> subprocess.Popen[str]:
        """Start a program; its errors go to its log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("w", encoding="utf-8") as log:
            # A session of its own: Ctrl-C is for the demo, which then ends the others in order.
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, stdin=subprocess.DEVNULL
            )
        self._running.append((name, process))
        return process

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def last_words(self, name: str) -> str:
        """The last line that a process wrote to its log."""
        return _last_line(self._log(name).read_text("utf-8"))

    def wait(self) -> None:
        """Until one of them ends. Raises ServiceError with its last line."""
        while all(process.poll() is None for _, process in self._running):
            time.sleep(0.5)
        ended = next(name for name, process in self._running if process.poll() is not None)
        raise ServiceError(f"{ended} ended by itself: {self.last_words(ended)}")

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_ended: object) -> None:
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
    return [sys.executable, "-m", "voltwin", *map(str, arguments)]


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("voltwin: ") if lines else ""


def _problem(code: int, sentence: str) -> VoltwinError:
    """The error that ended a verb with this exit code."""
    kinds = {kind.exit_code: kind for kind in (InputError, StoreError, EnvironmentProblem)}
    return kinds.get(code, ServiceError)(sentence)


def begin_broker(processes: Processes, folder: Path, amqtt: bool) -> StartingBroker:
    """Start mosquitto where it is installed, else (or where it is asked for) amqtt, on a free port of this machine.

    Raises EnvironmentProblem where there is neither.
    """
    port = _free_port()
    program = None if amqtt else shutil.which("mosquitto") or shutil.which("mosquitto", path=SYSTEM_FOLDERS)
    if program:
        configuration, text = folder / "mosquitto.conf", MOSQUITTO
        command = [program, "-c", str(configuration)]
    elif find_spec("amqtt"):
        configuration, text = folder / "amqtt.yaml", AMQTT
        command = [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(configuration)]
    else:
        raise EnvironmentProblem(
            "there is no MQTT broker: install mosquitto, or the one written in Python with "
            "pip install 'voltwin[demo]', or name one that runs with --broker mqtt://host:port"
        )
    configuration.write_text(text.format(port=port), "utf-8")
    return StartingBroker(processes, port, processes.start("broker", command))


def _free_port() -> int:
    """A free TCP port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
