"""Where parts are put together: a fleet is made or opened here, and run in server.py; nowhere else.

>>> from voltwin import Fleet
>>> fleet = Fleet.open("demo-fleet")                                      # doctest: +SKIP
>>> fleet["module-0017"]["cells/cell-03/voltage"].value                   # doctest: +SKIP
3.67289

A folder is opened in this process if nobody holds it; if a server does, its address stands in the
folder's lock and the same methods go there over HTTP.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .control.actions.action import load_actions
from .control.clock import SystemClock
from .control.interfaces import MasterClock
from .converter import Conversion, instances, ontology, shapes
from .errors import FleetLockedError, InputError, StoreError
from .graphstore.engines.registry import StoreChoice, open_store
from .graphstore.fleets.fleet import FleetAccess
from .graphstore.fleets.history_access import FleetHistory
from .graphstore.fleets.local import LocalFleet
from .graphstore.fleets.remote import RemoteFleet
from .graphstore.folder import FleetFolder, FolderLock, create_folder, read_folder, read_owner
from .graphstore.interfaces import Snapshots, TripleStore
from .graphstore.journal.bulk_files import LoadFiles
from .graphstore.journal.commit import Committer
from .graphstore.journal.sqlite_journal import SqliteJournal
from .graphstore.queries.limits import QueryLimits
from .graphstore.queries.pool import QueryPool
from .graphstore.schema import load_schema
from .graphstore.update.design import Design, load_design
from .graphstore.update.protected import concerns_all
from .ontology import framework
from .ontology.naming import Naming
from .reasoner.engine import RuleEngine
from .reasoner.past_reasoning import reasoning
from .reasoner.resolver import RuleResolver


@dataclass
class _Design:
    """Refuses ontology, rules and actions that do not fit together, and passes new ones on."""

    fleet: LocalFleet
    engine: RuleEngine

    def check(self, design: TripleStore) -> None:
        """Raises RuleError, ActionError or InputError."""
        names = self.fleet.names
        RuleEngine(design, names, load_schema(design, names))
        load_actions(design, names)

    def activate(self) -> None:
        """Paths, rules and shapes are read anew, and what rules derive is made anew; schedules wait for a restart."""
        self.fleet.reload()
        self.engine.reload(self.fleet.schema)
        self.engine.derive_all()


@dataclass
class OpenFleet:
    """The parts of one fleet that this process holds; closing the fleet gives back all of them."""

    fleet: LocalFleet
    engine: RuleEngine
    lock: FolderLock
    clock: MasterClock


def assemble(folder: FleetFolder, clock: MasterClock, limits: QueryLimits | None = None) -> OpenFleet:
    """Open a fleet's folder in this process; the triple store catches up with the journal."""
    with ExitStack() as undo:
        lock = FolderLock(folder.path)
        undo.callback(lock.close)
        names = Naming(folder.base)
        journal = SqliteJournal.open(folder.journal)
        undo.callback(journal.close)
        store = open_store(folder.store, folder.graph, folder.base)
        undo.callback(store.close)
        _same_fleet(folder, journal, store)
        committer = Committer(journal, store, LoadFiles(folder.loads))
        behind = committer.catch_up()

        def now() -> datetime:
            return clock.now() or datetime.now(UTC)

        resolver = RuleResolver(store, journal.series, names, now)
        fleet_history = FleetHistory.over(journal, LoadFiles(folder.loads), names, reasoning())
        limits = limits or QueryLimits()
        # A remote engine has its own limit of time, and what is in memory cannot be read by another process.
        readers = None
        if isinstance(store, Snapshots) and store.on_disk:
            readers = QueryPool(store, folder.snapshots, folder.journal, committer.lock, limits)
        fleet = LocalFleet(
            committer,
            names,
            resolver,
            readers=readers,
            limits=limits,
            fleet_history=fleet_history,
            now=now,
            on_close=lock.close,
        )
        engine = RuleEngine(store, names, fleet.schema)
        fleet.design = _Design(fleet, engine)
        committer.followers += [engine.follow, fleet_history.follow]
        # Rules follow a commit after it is in the store; a process that was killed in between left that undone.
        newest = next(journal.since(journal.last_sequence - 1), None)
        if behind or (newest is not None and concerns_all(newest, names)):
            engine.derive_all()
        else:
            engine.resume(journal)
        undo.pop_all()
    return OpenFleet(fleet, engine, lock, clock)


def _same_fleet(folder: FleetFolder, journal: SqliteJournal, store: TripleStore) -> None:
    reached, written = store.last_applied(), journal.last_sequence
    if reached > written:
        raise StoreError(
            f"{folder.path}: its triple store ({folder.store.engine}) has taken in commit {reached} and its journal "
            f"ends at {written}: the store belongs to another folder with the base {folder.base}, or the journal is an "
            "older copy; use another base or another store, or clear the store"
        )


def create_fleet(path: Path, conversion: Conversion, base: str, store: StoreChoice | None = None) -> None:
    """Make a fleet from a converted model: its folder, with ontology, shapes, actions, rules and first twins.

    ``store`` is the engine that holds the triples; None: Oxigraph in the folder.
    """
    folder = create_folder(path, base, store)
    try:
        parts = assemble(folder, SystemClock())
        with parts.fleet:
            try:
                _load(parts, conversion)
            except BaseException:
                parts.fleet.committer.store.clear()  # what is in a remote engine does not go with the folder
                raise
    except BaseException:
        shutil.rmtree(path)  # it was made here, and a fleet that is half made would only be in the way
        raise


def _load(parts: OpenFleet, conversion: Conversion) -> None:
    fleet, description = parts.fleet, conversion.description
    design = Design([*framework(), *ontology(description)], shapes(description), instances(description, fleet.names))
    load_design(design, fleet.committer, fleet.names, "voltwin init", datetime.now(UTC))
    fleet.reload()
    # Compiled here so that a model with a bad rule or action is refused before anything runs on it.
    parts.engine.reload(fleet.schema)
    parts.engine.derive_all()
    load_actions(fleet.committer.store, fleet.names)


def open_fleet(location: str | Path, limits: QueryLimits | None = None) -> FleetAccess:
    """The fleet at a folder or an ``http://host:port``. Raises StoreError, ServiceError.

    ``limits`` are those of SPARQL queries; a fleet behind a server has the server's.
    """
    if str(location).startswith(("http://", "https://")):
        return _remote(str(location), limits)
    folder = read_folder(Path(location))
    try:
        return assemble(folder, SystemClock(), limits).fleet
    except FleetLockedError:
        address = read_owner(folder.path).get("address")
        if not address:
            raise
        return _remote(str(address), limits)


def _remote(address: str, limits: QueryLimits | None) -> RemoteFleet:
    if limits is not None:
        raise InputError(f"fleet {address}: its server sets the query limits; start that one with others")
    return RemoteFleet(address)


class Fleet(FleetAccess):
    """All twins of one knowledge graph; :meth:`open` finds them in a folder or behind an address."""

    @staticmethod
    def open(location: str | Path, limits: QueryLimits | None = None) -> FleetAccess:
        """The fleet at a folder or an ``http://host:port``; ``limits`` of queries where this process answers them."""
        return open_fleet(location, limits)


Fleet.register(LocalFleet)
Fleet.register(RemoteFleet)


__all__ = ["Fleet", "create_fleet", "open_fleet"]
