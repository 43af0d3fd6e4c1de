"""What the documents show of the case study is what it gives: their commands, scripts and answers, run on it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PATHS = ROOT / "docs" / "paths.md"
ASKING = ("get", "tree", "query", "status", "validate")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


def console() -> list[tuple[str, str]]:
    """Each command of a console block with the lines that follow it as its answer."""
    found: list[tuple[str, str]] = []
    for block in [*blocks(README, "console"), *blocks(PATHS, "console")]:
        for line in block.splitlines():
            if re.match(r"(voltwin|curl|make|pip|export|\.) ", line):
                found.append((line, ""))
            else:
                found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


ASKED = [(line, answer) for line, answer in console() if re.match(rf"voltwin ({'|'.join(ASKING)})( |$)", line)]
CURLED = [line for line, _ in console() if line.startswith("curl ")]


def run(study, words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


def test_there_are_commands():
    assert len(ASKED) >= 10
    assert len(CURLED) >= 4
    assert sum(bool(answer) for _, answer in ASKED) >= 2


@pytest.mark.parametrize(("line", "answer"), ASKED, ids=[line for line, _ in ASKED])
def test_voltwin_answers(study, line, answer):
    words = [sys.executable, "-m", "voltwin.cli", *shlex.split(line)[1:], "--fleet", str(study.folder)]
    done = run(study, words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if answer:
        assert done.stdout == answer


@pytest.mark.parametrize("line", CURLED)
def test_curl_answers(study, line):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    words = shlex.split(line.replace("http://127.0.0.1:8000", study.address))
    done = run(study, [words[0], "--silent", "--show-error", "--fail-with-body", *words[1:]])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_the_script_runs(study):
    (script,) = blocks(README, "python")
    assert '"demo-fleet"' in script
    done = run(study, [sys.executable, "-c", script.replace('"demo-fleet"', repr(str(study.folder)))])
    assert done.returncode == 0, done.stderr
    value, unit, *_, origin = done.stdout.splitlines()[0].split()
    assert 3.0 < float(value) < 4.3
    assert (unit, origin) == ("V", "measured")
    assert "best guess" in done.stdout
    assert "/arrivalTest/decision" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("page", ["actions.md", "rules.md"])
def test_sparql_in_pages_finds_something(study, page):
    for text in blocks(ROOT / "docs" / page, "sparql"):
        words = [sys.executable, "-m", "voltwin.cli", "query", text, "--format", "csv", "--fleet", str(study.folder)]
        done = run(study, words)
        assert done.returncode == 0, done.stderr
        if "DeadLetter" not in text:  # the case study has none
            assert len(done.stdout.splitlines()) > 1
