"""A compaction killed at any of its steps has spoiled nothing and is finished by the next one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode

from voltwin.graphstore.history.snapshots import History
from voltwin.graphstore.interfaces import Entry, GraphChange, GraphLoad
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal

pytestmark = pytest.mark.integration

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
GRAPHS = [NamedNode(f"https://fleet.example/twins/{key}") for key in "abc"]
HORIZON, LAST = 12, 20

# Ends itself, as by kill -9, inside the transaction whose number it is given, before that is on disk.
COMPACT = """
import os, signal, sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from voltwin.graphstore.database.sqlite import Database
from voltwin.graphstore.history.snapshots import History
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.journal.bulk_files import LoadFiles

folder, end, steps = Path(sys.argv[1]), int(sys.argv[2]), 0
transaction = Database.transaction

@contextmanager
def counted(self):
    global steps
    with transaction(self) as writer:
        yield writer
        steps += 1
        if steps == end:
            os.kill(os.getpid(), signal.SIGKILL)

Database.transaction = counted
journal = SqliteJournal.open(folder / "journal.sqlite")
moment = datetime(2019, 5, 1, tzinfo=UTC)
History(journal.database, LoadFiles(folder / "loads")).compact(%d, messages=moment, runs=moment, now=moment)
journal.close()
print(steps)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("made")
    journal, loads = SqliteJournal.open(folder / "journal.sqlite"), LoadFiles(folder / "loads")
    for number in range(1, LAST + 1):
        graph = GRAPHS[number % 3]
        old, new = (f'<a:s> <a:p> "{value}" .\n' for value in (number - 3, number))
        load = [GraphLoad(graph, *loads.store_lines([f'<a:s> <a:load> "{number}" .\n'.encode()]))]
        change = GraphChange(graph, old if number > 3 else "", new)
        entry = Entry("a", T0 + timedelta(hours=number), [change], message_keys=[f"m{number}"])
        journal.append(entry if number % 4 else Entry(entry.author, entry.time, entry.changes, loads=load))
    journal.close()
    return folder


def states(folder: Any, first: Any) -> Any:
    """What the history from commit ``first`` says; it must not say less than that."""
    journal = SqliteJournal.open(folder / "journal.sqlite")
    history = History(journal.database, LoadFiles(folder / "loads"))
    try:
        assert history.begins in (0, HORIZON)
        return {n: dict(history.state(n)) for n in range(first, LAST + 1)}, journal.counts()
    finally:
        journal.close()


def compact(folder: Any, end: Any) -> Any:
    command = [sys.executable, "-c", COMPACT % HORIZON, str(folder), str(end)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_killed_at_every_step_it_spoils_nothing_and_is_finished_later(made: Any, tmp_path: Path) -> None:
    before = states(made, HORIZON)
    whole = tmp_path / "whole"
    shutil.copytree(made, whole)
    done = compact(whole, 0)
    steps = int(done.stdout)
    assert steps > 10
    assert states(whole, HORIZON) == before
    for end in range(1, steps + 1):
        folder = tmp_path / f"killed-{end}"
        shutil.copytree(made, folder)
        assert compact(folder, end).returncode == -signal.SIGKILL
        assert states(folder, HORIZON) == before
        assert compact(folder, 0).returncode == 0
        assert states(folder, HORIZON) == before
        for table in ("changes", "loads", "commits", "snapshots", "messages", "facts", "discarded"):
            assert rows(folder, table) == rows(whole, table)


def rows(folder: Any, table: Any) -> Any:
    journal = SqliteJournal.open(folder / "journal.sqlite")
    try:
        return journal.database.reader().execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    finally:
        journal.close()
