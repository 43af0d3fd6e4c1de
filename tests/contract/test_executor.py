"""What every executor keeps: whatever a handler does, each invocation gets exactly one outcome."""

from __future__ import annotations

import os
import queue
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voltwin.control.executors.process import ProcessExecutor
from voltwin.control.handlers import registry
from voltwin.control.interfaces import Invocation, Outcome
from voltwin.errors import ActionError, HandlerError
from voltwin.testing import InlineExecutor

# Entry points as an installed package would bring them, found by the handler's process through sys.path.
PACKAGE = """
from voltwin.control.interfaces import Outcome
from voltwin.errors import HandlerError
import os, signal, time

class Good:
    count = 0
    def run(self, invocations):
        self.count += 1
        return [Outcome(i.run, outputs={"sum": sum(i.inputs["x"]), "batch": self.count, "pid": os.getpid()})
                for i in reversed(invocations)]

class Told:
    def run(self, invocations):
        raise HandlerError("the bench is switched off")

class Raises:
    def run(self, invocations):
        return 1 / 0

class Dies:
    def run(self, invocations):
        os.kill(os.getpid(), signal.SIGKILL)

class DiesOnce:
    def run(self, invocations):
        mark = invocations[0].parameters["mark"]
        if not os.path.exists(mark):
            open(mark, "w").close()
            os._exit(1)
        return [Outcome(i.run, outputs={"ok": True}) for i in invocations]

class Exits:
    def run(self, invocations):
        raise SystemExit(3)

class Hangs:
    def run(self, invocations):
        time.sleep(3600)

class Forgets:
    def run(self, invocations):
        return [Outcome(i.run, outputs={}) for i in invocations[1:]]

class Invents:
    def run(self, invocations):
        return [Outcome(i.run, outputs={}) for i in invocations] + [Outcome("nobody asked", outputs={})]

class Nothing:
    def run(self, invocations):
        return None

class Wrong:
    def run(self, invocations):
        return [{"run": i.run} for i in invocations]

class Own:
    class Thing: pass
    def run(self, invocations):
        return [Outcome(i.run, outputs={"thing": Own.Thing()}) for i in invocations]

class Unmade:
    def __init__(self):
        raise OSError("no licence")
"""
NAMES = re.findall(r"^class (\w+)", PACKAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An installed distribution with one handler per way to fail."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "odd_handlers.py").write_text(PACKAGE)
    info = folder / "odd_handlers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-handlers\nVersion: 1.0\n")
    lines = "\n".join(f"{name.lower()} = odd_handlers:{name}" for name in NAMES)
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{lines}\n")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


class Desk:
    """Where outcomes arrive."""

    def __init__(self, make: Any) -> None:
        self.outcomes: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.executor = make(self.outcomes.put)

    def ask(self, handler: Any, *invocations: Any) -> Any:
        self.executor.submit(handler, invocations)
        return {outcome.run: outcome for outcome in self.take(1)}

    def take(self, count: Any) -> Any:
        return [outcome for _ in range(count) for outcome in self.outcomes.get(timeout=60)]


@pytest.fixture
def desk(handlers: Any) -> Iterator[Any]:
    made = Desk(lambda deliver: ProcessExecutor(deliver, 30.0))
    yield made
    made.executor.close()


def call(run: str = "r1", **parameters: Any) -> Any:
    return Invocation(run, "module-0001", "2019-04-01T00:00:00Z", inputs={"x": [1, 2, 3]}, parameters=parameters)


def test_outcomes_come_back_by_run_in_any_order(desk: Any) -> None:
    outcomes = desk.ask("good", call("a"), call("b"))
    assert [outcomes[run].outputs["sum"] for run in "ab"] == [6, 6]
    assert outcomes["a"].outputs["pid"] != os.getpid()


def test_a_handler_stays_between_batches(desk: Any) -> None:
    first, second = (desk.ask("good", call())["r1"].outputs for _ in range(2))
    assert (first["batch"], second["batch"]) == (1, 2)
    assert first["pid"] == second["pid"]


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("told", "the bench is switched off"),
        ("raises", "ZeroDivisionError"),
        ("dies", "its process died"),
        ("exits", "its process died"),
        ("unmade", "its process died"),
        ("nothing", "TypeError"),
        ("wrong", "must give Outcomes"),
        ("own", "not JSON serializable"),
    ],
)
def test_every_run_of_a_failed_batch_says_why(desk: Any, handler: Any, said: Any) -> None:
    outcomes = desk.ask(handler, call("a"), call("b"))
    assert set(outcomes) == {"a", "b"}
    for outcome in outcomes.values():
        assert outcome.outputs is None
        assert said in outcome.error
    # The executor lives on, and so does the next batch of the same handler.
    assert desk.ask("good", call())["r1"].outputs["sum"] == 6
    assert said in desk.ask(handler, call("c"))["c"].error


def test_a_handler_whose_process_died_gets_the_batch_once_more(desk: Any, tmp_path: Path) -> None:
    assert desk.ask("diesonce", call(mark=str(tmp_path / "mark")))["r1"].outputs == {"ok": True}


def test_a_process_killed_between_batches_is_started_again(desk: Any) -> None:
    pid = desk.ask("good", call())["r1"].outputs["pid"]
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    outputs = desk.ask("good", call())["r1"].outputs
    assert outputs["pid"] != pid
    assert outputs["sum"] == 6


def test_a_handler_that_hangs_is_ended(handlers: Any) -> None:
    desk = Desk(lambda deliver: ProcessExecutor(deliver, 1.5))
    assert "no answer after 1.5 s" in desk.ask("hangs", call())["r1"].error
    desk.executor.close()


def test_a_forgotten_run_has_failed_and_an_invented_one_is_dropped(desk: Any) -> None:
    outcomes = desk.ask("forgets", call("a"), call("b"))
    assert "no outcome" in outcomes["a"].error
    assert outcomes["b"].outputs == {}
    assert set(desk.ask("invents", call("a"))) == {"a"}


def test_handlers_work_beside_each_other(handlers: Any) -> None:
    desk = Desk(lambda deliver: ProcessExecutor(deliver, 5.0))
    desk.executor.submit("hangs", [call("slow")])
    desk.executor.submit("good", [call("quick")])
    assert [outcome.run for outcome in desk.take(2)] == ["quick", "slow"]
    desk.executor.close()


def test_closing_ends_after_the_batches_that_were_given(handlers: Any) -> None:
    desk = Desk(lambda deliver: ProcessExecutor(deliver, 30.0))
    for number in range(5):
        desk.executor.submit("good", [call(f"r{number}")])
    desk.executor.close()
    assert [outcome.run for outcome in desk.take(5)] == [f"r{number}" for number in range(5)]


def test_an_unknown_handler_is_named_with_those_there_are() -> None:
    with pytest.raises(ActionError, match="http-pull"):
        registry.find_handler("nobody")
    assert registry.find_handler("model-service").name == "model-service"


class TestInline:
    """The test kit's executor keeps the same promise without processes."""

    class Good:
        def run(self, invocations: Any) -> Any:
            return [Outcome(item.run, outputs=dict(item.inputs)) for item in invocations]

    class Told:
        def run(self, invocations: Any) -> None:
            raise HandlerError("the bench is switched off")

    def test_outcomes_are_there_at_once(self) -> None:
        desk = Desk(lambda deliver: InlineExecutor({"good": self.Good(), "told": self.Told()}, deliver))  # type: ignore[dict-item]  # a stand-in takes the place of the real part
        assert desk.ask("good", call("a"))["a"].outputs == {"x": [1, 2, 3]}
        assert desk.ask("told", call("a"))["a"].error == "the bench is switched off"
        assert "nobody" in desk.ask("nobody", call("a"))["a"].error
        assert [name for name, _ in desk.executor.batches] == ["good", "told", "nobody"]
        desk.executor.close()
