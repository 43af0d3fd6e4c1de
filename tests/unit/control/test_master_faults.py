"""A bug costs one message or run, a fault of the ground costs time, and a message that ends the process is found."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from voltwin.control.interfaces import Outcome
from voltwin.control.master import faults
from voltwin.control.master.handling import HandlingMark
from voltwin.control.master.inbox import Stop
from voltwin.control.master.intake import Intake
from voltwin.control.master.router import Router
from voltwin.errors import StoreError
from voltwin.testing import Bench, InlineExecutor, message

REASONS = "SELECT ?r { ?l a vt:DeadLetter ; vt:reason ?r }"


def reasons(bench: Bench) -> list[str]:
    rows = json.loads(bench.fleet.query(REASONS, "application/sparql-results+json").body)["results"]["bindings"]
    return [row["r"]["value"] for row in rows]


def births(examples: Any, *keys: str) -> list[Any]:
    return [
        message(f"voltwin/modules/{key}/birth", {**examples["module-birth"], "id": key}, receipt=number)
        for number, key in enumerate(keys, 1)
    ]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults.Faults, "_pause", 0.01)
    monkeypatch.setattr(faults, "FIRST_PAUSE", 0.01)


@pytest.mark.parametrize("place", ["read", "write"])
def test_a_bug_is_a_dead_letter_of_its_message_alone(
    bench: Bench, message_examples: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    cls, name = (Intake, "_targets") if place == "read" else (Router, "_write")
    real = getattr(cls, name)

    def broken(self: Any, item: Any, *rest: Any) -> Any:
        if "bad" in (item.topic if place == "read" else item.received.topic):
            raise IndexError("no such group")
        return real(self, item, *rest)

    monkeypatch.setattr(cls, name, broken)
    master = bench.master()
    monkeypatch.setattr(bench, "master", lambda *_: master)
    bench.play(births(message_examples, "module-0001", "bad", "module-0002"))
    assert reasons(bench) == ["internal: IndexError: no such group"]
    assert (master.status()["internal"], master.status()["problem"]) == (1, None)
    assert ["module-0001" in bench.fleet, "bad" in bench.fleet, "module-0002" in bench.fleet] == [True, False, True]
    assert sorted(bench.acknowledged) == [1, 2, 3]


def test_a_fault_of_the_ground_acknowledges_nothing_until_it_has_passed(bench: Bench, message_examples: Any) -> None:
    """The journal fails in the middle of the work; whatever waited then is taken, runs and schedules included."""
    journal, real = bench.committer.journal, bench.committer.journal.append
    failing, met = threading.Event(), threading.Event()

    def append(entry: Any) -> int:
        if failing.is_set():
            met.set()
            raise StoreError("journal: the disk is full")
        return real(entry)

    journal.append = append  # type: ignore[method-assign]  # the disk of this test
    master = bench.master({"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"})

    class Gate:
        def run(self, invocations: Any) -> Any:
            return [Outcome(item.run, outputs={}) for item in invocations]

    executor = InlineExecutor({"model-service": Gate(), "http-pull": Gate()}, master.inbox.put)
    thread = threading.Thread(target=master.run, args=(executor,))
    failing.set()
    for item in births(message_examples, "module-0001", "module-0002"):
        master.inbox.put(item)
    end = message_examples["module-end-of-line"]
    master.inbox.put(message("voltwin/modules/module-0001/end-of-line", end, receipt=3))
    thread.start()
    assert met.wait(30)
    for _ in range(200):
        if master.status()["problem"]:
            break
        threading.Event().wait(0.01)
    assert "disk is full" in str(master.status()["problem"])
    assert bench.acknowledged == []
    assert not master.idle.is_set()
    failing.clear()
    assert master.idle.wait(30)
    master.inbox.put(Stop())
    thread.join(30)
    status = bench.fleet.status()
    assert sorted(bench.acknowledged) == [1, 2, 3]
    assert (master.status()["problem"], master.status()["internal"]) == (None, 0)
    assert (status["deadLetters"], status["queued"], status["succeeded"]) == (0, 0, 6)


def test_a_fault_that_only_one_message_meets_is_its_own(
    bench: Bench, message_examples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store refuses what one message holds, every time; the others are not held up by it."""
    journal, real = bench.committer.journal, bench.committer.journal.append
    tries = 0

    def append(entry: Any) -> int:
        nonlocal tries
        if any(change.graph == bench.fleet.names.twin("bad") for change in entry.changes):
            tries += 1
            raise StoreError("engine: this literal is refused")
        return real(entry)

    journal.append = append  # type: ignore[method-assign]  # the engine of this test
    master = bench.master()
    monkeypatch.setattr(bench, "master", lambda *_: master)
    bench.play(births(message_examples, "module-0001", "bad", "module-0002"))
    assert reasons(bench) == ["internal: StoreError: engine: this literal is refused"]
    assert ["module-0001" in bench.fleet, "bad" in bench.fleet, "module-0002" in bench.fleet] == [True, False, True]
    assert sorted(bench.acknowledged) == [1, 2, 3]
    assert tries == faults.ALONE_AFTER + 1
    assert (master.status()["internal"], master.status()["problem"]) == (1, None)


@pytest.mark.parametrize("cause", [OSError("no space left"), sqlite3.OperationalError("database or disk is full")])
def test_a_full_disk_is_never_a_messages_own_fault(bench: Bench, message_examples: Any, cause: Exception) -> None:
    """However often it fails, and although a smaller commit would still fit."""
    journal, real = bench.committer.journal, bench.committer.journal.append
    tries: list[int] = []

    def append(entry: Any) -> int:
        if any("/twins/" in change.graph.value for change in entry.changes) and len(tries) < faults.ALONE_AFTER + 2:
            tries.append(1)
            raise StoreError("journal: cannot be written") from cause
        return real(entry)

    journal.append = append  # type: ignore[method-assign]  # the disk of this test
    bench.play(births(message_examples, "module-0001"))
    assert len(tries) == faults.ALONE_AFTER + 2
    assert reasons(bench) == []
    assert "module-0001" in bench.fleet


def test_a_master_that_meets_a_fault_can_be_stopped(bench: Bench, message_examples: Any) -> None:
    met = threading.Event()

    def append(entry: Any) -> int:
        met.set()
        raise StoreError(f"journal: the disk is full, {entry.author}")

    bench.committer.journal.append = append  # type: ignore[method-assign]  # the disk of this test
    master = bench.master()
    thread = threading.Thread(target=master.run, args=(InlineExecutor({}, master.inbox.put),))
    master.inbox.put(births(message_examples, "module-0001")[0])
    thread.start()
    assert met.wait(30)
    master.inbox.put(Stop())
    thread.join(30)
    assert not thread.is_alive()
    assert bench.acknowledged == []


PROCESS = """
import os, sys, json
from pathlib import Path
from voltwin.control.master import intake
from voltwin.control.master.handling import HandlingMark
from voltwin.testing import Bench, message
from voltwin.converter import convert

folder, model = Path(sys.argv[1]), Path(sys.argv[2])
real = intake.open_envelope
def deadly(payload, limits):
    if b"poison" in payload:
        os._exit(9)
    return real(payload, limits)
intake.open_envelope = deadly
fresh = not (folder / "journal.sqlite").exists()
bench = Bench.make(folder, convert(model) if fresh else None)
master = bench.master()
master.handling = HandlingMark(folder / "handling")
bench.master = lambda *_: master
sent = [message(f"voltwin/modules/{k}/birth", b, receipt=n) for n, (k, b) in enumerate(json.loads(sys.argv[3]))]
bench.play(sent)
print(sorted(bench.acknowledged), bench.fleet.status()["deadLetters"], "module-2" in bench.fleet)
bench.close()
"""


def test_a_message_during_which_the_process_ended_twice_is_set_aside_unread(
    tmp_path: Path, message_examples: Any
) -> None:
    import voltwin.ontology

    model = Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj"
    sent = [
        (key, {**message_examples["module-birth"], "id": key, "serial": serial})
        for key, serial in (("module-1", "A"), ("bad", "poison"), ("module-2", "B"))
    ]
    command = [sys.executable, "-c", PROCESS, str(tmp_path), str(model), json.dumps(sent)]
    ends = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(3)]
    assert [end.returncode for end in ends] == [9, 9, 0], ends[-1].stderr
    assert ends[-1].stdout.strip() == "[0, 1, 2] 1 True"


def test_messages_that_were_handled_together_are_only_suspects(tmp_path: Path) -> None:
    file = tmp_path / "handling"
    for _ in range(3):
        mark = HandlingMark(file)
        mark.begin(["a", "b"])
        mark.close()
    mark = HandlingMark(file)
    assert (mark.is_suspect("a"), mark.is_deadly("a"), mark.is_suspect("c")) == (True, False, False)
    mark.finish(["a"])
    assert not mark.is_suspect("a")
    mark.close()
    for content in (b"", b"{", b"[]", b'{"now": 5}', b'{"now": ["x"], "ended": 5}', b"\xff"):
        file.write_bytes(content)
        HandlingMark(file).close()
