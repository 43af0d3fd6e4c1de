"""The series store beside the bare engines it stands on.

    python benchmarks/series_store.py

The case study's fleet for a season: 181 channels, 300 hours, one sample a minute (3.26 million samples). Each figure
stands beside what sqlite3, pyarrow or DuckDB need for the same work in the same run, best of several.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyoxigraph import Literal, NamedNode, Quad, Store

from voltwin.graphstore.interfaces import Entry, Sample, SampleBatch
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.series.functions import series_functions
from voltwin.graphstore.series.store import SqliteSeries
from voltwin.ontology.iris import PREFIXES

CHANNELS, SAMPLES = 181, 300 * 60
START = datetime(2019, 4, 3, tzinfo=UTC)
TIMES = int(START.timestamp()) * 1_000_000 + np.arange(SAMPLES, dtype=np.int64) * 60_000_000
SERIES = [NamedNode(f"https://fleet.example/twins/truck-{n:03d}/logger/temperature") for n in range(CHANNELS)]
HOUR = 3_600_000_000


def seconds(work: Callable[[], object], times: int = 5) -> float:
    def once() -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return min(once() for _ in range(times))


def line(what: str, ours: str, peer: str = "", ratio: float | None = None) -> None:
    print(f"{what:52} {ours:>18}   {peer:>34}   {'' if ratio is None else format(ratio, '6.2f')}".rstrip())


def temperatures() -> list[np.ndarray]:
    random = np.random.default_rng(4)
    return [np.round(8 + np.cumsum(random.normal(0, 0.05, SAMPLES)), 2) for _ in SERIES]


def small_commits(folder: Path) -> None:
    """Commits of a thousand samples, each on disk, against executemany into the same kind of table."""
    folder.mkdir()
    journal = SqliteJournal.open(folder / "journal.sqlite")
    chunks = [[Sample(SERIES[n], int(t), 1.5) for t in TIMES[:1000]] for n in range(40)]
    ours = seconds(lambda: [journal.append(Entry("b", START, samples=chunk)) for chunk in chunks], 1)
    journal.close()
    bare = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    bare.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE samples (series INTEGER, time INTEGER, "
        "value REAL, PRIMARY KEY (series, time)) STRICT, WITHOUT ROWID"
    )

    def write() -> None:
        for number in range(40):
            bare.execute("BEGIN")
            bare.executemany("INSERT INTO samples VALUES (?, ?, ?)", [(number, int(t), 1.5) for t in TIMES[:1000]])
            bare.execute("COMMIT")

    peer = seconds(write, 1)
    bare.close()
    line("commits of 1,000 samples", f"{40e3 / ours:,.0f}/s", f"sqlite3 executemany {40e3 / peer:,.0f}/s", peer / ours)


def bulk(folder: Path, values: list[np.ndarray]) -> SqliteSeries:
    """All samples in one commit of batches, against pyarrow writing the same columns to files that are not synced."""
    folder.mkdir()
    journal = SqliteJournal.open(folder / "journal.sqlite")
    batches = [SampleBatch(series, TIMES, column) for series, column in zip(SERIES, values, strict=True)]
    count = CHANNELS * SAMPLES
    ours = seconds(lambda: journal.append(Entry("b", START, batches=batches)), 1)
    (folder / "bare").mkdir()

    def write() -> None:
        for number, column in enumerate(values):
            table = pa.table({"time": pa.array(TIMES, pa.timestamp("us", "UTC")), "value": column})
            pq.write_table(table, folder / "bare" / f"{number}.parquet", compression="zstd")

    peer = seconds(write, 1)
    line("one commit of 3.26 M samples", f"{count / ours:,.0f}/s", f"pyarrow write {count / peer:,.0f}/s", peer / ours)
    size, bare = (sum(f.stat().st_size for f in (folder / at).rglob("*.parquet")) for at in ("series", "bare"))
    line("  bytes a sample", f"{size / count:.2f}", f"pyarrow {bare / count:.2f}", bare / size)
    return journal.series


def reads(folder: Path, store: SqliteSeries) -> None:
    """One series of 18,000 samples: the first time from its file, and again from memory."""
    bare = folder / "bare" / "7.parquet"

    def first() -> None:
        SqliteSeries(store._source.database, store.archive).read(SERIES[7])

    peer = seconds(lambda: [pq.read_table(bare, use_threads=False)["value"].to_numpy()])
    ours = seconds(first)
    line(
        "18,000 samples of one twin, from the file", f"{1e3 * ours:.2f} ms", f"pyarrow {1e3 * peer:.2f} ms", peer / ours
    )
    again = seconds(lambda: store.read(SERIES[7]))
    line("  the same, from memory", f"{1e3 * again:.2f} ms", f"pyarrow {1e3 * peer:.2f} ms", peer / again)


def fleet_means(folder: Path, store: SqliteSeries) -> None:
    """Hourly means of everything, sealed and with a day of every channel hot, against DuckDB over its own files."""
    engine = duckdb.connect()
    files = [str(file) for file in sorted((folder / "bare").glob("*.parquet"))]
    statement = f"SELECT filename, epoch_us(time) // {HOUR} AS hour, avg(value) FROM read_parquet($files) GROUP BY ALL"
    peer = seconds(lambda: engine.sql(statement, params={"files": files}).to_arrow_table())
    ours = seconds(lambda: store.resample(timedelta(hours=1)))
    line("hourly means of 3.26 M samples", f"{1e3 * ours:.0f} ms", f"duckdb {1e3 * peer:.0f} ms", peer / ours)
    table = store.resample(timedelta(hours=1))
    assert table.num_rows == CHANNELS * 300, table.num_rows
    journal = SqliteJournal(store._source.database)
    later = TIMES[-1] + np.arange(1, 1441) * 60_000_000
    for series in SERIES:
        samples = [Sample(series, int(moment), 8.0) for moment in later]
        journal.append(Entry("b", START, samples=samples))
    ours = seconds(lambda: store.resample(timedelta(hours=1)))
    line(
        "  with 260,640 hot samples above", f"{1e3 * ours:.0f} ms", f"duckdb, without {1e3 * peer:.0f} ms", peer / ours
    )


def functions(store: SqliteSeries) -> None:
    """A call for each of 181 series over all their hours, in one query, against numpy on what was read before."""
    graph = Store()
    property_ = NamedNode("https://fleet.example/p")
    graph.extend(Quad(series, property_, Literal(n)) for n, series in enumerate(SERIES))
    columns = [store.read(series)[1] for series in SERIES]
    peer = seconds(lambda: [column.mean() for column in columns])
    for call in ("mean(?s)", "integral(?s)", "duration_below(?s, 8.0)"):
        text = f"SELECT ?s (vtf:{call} AS ?v) WHERE {{ ?s <{property_.value}> ?n }}"

        def ask(text: str = text, store: SqliteSeries = store) -> None:
            custom = series_functions(store)
            assert all(row["v"] is not None for row in graph.query(text, prefixes=PREFIXES, custom_functions=custom))

        cold = seconds(lambda ask=ask: ask(store=SqliteSeries(store._source.database, store.archive)), 2)  # type: ignore[misc]
        warm = seconds(ask, 3)
        line(f"181 x vtf:{call}, cold", f"{1e3 * cold:.0f} ms")
        line("  the same, warm", f"{1e3 * warm:.0f} ms", f"numpy mean {1e3 * peer:.0f} ms", peer / warm)


def main() -> None:
    values = temperatures()
    print(f"{'':52} {'voltwin':>18}   {'peer':>34}   {'ratio':>6}")
    with tempfile.TemporaryDirectory() as place:
        small_commits(Path(place) / "small")
        folder = Path(place) / "bulk"
        store = bulk(folder, values)
        functions(store)
        reads(folder, store)
        fleet_means(folder, store)
        functions(store)


if __name__ == "__main__":
    main()
