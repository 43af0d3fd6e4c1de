"""The assembly of a fleet: it is created and opened here, and run in server.py.

>>> from voltwin import Fleet
>>> fleet = Fleet.open("demo-fleet")                                      # doctest: +SKIP
>>> fleet["pump-07"]["bearing/vibration"].value                         # doctest: +SKIP
41.5

A folder is opened in this process if no other process holds it; if a server does, its address is in the
folder's lock and the same methods ask it over HTTP.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from .control.clock import ReplayClock, SystemClock, time_of
from .control.interfaces import MasterClock
from .control.master.checks.finding import DesignFinding
from .control.master.checks.registry import find_problems, refuse_errors
from .control.master.commits import AUTHOR
from .converter import Conversion, instances, ontology, shapes
from .errors import FleetLockedError, GraphBehindError, GraphDamagedError, InputError, StoreError
from .graphstore.engines.oxigraph import OxigraphStore, watch_of
from .graphstore.engines.registry import DEFAULT, StoreChoice, open_store
from .graphstore.fleets.fleet import FleetAccess
from .graphstore.fleets.history_access import FleetHistory
from .graphstore.fleets.local import LocalFleet
from .graphstore.fleets.remote import RemoteFleet
from .graphstore.folder import FleetFolder, FolderLock, can_be_written, create_folder, read_folder, read_owner
from .graphstore.history.past_graphs import PastGraphs
from .graphstore.interfaces import Snapshots, TripleStore
from .graphstore.journal.bulk_files import LoadFiles
from .graphstore.journal.commit import Committer, Follower
from .graphstore.journal.sqlite_journal import SqliteJournal
from .graphstore.journal.verification import identify, last_time_of, note, noted, prove
from .graphstore.operations.healing import GraphHealing
from .graphstore.operations.place import settle
from .graphstore.operations.view import fill
from .graphstore.queries.limits import QueryLimits
from .graphstore.queries.pool import QueryPool
from .graphstore.schema import load_schema
from .graphstore.update.design import Design, design_graphs_of, load_design
from .graphstore.update.protected import concerns_all
from .ontology import framework
from .ontology.literals import format_time
from .ontology.naming import Naming
from .reasoner.engine import RuleEngine
from .reasoner.past_reasoning import reasoning
from .reasoner.resolver import RuleResolver
from .settings import InputLimits

CLOCK: Final = "clock"
"""The journal's note on the clock: ``replay`` or ``system``."""


@dataclass(frozen=True)
class _Rules:
    """Rejects rules and actions that do not fit their ontology, and applies new rules."""

    engine: RuleEngine

    def check(self, design: TripleStore) -> None:
        """Raises RuleError, ActionError or InputError."""
        refuse_errors(find_problems(design, self.engine.names))

    def activate(self) -> None:
        """Read the rules again and derive everything again; schedules wait for a restart."""
        self.engine.reload(load_schema(self.engine.store, self.engine.names))
        self.engine.derive_all()


@dataclass(frozen=True)
class ServerHooks:
    """A server's own followers, which see every commit after rules and history, its part of the status, its rules."""

    followers: Sequence[Follower] = ()
    status: Callable[[], Mapping[str, Any]] = dict
    inputs: InputLimits = field(default_factory=InputLimits)
    may_write: Callable[[], None] = lambda: None
    """Raises AccessError where writes are refused."""


@dataclass(frozen=True)
class HeldFolder:
    """A fleet's folder and the lock by which this process holds it."""

    folder: FleetFolder
    lock: FolderLock
    scratch: Path | None = None
    """A temporary folder for snapshots, where the fleet's own cannot be written."""


@dataclass(frozen=True)
class OpenFleet:
    """The parts of one fleet in this process; closing the fleet closes all of them."""

    fleet: LocalFleet
    engine: RuleEngine
    held: HeldFolder | None


def wire(
    journal: SqliteJournal,
    store: TripleStore,
    names: Naming,
    clock: MasterClock,
    held: HeldFolder | None = None,
    limits: QueryLimits | None = None,
    hooks: ServerHooks | None = None,
) -> OpenFleet:
    """Put the parts of a fleet together; the store catches up with the journal, and the rules with the store.

    Without a folder the fleet has no bulk loads and no query workers.
    """
    hooks = hooks or ServerHooks()
    loads = LoadFiles(held.folder.loads) if held else None
    watch = watch_of(store)
    catching_up = Committer(journal, store, loads)
    with watch.watching():
        behind = catching_up.catch_up()
        engine = RuleEngine(store, names, load_schema(store, names))
    now, limits = partial(time_of, clock), limits or QueryLimits()
    history = FleetHistory.over(journal, loads, names, reasoning())
    committer = Committer(journal, store, loads, [engine.follow, history.follow, *hooks.followers], inputs=hooks.inputs)
    committer.set_aside |= catching_up.set_aside
    pool = None
    # A remote engine has its own limit of time, and a store in memory cannot be read by another process.
    if held and isinstance(store, Snapshots) and store.on_disk:
        pool = QueryPool(store, held.scratch or held.folder.snapshots, held.folder.journal, committer.lock, limits)
    fleet = LocalFleet(
        committer,
        names,
        RuleResolver(store, journal.series, names, now),
        readers=pool,
        limits=limits,
        rules=_Rules(engine),
        fleet_history=history,
        now=now,
        more_status=lambda: {**_replay_status(clock), **hooks.status()},
        may_write=hooks.may_write,
        watch=watch,
        on_close=held.lock.close if held else lambda: None,
    )
    # Rules follow a commit after it is in the store; a process that was killed in between left that undone.
    # A damaged commit does not say what it touched.
    unknown = journal.last_sequence in {*journal.damaged, *catching_up.set_aside}
    newest = None if unknown else next(journal.since(journal.last_sequence - 1), None)
    with watch.watching():
        if behind or unknown or (newest is not None and concerns_all(newest, names)):
            engine.derive_all()
        else:
            engine.resume(journal)
    return OpenFleet(fleet, engine, held)


def derive(store: TripleStore, names: Naming) -> None:
    """Add to ``store`` the triples that its own rules derive."""
    RuleEngine(store, names, load_schema(store, names)).derive_all()


def healing_of(parts: OpenFleet) -> GraphHealing | None:
    """The healing of a damaged graph while the fleet is open; None where the graph is not in its folder."""
    committer, names = parts.fleet.committer, parts.fleet.names
    journal, store = committer.journal, committer.store
    if parts.held is None or not isinstance(store, OxigraphStore) or not store.on_disk:
        return None
    assert isinstance(journal, SqliteJournal)
    return GraphHealing(committer, journal, store, parts.held.folder.graph, names, partial(derive, names=names))


def assemble(
    folder: FleetFolder, clock: MasterClock | None, limits: QueryLimits | None = None, hooks: ServerHooks | None = None
) -> OpenFleet:
    """Open a fleet's folder in this process; without a ``clock`` with the one that it was last run with.

    A replay goes on at the last instant of its master, not at the time of day.
    """
    with ExitStack() as undo:
        lock = undo.enter_context(closing(FolderLock(folder.path)))
        journal = undo.enter_context(closing(SqliteJournal.open(folder.journal)))
        identify(journal.database, folder.base, folder.id)
        clock = _clock(journal, clock)
        store = undo.enter_context(closing(open_store(folder.store, folder.graph, folder.base)))
        _same_fleet(folder, journal, store)
        parts = wire(journal, store, Naming(folder.base), clock, HeldFolder(folder, lock), limits, hooks)
        undo.pop_all()
    return parts


def _clock(journal: SqliteJournal, wanted: MasterClock | None) -> MasterClock:
    replayed = noted(journal.database, CLOCK) == "replay"
    clock = wanted or (ReplayClock() if replayed else SystemClock())
    last = last_time_of(journal.database, AUTHOR) if replayed and clock.lockstep else None
    if last is not None:
        clock.advance(last)
    return clock


def run_by(fleet: LocalFleet, clock: MasterClock) -> None:
    """Note in the journal by which clock a fleet is run, for whoever opens it next."""
    journal = fleet.committer.journal
    assert isinstance(journal, SqliteJournal)
    note(journal.database, CLOCK, "replay" if clock.lockstep else "system")


def listens_in(fleet: LocalFleet, folder: FleetFolder, *, moved: bool) -> None:
    """Note that the fleet listens in this folder. Raises StoreError in a copy of the folder where it did before."""
    journal = fleet.committer.journal
    assert isinstance(journal, SqliteJournal)
    settle(journal.database, folder.path, moved)


def _replay_status(clock: MasterClock) -> Mapping[str, Any]:
    """The status of a replay's time: that it is one, and its instant; empty for the time of day."""
    now = clock.now()
    return {"time": "replay", "clock": format_time(now)} if clock.lockstep and now is not None else {}


def assemble_reading(
    folder: FleetFolder, clock: MasterClock | None, limits: QueryLimits | None = None, hooks: ServerHooks | None = None
) -> OpenFleet:
    """Open a fleet's folder for reading: nothing is written into it, so it may be read-only or its disk full.

    A graph that is behind its journal or damaged is made in memory. Raises FleetLockedError while a process writes it.
    """
    hooks = replace(hooks or ServerHooks(), may_write=partial(_refuse_to_write, folder.path))
    with ExitStack() as undo:
        lock = undo.enter_context(closing(FolderLock(folder.path, reading=True)))
        journal = undo.enter_context(closing(SqliteJournal.read(folder.journal)))
        identify(journal.database, folder.base, folder.id)
        clock = _clock(journal, clock)
        scratch = Path(undo.enter_context(TemporaryDirectory(prefix="voltwin-")))
        names = Naming(folder.base)
        try:
            held = HeldFolder(folder, lock, scratch / "snapshots")
            frozen = undo.enter_context(closing(store_for_reading(folder)))
            _same_fleet(folder, journal, frozen)
            parts = wire(journal, frozen, names, clock, held, limits, hooks)
        except (GraphDamagedError, GraphBehindError):
            prove(journal.database)
            made = OxigraphStore(None, folder.base)
            fill(made, PastGraphs(journal.database, LoadFiles(folder.loads)), journal.last_sequence)
            derive(made, names)
            parts = wire(journal, made, names, clock, held, limits, hooks)
        closing_all = undo.pop_all()
    parts.fleet.on_close = closing_all.close
    return parts


def store_for_reading(folder: FleetFolder) -> TripleStore:
    """The fleet's triple store, without a right to write where it is in the folder."""
    if folder.store.engine == DEFAULT:
        return OxigraphStore(folder.graph, folder.base, frozen=True)
    return open_store(folder.store, folder.graph, folder.base)


def _refuse_to_write(path: Path) -> None:
    raise StoreError(f"{path}: is open for reading only (its folder is read-only, its disk full, or --read-only given)")


def _same_fleet(folder: FleetFolder, journal: SqliteJournal, store: TripleStore) -> None:
    reached, written = store.last_applied(), journal.last_sequence
    if reached > written:
        raise StoreError(
            f"{folder.path}: its triple store ({folder.store.engine}) has applied commit {reached} and its journal "
            f"ends at {written}: the store belongs to another folder with the base {folder.base}, or the journal is an "
            "older copy; use another base or another store, or clear the store"
        )


def create_fleet(path: Path, conversion: Conversion, base: str, store: StoreChoice | None = None) -> None:
    """Create a fleet from a converted model: its folder, with ontology, shapes, actions, rules and first twins.

    ``store`` is the engine of the triples; None: Oxigraph in the folder.
    """
    folder = create_folder(path, base, store)
    try:
        SqliteJournal.open(folder.journal, create=True).close()
        parts = assemble(folder, SystemClock())
        with parts.fleet:
            try:
                _load(parts.fleet, conversion)
            except BaseException:
                parts.fleet.committer.store.clear()  # a remote engine is not deleted with the folder
                raise
    except BaseException:
        shutil.rmtree(path)  # half a fleet would only be in the way
        raise


def design_of(conversion: Conversion, names: Naming) -> Design:
    """The design of a converted model for the fleet with ``names``."""
    description = conversion.description
    return Design([*framework(), *ontology(description)], shapes(description), instances(description, names))


def check_conversion(conversion: Conversion) -> Sequence[DesignFinding]:
    """All findings about the design of a converted model, without a fleet."""
    names, store = Naming("https://fleet.example/"), OxigraphStore(None, "https://fleet.example/")
    for graph, triples in design_graphs_of(design_of(conversion, names), names).items():
        store.replace(graph, triples)
    return find_problems(store, names)


def _load(fleet: LocalFleet, conversion: Conversion) -> None:
    design = design_of(conversion, fleet.names)
    load_design(design, fleet.committer, fleet.names, "voltwin init", datetime.now(UTC))
    # Checked here so that a model that could not run is rejected before anything runs on it.
    fleet.design.check(fleet.committer.store)
    fleet.design.activate()


def open_fleet(location: str | Path, limits: QueryLimits | None = None) -> FleetAccess:
    """The fleet at a folder or an ``http://host:port``. Raises StoreError, ServiceError.

    ``limits`` are those of SPARQL queries, those of what comes in are in the environment; a fleet behind a server has
    the server's.
    """
    if str(location).startswith(("http://", "https://")):
        return _remote(str(location), limits)
    folder = read_folder(Path(location))
    try:
        hooks = ServerHooks(inputs=InputLimits.from_environment(os.environ))
        if not can_be_written(folder.path):
            return assemble_reading(folder, None, limits, hooks).fleet
        return assemble(folder, None, limits, hooks).fleet
    except FleetLockedError:
        address = read_owner(folder.path).get("address")
        if not address:
            raise
        return _remote(str(address), limits)


def _remote(address: str, limits: QueryLimits | None) -> RemoteFleet:
    if limits is not None:
        raise InputError(f"fleet {address}: its server sets the query limits; start it with others")
    return RemoteFleet(address)


class Fleet(FleetAccess):
    """All twins of one knowledge graph, opened with :meth:`open` from a folder or an address."""

    @staticmethod
    def open(location: str | Path, limits: QueryLimits | None = None) -> FleetAccess:
        """The fleet at a folder or an ``http://host:port``; ``limits`` for queries that this process answers."""
        return open_fleet(location, limits)


Fleet.register(LocalFleet)
Fleet.register(RemoteFleet)


__all__ = ["Fleet", "create_fleet", "open_fleet"]
