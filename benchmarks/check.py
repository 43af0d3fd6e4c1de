"""The time of `voltwin fsck` on a fleet of 10,000 twins of 200 triples, and of its parts.

    python benchmarks/check.py [--twins 10000]

Prints the time to build the graph again in memory from the journal and its rules, to compare it graph by graph, to read
every index by every kind of pattern, the whole fsck, and, as the peer in the same run, the time of one scan of all
quads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from growth import MODEL, grow

from voltwin.assembly import create_fleet, derive, open_fleet
from voltwin.converter import convert
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.history.past_graphs import PastGraphs
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.operations.indexes import compare_indexes
from voltwin.graphstore.operations.view import compare, fill
from voltwin.maintenance import check_everything
from voltwin.ontology.naming import Naming


@contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what:34s} {time.perf_counter() - start:8.1f} s", flush=True)


def measure(path: Path, twins: int) -> None:
    create_fleet(path, convert(MODEL), "https://fleet.example/")
    with open_fleet(path) as fleet:
        assert isinstance(fleet, LocalFleet)
        grow(fleet, twins)
        fleet.committer.store.optimize()
    folder = read_folder(path)
    names, made = Naming(folder.base), OxigraphStore(None, folder.base)
    with (
        closing(SqliteJournal.open(folder.journal)) as journal,
        closing(OxigraphStore(folder.graph, folder.base, frozen=True)) as present,
    ):
        with timed("building from the journal"):
            fill(made, PastGraphs(journal.database, LoadFiles(folder.loads)), journal.last_sequence)
        with timed("deriving"):
            derive(made, names)
        with timed("one scan of all quads"):
            print(f"{sum(1 for _ in present.quads(None, None, None, None)):34d} quads")
        with timed("comparing graphs"):
            list(compare(made, present, names))
        with timed("reading every index"):
            list(compare_indexes(made, present))
    with timed("the whole fsck"):
        check_everything(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twins", type=int, default=10_000)
    with TemporaryDirectory() as place:
        measure(Path(place) / "fleet", parser.parse_args().twins)


if __name__ == "__main__":
    main()
