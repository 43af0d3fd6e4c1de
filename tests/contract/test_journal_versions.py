"""A journal of an older version is brought up to date on opening and reads the same; a newer one is refused."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode

from voltwin.errors import FleetVersionError, JournalDamagedError, StoreError
from voltwin.graphstore.database.chain import checkpoint
from voltwin.graphstore.database.sqlite import Database
from voltwin.graphstore.database.tables import VERSIONS
from voltwin.graphstore.history.past_graphs import PastGraphs
from voltwin.graphstore.interfaces import Entry, GraphChange, Sample
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.journal.verification import prove
from voltwin.ontology.literals import to_microseconds

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
A, B = (NamedNode(f"https://fleet.example/twins/{key}") for key in "ab")
SERIES = NamedNode("https://fleet.example/twins/a/t")
LINE = "<https://x.example/s> <https://x.example/p> <https://x.example/{}> .\n"


@pytest.fixture
def old(tmp_path: Path) -> Any:
    """A journal as the first version wrote it."""
    file, moment = tmp_path / "journal.sqlite", to_microseconds(T0)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(VERSIONS[0])
        connection.execute("PRAGMA user_version = 1")
        many = connection.executemany
        many("INSERT INTO commits VALUES (?, ?, ?, ?)", [(1, moment, "anna", 0), (2, moment + 5, "ben", 1)])
        one, two = LINE.format(1), LINE.format(2)
        changes = [(1, B.value, "", one), (1, A.value, "", one), (2, A.value, one, two)]
        many("INSERT INTO changes VALUES (?, ?, ?, ?)", changes)
        many("INSERT INTO messages VALUES (?, ?)", [("m1", 1), ("m2", 2)])
        connection.execute("INSERT INTO series VALUES (1, ?)", (SERIES.value,))
        many("INSERT INTO samples VALUES (1, ?, ?, ?)", [(moment, 20.5, 1), (moment + 9, 21.0, 2)])
        run = ("https://fleet.example/actions/x", A.value, moment, "schedule")
        many(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, '', ?, ?)",
            [("r1", *run, "succeeded", 1, 2), ("r2", *run, "queued", 2, None)],
        )
        connection.execute("INSERT INTO due VALUES ('https://fleet.example/actions/x', ?, ?)", (A.value, moment))
    connection.close()
    return file


def test_an_old_journal_reads_the_same(old: Any) -> None:
    journal = SqliteJournal.open(old)
    one, two = LINE.format(1), LINE.format(2)
    first, second = journal.since(0)
    assert (first.sequence, first.author, first.time) == (1, "anna", T0)
    assert first.changes == (GraphChange(B, "", one), GraphChange(A, "", one))
    assert second.changes == (GraphChange(A, one, two),)
    assert journal.known_messages(["m1", "m2", "m3"]) == {"m1", "m2"}
    assert journal.series.read(SERIES)[1].tolist() == [20.5, 21.0]
    assert [run.id for run in journal.queued_runs()] == ["r2"]
    assert len(journal.due_table()) == 1
    counts = journal.counts()
    assert (counts["commits"], counts["samples"], counts["deadLetters"], counts["succeeded"]) == (2, 2, 1, 1)
    past = PastGraphs(journal.database, LoadFiles(old.parent / "loads"))
    assert [past.graph(A, number).decode() for number in (1, 2)] == [one, two]
    assert journal.append(Entry("c", T0, samples=(Sample(SERIES, to_microseconds(T0), 1.0),))) == 3
    assert journal.series.read(SERIES)[1].tolist() == [1.0, 21.0]
    assert journal.series.as_of(2).read(SERIES)[1].tolist() == [20.5, 21.0]
    journal.close()
    again = SqliteJournal.open(old)
    assert again.last_sequence == 3
    again.close()


def test_an_old_journal_gets_its_hashes_whole_or_not_at_all(old: Any) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE TABLE meta (x)")  # the upgrade fails at this one
    connection.close()
    with pytest.raises(StoreError, match="meta"):
        SqliteJournal.open(old)
    with sqlite3.connect(old) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        connection.execute("DROP TABLE meta")
    connection.close()
    journal = SqliteJournal.open(old)
    reader = journal.database.reader()
    assert reader.execute("SELECT sequence, length(hash) FROM commits ORDER BY 1").fetchall() == [(1, 32), (2, 32)]
    prove(journal.database)
    journal.append(Entry("c", T0, samples=(Sample(SERIES, to_microseconds(T0), 1.0),)))
    prove(journal.database)
    journal.close()
    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE commits SET author = 'eve' WHERE sequence = 1")
    connection.close()
    journal = SqliteJournal.open(old)
    with pytest.raises(JournalDamagedError, match="commit 1"):
        list(journal.since(0))
    journal.close()


def test_the_chain_of_an_old_compacted_journal_begins_at_a_checkpoint(old: Any) -> None:
    with sqlite3.connect(old) as connection:
        connection.executescript("BEGIN;" + VERSIONS[1] + "PRAGMA user_version = 2; COMMIT;")
        for table in ("commits", "changes", "messages", "commit_samples"):
            connection.execute(f"DELETE FROM {table} WHERE sequence = 1")
        connection.execute("DELETE FROM changes")
        connection.execute("DELETE FROM runs WHERE id = 'r1'")
        connection.execute("UPDATE samples SET sequence = 2")
        connection.execute("UPDATE commit_samples SET rows = 2")
        connection.execute("INSERT INTO facts VALUES ('history_begins', 2)")
    connection.close()
    journal = SqliteJournal.open(old)
    prove(journal.database)
    assert checkpoint(journal.database.reader()).sequence == 1
    journal.append(Entry("c", T0))
    prove(journal.database)
    journal.close()


def test_an_old_journal_is_not_read_as_if_it_were_new(old: Any) -> None:
    with pytest.raises(FleetVersionError, match="open the fleet once to upgrade it"):
        Database(old, VERSIONS, writable=False)


def test_a_newer_journal_is_refused(old: Any) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute(f"PRAGMA user_version = {len(VERSIONS) + 1}")
    connection.close()
    with pytest.raises(FleetVersionError, match="newer than this voltwin's"):
        SqliteJournal.open(old)
