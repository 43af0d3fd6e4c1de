"""The chain of hashes: a commit that is not what it was is refused when it is read, and found by a full check."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyoxigraph import NamedNode

from voltwin.errors import InputError, JournalDamagedError
from voltwin.graphstore.database.chain import WRONG_LINK
from voltwin.graphstore.database.check import check_all
from voltwin.graphstore.history.past_graphs import PastGraphs
from voltwin.graphstore.history.snapshots import History
from voltwin.graphstore.interfaces import Due, Entry, FinishedRun, GraphChange, QueuedRun, Sample, SampleBatch
from voltwin.graphstore.journal.sqlite_journal import TAIL, SqliteJournal
from voltwin.graphstore.journal.verification import Anchor, prove

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
TWIN, OTHER = (NamedNode(f"https://fleet.example/twins/{key}") for key in "ab")
ACTION = NamedNode("https://fleet.example/actions/x")
SERIES = NamedNode("https://fleet.example/twins/a/t")
LINE = "<https://x.example/s> <https://x.example/p> <https://x.example/{}> .\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(file: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal.open(file)
    for number in range(TAIL + 4):
        run = QueuedRun(f"r{number}", ACTION, TWIN, T0, "schedule")
        made.append(
            Entry(
                "anna",
                T0 + timedelta(hours=number),
                [GraphChange(TWIN, LINE.format(number - 1) if number else "", LINE.format(number))],
                [Sample(SERIES, number, float(number)), Sample(SERIES, 0, float(number // 2))],
                [f"m{number}"],
                [run, QueuedRun("again", ACTION, TWIN, T0, "schedule")],
                [FinishedRun(f"r{number}", "succeeded"), FinishedRun("r0", "failed")],
                [Due(ACTION, TWIN, T0 + timedelta(hours=number))],
            )
        )
    yield made
    made.close()


def problems(journal: SqliteJournal) -> list[str]:
    return [f"{fault.sequence} {fault.problem}" for fault in check_all(journal.database.reader())]


def sql(file: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(file) as connection:
        assert connection.execute(statement, values).rowcount > 0
    connection.close()


def test_a_sound_journal_has_no_fault_whatever_moved_inside_it(journal: SqliteJournal) -> None:
    many = np.arange(5000)
    journal.append(Entry("b", T0, batches=[SampleBatch(SERIES, many, many / 2)]))
    journal.append(Entry("b", T0, batches=[SampleBatch(SERIES, many[:9], many[:9] / 3)]))
    journal.append(Entry("b", T0, samples=[Sample(SERIES, 7, 0.0), Sample(SERIES, 7, -0.0), Sample(SERIES, 8, 1)]))
    assert problems(journal) == []
    journal.series.seal(T0)
    assert problems(journal) == []
    journal.append(Entry("b", T0, samples=[Sample(SERIES, 9, -1.0)]))
    journal.series.seal(T0, least_rows=1)
    assert problems(journal) == []
    journal.series.retain(datetime(1970, 1, 1, 0, 0, 0, 2000, tzinfo=UTC))
    assert problems(journal) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE commits SET author = 'eve' WHERE sequence = 3",
        "UPDATE commits SET time = time + 1 WHERE sequence = 3",
        "UPDATE commits SET dead_letters = 1 WHERE sequence = 3",
        "UPDATE changes SET added = replace(added, '/2>', '/9>') WHERE sequence = 3",
        "UPDATE changes SET removed = '' WHERE sequence = 3",
        "DELETE FROM changes WHERE sequence = 3",
        "DELETE FROM commits WHERE sequence = 3",
        "UPDATE commits SET hash = zeroblob(32) WHERE sequence = 3",
        "UPDATE commits SET due = zeroblob(16) WHERE sequence = 3",
        "UPDATE commits SET content = NULL WHERE sequence = 3",
        "UPDATE samples SET value = 3.97 WHERE time = 5",
        "UPDATE samples_replaced SET value = 3.97 WHERE sequence = 1",
        "UPDATE commit_samples SET rows = 7 WHERE sequence = 3",
        "UPDATE messages SET key = 'm' WHERE key = 'm5'",
        "DELETE FROM messages WHERE key = 'm5'",
        "UPDATE runs SET reason = 'none' WHERE id = 'r5'",
        "UPDATE runs SET state = 'failed' WHERE id = 'r5'",
        "UPDATE runs SET cause = 'none' WHERE id = 'again'",
        "UPDATE due SET next = next + 1",
        "UPDATE graphs SET iri = iri || 'x'",
    ],
)
def test_whatever_is_changed_is_found(journal: SqliteJournal, file: Path, statement: str) -> None:
    sql(file, statement)
    assert problems(journal) != []
    with pytest.raises(JournalDamagedError, match=r"journal\.sqlite: is damaged: .*voltwin fsck.*restore a backup"):
        prove(journal.database)


def test_a_changed_commit_is_refused_when_it_is_replayed_or_asked_as_of(journal: SqliteJournal, file: Path) -> None:
    sql(file, "UPDATE changes SET added = replace(added, '/2>', '/9>') WHERE sequence = 3")
    with pytest.raises(JournalDamagedError, match="commit 3: its changes"):
        list(journal.since(0))
    assert next(commit.sequence for commit in journal.since(3)) == 4
    past = PastGraphs(journal.database, None)
    assert past.graph(TWIN, 2).decode() == LINE.format(1)
    with pytest.raises(JournalDamagedError, match="commit 3: its changes"):
        past.graph(TWIN, 5)


@pytest.mark.parametrize(("sequence", "seen"), [(4, False), (5, True), (TAIL + 4, True)])
def test_the_newest_commits_are_checked_on_opening_and_a_damaged_one_is_set_aside(
    journal: SqliteJournal, file: Path, sequence: int, seen: bool
) -> None:
    journal.close()
    sql(file, "UPDATE commits SET author = 'eve' WHERE sequence = ?", sequence)
    again = SqliteJournal.open(file)
    assert list(again.damaged) == [sequence] * seen
    if seen:
        assert "its number, time, author" in again.damaged[sequence]
    assert [commit.sequence for commit in again.since(sequence)] == list(range(sequence + 1, TAIL + 5))
    with pytest.raises(JournalDamagedError, match=f"commit {sequence}: its number, time, author"):
        list(again.since(sequence - 1))
    assert again.append(Entry("b", T0)) == TAIL + 5
    assert problems(again) == [f"{sequence} {WRONG_LINK}"]
    again.close()


@pytest.mark.parametrize(
    "statement", ["DELETE FROM commits WHERE sequence = 19", "DELETE FROM commits WHERE sequence = 20"]
)
def test_a_journal_with_a_lost_commit_among_the_newest_is_not_opened(
    journal: SqliteJournal, file: Path, statement: str
) -> None:
    # What is left of the newest would become a part of the next one.
    journal.close()
    sql(file, statement)
    with pytest.raises(JournalDamagedError, match=r"commit 19 is missing|rows of changes have no commit"):
        SqliteJournal.open(file)


def test_compaction_keeps_every_remaining_hash_and_leaves_a_checkpoint(journal: SqliteJournal, file: Path) -> None:
    hashes = "SELECT sequence, hash FROM commits WHERE sequence >= 9"
    before = journal.database.reader().execute(hashes).fetchall()
    history = History(journal.database, None)
    history.compact(9, messages=T0 + timedelta(hours=8), runs=T0 + timedelta(hours=8), now=T0)
    assert problems(journal) == []
    journal.append(Entry("b", T0, finished=[FinishedRun("again", "failed")]))
    journal.append(Entry("b", T0))  # the newest commit is never compacted
    history.compact(9, messages=T0 + timedelta(hours=9), runs=T0 + timedelta(hours=99), now=T0)
    assert problems(journal) == []
    reader = journal.database.reader()
    assert reader.execute(hashes).fetchall()[: len(before)] == before
    assert reader.execute("SELECT min(sequence) FROM commits").fetchone() == (9,)
    assert reader.execute("SELECT count(*) FROM meta WHERE name = 'checkpoint'").fetchone() == (1,)
    journal.close()
    again = SqliteJournal.open(file)
    assert again.append(Entry("c", T0)) == TAIL + 7
    assert problems(again) == []
    sql(file, "UPDATE meta SET value = '8 00' WHERE name = 'checkpoint'")
    assert problems(again) != []
    again.close()


def test_a_damaged_snapshot_is_refused(journal: SqliteJournal, file: Path) -> None:
    History(journal.database, None).snapshot(TWIN, 6)
    assert problems(journal) == []
    sql(file, "UPDATE snapshots SET triples = x'00'")
    with pytest.raises(JournalDamagedError, match="a snapshot"):
        PastGraphs(journal.database, None).graph(TWIN, 7)
    assert problems(journal) != []


def test_a_cut_tail_is_found_against_an_anchor_alone(journal: SqliteJournal, file: Path, tmp_path: Path) -> None:
    place = tmp_path / "anchor.json"
    anchor = Anchor.of(journal.database)
    place.write_text(anchor.to_json())
    assert Anchor.read(place) == anchor
    assert list(anchor.compare(journal.database)) == []
    journal.append(Entry("b", T0))
    assert list(anchor.compare(journal.database)) == []
    last = anchor.sequence
    for table in ("commits", "changes", "commit_samples", "messages", "samples"):
        sql(file, f"DELETE FROM {table} WHERE sequence >= ?", last)
    sql(file, "DELETE FROM runs WHERE finished >= ?", last)
    assert problems(journal) == []
    (fault,) = anchor.compare(journal.database)
    assert f"ends at commit {last - 1}, the anchor has commit {last}" in fault.problem
    journal.close()
    again = SqliteJournal.open(file)
    assert again.append(Entry("eve", T0)) == last
    assert problems(again) == []
    (fault,) = anchor.compare(again.database)
    assert "history was replaced" in fault.problem
    again.close()
    place.write_text("{}")
    with pytest.raises(InputError, match="log --anchor"):
        Anchor.read(place)
