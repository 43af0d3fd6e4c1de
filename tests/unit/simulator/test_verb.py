from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from voltwin.errors import BrokerError, InputError
from voltwin.simulator.plan import ReplaySettings, plan_fleet
from voltwin.simulator.replay import replay, truth
from voltwin.verbs.simulate import replay as verb

SMALL = ["--modules", "3", "--cells", "4", "--seed", "7"]
PLAN = plan_fleet(ReplaySettings(modules=3, cells=4, seed=7))


def test_a_dry_run_records_every_message_and_the_truth(tmp_path: Path) -> None:
    record, true = tmp_path / "messages.jsonl", tmp_path / "truth.json"
    done = CliRunner().invoke(
        verb,
        [*SMALL, "--dry-run", "--json", "--record", str(record), "--truth", str(true)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    assert record.read_text(encoding="utf-8") == "".join(message.record() for message in replay(PLAN))
    assert json.loads(true.read_text(encoding="utf-8")) == truth(PLAN)
    summary = json.loads(done.stdout)
    assert summary["messages"] == len(record.read_text(encoding="utf-8").splitlines())
    assert summary["byKind"]["module-arrival"] == 3


def test_without_a_terminal_progress_is_plain_lines_on_stderr() -> None:
    done = CliRunner().invoke(verb, [*SMALL, "--dry-run"], catch_exceptions=False)
    lines = done.stderr.splitlines()
    assert len(lines) == 10
    total = len(list(replay(PLAN)))
    assert lines[-1] == f"{total} of {total} messages"
    assert "module-birth            3" in done.stdout


def test_on_a_terminal_progress_is_a_bar() -> None:
    screen, terminal = pty.openpty()
    script = "from voltwin.verbs.simulate import replay; replay()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, *SMALL, "--dry-run", "--json"],
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        os.close(terminal)
        shown = os.read(screen, 65536).decode()
    finally:
        os.close(screen)
    total = json.loads(done.stdout)["messages"]
    assert "messages" in shown
    assert f"{total}/{total}" in shown
    assert "\x1b[" in shown


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (["--modules", "0"], InputError, "modules = 0"),
        (["--leaky", "4", "--modules", "3"], InputError, "leaky = 4"),
        (["--broker", "http://127.0.0.1"], InputError, "mqtt://host:port"),
        (["--broker", "mqtt://127.0.0.1:1"], BrokerError, "no broker answers"),
        (["--dry-run", "--record", "/nowhere/messages.jsonl"], InputError, "cannot be written"),
    ],
)
def test_errors_say_what_to_do(options: Any, error: Any, says: Any) -> None:
    done = CliRunner().invoke(verb, [*SMALL, *options])
    assert isinstance(done.exception, error)
    assert says in str(done.exception)


def test_the_weather_is_served_until_interrupted() -> None:
    command = [sys.executable, "-m", "voltwin", "simulate", "weather", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as service:
        address = service.stdout.readline().split()[-1]
        with urlopen(address) as response:
            assert json.load(response)["temperature"]["unit"] == "DEG_C"
        service.send_signal(signal.SIGINT)
        assert service.wait(timeout=10) == 0
        assert service.stderr.read() == ""
