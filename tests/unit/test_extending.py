"""Every example of docs/extending.md works where the part belongs; listeners: tests/contract/test_every_listener.py."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode

from voltwin.control.executors.process import ProcessExecutor
from voltwin.control.interfaces import Deliver, Executor, Invocation, MasterClock, Outcome
from voltwin.control.master.due import first_due
from voltwin.errors import InputError
from voltwin.graphstore.engines.registry import StoreChoice, open_store
from voltwin.graphstore.interfaces import Entry, SampleBatch
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.series.archives.archive import SealedFileMissing
from voltwin.graphstore.validation.shacl import validate_twins
from voltwin.ontology.literals import EPOCH
from voltwin.testing import Bench

from ..contract import test_clock as clocks
from ..extensions import PAGE, blocks, installed, write_distribution

ROOT = Path(__file__).parents[2]
PROTOCOLS = {
    "handler", "listener", "model", "triple store", "view", "executor", "series archive", "SPARQL function",
    "kind of schedule", "SHACL engine", "clock",
}  # fmt: skip
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes with it


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with installed(tmp_path_factory.mktemp("site") / "packages") as module:
        yield module


def test_every_protocol_has_a_section_and_all_but_the_view_an_example() -> None:
    text = PAGE.read_text("utf-8")
    for protocol in PROTOCOLS:
        assert f"\n## A {protocol}\n" in text or f"\n## An {protocol}\n" in text
    assert len(blocks("python")) == len(PROTOCOLS) - 1


def call(run: str, temperature: float, humidity: float) -> Invocation:
    inputs = {"temperature": {"value": temperature, "unit": "DEG_C"}, "humidity": {"value": humidity}}
    return Invocation(run, "module-0001", "2019-04-01T00:00:00Z", inputs=inputs)


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_the_handler_runs_in_either_executor(parts: Any, kind: str) -> None:
    outcomes: queue.SimpleQueue[Any] = queue.SimpleQueue()
    deliver: Deliver = outcomes.put
    executor: Executor = ProcessExecutor(deliver, 60.0) if kind == "process" else parts.ThreadExecutor(deliver)
    executor.submit("dew-point", [call("a", 20.0, 50.0), call("b", 20.0, 0.0)])
    found = {outcome.run: outcome for outcome in outcomes.get(timeout=60)}
    executor.close()
    assert found["a"].outputs["dewPoint"]["value"] == pytest.approx(9.27, abs=0.02)  # psychrometric tables
    assert "humidity" in found["b"].error


def test_the_executor_gives_every_run_an_outcome_whatever_happens(parts: Any) -> None:
    outcomes: queue.SimpleQueue[Any] = queue.SimpleQueue()
    executor = parts.ThreadExecutor(outcomes.put)
    executor.submit("dew-point", [Invocation("a", "m", "2019-04-01T00:00:00Z"), call("b", 20.0, 50.0)])
    assert {outcome.run: "KeyError" in outcome.error for outcome in outcomes.get(timeout=60)} == {"a": True, "b": True}
    executor.submit("unheard-of", [call("c", 20.0, 50.0)])
    (outcome,) = outcomes.get(timeout=60)
    assert "dew-point" in outcome.error
    assert isinstance(outcome, Outcome)
    executor.close()


def test_model_and_store_pass_the_contract_suites(tmp_path: Path) -> None:
    """The suites take in what is installed, so they run with the page's distribution on the path."""
    site = write_distribution(tmp_path / "packages")
    suites = [str(ROOT / "tests" / "contract" / f"test_{name}.py") for name in ("models", "triple_store")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "mean-voltage or timed", *suites],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    passed = int(done.stdout.rsplit(" passed", 1)[0].split()[-1])
    assert passed > 40
    assert "skipped" not in done.stdout


def test_the_store_takes_its_option_and_logs(parts: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = open_store(StoreChoice("timed", {"seconds": 0.0}), None, "https://fleet.example/")
    with caplog.at_level(logging.WARNING):
        store.query("SELECT ?s WHERE { ?s ?p ?o }")
    assert "slow query: SELECT" in caplog.text
    store.close()
    with pytest.raises(InputError, match="seconds alone"):
        open_store(StoreChoice("timed", {"minutes": 1}), None, "https://fleet.example/")


def test_the_archive_keeps_what_a_journal_seals(parts: Any, tmp_path: Path) -> None:
    import numpy as np

    archive = parts.MemoryArchive()
    journal = SqliteJournal.open(tmp_path / "journal.sqlite", archive)
    series = NamedNode("https://fleet.example/twins/a/temperature")
    times = np.arange(5000, dtype=np.int64) * 1_000_000
    journal.append(Entry("test", EPOCH, batches=[SampleBatch(series, times, times / 1e6)]))
    journal.series.seal(EPOCH + timedelta(days=40), least_rows=1)
    names = list(archive.names())
    assert names
    assert journal.series.aggregate(series, "count") == 5000
    assert archive.get(names[0]).startswith(b"PAR1")
    archive.delete(names[0])
    archive.delete(names[0])
    with pytest.raises(SealedFileMissing, match="fsck"):
        archive.get(names[0])
    journal.close()


def test_the_function_answers_in_a_query(parts: Any) -> None:
    store = open_store(StoreChoice("memory"), None, "https://fleet.example/")
    (row,) = store.query(f"SELECT ({parts.KELVIN}(20.0) AS ?k) WHERE {{}}", functions={parts.KELVIN: parts.kelvin})  # type: ignore[misc]  # drawn values are wider than they seem
    assert row["k"] == Literal(293.15)
    (row,) = store.query(f"SELECT ({parts.KELVIN}(<x:y>) AS ?k) WHERE {{}}", functions={parts.KELVIN: parts.kelvin})  # type: ignore[misc]  # drawn values are wider than they seem
    assert row["k"] is None


@given(moment=MOMENTS, minutes=st.integers(0, 1439))
def test_the_schedule_keeps_the_laws_of_schedules(parts: Any, moment: datetime, minutes: int) -> None:
    workdays = parts.Workdays(timedelta(minutes=minutes))
    due = workdays.next_after(moment)
    assert moment < due <= moment + timedelta(days=4)
    assert due.weekday() < 5
    late = due + timedelta(days=10)
    counted = workdays.latest_until(due, late)
    assert due <= counted <= late < workdays.next_after(counted)


def test_the_due_table_takes_the_schedule(bench: Bench, parts: Any) -> None:
    from dataclasses import replace

    action = next(action for action in bench.actions.by_iri.values() if action.kind == "model")
    friday = datetime(2019, 4, 5, 12, tzinfo=UTC)
    (row,) = first_due([replace(action, schedule=parts.Workdays(timedelta(hours=6)))], action.iri, friday)
    assert row.next == datetime(2019, 4, 8, 6, tzinfo=UTC)


def test_the_shacl_engine_finds_what_is_wrong_with_a_twin(bench: Bench, parts: Any) -> None:
    names = bench.fleet.names
    twin = next(iter(bench.fleet))
    report = validate_twins(bench.committer.store, [names.twin(twin)], parts.NoNegatives(), names)
    assert report.conforms
    text = f'INSERT DATA {{ GRAPH {names.twin(twin)} {{ {names.twin(twin)} <https://my.example/p> "-1" }} }}'
    bench.fleet.update(text, author="test")
    report = validate_twins(bench.committer.store, [names.twin(twin)], parts.NoNegatives(), names)
    (violation,) = report.violations
    assert (violation.twin, violation.value, violation.message) == (twin, "-1", "is below zero")


def test_the_clock_keeps_the_promises_of_clocks(parts: Any) -> None:
    clock: MasterClock = parts.FastClock(1e6)
    clocks.test_only_a_replay_follows_messages_and_waits_for_runs(lambda: clock)
    first = clock.now()
    assert first is not None
    assert first.utcoffset() == timedelta(0)
    while clock.now() == first:
        pass
    later = clock.now()
    assert later is not None
    assert later > first
