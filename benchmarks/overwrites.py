"""Overwriting the same values again and again: with periodic flushes look-ups and averages stay as fast as they were.

    python benchmarks/overwrites.py [--overwrites 200000]

Two stores on disk take the same overwrites through `OxigraphStore.apply`; one flushes as voltwin does, the other never.
Prints, after every tenth, the median time of a look-up and of a fleet average in both, and the ratio of last to first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from pyoxigraph import Literal, NamedNode, Triple

from voltwin.graphstore.engines import oxigraph
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.interfaces import GraphChange
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
VALUE = NamedNode("https://x.example/value")
TWINS, BATCH, TENTHS = 2000, 20, 10


def twin(number: int) -> NamedNode:
    return NAMES.twin(f"module-{number % TWINS:04d}")


def line(number: int, value: float) -> str:
    return f"{Triple(twin(number), VALUE, Literal(value))} .\n"


def seconds(store: OxigraphStore, query: str, repeat: int) -> float:
    """The median of several runs, s."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        list(store.query(query))  # type: ignore[arg-type]  # a SELECT gives rows
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run(folder: Path, overwrites: int, flush: bool) -> list[tuple[float, float, float]]:
    """After every tenth: seconds a look-up, seconds an average, overwrites a second."""
    every = oxigraph.FLUSH_EVERY
    oxigraph.FLUSH_EVERY = every if flush else 10**12  # type: ignore[misc]  # the peer of this comparison
    store = OxigraphStore(folder, BASE)
    try:
        store.apply(1, [GraphChange(twin(n), "", line(n, 0.0)) for n in range(TWINS)])
        figures, sequence, value = [], 1, [0.0] * TWINS
        look_up = f"SELECT ?v WHERE {{ GRAPH ?g {{ {twin(17)} {VALUE} ?v }} }}"
        average = f"SELECT (AVG(?v) AS ?mean) WHERE {{ GRAPH ?g {{ ?t {VALUE} ?v }} }}"
        for tenth in range(TENTHS):
            start = time.perf_counter()
            for number in range(tenth * overwrites // TENTHS, (tenth + 1) * overwrites // TENTHS, BATCH):
                changes = []
                for item in range(number, number + BATCH):
                    old, new = value[item % TWINS], float(item + 1)
                    changes.append(GraphChange(twin(item), line(item, old), line(item, new)))
                    value[item % TWINS] = new
                sequence += 1
                store.apply(sequence, changes)
            rate = overwrites / TENTHS / (time.perf_counter() - start)
            figures.append((seconds(store, look_up, 50), seconds(store, average, 9), rate))
        return figures
    finally:
        store.close()
        oxigraph.FLUSH_EVERY = every  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--overwrites", type=int, default=200_000)
    overwrites = parser.parse_args().overwrites
    print(f"{overwrites} overwrites of {TWINS} values, {BATCH} a commit")
    with TemporaryDirectory() as place:
        for name, flush in (("with flushes", True), ("without", False)):
            figures = run(Path(place) / name, overwrites, flush)
            for title, column, scale in (("look-up, us", 0, 1e6), ("average, ms", 1, 1e3), ("overwrites/s", 2, 1.0)):
                row = " ".join(f"{scale * item[column]:8.1f}" for item in figures)
                print(f"{name:13} {title:13} {row}   last/first {figures[-1][column] / figures[0][column]:.2f} x")


if __name__ == "__main__":
    main()
