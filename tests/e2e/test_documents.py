"""What the documents show of the case study is what it gives: every command and script in them, run on its fleet.

They are run as typed, in a folder that holds what a reader's has, on a copy of the demo's fleet with a server of its
own (whose address takes the place of the one shown). tests/e2e/snippets.py says which are not, and why.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.assembly import assemble
from voltwin.control.clock import ReplayClock
from voltwin.graphstore.folder import read_folder
from voltwin.maintenance import back_up_fleet, restore_fleet
from voltwin.ontology.literals import parse_time

from .conftest import Study
from .snippets import (
    ENDLESS,
    NOT_RUN,
    NOT_RUN_PAGES,
    PAGES,
    PROGRAMS,
    ROOT,
    SHELLS,
    Command,
    Script,
    blocks,
    commands,
    scripts,
)

pytestmark = pytest.mark.e2e

INTERRUPTED = 124
SHOWN = "http://127.0.0.1:8000"
COMMANDS = commands()
SCRIPTS = scripts()
FIX = "INSERT DATA { GRAPH <https://fleet.example/%s> { <https://x.example/a> <https://x.example/b> 1 } }"
MATERIALS = "<https://x.example/steel> <https://x.example/density> 7850 .\n"


@dataclass(frozen=True)
class Desk:
    """A reader's folder."""

    folder: Path
    address: str

    def run(self, words: list[str], seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a program here; what goes on after ``seconds`` is interrupted."""
        programs = [str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        environment = {
            **os.environ,
            "PATH": os.pathsep.join(programs),
            "VOLTWIN_FLEET": "demo-fleet",
            "PYTHONUNBUFFERED": "1",
        }
        return subprocess.run(
            ["timeout", "--signal=INT", str(seconds), *words],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=environment,
            check=False,
        )


@pytest.fixture(scope="module")
def desk(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The demo's fleet copied and served, the examples, and the files that the pages speak of."""
    folder = tmp_path_factory.mktemp("reader")
    back_up_fleet(study.folder, folder / "backup")
    restore_fleet(folder / "backup", folder / "demo-fleet")
    for name in ("examples", "ontology"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("module.mdj", "model.mdj", "my-model.mdj", "old.mdj", "new.mdj"):
        shutil.copy(ROOT / "ontology" / "models" / "battery_logistics.mdj", folder / name)
    (folder / "fix.ru").write_text(f"{FIX % 'notes'} ; {FIX % 'drafts'}", "utf-8")
    (folder / "materials.ttl").write_text(MATERIALS, "utf-8")
    subprocess.run(["gzip", "--keep", "materials.ttl"], cwd=folder, check=True)
    (folder / "bin").mkdir()
    # An answer of 404 is a failure, too.
    curl = f'#!/bin/sh\nexec {shutil.which("curl")} --silent --show-error --fail-with-body "$@"\n'
    (folder / "bin" / "curl").write_text(curl, "utf-8")
    (folder / "bin" / "curl").chmod(0o755)
    with urlopen(f"{study.address}/history") as answer:
        last = parse_time(json.load(answer)["last"]["time"])
    parts = assemble(read_folder(folder / "demo-fleet"), ReplayClock(last))
    with parts.fleet, WebServer(create_app(parts.fleet), port=0) as server:
        parts.held.lock.publish(server.url)
        yield Desk(folder, server.url)


def matches(shown: str, answered: str) -> bool:
    """Whether an answer is the one shown; ``…`` stands for what differs from run to run."""
    pattern = re.escape(shown.strip()).replace("…", ".*?")
    return re.fullmatch(pattern, answered.strip(), re.S) is not None


def test_there_are_commands_and_scripts() -> None:
    assert len(COMMANDS) >= 35
    assert len(SCRIPTS) >= 7
    assert sum(bool(command.answer) for command in COMMANDS) >= 4
    assert sum(command.line.startswith("curl ") for command in COMMANDS) >= 8


def test_what_is_not_run_is_there_and_little() -> None:
    reasons = {command.reason for command in COMMANDS} - {""}
    assert reasons <= set(NOT_RUN.values())
    assert sum(bool(command.reason) for command in COMMANDS) <= 10
    assert all((ROOT / page).is_file() for page in NOT_RUN_PAGES)


@pytest.mark.parametrize("command", [item for item in COMMANDS if not item.reason], ids=lambda c: f"{c.page}: {c.line}")
def test_a_command_does_what_is_shown(desk: Desk, command: Command) -> None:
    if command.line.startswith("curl ") and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    line = "\n".join((*command.before, command.line)).replace(SHOWN, desk.address)
    endless = ENDLESS.search(command.line) is not None
    done = desk.run(["bash", "-euo", "pipefail", "-c", line], 12.0 if endless else 120.0)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    if endless:
        assert done.returncode == INTERRUPTED, said
        assert done.stdout.strip() or "since" not in command.line, said
        return
    assert done.returncode == 0, said
    # Some loads and updates that find nothing to do say so; everything else has an answer.
    if target := re.search(r" > (\S+)", command.line):
        said = (desk.folder / target[1]).read_text("utf-8")
    assert said.strip() or "convert" in command.line
    if command.answer:
        assert matches(command.answer, done.stdout), done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: f"{script.page}-{script.number}")
def test_a_script_runs(desk: Desk, script: Script) -> None:
    done = desk.run([sys.executable, "-c", script.text.replace(SHOWN, desk.address)])
    assert done.returncode == 0, done.stderr
    if script.page == "README.md":
        value, unit, *_, origin = done.stdout.splitlines()[0].split()
        assert 3.0 < float(value) < 4.3
        assert (unit, origin) == ("V", "measured")
        assert "best guess" in done.stdout
        assert "/arrivalTest/decision" in done.stdout.splitlines()[-1]


def test_the_answer_shown_as_json_is_the_answer(study: Study) -> None:
    (page,) = (text for text in blocks(ROOT / "docs" / "rest.md", "json") if '"answers"' in text)
    shown = json.loads(page)
    with urlopen(f"{study.address}/twins{shown['path']}") as answer:
        assert json.load(answer) == shown


@pytest.mark.parametrize("page", ["actions.md", "rules.md", "series.md"])
def test_sparql_in_pages_finds_something(desk: Desk, page: str) -> None:
    for text in blocks(ROOT / "docs" / page, "sparql"):
        done = desk.run(["voltwin", "query", text, "--format", "csv"])
        assert done.returncode == 0, done.stderr
        if "DeadLetter" not in text:  # the case study has none
            assert len(done.stdout.splitlines()) > 1


def test_every_program_of_a_block_is_known() -> None:
    """A block of the language console that begins otherwise would not be looked at."""
    start = re.compile(rf"(?:\$ )?(?:\w+=\S+ )*(?:(?:{PROGRAMS}|export|cd|source)\b|\. )")
    for page in PAGES:
        for block in blocks(page, *SHELLS):
            assert start.match(block), f"{page}: {block}"
