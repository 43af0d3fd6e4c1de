"""Group commits through the journal against the bare engine: the same quads, batches and disk, in one run.

    python benchmarks/journal_writes.py [--quads 100000]

Each batch is an entry that is ready: through the journal it goes into SQLite (WAL, synchronous=FULL) and then into
Oxigraph on disk with its number; the bare engine takes the same quads by `extend`, which syncs nothing. Rounds
alternate, best of three. Then loads: a file of N-Triples as one commit against `bulk_load`.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store

from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.update.bulk import run_load
from voltwin.graphstore.update.session import UpdateSession
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
ROUNDS = 3
LIMIT = 0.5


def quads(count: int) -> list[Quad]:
    """As messages make them: twins by turns, a few values each."""
    made = []
    for number in range(count):
        twin = NAMES.twin(f"module-{number // 10 % 1000:04d}")
        subject = NAMES.part(twin, "cells", f"cell-{number // 10_000}")
        made.append(Quad(subject, NamedNode(f"{BASE}p{number % 10}"), Literal(3.6 + number / 1e6), twin))
    return made


def entry(batch: list[Quad]) -> Entry:
    """A batch as the entry that a change set makes of it."""
    graphs: dict[NamedNode, list[str]] = {}
    for quad in batch:
        graphs.setdefault(quad.graph_name, []).append(f"{quad.triple} .\n")
    changes = tuple(GraphChange(graph, "", "".join(sorted(lines))) for graph, lines in sorted(graphs.items(), key=str))
    return Entry("benchmark", datetime.now(UTC), changes)


def through_journal(batches: list[Entry], place: Path) -> float:
    """Seconds for all commits."""
    journal, store = SqliteJournal.open(place / "journal.sqlite"), OxigraphStore(place / "graph", BASE)
    committer = Committer(journal, store)
    start = time.perf_counter()
    for batch in batches:
        committer.commit(batch)
    seconds = time.perf_counter() - start
    store.close()
    journal.close()
    return seconds


def bare(batches: list[list[Quad]], place: Path) -> float:
    """Seconds for the same quads without a journal."""
    store = Store(str(place / "bare"))
    start = time.perf_counter()
    for batch in batches:
        store.extend(batch)
    return time.perf_counter() - start


def compare(all_quads: list[Quad], size: int) -> float:
    """The ratio of the rates at one size of batches, printed."""
    batches = [all_quads[start : start + size] for start in range(0, len(all_quads), size)]
    entries = [entry(batch) for batch in batches]
    ours, theirs = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            theirs.append(bare(batches, Path(place)))
            ours.append(through_journal(entries, Path(place)))
    rates = [len(all_quads) / min(times) for times in (ours, theirs)]
    ratio = rates[0] / rates[1]
    print(f"batches of {size:5}: journal {rates[0]:9,.0f} quads/s, bare {rates[1]:9,.0f} quads/s, ratio {ratio:.2f}")
    return ratio


def loads(all_quads: list[Quad], times: int) -> None:
    """One large load, and what it holds in memory at most."""
    graph = NamedNode(f"{BASE}loaded")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        file = place / "large.nt"
        with file.open("w") as out:
            for repeat in range(times):
                for quad in all_quads:
                    out.write(f"<{quad.subject.value}/{repeat}> {quad.predicate} {quad.object} .\n")
        journal = SqliteJournal.open(place / "journal.sqlite")
        committer = Committer(journal, OxigraphStore(place / "graph", BASE), LoadFiles(place / "loads"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        done = run_load(file, graph.value, False, UpdateSession(committer, NAMES, "benchmark", datetime.now(UTC)))
        ours = time.perf_counter() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        kept = sum(path.stat().st_size for path in (place / "loads").iterdir())
        store = Store(str(place / "bare"))
        start = time.perf_counter()
        store.bulk_load(path=str(file), format=RdfFormat.N_TRIPLES, to_graph=graph)
        theirs = time.perf_counter() - start
        del store
        journaled = sum(path.stat().st_size for path in place.glob("journal.sqlite*"))
        print(f"load of {done.triples:,} triples: {ours:.1f} s, bare bulk_load {theirs:.1f} s")
        print(f"  file {file.stat().st_size / 1e6:.0f} MB, kept {kept / 1e6:.1f} MB, journal {journaled / 1e3:.0f} kB")
        print(f"  memory grew by {grown / 1e3:.0f} MB at most")
        committer.store.close()
        journal.close()


def main() -> None:
    """Print all figures; fail under the limit at batches of 1000."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quads", type=int, default=100_000)
    made = quads(arguments.parse_args().quads)
    loads(made, 10)  # first, so that nothing before it has needed more memory
    compare(made[: len(made) // 20], 10)
    compare(made[: len(made) // 4], 100)
    ratio = compare(made, 1000)
    if ratio < LIMIT:
        raise SystemExit(f"batches of 1000: {ratio:.2f}, under {LIMIT}")


if __name__ == "__main__":
    main()
