"""The tree of errors is the one drawn in its docstring, and the command line says one sentence of each."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from voltwin import errors
from voltwin.api.http.problems import add_problem_handlers
from voltwin.errors import VoltwinError

CLASSES = [item for _, item in inspect.getmembers(errors, inspect.isclass) if item.__module__ == errors.__name__]


def drawn() -> dict[str, tuple[str | None, int | None, int | None]]:
    """From the docstring: name -> (parent, exit code, status), numbers where the drawing has them."""
    found: dict[str, tuple[str | None, int | None, int | None]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ((?:[│├└─ ]{4})*)(\w+) *(?:(\d+) / (\d+))?", line)
        if match:
            depth = len(match[1]) // 4
            del above[depth:]
            found[match[2]] = (above[-1] if above else None, *(int(n) if n else None for n in match.group(3, 4)))  # type: ignore[assignment]  # the first value is narrower than those to come
            above.append(match[2])
    return found


def test_the_drawing_has_every_error() -> None:
    assert set(drawn()) == {item.__name__ for item in CLASSES}


@pytest.mark.parametrize("error", CLASSES, ids=lambda item: item.__name__)
def test_the_drawing_is_right(error: Any) -> None:
    parent, code, status = drawn()[error.__name__]
    assert error.__bases__[0].__name__ == (parent or "Exception")
    assert (code, status) in ((None, None), (error.exit_code, error.status))
    assert inspect.getdoc(error)


@pytest.mark.parametrize("error", CLASSES, ids=lambda item: item.__name__)
def test_an_error_is_its_sentence(error: Any) -> None:
    assert str(error("path /x: nothing is there; ask /y")) == "path /x: nothing is there; ask /y"
    assert 0 < error.exit_code < 64
    assert 400 <= error.status < 600


def test_the_root_catches_all() -> None:
    assert all(issubclass(item, VoltwinError) for item in CLASSES)


def said(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "voltwin.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["get", "/m/x", "--fleet", "{tmp}/nowhere"], 4, ["nowhere", "voltwin init"]),
        (["convert", "{tmp}/broken.mdj"], 2, ["broken.mdj"]),
        (["convert", "{tmp}/missing.mdj"], 2, ["missing.mdj"]),
        (["serve", "{tmp}/nowhere"], 4, ["nowhere"]),
        (["simulate", "replay", "--broker", "mqtt://127.0.0.1:1", "--modules", "2"], 5, ["127.0.0.1:1"]),
        (["models", "run", "self-discharg", "{tmp}/request.json"], 3, ["self-discharg"]),
    ],
)
def test_bad_input_is_one_sentence_and_no_traceback(tmp_path: Path, arguments: Any, code: Any, words: Any) -> None:
    (tmp_path / "broken.mdj").write_text('{"_type": "Project", ')
    (tmp_path / "request.json").write_text("{}")
    status, out, error = said(*(item.replace("{tmp}", str(tmp_path)) for item in arguments))
    assert status == code, error
    assert "Traceback" not in error
    (line,) = [line for line in error.splitlines() if line.startswith("voltwin: ")]
    assert all(word in line for word in words)
    assert out == ""


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m voltwin.cli models list --json | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert len(done.stdout) == 1


def test_a_missing_package_of_an_extra_is_an_answer_that_names_the_extra() -> None:
    app = FastAPI()
    add_problem_handlers(app)

    @app.get("/plot")
    def plot() -> None:
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib.figure")

    @app.get("/bug")
    def bug() -> None:
        raise ModuleNotFoundError("No module named 'nonsense'", name="nonsense")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer, other = client.get("/plot"), client.get("/bug")
    assert (answer.status_code, answer.json()["error"]) == (500, "EnvironmentProblem")
    assert "pip install 'voltwin[plots]'" in answer.json()["message"]
    assert other.json()["error"] == "InternalError"
