"""No row of the journal is lost, added or changed unseen: each row of each table, one at a time."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from voltwin.graphstore.database.check import check_all
from voltwin.graphstore.database.hashes import change_hash, content_digest, digest, list_digest, sample_digests
from voltwin.graphstore.database.tally import add, pack, salt, subtract, tally_row, unpack
from voltwin.graphstore.history.snapshots import History
from voltwin.graphstore.interfaces import (
    Due,
    Entry,
    FinishedRun,
    GraphChange,
    GraphLoad,
    QueuedRun,
    Sample,
    SampleBatch,
)
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.journal.verification import identify

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
TWINS = [NamedNode(f"https://fleet.example/twins/{key}") for key in "abc"]
ACTION = NamedNode("https://fleet.example/actions/x")
SERIES = [NamedNode(f"https://fleet.example/twins/{key}/t") for key in "ab"]
LINE = "<https://x.example/s> <https://x.example/p> <https://x.example/{}> .\n"
DAY = 86_400_000_000

WITHOUT_EFFECT = {
    ("samples_replaced", "replaced"): "nothing reads which commit replaced a sample",
}


def write(journal: SqliteJournal, numbers: range, loads: LoadFiles) -> None:
    for number in numbers:
        twin = TWINS[number % 3]
        runs = [QueuedRun(f"r{number}-{part}", ACTION, twin, T0, "schedule") for part in range(2)]
        journal.append(
            Entry(
                "anna",
                T0 + timedelta(hours=number),
                [GraphChange(twin, LINE.format(number - 3) if number > 3 else "", LINE.format(number))],
                [Sample(series, number * DAY, number / 7) for series in SERIES]
                + [Sample(SERIES[0], 0, float(number // 2))],
                [f"m{number}-{part}" for part in range(2)],
                runs,
                [FinishedRun(runs[0].id, "succeeded")]
                + [FinishedRun(f"r{number - 4}-1", "failed", "late")] * (number % 2),
                [Due(ACTION, TWINS[number % 3], T0 + timedelta(hours=number))],
                loads=[GraphLoad(twin, *loads.store_lines([LINE.format(-number).encode()]))] * (number % 4 == 0),
            )
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal whose samples were partly sealed, deleted and replaced, and whose history was compacted twice."""
    file = tmp_path_factory.mktemp("rows") / "journal.sqlite"
    loads = LoadFiles(file.parent / "loads")
    with closing(SqliteJournal.open(file)) as journal:
        identify(journal.database, "https://fleet.example/", "f" * 32)
        write(journal, range(1, 13), loads)
        journal.series.seal(datetime(1970, 1, 6, tzinfo=UTC), least_rows=1)
        history = History(journal.database, loads)
        for horizon in (3, 6):
            moment = T0 + timedelta(hours=horizon)
            history.compact(horizon, messages=moment, runs=moment, now=T0)
        times = np.arange(5000) * 1000 + 40 * DAY
        journal.append(Entry("b", T0, batches=[SampleBatch(SERIES[1], times, times / 2)]))
        journal.append(Entry("b", T0, samples=[Sample(SERIES[1], 40 * DAY, 1.0), Sample(SERIES[0], 2 * DAY, 9.0)]))
        journal.series.seal(datetime(1970, 1, 8, tzinfo=UTC), least_rows=1)
        journal.series.retain(datetime(1970, 1, 3, tzinfo=UTC))
        write(journal, range(15, 20), loads)
        assert list(check_all(journal.database.reader())) == []
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return file


def tables(connection: sqlite3.Connection) -> list[str]:
    found = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return sorted(found)


def statements(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Each row deleted, doubled under another key, and changed in each column: what it is, SQL, values."""
    columns = [(row[1], row[2], row[5]) for row in connection.execute(f"PRAGMA table_info({table})")]
    names = [name for name, _, _ in columns]
    for row in connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall():
        here = " AND ".join(f"{name} IS ?" for name in names)
        yield f"{table} lost", f"DELETE FROM {table} WHERE {here}", row
        keyed = [index for index, (_, _, key) in enumerate(columns) if key]
        doubled = list(row)
        for index in keyed[-1:]:
            doubled[index] = other(row[index], columns[index][1])
        marks = ", ".join("?" * len(names))
        yield f"{table} added", f"INSERT INTO {table} VALUES ({marks})", tuple(doubled)
        for index, (name, kind, _) in enumerate(columns):
            changed = other(row[index], kind)
            yield f"{table}.{name} changed", f"UPDATE {table} SET {name} = ? WHERE {here}", (changed, *row)


def other(value: Any, kind: str) -> Any:
    """A value beside this one."""
    if kind == "BLOB":
        return bytes([*value[:-1], value[-1] ^ 1]) if value else b"\1" * 16
    if kind == "TEXT":
        return f"{value or ''}x"
    return 1 if value is None else value + 1


def without_effect(what: str, row: tuple[Any, ...], connection: sqlite3.Connection) -> bool:
    """Whether nothing reads what was changed."""
    table, _, rest = what.partition(" ")
    name, _, column = table.partition(".")
    if (name, column) in WITHOUT_EFFECT:
        return True
    begins = dict(connection.execute("SELECT name, value FROM facts"))["history_begins"]
    named = {
        "graphs": "SELECT graph FROM changes UNION SELECT graph FROM loads UNION SELECT graph FROM snapshots",
        "series": "SELECT series FROM samples UNION SELECT series FROM samples_replaced "
        "UNION SELECT series FROM sealed UNION SELECT series FROM commit_samples",
    }
    if name in named:  # a name that no row refers to
        number = row[1] if column else row[0]
        return rest == "added" or number not in {used for (used,) in connection.execute(named[name])}
    # A row of a compacted commit is read by nobody, wherever it came from.
    return name == "commit_samples" and rest == "added" and row[0] <= begins


@pytest.mark.parametrize(
    "table",
    [
        "changes", "commit_samples", "commits", "discarded", "due", "facts", "graphs", "loads", "messages", "meta",
        "moved", "runs", "samples", "samples_replaced", "sealed", "series", "snapshots", "totals",
    ],
)  # fmt: skip
def test_each_row_lost_added_or_changed_is_found_or_read_by_nobody(whole: Path, tmp_path: Path, table: str) -> None:
    file = tmp_path / "journal.sqlite"
    shutil.copy(whole, file)
    tried, harmless = 0, 0
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as connection,
        closing(SqliteJournal.open(file)) as journal,
    ):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0, "the law would say nothing"
        for what, statement, values in statements(connection, table):
            connection.execute("BEGIN")
            try:
                changed = connection.execute(statement, values).rowcount
            except sqlite3.IntegrityError:
                connection.execute("ROLLBACK")
                continue  # SQLite refuses such a row itself
            assert changed == 1, what
            connection.execute("COMMIT")
            tried += 1
            if not list(check_all(journal.database.reader())):
                assert without_effect(what, values, connection), f"{what} was not found: {values}"
                harmless += 1
            undo(connection, journal.database.file, whole, table)
    assert tried > harmless


def undo(connection: sqlite3.Connection, file: Path, whole: Path, table: str) -> None:
    connection.execute("ATTACH ? AS sound", (str(whole),))
    connection.execute("BEGIN")
    connection.execute("DROP TRIGGER samples_keep")
    connection.execute(f"DELETE FROM main.{table}")
    connection.execute(f"INSERT INTO main.{table} SELECT * FROM sound.{table} ORDER BY 1")
    (text,) = connection.execute("SELECT sql FROM sound.sqlite_schema WHERE name = 'samples_keep'").fetchone()
    connection.execute(text)
    connection.execute("COMMIT")
    connection.execute("DETACH sound")


def test_no_table_is_left_out(whole: Path) -> None:
    parameters = test_each_row_lost_added_or_changed_is_found_or_read_by_nobody.pytestmark[0].args[1]
    with closing(sqlite3.connect(whole)) as connection:
        assert tables(connection) == sorted(parameters)


texts, numbers = st.text(max_size=5), st.integers(-(2**62), 2**62)
rows = st.lists(st.tuples(st.integers(1, 3), numbers, st.floats(allow_nan=False)), max_size=4)
values = st.lists(texts | numbers | st.binary(max_size=5) | st.none(), max_size=4)


@given(values, values)
def test_different_values_have_different_hashes(one: Any, two: Any) -> None:
    # Text, its bytes and a number spelled alike are one value: a column has one type.
    def spelled(items: Any) -> Any:
        return [item if item is None else item if isinstance(item, bytes) else str(item).encode() for item in items]

    assert (digest(*one) == digest(*two)) == (spelled(one) == spelled(two))


changes = st.tuples(numbers, numbers, texts, texts)


@given(changes, changes)
def test_different_changes_have_different_hashes(one: Any, two: Any) -> None:
    assert (change_hash(*one) == change_hash(*two)) == (one == two)


@given(changes, st.integers(0, 5))
def test_text_that_moves_from_removed_to_added_is_another_change(change: Any, cut: int) -> None:
    sequence, graph, removed, added = change
    moved = (sequence, graph, removed[:cut], removed[cut:] + added)
    assert (change_hash(*moved) == change_hash(*change)) == (moved == change)


lists = st.lists(st.lists(st.tuples(texts, texts | numbers | st.none()), max_size=3), max_size=3)


@given(lists, lists)
def test_different_lists_have_different_hashes(one: Any, two: Any) -> None:
    if any(one) and any(two):
        assert (list_digest(*one) == list_digest(*two)) == (one == two)


hashes = st.binary(min_size=16, max_size=16)
contents = st.tuples(
    st.lists(st.tuples(texts, hashes), max_size=3),
    st.lists(st.tuples(texts, texts, numbers), max_size=2),
    st.lists(st.tuples(texts, numbers), max_size=2),
)


@given(contents, contents)
def test_different_contents_have_different_hashes(one: Any, two: Any) -> None:
    def made(content: Any) -> Any:
        graphs, loads, counts = content
        return content_digest([name for name, _ in graphs], [own for _, own in graphs], loads, counts)

    same = one[0] == two[0] and all(sorted(left) == sorted(right) for left, right in zip(one[1:], two[1:], strict=True))
    assert (made(one) == made(two)) == same


@given(rows, rows)
def test_the_proofs_of_samples_tell_rows_apart_and_take_one_away(one: Any, two: Any) -> None:
    salts = {number: salt(f"s{number}") for number in range(1, 4)}

    def bits(items: Any) -> Any:
        return sorted((number, time, np.float64(value).tobytes()) for number, time, value in items)

    assert (sample_digests(one, salts) == sample_digests(two, salts)) == (bits(one) == bits(two))
    whole, rest, gone = (unpack(sample_digests(items, salts)[1]) for items in ([*two, *one], one, two))
    assert add(rest, gone) == whole
    for number, time, value in two:
        whole = subtract(whole, tally_row(f"s{number}", time, value))
    assert whole == rest == unpack(pack(rest))
