"""Where parts are put together: a fleet is made or opened here, and run in serving.py; nowhere else.

>>> from voltwin import Fleet
>>> fleet = Fleet.open("demo-fleet")                                      # doctest: +SKIP
>>> fleet["module-0017"]["cells/cell-03/voltage"].value                   # doctest: +SKIP
3.6512

A folder is opened in this process if nobody holds it; if a server does, its address stands in the
folder's lock and the same methods go there over HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .control.actions import load_actions
from .control.clock import SystemClock
from .control.interfaces import MasterClock
from .converter import Conversion, instances, ontology, shapes
from .errors import FleetLockedError
from .graphstore.access import Fleet as AccessFleet
from .graphstore.commit import Committer
from .graphstore.folder import FleetFolder, FolderLock, create_folder, read_folder, read_owner
from .graphstore.journal import SqliteJournal
from .graphstore.load import Design, load_design
from .graphstore.local import LocalFleet
from .graphstore.oxigraph import OxigraphStore
from .graphstore.remote import RemoteFleet
from .ontology import framework
from .ontology.naming import Naming
from .reasoner.engine import RuleEngine
from .reasoner.resolver import RuleResolver


@dataclass
class Assembled:
    """The parts of one fleet that this process holds; closing the fleet gives back all of them."""

    fleet: LocalFleet
    engine: RuleEngine
    lock: FolderLock
    clock: MasterClock


def assemble(folder: FleetFolder, clock: MasterClock) -> Assembled:
    """Open a fleet's folder in this process; the triple store catches up with the journal."""
    lock = FolderLock(folder.path)
    try:
        names = Naming(folder.base)
        committer = Committer(SqliteJournal(folder.journal), OxigraphStore(folder.graph, folder.base))
        behind = committer.catch_up()
        resolver = RuleResolver(committer.store, committer.journal, names, lambda: clock.now() or datetime.now(UTC))
        fleet = LocalFleet(committer, names, resolver, on_close=lock.close)
        engine = RuleEngine(committer.store, names, fleet.schema)
        committer.followers.append(engine.follow)
        if behind:
            engine.derive_all()
    except BaseException:
        lock.close()
        raise
    return Assembled(fleet, engine, lock, clock)


def create_fleet(path: Path, conversion: Conversion, base: str) -> None:
    """Make a fleet from a converted model: its folder, with ontology, shapes, actions, rules and first twins."""
    parts = assemble(create_folder(path, base), SystemClock())
    fleet, committer = parts.fleet, parts.fleet.committer
    with fleet:
        description = conversion.description
        design = Design(
            [*framework(), *ontology(description)], shapes(description), instances(description, fleet.names)
        )
        load_design(design, committer, fleet.names, "voltwin init", datetime.now(UTC))
        fleet.reload()
        # Compiled here so that a model with a bad rule or action is refused before anything runs on it.
        parts.engine.reload(fleet.schema)
        parts.engine.derive_all()
        load_actions(committer.store, fleet.names)


def open_fleet(location: str | Path) -> AccessFleet:
    """The fleet at a folder or an ``http://host:port``. Raises StoreError, ServiceError."""
    if str(location).startswith(("http://", "https://")):
        return RemoteFleet(str(location))
    folder = read_folder(Path(location))
    try:
        return assemble(folder, SystemClock()).fleet
    except FleetLockedError:
        address = read_owner(folder.path).get("address")
        if not address:
            raise
        return RemoteFleet(str(address))


class Fleet(AccessFleet):
    """All twins of one knowledge graph; :meth:`open` finds them in a folder or behind an address."""

    @staticmethod
    def open(location: str | Path) -> AccessFleet:
        """The fleet at a folder or an ``http://host:port``."""
        return open_fleet(location)


Fleet.register(LocalFleet)
Fleet.register(RemoteFleet)


__all__ = ["Fleet", "create_fleet", "open_fleet"]
