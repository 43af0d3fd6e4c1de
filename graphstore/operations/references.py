"""Consistency of the graphs: references have a target, series have their samples.

Read from the journal, graph by graph, so that the check is valid for a fleet that a server is writing to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from ...ontology.iris import RDF, VT
from ...ontology.literals import from_microseconds, to_python
from ...ontology.naming import Naming
from ..database.sqlite import Database
from ..folder import FleetFolder
from ..history.past_graphs import PastGraphs
from ..journal.bulk_files import LoadFiles
from ..series.store import OpenSeries
from .progress import Progress

_STATISTICS: Final = (VT.sampleCount, VT.firstTime, VT.lastTime, VT.lastValue)


@dataclass(frozen=True)
class Finding:
    """One defect: its kind, its place, the problem, and the remedy."""

    kind: str
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


@dataclass
class _Seen:
    """The nodes found by one pass over all graphs."""

    typed: set[NamedNode] = field(default_factory=set)
    references: dict[NamedNode, tuple[NamedNode, NamedNode]] = field(default_factory=dict)
    """Each target, with the first subject and property that refer to it."""
    series: dict[NamedNode, dict[NamedNode, Literal]] = field(default_factory=dict)


def check_graphs(folder: FleetFolder, database: Database, series: OpenSeries, progress: Progress) -> Iterator[Finding]:
    """Dangling references, and series whose node and samples disagree, as of the newest commit."""
    names, past = Naming(folder.base), PastGraphs(database, LoadFiles(folder.loads))
    span = past.span()
    if span is None:
        return
    sequence, seen = span.last.sequence, _Seen()
    graphs = past.graphs(sequence)
    for number, graph in enumerate(graphs):
        progress("reading graphs", number, len(graphs))
        _read(past.graph(graph, sequence), names, seen)
    yield from _dangling(seen, names)
    yield from _series(seen, series, sequence, names, progress)


def _read(content: bytes, names: Naming, seen: _Seen) -> None:
    nodes: set[NamedNode] = set()
    statistics: dict[NamedNode, dict[NamedNode, Literal]] = {}
    for quad in parse(content, format=RdfFormat.N_TRIPLES):
        subject, value = quad.subject, quad.object
        if not isinstance(subject, NamedNode):
            continue
        if quad.predicate == RDF.type:
            seen.typed.add(subject)
            if value == VT.Series:
                nodes.add(subject)
        elif isinstance(value, NamedNode) and value.value.startswith(names.twins):
            seen.references.setdefault(value, (subject, quad.predicate))
        elif isinstance(value, Literal) and quad.predicate in _STATISTICS:
            statistics.setdefault(subject, {})[quad.predicate] = value
    seen.series |= {node: statistics.get(node, {}) for node in nodes}


def _dangling(seen: _Seen, names: Naming) -> Iterator[Finding]:
    for target in sorted(seen.references.keys() - seen.typed, key=lambda node: node.value):
        subject, prop = seen.references[target]
        what = "no twin and no part of one" if names.owner(target) != target else "no twin"
        yield Finding(
            "dangling reference",
            names.path_of(subject),
            f"{prop.value} leads to {names.path_of(target)}, which is {what}",
            "create it, import it, or remove the reference with an update",
        )


def _series(seen: _Seen, series: OpenSeries, sequence: int, names: Naming, progress: Progress) -> Iterator[Finding]:
    known, reader = set(series.series()), series.as_of(sequence)
    for number, (node, statistics) in enumerate(sorted(seen.series.items(), key=lambda item: item[0].value)):
        progress("checking series", number, len(seen.series))
        where = names.path_of(node)
        if node not in known:
            if VT.sampleCount in statistics and statistics[VT.sampleCount].value != "0":
                yield Finding("series without samples", where, "it has a node but no samples", "restore a backup")
            continue
        times, values = reader.read(node)
        if not len(times):
            continue  # added by a commit after the checked one
        wanted = {
            VT.sampleCount: len(times),
            VT.firstTime: from_microseconds(int(times[0])),
            VT.lastTime: from_microseconds(int(times[-1])),
            VT.lastValue: float(values[-1]),
        }
        found = {prop: to_python(statistics[prop]) if prop in statistics else None for prop in wanted}
        for prop in (prop for prop in _STATISTICS if found[prop] != wanted[prop]):
            name = prop.value.rpartition("#")[2]
            problem = f"{name} in the graph is {found[prop]}, the samples say {wanted[prop]}"
            yield Finding("statistics of a series", where, problem, "put the right value with an update")
    for node in sorted(known - seen.series.keys(), key=lambda node: node.value):
        if len(reader.read(node)[0]):
            remedy = "add its node with an update, or delete the samples with a retention"
            problem = "it has samples but no node in the graph"
            yield Finding("samples without a series", names.path_of(node), problem, remedy)
