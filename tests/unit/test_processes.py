"""A child process: one at a time, with the parent's path and arguments, replaced when it has died."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voltwin.processes import Child

MODULE = """
import os, signal

def serve(pipe, *arguments):
    while True:
        try:
            asked = pipe.recv()
        except EOFError:
            return
        if asked == "abort":
            os.kill(os.getpid(), signal.SIGABRT)
        if asked == "leave":
            raise SystemExit(7)
        pipe.send((asked, arguments, os.getpid(), os.environ.get("CHILD_OF"),
                   signal.getsignal(signal.SIGINT) == signal.SIG_IGN))
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A child whose module only the parent's sys.path finds."""
    (tmp_path / "echoing.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Child("echoing", {"CHILD_OF": "test"})
    yield made
    made.end()


def ask(child: Any, *arguments: Any, question: str = "x") -> Any:
    pipe = child.start(*arguments)
    pipe.send(question)
    return pipe.recv()


def test_it_serves_with_its_arguments_and_environment_and_leaves_ctrl_c_to_the_parent(child: Any) -> None:
    pid = child.pid
    asked, arguments, served, environment, ignores = ask(child, "a", 2)
    assert (asked, arguments, environment, ignores) == ("x", ("a", 2), "test", True)
    assert pid is None
    assert served == child.pid != os.getpid()


def test_one_that_runs_is_kept_and_one_that_died_is_replaced(child: Any) -> None:
    first = ask(child, 1)
    assert ask(child, 2) == first
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    again = ask(child, 2)
    assert again[1] == (2,)
    assert again[2] == child.pid != first[2]


@pytest.mark.parametrize(("question", "code"), [("abort", -signal.SIGABRT), ("leave", 7)])
def test_a_death_breaks_the_pipe_and_leaves_its_exit_code(child: Any, question: Any, code: Any) -> None:
    with pytest.raises(EOFError):
        ask(child, question=question)
    assert child.wait(60) == code
    assert child.end() == code
    assert child.pid is None
    assert child.end() is None


def test_ending_kills_whatever_it_does_and_waiting_lets_it_end_by_itself(child: Any) -> None:
    ask(child)
    assert child.end() == -signal.SIGKILL
    pipe = child.start()
    pipe.send("leave")
    assert child.wait(60) == 7


def test_a_module_that_cannot_be_imported_breaks_the_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    child = Child("there_is_no_such_module")
    with pytest.raises((EOFError, OSError)):
        child.start().recv()
    assert child.wait(60) == 1
    child.end()
    assert "there_is_no_such_module" in capfd.readouterr().err
    assert "there_is_no_such_module" not in sys.modules
