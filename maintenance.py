"""The operations on a whole fleet, with its store, rules and files put together for each.

    back_up_fleet(Path("plant"), Path("backups/monday"))
    restore_fleet(Path("backups/monday"), Path("plant-again"))

Beside assembly.py, which creates and opens fleets, and server.py, which runs one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from .assembly import assemble, derive, store_for_reading
from .control.clock import SystemClock
from .errors import FleetLockedError, GraphDamagedError, StoreError
from .graphstore.database.sqlite import Database
from .graphstore.database.tables import VERSIONS
from .graphstore.engines.oxigraph import OxigraphStore, watch_of
from .graphstore.engines.registry import DEFAULT, open_store
from .graphstore.folder import (
    FleetFolder,
    FolderLock,
    describe_owner,
    is_held,
    read_folder,
    read_owner,
    write_id,
    write_like,
)
from .graphstore.history.past_graphs import PastGraphs
from .graphstore.history.snapshots import Retention
from .graphstore.interfaces import TripleStore
from .graphstore.journal.bulk_files import LoadFiles
from .graphstore.journal.commit import Committer
from .graphstore.journal.sqlite_journal import SqliteJournal
from .graphstore.journal.verification import identify, prove, rename
from .graphstore.operations.backup import FORMAT, JOURNAL, Backup, back_up
from .graphstore.operations.compact import CompactionOptions, CompactionResult, compact
from .graphstore.operations.fsck import check_fleet, sorted_by_kind, view_finding
from .graphstore.operations.indexes import compare_indexes
from .graphstore.operations.manifest import Manifest
from .graphstore.operations.place import forget_place
from .graphstore.operations.progress import Progress, no_progress
from .graphstore.operations.references import Finding
from .graphstore.operations.restore import Restored, restore
from .graphstore.operations.salvage import Salvage, Salvaged
from .graphstore.operations.salvage_sources import copied_view, read_pieces, refuse_foreign
from .graphstore.operations.salvaged_samples import SampleHeap, collect
from .graphstore.operations.target import new_folder
from .graphstore.operations.view import Difference, compare, fill, replace_folder
from .ontology.naming import Naming

if TYPE_CHECKING:
    from .graphstore.operations.importing import Imported

_SETTLE_SECONDS: Final = 30.0


def back_up_fleet(path: Path, destination: Path, *, thorough: bool = False, progress: Progress = no_progress) -> Backup:
    """Back up the fleet in ``path`` while it runs; ``thorough`` rebuilds the view from the copy and compares it."""
    folder = read_folder(path)

    def check(place: Path) -> None:
        differences = _differences(folder, place, progress)
        if differences:
            raise StoreError(
                f"{path}: the view made from the backup differs: {summarise(differences)}; see `voltwin fsck`"
            )

    return back_up(folder, destination, progress=progress, compare=check if thorough else None)


def restore_fleet(backup: Path, destination: Path, *, same: bool = False, progress: Progress = no_progress) -> Restored:
    """Create a fleet's folder from a backup: a fleet of its own, or with ``same`` the one that it continues."""

    def make_view(folder: FleetFolder) -> None:
        with closing(SqliteJournal.open(folder.journal)) as journal:  # brings one of an older voltwin up to date
            _make(folder, journal.database, journal.last_sequence, progress)
            forget_place(journal.database)
            if identity is not None:
                rename(journal.database, identity)

    # A copy shares no broker session with the fleet that it is made from.
    identity = None if same else uuid.uuid4().hex
    return restore(backup, destination, make_view, identity=identity, progress=progress)


def fork_fleet(path: Path, destination: Path | None = None, *, progress: Progress = no_progress) -> str:
    """Make a fleet of its own of a folder, or of a copy of it in ``destination``; return its id.

    The fleet in ``path`` may run while it is copied; it may not where the folder itself gets the new id.
    """
    if destination is not None:
        destination.absolute().parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".forking-", dir=destination.absolute().parent) as place:
            back_up_fleet(path, Path(place) / "copy", progress=progress)
            restore_fleet(Path(place) / "copy", destination, progress=progress)
        return read_folder(destination).id
    folder, identity = read_folder(path), uuid.uuid4().hex
    with closing(FolderLock(path)), closing(SqliteJournal.open(folder.journal)) as journal:
        # In this order, and without comparing ids: where this is interrupted, doing it again mends it.
        identify(journal.database, folder.base, "")
        write_id(path, identity)
        rename(journal.database, identity)
        forget_place(journal.database)
    return identity


def rebuild_fleet(path: Path, *, source: Path | None = None, progress: Progress = no_progress) -> int:
    """Rebuild the view of the fleet in ``path``; return the commit it is at then.

    ``source``: a backup of this fleet to begin with; the journal's commits after it follow.
    Raises FleetLockedError while another process holds it, JournalDamagedError, StoreError where the backup is not of
    this fleet or the view has commits that the journal lacks.
    """
    folder = read_folder(path)
    with _held(folder) as journal:
        prove(journal.database)
        _refuse_view_ahead(folder, journal)
        if source is not None:
            _rebuild_from(folder, journal, source, progress)
        else:
            _make(folder, journal.database, journal.last_sequence, progress)
        return journal.last_sequence


def _refuse_view_ahead(folder: FleetFolder, journal: SqliteJournal) -> None:
    if folder.store.engine == DEFAULT and not folder.graph.exists():
        return
    try:
        with _open(folder) as present:
            finding = view_finding(folder.graph, present.last_applied(), journal.last_sequence)
    except StoreError:
        return  # a view that cannot be read has nothing to lose
    if finding is not None and finding.kind == "view ahead":
        raise StoreError(f"{finding}; it was not replaced")


def check_view(path: Path, progress: Progress = no_progress) -> list[Difference]:
    """The differences between the view of the fleet in ``path`` and a rebuilt one; nothing is replaced."""
    folder = read_folder(path)
    with _both_views(folder, progress) as (made, present):
        return list(compare(made, present, Naming(folder.base), progress))


@contextmanager
def _both_views(folder: FleetFolder, progress: Progress) -> Iterator[tuple[OxigraphStore, TripleStore]]:
    """The view made from the journal, in memory, and the present one."""
    with _read(folder) as journal, closing(store_for_reading(folder)) as present:
        made = OxigraphStore(None, folder.base)
        fill(made, PastGraphs(journal.database, LoadFiles(folder.loads)), journal.last_sequence, progress)
        derive(made, Naming(folder.base))
        with watch_of(present).watching():
            yield made, present


def salvage_fleet(
    path: Path, destination: Path, *, backup: Path | None = None, progress: Progress = no_progress
) -> Salvaged:
    """Make a new fleet of what can be proved of the one in ``path``, which is only read, and of a backup.

    Raises StoreError where the backup is of another fleet, FleetLockedError while a process holds the fleet.
    """
    folder, identity = read_folder(path), uuid.uuid4().hex
    if is_held(path):
        raise FleetLockedError(f"{path}: is held by {describe_owner(read_owner(path))}")
    with new_folder(destination, "salvage") as place, ExitStack() as opened:
        scratch = Path(opened.enter_context(TemporaryDirectory(dir=place)))
        sources = [read_pieces("journal", path, scratch / "journal", opened)]
        if backup is not None:
            sources.append(read_pieces("backup", backup, scratch / "backup", opened))
            refuse_foreign(folder, backup, sources)
        heap = opened.enter_context(closing(SampleHeap(scratch / "samples")))
        losses = list(collect(heap, sources, sources[0].archive))
        journal = opened.enter_context(closing(SqliteJournal.open(place / "journal.sqlite", create=True)))
        view, names = copied_view(folder, scratch / "graph", opened), Naming(folder.base)
        now, loads = datetime.now(UTC), LoadFiles(place / "loads")
        made = Salvage(journal, loads, names, sources, heap, view, now, progress, losses).run()
        identify(journal.database, folder.base, identity)
        _make(FleetFolder(place, folder.base, id=identity), journal.database, journal.last_sequence, progress)
        opened.close()
        write_like(place, path, identity)
    return made


def import_into_fleet(path: Path, source: Path, *, author: str, replace: bool = False) -> Imported:
    """Import exported twins into the fleet in ``path``. Raises FleetLockedError while another process holds it."""
    from .graphstore.operations.importing import import_twins  # needs pyarrow, which only this and sealing do

    parts = assemble(read_folder(path), SystemClock())
    with parts.fleet, parts.fleet.watch.watching():
        fleet, now = parts.fleet, datetime.now(UTC)
        return import_twins(source, fleet.committer, fleet.names, fleet.schema, author=author, now=now, replace=replace)


def compact_fleet(
    path: Path, *, keep_days: float | None = None, seal_before: datetime | None = None, progress: Progress = no_progress
) -> CompactionResult:
    """Free disk space of the fleet in ``path``; keep ``keep_days`` of history, by default as its fleet.json says."""
    folder, now = read_folder(path), datetime.now(UTC)
    document = json.loads((path / "fleet.json").read_text("utf-8"))
    retention = Retention.read(document.get("history", {}))
    wanted = CompactionOptions(retention if keep_days is None else replace(retention, history=keep_days), seal_before)
    parts = assemble(folder, SystemClock())
    with parts.fleet, parts.fleet.watch.watching():
        return compact(folder, parts.fleet.committer, wanted, now, progress)


def check_everything(path: Path, progress: Progress = no_progress) -> list[Finding]:
    """All problems of the fleet in ``path``; its view is checked where no process holds it."""
    folder = read_folder(path)
    findings = list(check_fleet(folder, progress))
    unusable = {"held", "version", "journal", "missing file", "damaged file"}
    if not unusable & {finding.kind for finding in findings}:
        findings += _check_view(folder, progress)
    return sorted_by_kind(findings)


def _check_view(folder: FleetFolder, progress: Progress) -> list[Finding]:
    try:
        with _read(folder) as journal, closing(store_for_reading(folder)) as present:
            finding = view_finding(folder.graph, present.last_applied(), journal.last_sequence)
        if finding is not None:
            return [finding]
        with _both_views(folder, progress) as (made, shown):
            differences = list(compare(made, shown, Naming(folder.base), progress))
            wrong: list[Finding] = []
            if isinstance(shown, OxigraphStore) and not differences:
                wrong = list(_wrong_indexes(folder, made, shown, progress))
    except GraphDamagedError as error:
        problem = f"is damaged ({str(error).rpartition(' (')[2]}"
        return [Finding("view", str(folder.graph), problem, "`voltwin rebuild` builds it again from the journal")]
    except StoreError as error:
        return [Finding("view", str(folder.graph), f"cannot be read ({error})", "`voltwin rebuild` builds it again")]
    return wrong + [
        Finding(
            "view differs",
            difference.graph.value,
            f"lacks {difference.missing} triples and has {difference.extra} that journal and rules do not give, "
            f"such as {difference.example}",
            "the journal is proved by its hashes: `voltwin rebuild` builds the graph again",
        )
        for difference in differences
    ]


def _wrong_indexes(
    folder: FleetFolder, made: OxigraphStore, present: OxigraphStore, progress: Progress
) -> Iterator[Finding]:
    """Indexes of the embedded engine that do not have all that its graphs have."""
    state = Naming(folder.base).state_graph
    made.replace(state, [quad.triple for quad in present.quads(None, None, None, state)])  # the store's own marks
    for wrong in compare_indexes(made, present, progress):
        yield Finding(
            "view differs",
            str(folder.graph),
            f"its index by {wrong.by} lacks {wrong.missing} quads and has {wrong.extra} too many, such as those of "
            f"{wrong.example}",
            "`voltwin rebuild` builds it again",
        )


def summarise(differences: list[Difference]) -> str:
    """Differences in words: the number of graphs, and the first of them."""
    first = differences[0]
    return (
        f"{len(differences)} graphs; {first.graph.value} lacks {first.missing} triples and has {first.extra} too many, "
        f"such as {first.example}"
    )


def _make(folder: FleetFolder, database: Database, sequence: int, progress: Progress) -> None:
    names, past = Naming(folder.base), PastGraphs(database, LoadFiles(folder.loads))

    def make(store: TripleStore) -> None:
        fill(store, past, sequence, progress)
        derive(store, names)

    _replace(folder, make)


def _replace(folder: FleetFolder, make: Callable[[TripleStore], object]) -> None:
    """Fill an engine again: the embedded one in a folder beside, another one in place."""
    if folder.store.engine == DEFAULT:
        replace_folder(folder.graph, folder.base, make)
        return
    with _open(folder) as store:
        store.clear()
        make(store)


def _rebuild_from(folder: FleetFolder, journal: SqliteJournal, source: Path, progress: Progress) -> None:
    manifest, names = Manifest.read(source, FORMAT), Naming(folder.base)
    mine = journal.database.reader().execute(_COMMIT, (manifest.sequence,)).fetchone()
    with closing(Database(source / JOURNAL, VERSIONS, writable=False)) as database:
        theirs = database.reader().execute(_COMMIT, (manifest.sequence,)).fetchone()
        if manifest.base != folder.base or (mine is not None and mine != theirs):
            raise StoreError(f"{source}: is no backup of {folder.path}: commit {manifest.sequence} is another there")
        if manifest.sequence > journal.last_sequence:
            raise StoreError(
                f"{source}: holds commit {manifest.sequence}, the journal of {folder.path} ends at "
                f"{journal.last_sequence}; restore the backup into a new folder"
            )

        def make(store: TripleStore) -> None:
            fill(store, PastGraphs(database, LoadFiles(source / "loads")), manifest.sequence, progress)
            Committer(journal, store, LoadFiles(folder.loads)).catch_up()
            derive(store, names)

        _replace(folder, make)


_COMMIT: Final = "SELECT time, author FROM commits WHERE sequence = ?"


def _differences(folder: FleetFolder, place: Path, progress: Progress) -> list[Difference]:
    """The differences between the live view and one built from the copy in ``place``, both at the live one's commit."""
    names, made = Naming(folder.base), OxigraphStore(None, folder.base)
    with closing(Database(place / JOURNAL, VERSIONS, writable=False)) as database:
        past = PastGraphs(database, LoadFiles(place / "loads"))
        sequence = database.reader().execute("SELECT coalesce(max(sequence), 0) FROM commits").fetchone()[0]
        fill(made, past, sequence, progress)
    if folder.store.engine != DEFAULT:
        raise StoreError(
            f"{folder.path}: its graph is in the engine {folder.store.engine}, which cannot be read at one commit from "
            "here; back it up without --thorough and compare with `voltwin rebuild --check`"
        )
    present = _live_view(folder, sequence)
    held = is_held(folder.path)
    with closing(SqliteJournal.read(folder.journal)) as live:
        for commit in live.since(sequence):  # committed while the copy was made
            if commit.sequence <= present.last_applied():
                Committer(live, made, LoadFiles(folder.loads)).apply_commit(commit)
    if not held:
        derive(made, names)
    # While a server works, its inferred graphs may be a moment behind its commits.
    with present.watch.watching():
        return list(compare(made, present, names, progress, inferred=not held))


def _live_view(folder: FleetFolder, sequence: int) -> OxigraphStore:
    """A frozen view of the store, once it has commit ``sequence``."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        view = OxigraphStore(folder.graph, folder.base, frozen=True)
        if view.last_applied() >= sequence:
            return view
        if time.monotonic() > deadline:
            raise StoreError(
                f"{folder.graph}: is at commit {view.last_applied()}, the journal at {sequence}; "
                "open the fleet once so that it catches up"
            )
        time.sleep(0.1)


@contextmanager
def _held(folder: FleetFolder) -> Iterator[SqliteJournal]:
    """The journal of a folder, which this process holds meanwhile."""
    with closing(FolderLock(folder.path)), closing(SqliteJournal.open(folder.journal)) as journal:
        identify(journal.database, folder.base, folder.id)
        yield journal


@contextmanager
def _read(folder: FleetFolder) -> Iterator[SqliteJournal]:
    """The journal of a folder that no process writes meanwhile."""
    with closing(FolderLock(folder.path, reading=True)), closing(SqliteJournal.read(folder.journal)) as journal:
        identify(journal.database, folder.base, folder.id)
        yield journal


def _open(folder: FleetFolder) -> AbstractContextManager[TripleStore]:
    return closing(open_store(folder.store, folder.graph, folder.base))
