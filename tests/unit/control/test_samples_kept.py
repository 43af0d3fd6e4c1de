"""Every door through which values come keeps all samples of a series, single ones and batches."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from voltwin.control.interfaces import Invocation, Outcome
from voltwin.control.master.commits import Commits
from voltwin.control.master.dispatch import Dispatcher, RunUnderWay
from voltwin.control.master.due import DueTable
from voltwin.control.master.inputs import OutsideServices, ResolvedInputs
from voltwin.control.master.runs import WorkResult
from voltwin.control.master.schedules import Schedules
from voltwin.graphstore.interfaces import Entry, QueuedRun, Sample, SampleBatch
from voltwin.graphstore.journal.changes import ChangeSet, GraphChanges
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.testing import Bench, InlineExecutor, message

TEMPERATURE = "/truck-01/logger/temperature"
MICROSECONDS = 1_000_000


@pytest.fixture
def written(bench: Bench, start: Any) -> Any:
    """A change set with one sample and a batch of two, and the series they belong to."""
    changes = ChangeSet(bench.committer.store)
    schema, names = bench.fleet.schema, bench.fleet.names
    writer = TwinWriter(changes, schema, names, bench.committer.journal.series)
    twin = writer.create_twin("truck-01", schema.class_named("Truck").iri)
    given, steps = Provenance("asserted", start), ("logger", "temperature")
    writer.put(twin, steps, 1.0, "DEG_C", given)
    times = np.array([1, 2]) * MICROSECONDS + int(start.timestamp()) * MICROSECONDS
    writer.put_series(twin, steps, times, np.array([2.0, 3.0]), "DEG_C", given)
    return changes


@pytest.fixture
def commits(bench: Bench) -> Any:
    actions = bench.actions
    schedules = Schedules(bench.committer.store, bench.fleet.names, actions, DueTable([]), bench.births)
    return Commits(bench.committer, actions, schedules, bench.clock)


def samples(bench: Any, path: Any = TEMPERATURE) -> Any:
    return list(bench.fleet.get(path).value.values)


def test_an_entry_has_all_of_a_change_set(written: Any, start: Any) -> None:
    entry = Entry.of(written, "anna", start)
    assert (len(entry.samples), len(entry.batches), len(entry.changes)) == (1, 1, 1)
    parts = {field.name for field in fields(ChangeSet) if not field.name.startswith("_")} - {"store"}
    assert all(getattr(entry, part) for part in parts)


def test_whole_graphs_keep_their_samples_and_lose_empty_changes(written: Any, start: Any) -> None:
    (change,) = written.changes()
    empty = type(change)(written.samples[0].series, "", "")
    sample, batch = Sample(change.graph, 1, 2.0), SampleBatch(change.graph, np.array([1]), np.array([2.0]))
    entry = Entry.of(GraphChanges([change, empty], [sample], [batch]), "anna", start)
    assert (entry.changes, entry.samples, entry.batches) == ((change,), (sample,), (batch,))


def test_a_commit_of_the_master_keeps_samples_and_batches(bench: Bench, written: Any, commits: Any) -> None:
    assert commits.commit(WorkResult(written, bench.fleet.names)) == []
    assert samples(bench) == [1.0, 2.0, 3.0]


def test_a_put_keeps_its_sample(bench: Bench, written: Any, start: Any) -> None:
    bench.committer.commit(Entry.of(written, "anna", start), tuple(written.touched()))
    bench.fleet.put(TEMPERATURE, 0.5, unit="DEG_C", time=start.replace(year=2018), author="anna")
    assert samples(bench) == [0.5, 1.0, 2.0, 3.0]


def test_a_message_keeps_its_sample(bench: Bench, message_examples: Any) -> None:
    sample = message_examples["transport-sample"]
    bench.play([message("voltwin/trucks/truck-01/sample", sample)])
    assert samples(bench) == [sample["temperature"]]


def test_an_output_of_a_run_keeps_its_sample(bench: Bench, message_examples: Any, start: Any, commits: Any) -> None:
    bench.play([message("voltwin/modules/module-0001/birth", message_examples["module-birth"])])
    names = bench.fleet.names
    run = QueuedRun("r", names.action("self-discharge-on-schedule"), names.twin("module-0001"), start, "schedule")
    inputs = ResolvedInputs(Invocation("r", "module-0001", ""), {})
    executor = InlineExecutor({}, lambda outcomes: None)
    dispatcher = Dispatcher(
        bench.fleet.reader, bench.actions, OutsideServices({}), executor, under_way={"r": RunUnderWay(run, inputs)}
    )
    commits.commit(dispatcher.end([Outcome("r", {"loss": {"value": 4.5, "unit": "PERCENT"}})]))
    assert samples(bench, "/module-0001/selfDischarge/trend") == [4.5]
