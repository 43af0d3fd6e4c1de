"""The master in lockstep: the same messages give the same graph, however they are batched, broken off or repeated."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Dataset, Literal

import voltwin.ontology
from voltwin.control.handlers.registry import INGEST
from voltwin.control.interfaces import Outcome
from voltwin.control.master.checks.registry import find_problems, refuse_errors
from voltwin.control.master.inbox import Stop
from voltwin.converter import convert
from voltwin.errors import ActionError
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.ontology.iris import VT
from voltwin.ontology.literals import format_time
from voltwin.simulator.plan import ReplaySettings, plan_fleet
from voltwin.simulator.replay import replay
from voltwin.testing import Bench, ManualClock, message

pytestmark = pytest.mark.integration
SERVICES = {"models": "http://models", "weather": "http://weather"}
T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)


class Arithmetic:
    """Answers every model action and pull with figures that depend on all that it was given."""

    def __init__(self) -> None:
        self.runs: list[Any] = []

    def run(self, invocations: Any) -> Any:
        self.runs += [item.run for item in invocations]
        return [self._one(item) for item in invocations]

    def _one(self, item: Any) -> Any:
        if "weather" in item.endpoint:
            warmth = float(datetime.fromisoformat(item.time).hour)
            return Outcome(item.run, outputs={"temperature": {"value": warmth, "unit": "DEG_C"}})
        given = sum(_numbers(dict(item.inputs))) % 97
        if "arrival-gate" in item.endpoint:
            decision = "ACCEPT" if given < 50 else "REJECT"
            return Outcome(item.run, outputs={"decision": decision, "reasons": [f"{given:.3f}"]})
        soc = {"value": [given] * 12, "unit": "PERCENT"}
        return Outcome(item.run, outputs={"soc": soc, "loss": {"value": given, "unit": "PERCENT"}})


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [float(value)] if isinstance(value, int | float) else []


@pytest.fixture(scope="module")
def model() -> Any:
    return convert(Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj")


@pytest.fixture(scope="module")
def messages() -> Any:
    plan = plan_fleet(ReplaySettings(modules=3))
    return [
        message(item.topic, item.encode(), receipt=number)
        for number, item in enumerate(replay(plan), start=1)
        if number % 8 == 0 or "sample" not in item.topic
    ]


def play(folder: Any, model: Any, batches: Any, size: Any = 200, handler: Any = None) -> Any:
    """The graph after all ``batches``, each played to a master of its own, as one process after another would."""
    folder.mkdir()
    handler = handler or Arithmetic()
    bench = Bench.make(folder, model)
    for index, batch in enumerate(batches):
        if index:
            bench.close()
            bench = Bench.make(folder)
        bench.play(batch, {"model-service": handler, "http-pull": handler}, services=SERVICES, batch_messages=size)
    state = bench.fleet.names.state_graph
    graph = Dataset(quad for quad in bench.committer.store.quads(None, None, None, None) if quad.graph_name != state)
    counts = bench.committer.journal.counts()
    bench.close()
    return graph, {name: count for name, count in counts.items() if name != "commits"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, model: Any, messages: Any) -> Any:
    return play(tmp_path_factory.mktemp("undisturbed") / "fleet", model, [messages])


@pytest.mark.parametrize("size", [1, 3, 40])
def test_the_size_of_batches_changes_nothing(
    tmp_path: Path, model: Any, messages: Any, undisturbed: Any, size: Any
) -> None:
    assert play(tmp_path / "fleet", model, [messages], size) == undisturbed


@pytest.mark.parametrize("cut", [1, 30, 77])
def test_a_new_master_goes_on_where_the_last_one_stopped(
    tmp_path: Path, model: Any, messages: Any, undisturbed: Any, cut: Any
) -> None:
    graph, counts = play(tmp_path / "fleet", model, [messages[:cut], messages[cut:]])
    assert counts == undisturbed[1]
    assert graph == undisturbed[0]


def test_messages_that_come_again_change_nothing(tmp_path: Path, model: Any, messages: Any, undisturbed: Any) -> None:
    handler = Arithmetic()
    graph, counts = play(tmp_path / "fleet", model, [messages[:60], messages[20:], messages[-30:]], handler=handler)
    assert (graph, counts) == undisturbed
    assert len(handler.runs) == len(set(handler.runs))


def test_everything_happened(undisturbed: Any) -> None:
    graph, counts = undisturbed
    assert (counts["deadLetters"], counts["failed"], counts["queued"]) == (0, 0, 0)
    assert counts["succeeded"] > 100
    decisions = [quad for quad in graph if quad.predicate.value.endswith("decision")]
    assert len(decisions) == 3


class Dying(Arithmetic):
    """Ends the master at its n-th batch, as a kill would: nothing of that batch is delivered."""

    def __init__(self, after: Any) -> None:
        super().__init__()
        self.after = after

    def run(self, invocations: Any) -> Any:
        if self.after == 0:
            raise KeyboardInterrupt
        self.after -= 1
        return super().run(invocations)


@pytest.mark.parametrize("after", [0, 5, 9, 40])
def test_runs_that_were_under_way_are_taken_up(
    tmp_path: Path, model: Any, messages: Any, undisturbed: Any, after: Any
) -> None:
    bench = Bench.make(tmp_path, model)
    dying = Dying(after)
    with pytest.raises(KeyboardInterrupt):
        bench.play(messages, {"model-service": dying, "http-pull": dying}, services=SERVICES)
    assert bench.committer.journal.counts()["queued"] >= 1
    safe = set(bench.acknowledged)
    bench.close()
    bench = Bench.make(tmp_path)
    handler = Arithmetic()
    again = [item for item in messages if item.receipt not in safe]
    bench.play(again, {"model-service": handler, "http-pull": handler}, services=SERVICES)
    state = bench.fleet.names.state_graph
    graph = Dataset(quad for quad in bench.committer.store.quads(None, None, None, None) if quad.graph_name != state)
    counts = bench.committer.journal.counts()
    bench.close()
    assert {name: count for name, count in counts.items() if name != "commits"} == undisturbed[1]
    assert graph == undisturbed[0]


@pytest.fixture
def bench(tmp_path: Path, model: Any) -> Iterator[Any]:
    made = Bench.make(tmp_path, model, clock=ManualClock(T0))
    yield made
    made.close()


def end_of_line(key: Any, identifier: Any, minute: Any = 0) -> Any:
    body = {
        "id": identifier,
        "time": f"2019-04-01T05:{minute:02d}:00Z",
        "ocv": 43.8,
        "temperature": 25.0,
        "rest": 6.0,
        "cells": {f"cell-{number:02d}": {"voltage": 3.65} for number in range(1, 13)},
    }
    return message(f"voltwin/modules/{key}/end-of-line", body, receipt=int(minute))


def birth(key: Any) -> Any:
    body = {
        "id": f"birth of {key}",
        "time": "2019-04-01T04:00:00Z",
        "serial": f"S-{key}",
        "type": "12s1p",
        "capacity": 12.5,
        "curve": "bpx-nmc111",
    }
    return message(f"voltwin/modules/{key}/birth", body)


class Waiting:
    """An executor that holds what it was given until the test lets go."""

    def __init__(self, deliver: Any) -> None:
        self.deliver = deliver
        self.held: list[Any] = []

    def submit(self, handler: Any, invocations: Any) -> None:
        self.held += invocations

    def close(self) -> None:
        pass


def test_a_run_asked_for_again_while_it_works_is_one_run(bench: Bench) -> None:
    bench.play([birth("m1")], {"model-service": Arithmetic(), "http-pull": Arithmetic()}, services=SERVICES)
    master = bench.master(SERVICES)
    executor = Waiting(master.inbox.put)
    thread = threading.Thread(target=master.run, args=(executor,))
    thread.start()
    try:
        for identifier in ("first", "second"):
            before = bench.committer.journal.last_sequence
            master.inbox.put(end_of_line("m1", identifier))
            deadline = threading.Event()
            while bench.committer.journal.last_sequence == before:
                deadline.wait(0.01)
        soc = {"value": [50.0] * 12, "unit": "PERCENT"}
        assert [item.run for item in executor.held] == ["ocv-to-soc~m1~2019-04-01T05:00:00Z"]
        master.inbox.put([Outcome(executor.held[0].run, outputs={"soc": soc})])
        while bench.committer.journal.counts()["queued"]:
            deadline.wait(0.01)
    finally:
        master.inbox.put(Stop())
        thread.join()
    counts = bench.committer.journal.counts()
    # A second message for the same moment is taken in; the runs it leads to are those that were.
    assert (counts["messages"], counts["succeeded"], counts["failed"]) == (3, 3, 0)
    assert bench.fleet.get("/m1/cells/cell-01/stateOfCharge").value == 50.0


def test_a_schedule_follows_the_clock_of_the_day(bench: Bench) -> None:
    handler = Arithmetic()
    handlers = {"model-service": handler, "http-pull": handler}
    bench.play([], handlers, services=SERVICES)
    schedule = bench.actions.by_iri[bench.fleet.names.action("poll-weather")].schedule
    ticks = [schedule.next_after(T0)]
    for _ in range(4):
        ticks.append(schedule.next_after(ticks[-1]))
    runs = [f"poll-weather~weather-station~{format_time(tick)}" for tick in ticks]
    bench.clock.set(ticks[0] - timedelta(minutes=1))
    bench.play([], handlers, services=SERVICES)
    assert handler.runs == []
    bench.clock.set(ticks[0])
    bench.play([], handlers, services=SERVICES)
    assert handler.runs == runs[:1]
    # Three ticks were missed while nothing ran: they count as one, the latest.
    bench.clock.set(ticks[3] + timedelta(minutes=30))
    bench.play([], handlers, services=SERVICES)
    assert handler.runs == [runs[0], runs[3]]


def test_a_replay_reaches_the_end_of_the_calendar_and_goes_on(tmp_path: Path, model: Any, messages: Any) -> None:
    late = message("voltwin/clock", {"id": "clock/last", "time": "9999-12-31T23:59:59Z"}, receipt=1000)
    fleet = Bench.make(tmp_path, model)
    handlers = {"model-service": Arithmetic(), "http-pull": Arithmetic()}
    fleet.play([late, *messages], handlers, services=SERVICES)
    counts = fleet.committer.journal.counts()
    fleet.close()
    assert (counts["deadLetters"], counts["failed"], counts["queued"]) == (0, 0, 0)
    assert counts["messages"] == sum(item.topic != late.topic for item in messages)


def test_what_is_not_there_yet_skips_a_run_and_says_so(bench: Bench) -> None:
    handler = Arithmetic()
    handlers = {"model-service": handler, "http-pull": handler}
    bench.play(
        [birth("m1"), end_of_line("m1", "a")], {"http-pull": handler, "model-service": Failing()}, services=SERVICES
    )
    bench.clock.set(T0 + timedelta(hours=12))
    bench.play([], handlers, services=SERVICES)
    rows = bench.fleet.query("SELECT ?r { ?run vt:status 'skipped' ; vt:reason ?r }", "text/csv").body.decode()
    assert "endOfLineSoc is not there yet" in rows
    assert bench.committer.journal.counts()["failed"] == 1


class Failing:
    def run(self, invocations: Any) -> Any:
        return [Outcome(item.run, error="out of order") for item in invocations]


def test_consecutive_runs_know_what_led_to_them(bench: Bench) -> None:
    handler = Arithmetic()
    bench.play(
        [birth("m1"), end_of_line("m1", "a")], {"model-service": handler, "http-pull": handler}, services=SERVICES
    )
    text = "SELECT ?cause { ?run vt:status 'succeeded' ; prov:wasInformedBy ?cause }"
    assert "runs/receive-end-of-line~m1~2019-04-01T05:00:00Z" in bench.fleet.query(text, "text/csv").body.decode()


def test_an_action_whose_handler_is_not_registered_is_refused_before_work_begins(bench: Bench) -> None:
    store, names = bench.committer.store, bench.fleet.names
    refuse_errors(find_problems(store, names, SERVICES))
    assert INGEST in {action.handler for action in bench.actions.by_iri.values()}
    graph = bench.fleet.names.actions_graph
    (quad,) = bench.committer.store.quads(None, VT.entryPoint, Literal("http-pull"), graph)
    changes = ChangeSet(bench.committer.store)
    changes.put(quad.subject, VT.entryPoint, [Literal("nobody")], graph)
    bench.committer.commit(Entry("test", T0, changes.changes()))
    with pytest.raises(ActionError, match="nobody"):
        refuse_errors(find_problems(store, names, SERVICES))
