"""Restore of a fleet's folder from a backup: every file checked, the view built again, complete or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..database.sqlite import Database
from ..database.tables import VERSIONS
from ..folder import FleetFolder, read_folder, write_id
from .backup import FORMAT, JOURNAL, check_state
from .manifest import Manifest
from .progress import Progress, no_progress
from .target import new_folder


@dataclass(frozen=True)
class Restored:
    """The content restored: everything up to commit ``sequence``."""

    folder: Path
    base: str
    sequence: int
    created: str
    graphs: int
    triples: int
    files: int
    archive: str
    """The address of sealed files that are not in the backup; empty if it has all."""


def restore(
    backup: Path,
    destination: Path,
    make_view: Callable[[FleetFolder], object],
    *,
    identity: str | None = None,
    progress: Progress = no_progress,
) -> Restored:
    """Create the folder ``destination`` from ``backup``; ``make_view`` builds the graph in it.

    ``identity``: the id of a copy that becomes a fleet of its own; None continues the fleet of the backup.

    Raises StoreError naming the missing or damaged file, FleetVersionError for a backup of a newer voltwin.
    """
    manifest = Manifest.read(backup, FORMAT)
    # fleet.json is copied last: until then the folder cannot be opened as a fleet.
    names = sorted(manifest.files, key=lambda name: (name == "fleet.json", name))
    with new_folder(destination, "restore") as place:
        for number, name in enumerate(names[:-1]):
            progress("copying files", number, len(names))
            manifest.copy(name, backup, place)
        Database(place / JOURNAL, VERSIONS).close()  # brings one of an older voltwin up to date
        graphs, triples = check_state(place / JOURNAL, place / "loads", manifest.sequence, progress)
        # The engine is the one named by the backup's own fleet.json.
        make_view(replace(read_folder(backup), path=place))
        manifest.copy(names[-1], backup, place)
        if identity is not None:
            write_id(place, identity)
    archive = str(manifest.facts.get("archive", ""))
    return Restored(
        destination, manifest.base, manifest.sequence, manifest.created, graphs, triples, len(names), archive
    )
