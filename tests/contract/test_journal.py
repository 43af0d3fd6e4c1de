"""What the journal keeps: every commit whole, in order, once; what failed leaves no trace."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from voltwin.errors import FleetVersionError, InputError, StoreError
from voltwin.graphstore.database.tables import VERSIONS
from voltwin.graphstore.interfaces import Due, Entry, FinishedRun, GraphChange, QueuedRun, Sample
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal

T0 = datetime(2019, 4, 1, 6, 0, 0, 123456, tzinfo=UTC)
TWIN = NamedNode("https://fleet.example/twins/a")
ACTION = NamedNode("https://fleet.example/actions/x")
SERIES = NamedNode("https://fleet.example/twins/a/t")


@pytest.fixture
def file(tmp_path: Path) -> Any:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(file: Any) -> Iterator[Any]:
    made = SqliteJournal.open(file)
    yield made
    made.close()


def run(name: Any, moment: Any = T0, twin: Any = TWIN) -> Any:
    return QueuedRun(name, ACTION, twin, moment, "schedule")


def test_commits_come_back_as_they_were_given_and_in_order(journal: Any, file: Any) -> None:
    changes = (GraphChange(TWIN, "", "a\n"), GraphChange(TWIN, "a\n", "ä '\"\n"))
    assert journal.append(Entry("anna", T0, changes)) == 1
    assert journal.append(Entry("ben", T0 + timedelta(seconds=1))) == 2
    journal.close()
    again = SqliteJournal.open(file)
    first, second = again.since(0)
    assert (first.sequence, first.author, first.time, first.changes) == (1, "anna", T0, changes)
    assert (second.sequence, second.changes) == (2, ())
    assert [commit.sequence for commit in again.since(1)] == [2]
    assert list(again.since(2)) == []
    assert again.last_sequence == 2
    assert again.append(Entry("c", T0)) == 3
    again.close()


def test_a_message_is_known_once_its_commit_is_taken(journal: Any) -> None:
    many = tuple(f"m{number}" for number in range(1203))
    journal.append(Entry("a", T0, message_keys=many))
    assert journal.known_messages(["m0", "m1202", "new"]) == {"m0", "m1202"}
    assert journal.known_messages([*many, "new"]) == set(many)
    assert journal.known_messages([]) == frozenset()


@pytest.mark.parametrize(
    "bad",
    [
        Entry("a", T0, message_keys=("fresh", "known")),
        Entry("a", T0, message_keys=("fresh", "fresh")),
        Entry("a", T0, message_keys=("fresh", "lone surrogate \ud800")),
        Entry("a", T0, samples=[Sample(SERIES, 2, 1.0), Sample(SERIES, 3, float("nan"))]),
        Entry("a", T0, samples=[Sample(SERIES, 2, 1.0), Sample(SERIES, 2**70, 1.0)]),
        Entry("a", T0, queued=[run("r2"), run("r3", datetime(2019, 4, 1))]),  # noqa: DTZ001 - that is the point
        Entry("a", datetime(2019, 4, 1)),  # noqa: DTZ001 - that is the point
    ],
)
def test_a_failing_append_takes_nothing_and_spoils_nothing(journal: Any, bad: Any) -> None:
    journal.append(Entry("a", T0, message_keys=("known",), samples=[Sample(SERIES, 1, 0.5)], queued=[run("r1")]))
    before = journal.counts(), journal.queued_runs(), list(journal.since(0))
    entry = Entry(
        bad.author,
        bad.time,
        (GraphChange(TWIN, "", "x\n"),),
        bad.samples,
        bad.message_keys,
        (*bad.queued, run("r9")),
        (FinishedRun("r1", "succeeded"),),
        (Due(ACTION, TWIN, T0),),
        1,
    )
    with pytest.raises((StoreError, InputError)):
        journal.append(entry)
    assert (journal.counts(), journal.queued_runs(), list(journal.since(0))) == before
    assert journal.due_table() == []
    assert journal.append(Entry("a", T0, message_keys=("fresh",))) == 2
    assert journal.known_messages(["fresh"]) == {"fresh"}


def test_runs_are_queued_once_and_end_once(journal: Any) -> None:
    journal.append(Entry("a", T0, queued=[run("late", T0 + timedelta(hours=1)), run("early")]))
    journal.append(Entry("a", T0, queued=[run("early"), run("next")]))
    assert [item.id for item in journal.queued_runs()] == ["early", "late", "next"]
    assert journal.queued_runs()[0] == run("early")
    journal.append(Entry("a", T0, finished=[FinishedRun("early", "failed", "no broker")]))
    journal.append(Entry("a", T0, finished=[FinishedRun("early", "succeeded")], queued=[run("early")]))
    assert [item.id for item in journal.queued_runs()] == ["late", "next"]
    counts = journal.counts()
    assert (counts["failed"], counts["succeeded"], counts["queued"]) == (1, 0, 2)


def test_known_runs_are_those_of_any_state(journal: Any) -> None:
    journal.append(Entry("a", T0, queued=[run("r1"), run("r2")], finished=[FinishedRun("r1", "skipped", "no input")]))
    assert journal.known_runs(["r1", "r2", "r3"]) == {"r1", "r2"}


def test_a_run_can_be_queued_and_ended_in_one_commit(journal: Any) -> None:
    journal.append(Entry("a", T0, queued=[run("r")], finished=[FinishedRun("r", "succeeded")]))
    assert journal.queued_runs() == []
    assert journal.counts()["succeeded"] == 1


def test_the_due_table_holds_one_row_for_each_action_and_twin(journal: Any) -> None:
    other = NamedNode("https://fleet.example/twins/b")
    journal.append(Entry("a", T0, due=[Due(ACTION, TWIN, T0), Due(ACTION, other, T0 + timedelta(hours=2))]))
    journal.append(Entry("a", T0, due=[Due(ACTION, TWIN, T0 + timedelta(hours=3))]))
    assert [(due.twin, due.next) for due in journal.due_table()] == [
        (other, T0 + timedelta(hours=2)),
        (TWIN, T0 + timedelta(hours=3)),
    ]
    journal.append(Entry("a", T0, due=[Due(ACTION, other, None)]))
    assert [due.twin for due in journal.due_table()] == [TWIN]


def test_dead_letters_are_counted(journal: Any) -> None:
    journal.append(Entry("a", T0, dead_letters=2))
    journal.append(Entry("a", T0, dead_letters=1))
    assert journal.counts()["deadLetters"] == 3


samples = st.lists(
    st.lists(st.tuples(st.integers(-50, 50), st.floats(-1e6, 1e6)), max_size=6),
    max_size=5,
)


@settings(max_examples=40)
@given(samples, st.none() | st.integers(-60, 60), st.none() | st.integers(-60, 60))
def test_samples_in_any_order_and_again_are_one_series(
    tmp_path_factory: pytest.TempPathFactory, commits: Any, start: Any, end: Any
) -> None:
    journal = SqliteJournal.open(tmp_path_factory.mktemp("j") / "journal.sqlite")
    wanted: dict[Any, Any] = {}
    for commit in commits:
        batch = [Sample(SERIES, time, value) for time, value in commit]
        wanted |= dict(commit)
        for _ in range(2):
            journal.append(Entry("a", T0, samples=batch))
    inside = {
        time: value
        for time, value in sorted(wanted.items())
        if (start is None or time >= start) and (end is None or time < end)
    }
    times, values = journal.series.read(SERIES, start, end)
    assert dict(zip(times.tolist(), values.tolist(), strict=True)) == inside
    assert times.tolist() == sorted(inside)
    assert journal.counts()["samples"] == len(wanted)
    figures = {
        name: journal.series.aggregate(SERIES, name, start, end) for name in ("min", "max", "mean", "sum", "count")
    }
    if inside:
        given = np.array(list(inside.values()))
        assert figures["min"] == given.min()
        assert figures["max"] == given.max()
        assert figures["count"] == len(given)
        assert figures["mean"] == pytest.approx(given.mean(), rel=1e-9, abs=1e-6)
        assert figures["sum"] == pytest.approx(given.sum(), rel=1e-9, abs=1e-6)
    else:
        assert set(figures.values()) == {None}
    moments = sorted(wanted)
    for time in (-60, 0, 60):
        covered = moments and moments[0] <= time <= moments[-1]
        known = np.interp(time, moments, [wanted[moment] for moment in moments]) if covered else None
        assert journal.series.at(SERIES, time) == (known if known is None else pytest.approx(known, abs=1e-9))
    journal.close()


def test_an_unknown_series_is_empty_and_an_unknown_figure_refused(journal: Any) -> None:
    times, values = journal.series.read(NamedNode("https://x.example/none"))
    assert (times.dtype, values.dtype, len(times)) == (np.int64, np.float64, 0)
    assert journal.series.at(NamedNode("https://x.example/none"), 5) is None
    with pytest.raises(InputError, match="median"):
        journal.series.aggregate(SERIES, "median")


def test_a_series_whose_first_commit_failed_is_there_after_the_next(journal: Any) -> None:
    with pytest.raises(StoreError):
        journal.append(Entry("a", T0, samples=[Sample(SERIES, 1, float("nan"))]))
    other = NamedNode("https://fleet.example/twins/b/t")
    journal.append(Entry("a", T0, samples=[Sample(other, 1, 7.0)]))
    journal.append(Entry("a", T0, samples=[Sample(SERIES, 1, 8.0)]))
    assert journal.series.at(other, 1) == 7.0
    assert journal.series.at(SERIES, 1) == 8.0


def test_a_journal_of_a_newer_version_is_refused(journal: Any, file: Any) -> None:
    journal.close()
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {len(VERSIONS) + 1}")
    connection.close()
    with pytest.raises(FleetVersionError, match="upgrade"):
        SqliteJournal.open(file)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("not a database, and longer than a header " * 50)
    with pytest.raises(StoreError, match=r"x\.sqlite"):
        SqliteJournal.open(tmp_path / "x.sqlite")
    with pytest.raises(StoreError, match="nowhere"):
        SqliteJournal.open(tmp_path / "nowhere" / "y.sqlite")


def test_a_commit_is_synchronous(journal: Any) -> None:
    # 2 is FULL: the write-ahead log is synced before append returns.
    assert journal.database._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal.database._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_readers_of_other_threads_see_whole_commits_while_one_writes(journal: Any) -> None:
    journal.append(Entry("a", T0, samples=[Sample(SERIES, 0, 0.0)]))
    problems, done = [], threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                times, values = journal.series.read(SERIES)
                # Each commit adds a pair: a reader that saw half of one would see an odd number.
                assert len(times) % 2 == 1
                assert values.tolist() == list(range(len(values)))
                assert len(list(journal.since(0))) >= 1
        except BaseException as problem:  # noqa: BLE001 - handed to the test's own thread
            problems.append(problem)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 81, 2):
        journal.append(
            Entry("a", T0, samples=[Sample(SERIES, number + step, float(number + step)) for step in range(2)])
        )
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert len(journal.series.read(SERIES)[0]) == 81


def test_a_closed_journal_takes_nothing(file: Any) -> None:
    journal = SqliteJournal.open(file)
    journal.close()
    with pytest.raises(StoreError):
        journal.append(Entry("a", T0))
