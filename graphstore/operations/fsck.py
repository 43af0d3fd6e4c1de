"""Consistency check of a fleet: every defect with its remedy; nothing is changed.

    for finding in check_fleet(read_folder(Path("plant"))):
        print(finding)

The check reads beside a process that holds the fleet. The triple store is checked only if no process holds the
fleet: while a server runs it may be a moment behind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from ...errors import FleetVersionError, StoreError, VoltwinError
from ..database.check import check_all
from ..database.hashes import UNREADABLE
from ..database.sqlite import Database
from ..database.tables import VERSIONS
from ..folder import FleetFolder, describe_owner, is_held, read_owner
from ..journal.bulk_files import LoadFiles, place_of
from ..journal.changes import UNPARSABLE
from ..journal.verification import contradiction, describe, faults
from ..series.store import OpenSeries, open_series
from .backup import check_journal
from .progress import Progress, no_progress
from .references import Finding, check_graphs

_MOST_FAULTS = 20
_SALVAGE = "`voltwin salvage` brings together what can be proved"
_DAMAGED = (
    "restore a backup from before the damage, or bring together what can be proved with `voltwin salvage`; "
    "do not rebuild: the graph may hold the right values"
)
_REBUILD = "`voltwin rebuild` builds it again"


def check_fleet(folder: FleetFolder, progress: Progress = no_progress) -> Iterator[Finding]:
    """Every defect of the fleet in ``folder``, except of its view (see maintenance.py)."""
    yield from _lock(folder)
    try:
        database = Database(folder.journal, VERSIONS, writable=False)
    except FleetVersionError as error:
        yield Finding("version", str(folder.journal), str(error), "nothing else was checked")
        return
    except StoreError as error:
        yield Finding("journal", str(folder.journal), str(error), f"{_DAMAGED}; nothing else was checked")
        return
    with closing(database):
        progress("checking the journal", 0, 0)
        broken = list(_journal(folder, database))
        yield from broken
        if broken:
            yield from _files_of_a_damaged_journal(folder, database, progress)
            return
        loads = list(_loads(folder, database, progress))
        yield from loads
        yield from _left_over(folder)
        with closing(open_series(folder.path)) as series:
            damaged = list(_sealed(series, progress))
            yield from damaged
            if not loads and not damaged:
                yield from _contents(folder, database, series, progress)


def _lock(folder: FleetFolder) -> Iterator[Finding]:
    owner = read_owner(folder.path)
    if is_held(folder.path):
        problem = f"is held by {describe_owner(owner).partition(';')[0]}"
        yield Finding("held", str(folder.path), problem, "stop it to compare the graph with the journal too")
    elif owner:
        problem = f"names process {owner.get('pid')}, which ended without releasing it"
        yield Finding(
            "stale lock", str(folder.path / "lock"), problem, "no process holds it; the next opening clears it"
        )


def _journal(folder: FleetFolder, database: Database) -> Iterator[Finding]:
    reader = database.reader()
    try:
        check_journal(reader, folder.journal)
    except (StoreError, sqlite3.DatabaseError, UnicodeError) as error:
        yield Finding("journal", str(folder.journal), f"is damaged ({error})", _DAMAGED)
        return
    sound = True
    for number, fault in enumerate(faults(check_all(reader))):
        if number == _MOST_FAULTS:
            yield Finding("journal", str(folder.journal), "has more such faults", _DAMAGED)
            return
        yield Finding("journal", str(folder.journal), describe(fault), _DAMAGED)
        sound = False
    if sound and (problem := contradiction(database, folder.base, folder.id)):
        yield Finding("journal", str(folder.journal), problem, "put journal and fleet.json of one fleet together")


def _loads(folder: FleetFolder, database: Database, progress: Progress) -> Iterator[Finding]:
    files = [file for (file,) in database.reader().execute("SELECT DISTINCT file FROM loads ORDER BY file")]
    for number, file in enumerate(files):
        progress("checking loads", number, len(files))
        place = LoadFiles(folder.loads)
        try:
            for _ in place.pieces(file):
                pass
        except StoreError as error:
            word = "damaged" if place.path(file).is_file() else "missing"
            yield Finding(f"{word} file", str(place.path(file)), f"is {word}, although commits name it", _first(error))
    named = {place_of(file) for file in files} | {
        file for (file,) in database.reader().execute("SELECT file FROM discarded")
    }
    for path in sorted(folder.loads.glob("*")):
        if f"loads/{path.name}" not in named:
            yield Finding("unnamed file", str(path), "is named by no commit", "delete it if no load is running")


def _files_of_a_damaged_journal(folder: FleetFolder, database: Database, progress: Progress) -> Iterator[Finding]:
    """The files that do not match their own hashes; which ones are named by no commit cannot be said."""
    found: list[Finding] = []
    with suppress(*UNREADABLE, VoltwinError):  # the journal's damage is a finding already
        found += _loads(folder, database, progress)
        with closing(open_series(folder.path)) as series:
            found += _sealed(series, progress)
    yield from (finding for finding in found if finding.kind != "unnamed file")


def _first(error: Exception) -> str:
    return str(error).rpartition("; ")[2]


def _left_over(folder: FleetFolder) -> Iterator[Finding]:
    for name in ("graph.new", "graph.old"):
        if (folder.path / name).exists():
            yield Finding("unnamed file", str(folder.path / name), "remains from an interrupted rebuild", "delete it")


def _sealed(series: OpenSeries, progress: Progress) -> Iterator[Finding]:
    items = series.files.all()
    for number, item in enumerate(items):
        progress("checking sealed files", number, len(items))
        where = f"{series.archive.address}/{item.file}"
        try:
            series.files.check(item)
        except StoreError as error:
            yield Finding(
                "sealed file", where, f"cannot be used ({error})", f"restore it from a backup; without one {_SALVAGE}"
            )
    for name in series.files.unnamed():
        problem = "is not registered: a sealing was interrupted before it registered the file"
        yield Finding("unnamed file", f"{series.archive.address}/{name}", problem, "delete it if no sealing is running")


def _contents(folder: FleetFolder, database: Database, series: OpenSeries, progress: Progress) -> Iterator[Finding]:
    try:
        yield from check_graphs(folder, database, series, progress)
    except (VoltwinError, *UNPARSABLE) as error:
        yield Finding("journal", str(folder.journal), f"its graphs cannot be read ({error})", _SALVAGE)


def sorted_by_kind(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of their kinds and places."""
    return sorted(findings, key=lambda finding: (finding.kind, finding.where))


def is_wrong(findings: Iterable[Finding]) -> bool:
    """Whether any finding is a defect, and not only a process that holds the fleet."""
    return any(finding.kind != "held" for finding in findings)


def view_finding(graph: Path, applied: int, journal: int) -> Finding | None:
    """The finding about a view whose last commit is ``applied``; None if that is the journal's last one."""
    if applied < journal:
        problem = f"is at commit {applied}, the journal at {journal}"
        return Finding("view behind", str(graph), problem, f"the next opening applies the rest, or {_REBUILD}")
    if applied > journal:
        problem = f"is at commit {applied}, the journal ends at {journal}: the journal is an older copy"
        remedy = f"find the newer journal; the graph may be the only copy of the later commits, and {_SALVAGE}"
        return Finding("view ahead", str(graph), problem, remedy)
    return None
