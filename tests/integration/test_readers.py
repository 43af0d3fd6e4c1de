"""Queries that may run away, in a fleet that this process holds: where they are answered, and how they end."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from voltwin.assembly import open_fleet
from voltwin.errors import InputError, QueryError, QueryLimitError, StoreError
from voltwin.graphstore.queries import pool as module
from voltwin.graphstore.queries.limits import QueryLimits
from voltwin.graphstore.queries.pool import QueryPool
from voltwin.settings import Settings

from ..unit.api.sample_fleet import make_fleet
from .reader_processes import RUNAWAY, eventually, is_gone, readers_of, working

COUNT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c }"
TIME = datetime(2019, 5, 1, tzinfo=UTC)
VOLTAGE = "https://w3id.org/voltwin/models/battery-logistics/product#Cell.voltage"
MODULE_1 = "<https://fleet.example/twins/module-0001>"
OPEN = """
import sys
from voltwin import Fleet
with Fleet.open(sys.argv[1]) as fleet:
    print(len(fleet), flush=True)
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Any]:
    with make_fleet(tmp_path) as made:
        yield made
    assert readers_of() == []


def limit(fleet: Any, **limits: Any) -> None:
    fleet.readers.limits = replace(fleet.readers.limits, **limits)


def number(fleet: Any, text: Any = COUNT) -> Any:
    return float(fleet.query(text, "text/csv").body.split()[1])


def test_a_look_up_needs_no_reader(fleet: Any) -> None:
    assert fleet.query(f"SELECT ?k {{ {MODULE_1} vt:key ?k }}", "text/csv").body == b"k\r\nmodule-0001\r\n"
    assert fleet.all("/module-0001/*")
    assert readers_of() == []
    assert not (fleet.readers._snapshot._folder).exists()


def test_every_acknowledged_write_is_seen(fleet: Any) -> None:
    serials = "SELECT ?o { ?s ?p ?o FILTER(STRSTARTS(STR(?o), 'written-')) }"
    pids = set()
    for turn in range(6):
        fleet.put("/module-0001/serial", f"written-{turn}", unit=None, time=TIME, author="test")
        assert fleet.query(serials, "text/csv").body.split() == [b"o", f"written-{turn}".encode()]
        pids |= {reader.pid for reader in readers_of()}
    assert len(pids) == 1


def test_samples_are_seen_too(fleet: Any) -> None:
    text = "SELECT (SUM(vtf:count(?s)) AS ?n) { ?s a vt:Series }"
    before = number(fleet, text)
    fleet.put("/truck-01/logger/temperature", 7.5, unit="DEG_C", time=TIME, author="test")
    assert number(fleet, text) == before + 1


def test_readers_and_the_snapshot_are_kept_while_nothing_changes(fleet: Any, tmp_path: Path) -> None:
    folder = tmp_path / "fleet" / "snapshots"
    before = number(fleet)
    (snapshot,), (reader,) = folder.iterdir(), readers_of()
    assert number(fleet) == before
    assert (list(folder.iterdir()), readers_of()) == ([snapshot], [reader])
    fleet.put("/module-0001/serial", "S-2", unit=None, time=TIME, author="test")
    number(fleet)
    (other,) = folder.iterdir()
    assert other != snapshot
    assert readers_of() == [reader]


def test_over_the_time_limit_the_process_is_gone_and_the_next_query_is_answered(fleet: Any) -> None:
    wanted = number(fleet)
    (first,) = readers_of()
    limit(fleet, seconds=0.5)
    with pytest.raises(QueryLimitError, match=r"time limit of 0\.5 s.*--query-seconds"):
        fleet.query(RUNAWAY)
    assert is_gone(first)
    assert readers_of() == []
    limit(fleet, seconds=60)
    assert number(fleet) == wanted


HOTTEST = "SELECT (MAX(?t) AS ?n) { ?s a vt:Series BIND(vtf:max(?s) AS ?t) }"


def test_the_past_has_its_limits_too_and_its_own_samples(fleet: Any) -> None:
    sequence = fleet.committer.journal.last_sequence
    before = number(fleet, HOTTEST)
    fleet.put("/truck-01/logger/temperature", 99.0, unit="DEG_C", time=TIME, author="anna")
    assert number(fleet, HOTTEST) == 99.0 > before
    (reader,) = readers_of()
    then = fleet.as_of(sequence)
    assert number(then, HOTTEST) == before
    assert readers_of() == [reader]
    limit(fleet, seconds=1.0)
    with pytest.raises(QueryLimitError, match="1 s"):
        then.query(RUNAWAY)
    assert readers_of() == []
    assert number(then, HOTTEST) == before
    assert number(fleet.as_of(sequence + 1), HOTTEST) == 99.0


def test_an_update_that_runs_away_ends_and_leaves_nothing(fleet: Any) -> None:
    sequence = fleet.committer.journal.last_sequence
    limit(fleet, seconds=1.0)
    with pytest.raises(QueryLimitError, match="1 s"):
        fleet.update(
            "INSERT { GRAPH <https://fleet.example/notes> { ?a ?b ?i } } "
            "WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c != ?f && ?f != ?i) }",
            author="anna",
        )
    assert readers_of() == []
    assert fleet.committer.journal.last_sequence == sequence
    copied = fleet.update(
        "INSERT { GRAPH <https://fleet.example/notes> { ?cell vt:noted ?voltage } } "
        f"WHERE {{ ?cell <{VOLTAGE}> ?voltage FILTER(?voltage > 0) }}",
        author="anna",
    )
    assert copied.added == number(fleet, f"SELECT (COUNT(*) AS ?n) {{ ?cell <{VOLTAGE}> ?voltage }}") > 0
    assert (copied.sequence, len(readers_of())) == (sequence + 1, 1)


@pytest.mark.parametrize(
    ("limits", "text", "words"),
    [
        ({"rows": 10}, "SELECT * { ?a ?b ?c . ?d ?e ?f }", r"10 rows.*--query-rows"),
        ({"rows": 10}, "CONSTRUCT WHERE { ?a ?b ?c }", r"10 rows"),
        ({"bytes": 1000}, "SELECT * { ?a ?b ?c . ?d ?e ?f }", r"1000 bytes of answer"),
    ],
)
def test_over_the_limits_of_an_answer_the_process_stays(fleet: Any, limits: Any, text: Any, words: Any) -> None:
    number(fleet)
    (first,) = readers_of()
    limit(fleet, **limits)
    with pytest.raises(QueryLimitError, match=words):
        fleet.query(text)
    assert readers_of() == [first]


def test_over_the_memory_limit_nobody_else_is_harmed(fleet: Any) -> None:
    limit(fleet, memory=400 * 2**20)
    with pytest.raises(QueryLimitError, match=r"memory limit.*--query-memory"):
        fleet.query("SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f")
    assert number(fleet) > 0


def test_a_look_up_has_limits_of_rows_and_bytes(fleet: Any) -> None:
    fleet.limits = QueryLimits(rows=1)
    with pytest.raises(QueryLimitError, match="limit of 1 rows"):
        fleet.query(f"SELECT * {{ {MODULE_1} ?p ?o }}")


def test_others_are_answered_while_one_runs_away(fleet: Any) -> None:
    number(fleet)
    limit(fleet, seconds=30)
    given_up = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        runaway = pool.submit(fleet.query, RUNAWAY, abandoned=given_up)
        reader = working()
        for turn in range(5):
            fleet.put("/module-0001/serial", f"S-{turn}", unit=None, time=TIME, author="test")
            assert fleet.query(f"ASK {{ {MODULE_1} a vt:Twin }}").body
            assert number(fleet) > 0
        assert not runaway.done()
        assert not is_gone(reader)
        assert len(list(fleet.readers._snapshot._folder.iterdir())) == 2  # the one it works on, and the newest
        given_up.set()
        with pytest.raises(StoreError, match="has gone"):
            runaway.result(timeout=30)
    assert is_gone(reader)
    number(fleet)
    assert len(list(fleet.readers._snapshot._folder.iterdir())) == 1


def test_more_than_may_wait_are_refused_at_once(fleet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    old = fleet.readers
    fleet.readers = QueryPool(
        fleet.committer.store,
        old._snapshot._folder.parent / "own",
        old._journal,
        fleet.committer.lock,
        QueryLimits(at_once=1),
    )
    old.close()
    given_up = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fleet.query, RUNAWAY, abandoned=given_up)
        working()
        second = pool.submit(fleet.query, RUNAWAY, abandoned=given_up)
        eventually(lambda: not fleet.readers._places._value)
        with pytest.raises(StoreError, match="wait for one of 1 readers"):
            fleet.query(COUNT)
        given_up.set()
        for asked in (first, second):
            with pytest.raises(StoreError, match="has gone"):
                asked.result(timeout=30)
    assert number(fleet) > 0


def test_who_waits_too_long_for_a_reader_is_told(fleet: Any) -> None:
    fleet.readers._free.get()  # as if two others were at work
    taken = fleet.readers._free.get()
    limit(fleet, seconds=0.3)
    with pytest.raises(StoreError, match=r"no reader was free.*--query-readers"):
        fleet.query(COUNT)
    fleet.readers._free.put(taken)
    fleet.readers._free.put(module._Worker())
    assert number(fleet) > 0


def test_a_reader_that_dies_is_replaced(fleet: Any) -> None:
    wanted = number(fleet)
    (idle,) = readers_of()
    idle.kill()
    idle.wait(30)
    assert number(fleet) == wanted
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(fleet.query, RUNAWAY)
        working().kill()
        with pytest.raises(StoreError, match="its reader died"):
            asked.result(timeout=30)
    assert number(fleet) == wanted


def test_at_rest_there_are_no_processes_and_no_snapshot(fleet: Any, tmp_path: Path) -> None:
    wanted = number(fleet)
    fleet.readers.shut_idle()
    assert readers_of() == []
    assert list((tmp_path / "fleet" / "snapshots").iterdir()) == []
    assert number(fleet) == wanted


def test_readers_come_to_rest_by_themselves(fleet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.2)
    assert number(fleet) > 0
    eventually(lambda: not readers_of())
    assert number(fleet) > 0


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    fleet = make_fleet(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(fleet.query, RUNAWAY)
        reader = working()
        fleet.close()
        with pytest.raises(StoreError, match="closed"):
            asked.result(timeout=30)
    assert is_gone(reader)
    assert not (tmp_path / "fleet" / "snapshots").exists()
    with pytest.raises(StoreError, match="closed"):
        fleet.query(COUNT)
    fleet.readers.close()


def opened_elsewhere(folder: Any) -> Any:
    return subprocess.run([sys.executable, "-c", OPEN, str(folder)], capture_output=True, text=True, check=False)


def test_after_closing_another_process_opens_the_folder_at_once(tmp_path: Path) -> None:
    fleet = make_fleet(tmp_path)
    kept = [fleet.query(COUNT), fleet.all("/"), iter(fleet), fleet.schema, fleet.reader]
    next(kept[2])  # type: ignore[call-overload]  # mixed values of a table
    for text in (RUNAWAY, "SELEKT", f"SELECT * {{ {MODULE_1} ?p ?o }}", "SELECT * { ?a ?b ?c }"):
        limit(fleet, seconds=0.3, rows=2)
        fleet.limits = replace(fleet.limits, rows=2)
        for holder in (fleet, replace(fleet, readers=None)) if text != RUNAWAY else (fleet,):
            try:
                kept.append(holder.query(text))
            except QueryError as error:
                kept.append(error)
    assert sum(isinstance(item, QueryError) for item in kept) == 7
    gc.disable()  # nothing may hang on a cycle that is found later
    try:
        fleet.close()
        done = opened_elsewhere(tmp_path / "fleet")
    finally:
        gc.enable()
    assert (done.returncode, done.stdout) == (0, f"{len(kept[1])}\n"), done.stderr


def test_what_a_killed_process_left_is_removed_on_opening(tmp_path: Path) -> None:
    make_fleet(tmp_path).close()
    left = tmp_path / "fleet" / "snapshots" / "7"
    left.mkdir(parents=True)
    (left / "000001.sst").write_bytes(b"x")
    with open_fleet(tmp_path / "fleet") as fleet:
        assert not left.exists()
        assert number(fleet) > 0


def test_limits_are_given_on_opening(tmp_path: Path) -> None:
    make_fleet(tmp_path).close()
    with open_fleet(tmp_path / "fleet", QueryLimits(rows=1)) as fleet, pytest.raises(QueryLimitError, match="1 rows"):
        fleet.query("SELECT * { ?a ?b ?c }")
    with pytest.raises(InputError, match="its server sets the query limits"):
        open_fleet("http://127.0.0.1:1", QueryLimits())


def test_the_settings_of_a_server_are_the_same_limits() -> None:
    settings, limits = Settings(), QueryLimits()
    assert (settings.query_seconds, settings.query_rows, settings.query_bytes) == (
        limits.seconds,
        limits.rows,
        limits.bytes,
    )
    assert (settings.query_memory, settings.query_readers) == (limits.memory, limits.at_once)
    given = Settings.from_environment({"VOLTWIN_QUERY_SECONDS": "2.5", "VOLTWIN_QUERY_ROWS": "7"})
    assert (given.query_seconds, given.query_rows) == (2.5, 7)
