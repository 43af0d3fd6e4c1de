"""How a fleet grows: 181, 10,000 and 100,000 twins of 200 triples, made through commits.

    python benchmarks/growth.py [--twins 181,10000,100000]

Prints per size: time per commit (one value put), time of a path look-up, bytes per triple on disk (graph and journal),
the time to open the fleet, which takes in everything a process does before it answers, and, as the peer in the same
run, the time in which the bare engine opens the same folder.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pyoxigraph import NamedNode, RdfFormat, Store, parse

import voltwin.ontology
from voltwin.assembly import create_fleet, open_fleet
from voltwin.converter import convert
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.operations.compact import size_of
from voltwin.graphstore.paths.writing import Provenance, TwinWriter

MODEL = Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj"
NOW = datetime(2019, 4, 1, 6, tzinfo=UTC)
AT_ONCE, REPEAT = 100, 30
KEY = "module-0000000"


def pattern(fleet: LocalFleet) -> GraphChange:
    """A module with cells and their values, as one twin's change."""
    changes = ChangeSet(fleet.committer.store)
    writer = TwinWriter(changes, fleet.schema, fleet.names, fleet.committer.journal.series)
    twin = writer.create_twin(KEY, fleet.schema.class_named("Module").iri)
    told = Provenance("asserted", NOW)
    writer.put(twin, ("serial",), "S", None, told)
    for number in range(1, 13):
        writer.put(twin, ("cells", f"cell-{number:02d}", "serial"), f"C-{number}", None, told)
    for number in range(1, 13):
        writer.put(twin, ("cells", f"cell-{number:02d}", "voltage"), 3.65, "V", told)
    for number in range(1, 8):
        writer.put(twin, ("cells", f"cell-{number:02d}", "endOfLineOcv"), 3.65, "V", told)
    return next(change for change in changes.changes() if change.graph == twin)


def copies(change: GraphChange, twins: int) -> Iterator[GraphChange]:
    """The same for every other twin, under its own name."""
    for number in range(twins):
        key = f"module-{number:07d}"
        yield GraphChange(NamedNode(change.graph.value.replace(KEY, key)), "", change.added.replace(KEY, key))


def grow(fleet: LocalFleet, twins: int) -> tuple[int, float]:
    """Triples a twin, and seconds a twin that growing took."""
    change = pattern(fleet)
    triples = sum(1 for _ in parse(change.added, format=RdfFormat.N_TRIPLES))
    followers, fleet.committer.followers[:] = list(fleet.committer.followers), []  # nothing here derives anything
    start, group = time.perf_counter(), []
    for number, item in enumerate(copies(change, twins), 1):
        group.append(item)
        if len(group) == AT_ONCE or number == twins:
            fleet.committer.commit(Entry("growth", NOW, tuple(group)))
            group = []
    fleet.committer.followers[:] = followers
    return triples, (time.perf_counter() - start) / twins


def measure(folder: Path, twins: int) -> None:
    create_fleet(folder, convert(MODEL), "https://fleet.example/")
    with open_fleet(folder) as fleet:
        assert isinstance(fleet, LocalFleet)
        triples, growing = grow(fleet, twins)
        puts, looks = [], []
        for number in range(REPEAT):
            path = f"/module-{number * twins // REPEAT:07d}/cells/cell-03/voltage"
            start = time.perf_counter()
            fleet.put(path, 3.6 + number / 1000, unit="V", time=NOW, author="growth")
            puts.append(time.perf_counter() - start)
            start = time.perf_counter()
            fleet.get(path)
            looks.append(time.perf_counter() - start)
    with open_fleet(folder) as fleet:
        fleet.committer.store.optimize()  # what `voltwin compact` does
    graph, journal = size_of(folder / "graph"), (folder / "journal.sqlite").stat().st_size
    opens, bare = [], []
    for _ in range(3):
        start = time.perf_counter()
        fleet = open_fleet(folder)
        opens.append(time.perf_counter() - start)
        total = twins * triples
        fleet.close()
        start = time.perf_counter()
        store = Store(str(folder / "graph"))
        bare.append(time.perf_counter() - start)
        del store
    opened, peer = statistics.median(opens), statistics.median(bare)
    print(
        f"{twins:8d} {total:10d} {1e3 * growing:9.2f} {1e3 * statistics.median(puts):9.2f} "
        f"{1e3 * statistics.median(looks):9.2f} {graph / total:9.1f} {journal / total:9.1f} "
        f"{1e3 * opened:9.0f} {1e3 * peer:9.0f} {opened / peer:8.1f} x"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twins", default="181,10000,100000")
    print(
        "   twins    triples  grow, ms   put, ms  path, ms  graph, B journal,B  open, ms  bare, ms\n"
        "                       a twin                      a triple  a triple"
    )
    for twins in map(int, parser.parse_args().twins.split(",")):
        with TemporaryDirectory() as place:
            measure(Path(place) / "fleet", twins)


if __name__ == "__main__":
    main()
