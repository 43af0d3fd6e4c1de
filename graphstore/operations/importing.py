"""Import of exported twins into a fleet, in one commit: all of it or nothing.

An export of a fleet with another BASE is renamed. Classes that the fleet's ontology does not define are refused,
since no path could reach their elements; existing twins are refused unless ``replace`` is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse

from ...errors import InputError, StoreError
from ...ontology.iris import CORE, PROV, RDF, RDFS, SOSA, VT
from ...ontology.literals import from_microseconds, to_literal
from ...ontology.naming import Naming
from ..interfaces import Entry, GraphChange, SampleBatch
from ..journal.changes import GraphChanges, load_change
from ..journal.commit import Committer
from ..schema import Schema
from .export import FORMAT, GRAPHS, SAMPLES
from .manifest import Manifest, entry_of

_ALWAYS_KNOWN: Final = (CORE, RDF.NS, RDFS.NS, SOSA.NS, PROV.NS)


@dataclass(frozen=True)
class Imported:
    """The content imported by commit ``sequence``; ``warnings`` are sentences."""

    sequence: int
    twins: Sequence[str]
    triples: int
    samples: int
    warnings: Sequence[str]


def import_twins(
    source: Path, committer: Committer, names: Naming, schema: Schema, *, author: str, now: datetime, replace: bool
) -> Imported:
    """Import the export in folder ``source`` into the fleet of ``committer``.

    Raises StoreError for a damaged export, InputError if it does not fit the fleet.
    """
    manifest = Manifest.read(source, FORMAT)
    for name, listed in manifest.files.items():
        if not (source / name).is_file() or entry_of(source / name) != listed:
            raise StoreError(f"{source / name}: is missing or damaged; export the twins again")
    quads = [_renamed(quad, manifest.base, names.base) for quad in parse(path=source / GRAPHS, format=RdfFormat.TRIG)]
    batches = _batches(pq.read_table(source / SAMPLES), manifest.base, names.base)
    twins = _twins(quads, names, source)
    _check_classes(quads, schema, source)
    with committer.lock:
        there = [twin for twin in twins if any(committer.store.quads(None, None, None, twin))]
        if there and not replace:
            keys = ", ".join(names.twin_key(twin) for twin in there[:5])
            raise InputError(f"{source}: {len(there)} of its twins are in the fleet already ({keys}); use --replace")
        changes = GraphChanges(_changes(quads, twins, batches, committer, names), batches=batches)
        warnings = [*_unknown_properties(quads, schema), *_missing_twins(quads, twins, committer, names)]
        sequence = committer.commit(Entry.of(changes, author, now), changes.touched())
    samples = sum(len(batch.times) for batch in batches)
    return Imported(sequence, [names.twin_key(twin) for twin in twins], len(quads), samples, warnings)


def _renamed(quad: Quad, old: str, new: str) -> Quad:
    return Quad(*(_rebased(part.value, old, new) if isinstance(part, NamedNode) else part for part in quad))


def _rebased(iri: str, old: str, new: str) -> NamedNode:
    return NamedNode(new + iri.removeprefix(old) if iri.startswith(old) else iri)


def _batches(table: pa.Table, old: str, new: str) -> list[SampleBatch]:
    batches = []
    names = table.column("series").cast(pa.string())
    for iri in sorted(pc.unique(names).to_pylist()):
        rows = table.filter(pc.equal(names, iri))
        times = rows.column("time").cast(pa.int64()).to_numpy()
        batches.append(SampleBatch(_rebased(iri, old, new), times, rows.column("value").to_numpy()))
    return batches


def _twins(quads: Iterable[Quad], names: Naming, source: Path) -> list[NamedNode]:
    """The twins of an export; every graph must be one of theirs, or the graph of the runs."""
    twins: dict[NamedNode, None] = {}
    for graph in {quad.graph_name: None for quad in quads}:
        owner = names.owner(graph) if isinstance(graph, NamedNode) else None
        if owner is not None and graph in (owner, names.computed_graph(owner)):
            twins[owner] = None
        elif graph != names.runs_graph:
            raise InputError(
                f"{source}: the graph {graph} belongs to no twin; import reads what `voltwin export` wrote"
            )
    return sorted(twins, key=lambda twin: twin.value)


def _check_classes(quads: Iterable[Quad], schema: Schema, source: Path) -> None:
    types = {quad.object for quad in quads if quad.predicate == RDF.type and isinstance(quad.object, NamedNode)}
    unknown = sorted(t.value for t in types if t not in schema.classes and not t.value.startswith(_ALWAYS_KNOWN))
    if unknown:
        raise InputError(
            f"{source}: the fleet's ontology has no class {', '.join(unknown[:5])}; "
            "load the ontology that the twins were created with, or export them from a fleet with this ontology"
        )


def _unknown_properties(quads: Iterable[Quad], schema: Schema) -> list[str]:
    used = {quad.predicate for quad in quads if not quad.predicate.value.startswith(_ALWAYS_KNOWN)}
    unknown = sorted(prop.value for prop in used if prop not in schema.properties)
    return [f"the ontology has no property {', '.join(unknown[:5])}: no path reaches those values"] if unknown else []


def _missing_twins(quads: Iterable[Quad], twins: Sequence[NamedNode], committer: Committer, names: Naming) -> list[str]:
    owners = {names.owner(quad.object) for quad in quads if isinstance(quad.object, NamedNode)}
    others = [owner for owner in owners if owner is not None and owner not in twins]
    missing = sorted(names.twin_key(o) for o in others if not any(committer.store.quads(o, RDF.type, None, o)))
    return [f"the twins refer to others that are not in this fleet: {', '.join(missing[:5])}"] if missing else []


def _changes(
    quads: Sequence[Quad],
    twins: Sequence[NamedNode],
    batches: Sequence[SampleBatch],
    committer: Committer,
    names: Naming,
) -> list[GraphChange]:
    wanted: dict[NamedNode, set[Triple]] = {}
    for twin in twins:
        wanted[twin] = set()
        wanted[names.computed_graph(twin)] = set()
    runs: set[Triple] = set()
    for quad in quads:
        graph = quad.graph_name
        assert isinstance(graph, NamedNode)
        wanted.get(graph, runs).add(quad.triple)
    imported = {batch.series: batch for batch in batches}
    for graph, triples in wanted.items():
        _merge_series(graph, triples, imported, committer)
    changes = [load_change(graph, triples, committer.store) for graph, triples in wanted.items()]
    present = {quad.triple for quad in committer.store.quads(None, None, None, names.runs_graph)}
    added = "".join(sorted(f"{triple} .\n" for triple in runs - present))
    return [*changes, GraphChange(names.runs_graph, "", added)]


def _merge_series(
    graph: NamedNode, triples: set[Triple], imported: dict[NamedNode, SampleBatch], committer: Committer
) -> None:
    """Keep existing samples: the statistics of a series cover old and new ones, and every series keeps its node."""
    store, reader = committer.store, committer.journal.series
    nodes = [quad.subject for quad in store.quads(None, RDF.type, VT.Series, graph)]
    for node in (node for node in nodes if isinstance(node, NamedNode)):
        times, values = reader.read(node)
        if not len(times):
            continue
        if node not in imported:
            triples |= {quad.triple for quad in store.quads(node, None, None, graph)}
            triples |= {quad.triple for quad in store.quads(None, None, node, graph)}
            continue
        batch = imported[node]
        every = np.union1d(times, batch.times)
        last = values[-1] if times[-1] > batch.times[-1] else batch.values[-1]
        statistics = {
            VT.sampleCount: Literal(len(every)),
            VT.firstTime: to_literal(from_microseconds(int(every[0]))),
            VT.lastTime: to_literal(from_microseconds(int(every[-1]))),
            VT.lastValue: to_literal(float(last)),
        }
        triples -= {triple for triple in triples if triple.subject == node and triple.predicate in statistics}
        triples |= {Triple(node, prop, value) for prop, value in statistics.items()}
