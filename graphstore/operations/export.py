"""Twins as files that any tool reads: TriG for their graphs, Parquet for their samples, a manifest for the rest.

    export_twins(read_folder(Path("plant")), ["pump-07"], Path("pump-07"))

Read from the journal as of its newest commit, so a server may keep writing meanwhile. Values derived by rules are
excluded: they are a view, built again in the fleet that imports the twins.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from pyoxigraph import NamedNode, Quad, RdfFormat, Triple, parse, serialize

from ...errors import TwinNotFoundError
from ...ontology.iris import PREFIXES, VT
from ...ontology.literals import format_time
from ...ontology.naming import Naming
from ..database.sqlite import Database
from ..database.tables import VERSIONS
from ..folder import FleetFolder
from ..history.past_graphs import PastGraphs
from ..journal.bulk_files import LoadFiles
from ..series.store import open_series
from . import backup_lock
from .manifest import Manifest, entry_of
from .target import new_folder

FORMAT: Final = "voltwin-export"
GRAPHS: Final = "twins.trig"
SAMPLES: Final = "series.parquet"


@dataclass(frozen=True)
class Exported:
    """The content of an export, as of commit ``sequence``."""

    folder: Path
    sequence: int
    twins: int
    triples: int
    series: int
    samples: int


def export_twins(folder: FleetFolder, keys: Sequence[str], destination: Path) -> Exported:
    """Write the twins ``keys`` into the new folder ``destination``.

    Raises TwinNotFoundError, StoreError (disk full, a file of samples missing); then nothing remains there.
    """
    names = Naming(folder.base)
    with backup_lock.shared(folder.path), closing(Database(folder.journal, VERSIONS, writable=False)) as database:
        past = PastGraphs(database, LoadFiles(folder.loads))
        span = past.span()
        sequence = span.last.sequence if span else 0
        twins = [names.twin(key) for key in dict.fromkeys(keys)]
        quads = [quad for twin in twins for quad in _twin(twin, past, names, sequence)]
        quads += _runs(set(twins), past, names, sequence)
        with closing(open_series(folder.path)) as store, new_folder(destination, "export") as place:
            series = [item for item in store.series() if names.owner(item) in set(twins)]
            table = store.as_of(sequence).read_table(series)
            serialize(quads, place / GRAPHS, format=RdfFormat.TRIG, prefixes=PREFIXES)
            pq.write_table(table, place / SAMPLES, compression="zstd")
            files = {name: entry_of(place / name) for name in (GRAPHS, SAMPLES)}
            facts = {"twins": [names.twin_key(twin) for twin in twins], "samples": table.num_rows}
            created = format_time(datetime.now(UTC).replace(microsecond=0))
            Manifest(FORMAT, folder.base, sequence, created, files, facts).write(place)
    return Exported(destination, sequence, len(twins), len(quads), len(series), table.num_rows)


def _twin(twin: NamedNode, past: PastGraphs, names: Naming, sequence: int) -> list[Quad]:
    found = []
    for graph in (twin, names.computed_graph(twin)) if sequence else ():
        found += [Quad(t.subject, t.predicate, t.object, graph) for t in _triples(past.graph(graph, sequence))]
    if not any(quad.graph_name == twin for quad in found):
        raise TwinNotFoundError(
            f"twin {names.twin_key(twin)!r}: is not in this fleet; `voltwin get '/*'` lists its twins"
        )
    return found


def _runs(twins: set[NamedNode], past: PastGraphs, names: Naming, sequence: int) -> list[Quad]:
    """The descriptions of the runs that wrote into the twins."""
    triples = _triples(past.graph(names.runs_graph, sequence))
    theirs = {triple.subject for triple in triples if triple.predicate == VT.twin and triple.object in twins}
    return [Quad(t.subject, t.predicate, t.object, names.runs_graph) for t in triples if t.subject in theirs]


def _triples(content: bytes) -> list[Triple]:
    return [quad.triple for quad in parse(content, format=RdfFormat.N_TRIPLES)]
