"""A fleet's folder from a backup: every file checked, the view made again, there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..folder import FleetFolder, read_folder
from .backup import FORMAT, JOURNAL, check_state
from .manifest import Manifest
from .progress import Progress, no_progress
from .target import new_folder


@dataclass(frozen=True)
class Restored:
    """What came back: everything up to commit ``sequence``."""

    folder: Path
    base: str
    sequence: int
    created: str
    graphs: int
    triples: int
    files: int
    archive: str
    """Where sealed files still are that the backup did not hold; empty where it held all."""


def restore(
    backup: Path,
    destination: Path,
    make_view: Callable[[FleetFolder], object],
    *,
    progress: Progress = no_progress,
) -> Restored:
    """Make the new folder ``destination`` from ``backup``; ``make_view`` builds the graph in it.

    Raises StoreError naming the file that is missing or damaged, FleetVersionError for one of a newer voltwin.
    """
    manifest = Manifest.read(backup, FORMAT)
    # fleet.json comes last: until then nobody can take the folder for a fleet.
    names = sorted(manifest.files, key=lambda name: (name == "fleet.json", name))
    with new_folder(destination, "restore") as place:
        for number, name in enumerate(names[:-1]):
            progress("copying files", number, len(names))
            manifest.copy(name, backup, place)
        graphs, triples = check_state(place / JOURNAL, place / "loads", manifest.sequence, progress)
        make_view(_folder(place, backup))
        manifest.copy(names[-1], backup, place)
    archive = str(manifest.facts.get("archive", ""))
    return Restored(
        destination, manifest.base, manifest.sequence, manifest.created, graphs, triples, len(names), archive
    )


def _folder(place: Path, backup: Path) -> FleetFolder:
    """The folder that is being made, with the engine that the backup's own fleet.json names."""
    described = read_folder(backup)
    return replace(described, path=place)
