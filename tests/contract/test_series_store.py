"""What a series store keeps: every sample once, the newest value, the past as it was known, whatever lies where."""

from __future__ import annotations

import json
import subprocess
import sys
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

from voltwin.errors import InputError, StoreError
from voltwin.graphstore.interfaces import Entry, Sample, SampleBatch
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.series import hot, sealing
from voltwin.graphstore.series.archives.folder import FolderArchive
from voltwin.graphstore.series.store import open_series

T0 = datetime(2019, 4, 1, tzinfo=UTC)
ZERO = int(T0.timestamp()) * 1_000_000
HOUR = 3_600_000_000
DAY = 24 * HOUR
A, B = (NamedNode(f"https://fleet.example/twins/{name}/logger/temperature") for name in "ab")
FIGURES = ("min", "max", "mean", "sum", "count", "first", "last")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Any]:
    made = SqliteJournal.open(tmp_path / "journal.sqlite")
    yield made
    made.close()


def append(journal: Any, *samples: Any, batches: Any = ()) -> Any:
    return journal.append(Entry("a", T0, samples=[Sample(*item) for item in samples], batches=batches))


def minutes(count: Any, start: Any = ZERO, value: float = 5.0) -> Any:
    times = start + np.arange(count, dtype=np.int64) * 60_000_000
    return SampleBatch(A, times, value + np.arange(count) / 8)


def pairs(store: Any, series: Any = A, *window: Any) -> Any:
    times, values = store.read(series, *window)
    return dict(zip(times.tolist(), values.tolist(), strict=True))


# A script mixes small commits, batches that become files, sealing at any moment and opening anew.
moments = st.integers(0, 100).map(lambda hours: ZERO + hours * DAY)
values = st.integers(-9, 9).map(float)
small = st.lists(st.tuples(st.sampled_from([A, B]), moments, values), min_size=1, max_size=5)
large = st.tuples(st.just("batch"), st.integers(0, 60), values)
steps = st.lists(
    small | large | st.tuples(st.just("seal"), moments) | st.just(("open",)),
    min_size=1,
    max_size=8,
)


def play(script: Any, folder: Any) -> Any:
    """The journal after a script, and by commit what each series was to hold."""
    journal = SqliteJournal.open(folder / "journal.sqlite")
    known: dict[Any, Any] = {A: {}, B: {}}
    past: dict[Any, Any] = {}
    for step in script:
        if isinstance(step, list):
            sequence = append(journal, *step)
            for series, time, value in step:
                known[series] = known[series] | {time: value}
        elif step[0] == "batch":
            times = ZERO + step[1] * DAY + np.arange(sealing.LEAST_ROWS + 200, dtype=np.int64) * 600_000_000
            numbers = np.full(len(times), step[2])
            sequence = append(journal, batches=[SampleBatch(A, times, numbers)])
            known[A] = known[A] | dict(zip(times.tolist(), numbers.tolist(), strict=True))
        elif step[0] == "seal":
            journal.series.seal(datetime.fromtimestamp(step[1] / 1e6, UTC), least_rows=1)
            continue
        else:
            journal.close()
            journal = SqliteJournal.open(folder / "journal.sqlite")
            continue
        past[sequence] = dict(known)
    return journal, known, past


@settings(max_examples=25, deadline=None)
@given(steps, moments, moments)
def test_whatever_lies_where_the_newest_value_counts_and_the_past_stays(
    tmp_path_factory: pytest.TempPathFactory, script: Any, start: Any, end: Any
) -> None:
    journal, known, past = play(script, tmp_path_factory.mktemp("series"))
    store = journal.series
    for series, wanted in known.items():
        assert pairs(store, series) == dict(sorted(wanted.items()))
        inside = {time: value for time, value in wanted.items() if start <= time < end}
        assert pairs(store, series, start, end) == dict(sorted(inside.items()))
        ordered = np.array([inside[time] for time in sorted(inside)])
        for name in FIGURES:
            given_ = store.aggregate(series, name, start, end)
            if not inside:
                assert given_ is None
                continue
            want = {"count": len, "first": lambda v: v[0], "last": lambda v: v[-1]}.get(name) or getattr(np, name)
            assert given_ == pytest.approx(want(ordered), abs=1e-9)
    for sequence, series_then in past.items():
        then = store.as_of(sequence)
        for series, wanted in series_then.items():
            assert pairs(then, series) == wanted
            assert then.at(series, start) == pytest.approx(interpolated(wanted, start), abs=1e-9)
    assert pairs(store.as_of(0)) == {}
    assert store.series() == [series for series in (A, B) if known[series]]
    check_tables(store, known, start, end)
    journal.close()


def interpolated(wanted: Any, time: Any) -> Any:
    ordered = sorted(wanted)
    if not ordered or not ordered[0] <= time <= ordered[-1]:
        return None
    return np.interp(time, ordered, [wanted[moment] for moment in ordered])


def check_tables(store: Any, known: Any, start: Any, end: Any) -> None:
    table = store.read_table(None, start, end)
    rows = [
        (row["series"], int(row["time"].timestamp()) * 1_000_000, row["value"])
        for row in table.select(["series", "time", "value"]).to_pylist()
    ]
    wanted = [
        (series.value, time, value)
        for series in (A, B)
        for time, value in sorted(known[series].items())
        if start <= time < end
    ]
    assert rows == wanted
    buckets: dict[Any, Any] = {}
    for series, time, value in wanted:
        buckets.setdefault((series, time - time % (5 * HOUR)), []).append(value)
    for function in ("mean", "last", "max"):
        found = {
            (row["series"], int(row["time"].timestamp()) * 1_000_000): (row["value"], row["count"])
            for row in store.resample(timedelta(hours=5), function, None, start, end).to_pylist()
        }
        figure = {"mean": np.mean, "last": lambda v: v[-1], "max": max}[function]
        assert found == {key: (pytest.approx(figure(given_)), len(given_)) for key, given_ in buckets.items()}


def test_sealing_moves_samples_and_changes_nothing_that_is_read(journal: Any, tmp_path: Path) -> None:
    for day in range(45):
        append(journal, *((A, ZERO + day * DAY + minute * 60_000_000, day + minute / 100) for minute in range(50)))
    before = pairs(journal.series)
    done = journal.series.seal(T0 + timedelta(days=40))
    # April is over; of May there are less than the least rows.
    assert (done.files, done.samples) == (1, 30 * 50)
    assert pairs(journal.series) == before
    (sealed,) = journal.series.files.all()
    assert (sealed.period, sealed.rows, sealed.bytes) == ("2019-04", 1500, done.bytes)
    assert (tmp_path / "series" / sealed.file).stat().st_size == sealed.bytes
    count = "SELECT count(*), min(time) FROM samples"
    assert journal.database.reader().execute(count).fetchone() == (15 * 50, ZERO + 30 * DAY)
    assert journal.counts()["samples"] == 45 * 50
    assert journal.series.seal(T0 + timedelta(days=40)).files == 0
    assert journal.series.seal(T0 + timedelta(days=40), least_rows=500).samples == 10 * 50
    assert pairs(journal.series) == before


def test_a_late_sample_of_a_sealed_month_counts_at_once_and_is_sealed_with_the_next(journal: Any) -> None:
    append(journal, (A, ZERO, 1.0), (A, ZERO + HOUR, 2.0))
    journal.series.seal(T0 + timedelta(days=40))
    (first,) = journal.series.files.all()
    append(journal, (A, ZERO + HOUR, 2.5), (A, ZERO + 30 * 60_000_000, 9.0))
    wanted = {ZERO: 1.0, ZERO + HOUR // 2: 9.0, ZERO + HOUR: 2.5}
    assert pairs(journal.series) == wanted
    journal.series.seal(T0 + timedelta(days=40))
    (second,) = journal.series.files.all()
    assert second.file != first.file
    assert pairs(journal.series) == wanted
    assert pairs(journal.series.as_of(1)) == {ZERO: 1.0, ZERO + HOUR: 2.0}
    assert journal.series.files.discarded() == [first.file]
    assert journal.series.files.delete_discarded(datetime(2019, 1, 1, tzinfo=UTC)) == 0
    assert journal.series.files.delete_discarded() == 1
    assert list(journal.series.archive.names()) == [second.file]
    kept = journal.database.reader().execute("SELECT time, value, sequence, replaced FROM samples_replaced").fetchall()
    assert kept == [(ZERO + HOUR, 2.0, 1, 2)]


def test_a_value_that_comes_again_changes_nothing(journal: Any) -> None:
    append(journal, (A, ZERO, 1.0))
    append(journal, (A, ZERO, 1.0))
    assert journal.database.reader().execute("SELECT sequence FROM samples").fetchall() == [(1,)]
    batch = minutes(6000)
    append(journal, batches=[batch])
    files = journal.series.files.all()
    append(journal, batches=[batch])
    assert journal.series.files.all() == files
    assert journal.series.files.discarded() == []


def test_a_batch_is_a_file_of_its_commit_and_replaces_what_was_there(journal: Any) -> None:
    append(journal, (A, ZERO, -1.0), (A, ZERO + 30_000_000, 7.0))
    batch = minutes(6000)
    append(journal, batches=[batch, SampleBatch(B, batch.times[:10][::-1].copy(), batch.values[:10])])
    assert pairs(journal.series) == dict(
        sorted({ZERO + 30_000_000: 7.0, **dict(zip(batch.times.tolist(), batch.values.tolist(), strict=True))}.items())
    )
    assert pairs(journal.series.as_of(1)) == {ZERO: -1.0, ZERO + 30_000_000: 7.0}
    assert [item.series for item in journal.series.files.all()] == [1]
    assert list(pairs(journal.series, B).values()) == batch.values[:10][::-1].tolist()
    counted = journal.database.reader().execute("SELECT series, rows FROM commit_samples WHERE sequence = 2")
    assert dict(counted.fetchall()) == {1: 6000, 2: 10}


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ([1, 2], [1.0], "one value for each"),
        ([1, 2], [1.0, float("nan")], "not a finite"),
        ([1.5, 2.5], [1.0, 1.0], "whole microseconds"),
    ],
)
def test_a_batch_that_is_none_is_refused_and_takes_nothing(journal: Any, times: Any, values: Any, message: Any) -> None:
    with pytest.raises(InputError, match=message):
        append(journal, (A, ZERO, 1.0), batches=[SampleBatch(B, np.array(times), np.array(values))])
    assert journal.series.series() == []
    assert journal.last_sequence == 0


class Failing(FolderArchive):
    """A folder that is full."""

    def put(self, name: Any, data: Any) -> None:
        raise StoreError("no space left")


class Breaking(FolderArchive):
    """A process that ends right after a file was written."""

    def put(self, name: Any, data: Any) -> None:
        super().put(name, data)
        raise KeyboardInterrupt


@pytest.mark.parametrize(("archive", "error"), [(Failing, StoreError), (Breaking, KeyboardInterrupt)])
def test_a_sealing_that_ends_half_way_leaves_all_as_it_was(tmp_path: Path, archive: Any, error: Any) -> None:
    journal = SqliteJournal.open(tmp_path / "journal.sqlite", archive(tmp_path / "series"))
    append(journal, (A, ZERO, 1.0))
    with pytest.raises(error):
        journal.series.seal(T0 + timedelta(days=40))
    with pytest.raises(error):
        append(journal, batches=[minutes(6000)])
    assert (journal.last_sequence, pairs(journal.series)) == (1, {ZERO: 1.0})
    journal.close()
    again = SqliteJournal.open(tmp_path / "journal.sqlite")
    assert again.series.seal(T0 + timedelta(days=40)).samples == 1
    assert pairs(again.series) == {ZERO: 1.0}
    left = list(again.series.files.unnamed())
    # What was sealed again has the same content, thus the same name; the batch's file is nobody's.
    assert len(left) == (1 if archive is Breaking else 0)
    for name in left:
        again.series.archive.delete(name)
    assert [item.file for item in again.series.files.all()] == list(again.series.archive.names())
    again.close()


def test_what_comes_while_a_file_is_written_stays_hot_and_counts(tmp_path: Path) -> None:
    late = []

    class Slow(FolderArchive):
        def put(self, name: Any, data: Any) -> None:
            super().put(name, data)
            late.append(append(journal, (A, ZERO, 5.0), (A, ZERO + 1, 6.0)))

    journal = SqliteJournal.open(tmp_path / "journal.sqlite", Slow(tmp_path / "series"))
    append(journal, (A, ZERO, 1.0), (A, ZERO + HOUR, 2.0))
    assert journal.series.seal(T0 + timedelta(days=40)).samples == 2
    assert late == [2]
    assert pairs(journal.series) == {ZERO: 5.0, ZERO + 1: 6.0, ZERO + HOUR: 2.0}
    assert pairs(journal.series.as_of(1)) == {ZERO: 1.0, ZERO + HOUR: 2.0}
    journal.close()


def test_a_damaged_or_missing_file_is_named(journal: Any, tmp_path: Path) -> None:
    append(journal, batches=[minutes(6000)])
    (sealed,) = journal.series.files.all()
    file = tmp_path / "series" / sealed.file
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(StoreError, match=f"{sealed.file} is damaged"):
        journal.series.read(A)
    with pytest.raises(StoreError, match="damaged"):
        journal.series.files.check(sealed)
    file.unlink()
    with pytest.raises(StoreError, match=f"{sealed.file} is missing"):
        journal.series.read(A)
    with pytest.raises(StoreError, match="cannot be read"):
        journal.series.resample(timedelta(hours=1))
    file.write_bytes(data)
    journal.series.files.check(sealed)
    assert len(journal.series.read(A)[0]) == 6000


def test_retention_lets_go_of_whole_files_parts_of_one_and_hot_samples(journal: Any) -> None:
    append(journal, batches=[minutes(70_000)])
    append(journal, *((B, ZERO + day * DAY, float(day)) for day in range(60)))
    known = pairs(journal.series)
    gone = journal.series.retain(T0 + timedelta(days=31))
    assert (gone.series, gone.files) == (2, 1)
    assert gone.samples == 31 * 1440 + 31
    assert pairs(journal.series) == {t: v for t, v in known.items() if t >= ZERO + 31 * DAY}
    assert min(pairs(journal.series, B)) == ZERO + 31 * DAY
    assert pairs(journal.series.as_of(1)) == pairs(journal.series)
    assert journal.series.retain(T0 + timedelta(days=31)).samples == 0
    assert journal.series.retain(T0 + timedelta(days=400), [B]).series == 1
    assert journal.series.series() == [A]
    journal.series.files.delete_discarded()
    assert len(journal.series.read(A)[0]) == 70_000 - 31 * 1440


def test_unknown_buckets_and_figures_are_refused(journal: Any) -> None:
    with pytest.raises(InputError, match="must be longer than zero"):
        journal.series.resample(timedelta(0))
    with pytest.raises(InputError, match="median"):
        journal.series.resample(timedelta(hours=1), "median")
    assert journal.series.resample(timedelta(hours=1)).num_rows == 0


def test_buckets_before_1970_are_aligned_like_those_after(journal: Any) -> None:
    append(journal, (A, -1, 4.0), (A, 0, 6.0))
    table = journal.series.resample(timedelta(hours=1)).to_pylist()
    assert [int(row["time"].timestamp()) for row in table] == [-3600, 0]


def test_readers_see_every_sample_once_while_another_thread_seals(journal: Any) -> None:
    for month in range(4):
        append(journal, *((A, ZERO + month * 31 * DAY + minute * 60_000_000, 1.0) for minute in range(300)))
    problems, done = [], threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                assert journal.series.aggregate(A, "count") == 1200
                assert len(journal.series.read(A)[0]) == 1200
        except BaseException as problem:  # noqa: BLE001 - handed to the test's own thread
            problems.append(problem)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for days in range(20, 130, 10):
        journal.series.seal(T0 + timedelta(days=days), least_rows=1)
        journal.series.files.delete_discarded()
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(journal.series.files.all()) == 4


def test_another_process_reads_while_this_one_writes(journal: Any, tmp_path: Path) -> None:
    append(journal, batches=[minutes(6000)])
    append(journal, (A, ZERO + 30 * DAY, 99.0))
    program = (
        "import json, sys; from pathlib import Path; from pyoxigraph import NamedNode\n"
        "from voltwin.graphstore.series.store import open_series\n"
        "series = open_series(Path(sys.argv[1])); times, values = series.read(NamedNode(sys.argv[2]))\n"
        "print(json.dumps([len(times), values.tolist()[-1], [s.value for s in series.series()]])); series.close()"
    )
    with journal.database.transaction() as writer:
        hot.insert_rows(writer, 3, [(hot.give_number(writer, A.value), ZERO + 31 * DAY, 1.0)])
        said = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), A.value], capture_output=True, text=True, check=True
        )
    assert json.loads(said.stdout) == [6001, 99.0, [A.value]]
    with pytest.raises(StoreError, match="is neither a fleet's folder"):
        open_series(tmp_path / "nowhere")


def test_a_reader_cannot_write(journal: Any, tmp_path: Path) -> None:
    append(journal, (A, ZERO, 1.0))
    reader = open_series(tmp_path)
    with pytest.raises(StoreError, match="readonly"):
        reader.retain(T0 + timedelta(days=1))
    reader.close()
    assert pairs(journal.series) == {ZERO: 1.0}
