"""The case study, run once by `voltwin demo`, for every test that looks at its results."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

LIMIT_SECONDS = 600


@dataclass(frozen=True)
class Study:
    """A finished case study that serves."""

    folder: Path
    out: Path
    address: str
    printed: str


def start(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voltwin", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )


def finish(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def run_until_serving(process: subprocess.Popen[str], folder: Path, out: Path) -> Study:
    """Read what it prints until it says where it serves."""
    assert process.stdout is not None
    timer = threading.Timer(LIMIT_SECONDS, process.kill)
    timer.start()
    printed = []
    try:
        for line in process.stdout:
            printed.append(line)
            found = re.match(r"Serving on (\S+) until", line)
            if found:
                return Study(folder, out, found[1], "".join(printed))
    finally:
        timer.cancel()
    process.wait()
    raise AssertionError("the case study ended before it served:\n" + "".join(printed))


@pytest.fixture
def finished_study(tmp_path: Path) -> Callable[..., tuple[int, str, Path]]:
    """Run a small case study to its end: exit code, what it printed, its fleet's folder."""

    def run(name: str, *arguments: str) -> tuple[int, str, Path]:
        folder, out = tmp_path / name / "fleet", tmp_path / name / "out"
        process = start(["--exit", "--fleet", str(folder), "--out", str(out), "--port", "0", *arguments])
        printed, _ = process.communicate(timeout=LIMIT_SECONDS)
        return process.returncode, printed, folder

    return run


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """All 181 modules."""
    place = tmp_path_factory.mktemp("case-study")
    folder, out = place / "fleet", place / "out"
    process = start(["--fleet", str(folder), "--out", str(out), "--port", "0"])
    try:
        yield run_until_serving(process, folder, out)
    finally:
        finish(process)
