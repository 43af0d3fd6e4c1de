"""Single-bit faults in the files of a small fleet: found by hashes, refused in a sentence, or without effect."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from voltwin.errors import StoreError
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.history.past_graphs import PastGraphs
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.maintenance import check_everything, salvage_fleet
from voltwin.verbs.history import log

from .fleet_state import quads


def content(folder: Path) -> Any:
    """All that can be read from the journal of the fleet in ``folder``."""
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as journal:
        past, reader = PastGraphs(journal.database, LoadFiles(folder / "loads")), journal.database.reader()
        last = journal.last_sequence
        return (
            list(journal.since(0)),
            journal.queued_runs(),
            journal.due_table(),
            journal.counts(),
            sorted(reader.execute("SELECT key, sequence FROM messages")),
            sorted(reader.execute("SELECT * FROM runs")),
            [past.lines(graph, number) for number in range(1, last + 1) for graph in past.graphs(number)],
            [
                (node, number, [column.tolist() for column in journal.series.as_of(number).read(node)])
                for node in journal.series.series()
                for number in range(1, last + 1)
            ],
        )


def places(file: Path, count: int, seed: int) -> Iterator[tuple[int, int]]:
    """Bytes and bits to flip, half of them in pages' used parts: most of a small journal's bytes are zero."""
    data, chosen = file.read_bytes(), random.Random(seed)
    used = [place for place, byte in enumerate(data) if byte]
    for number in range(count):
        place = chosen.choice(used) if number % 4 else chosen.randrange(len(data))
        yield place, chosen.randrange(8)


def kinds_of_files(sound: Path) -> dict[str, list[Path]]:
    """The files of a fleet whose every bit counts, by kind."""
    kinds = {"journal": "journal.sqlite", "log": "journal.sqlite-wal", "loads": "loads/*", "series": "series/*/*"}
    return {kind: sorted(sound.glob(pattern)) for kind, pattern in kinds.items()}


def salvages(sound: Path, work: Path) -> None:
    """What the graph of a damaged fleet has is all there after a salvage, since only the journal is damaged."""
    new = work.with_name(f"{work.name}-new")
    shutil.rmtree(new, ignore_errors=True)
    before = work.with_name(f"{work.name}-sound")
    if not before.exists():
        shutil.copytree(sound, before)
    salvage_fleet(work, new)
    assert quads(new) == quads(before)


def outcome(sound: Path, wanted: Any, name: str, place: int, bit: int, work: Path) -> str:
    """``found``, ``refused`` or ``harmless``; anything else is an AssertionError or the exception itself."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(sound, work)
    file = work / name
    data = bytearray(file.read_bytes())
    data[place] ^= 1 << bit
    file.write_bytes(data)
    findings = check_everything(work)
    verified = CliRunner().invoke(log, ["--fleet", str(work), "--verify"])
    if verified.exception is not None and not isinstance(verified.exception, SystemExit | StoreError):
        raise verified.exception
    if findings:
        for finding in findings:
            if finding.kind == "journal":
                assert "voltwin rebuild" not in finding.remedy
        return "found"
    if isinstance(verified.exception, StoreError):
        return "refused"
    if verified.exit_code:
        return "found"
    assert read_folder(work).base == read_folder(sound).base
    assert content(work) == wanted, f"{name}, byte {place}, bit {bit}: a fault that changes what is read is not found"
    return "harmless"
