"""What it costs to answer a query in a reader process, and how fast one that runs away is ended (docs/adr/0014).

    python benchmarks/runaway_queries.py [demo-fleet]

Works on a copy of the fleet that `make demo ARGS=--exit` leaves. The same query is answered in this process and by a
reader; times are medians, ms.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from voltwin.assembly import open_fleet
from voltwin.errors import QueryLimitError, StoreError
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.sparql.cost import is_bounded_lookup

RUNS = 31
MODULE = "<https://fleet.example/twins/module-0017>"
MODEL = "https://w3id.org/voltwin/models/battery-logistics/"
QUERIES = {
    "key of one twin": f"SELECT ?k {{ {MODULE} vt:key ?k }}",
    "everything about one twin": f"SELECT ?p ?o {{ {MODULE} ?p ?o }}",
    "cells of one twin, two steps": f"SELECT * {{ {MODULE} <{MODEL}product#Module.cells> ?c . ?c ?p ?o }}",
    "keys of the fleet": "SELECT ?k { ?t a vt:Product ; vt:key ?k }",
    "average over the cells of the fleet": f"SELECT (AVG(?v) AS ?a) {{ ?c <{MODEL}product#Cell.voltage> ?v }}",
    "everything, counted": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c }",
    "everything": "SELECT * { ?a ?b ?c }",
    "mean of every series": "SELECT ?s (vtf:mean(?s) AS ?m) { ?s a vt:Series }",
}
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
BUSIEST = (
    """SELECT ?s (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } FILTER(isIRI(?s)) } GROUP BY ?s ORDER BY DESC(?n) LIMIT 1"""
)


def median(call: Callable[[], object], runs: int = RUNS) -> float:
    """The median of several runs, ms."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(times)


def once(call: Callable[[], object]) -> float:
    """One run, ms."""
    return median(call, 1)


def compare(fleet: LocalFleet) -> None:
    """Every query both ways."""
    assert fleet.readers is not None
    alone = replace(fleet, readers=None)
    print(f"{'':36} {'judged':>10} {'in process':>11} {'reader':>9} {'ratio':>7} {'bytes':>10}")
    for name, text in QUERIES.items():
        here = median(lambda text=text: alone.query(text))  # type: ignore[misc]
        there = median(lambda text=text: fleet.readers.answer(text, None))  # type: ignore[misc,union-attr]
        length = len(alone.query(text).body)
        judged = "look-up" if is_bounded_lookup(text) else "reader"
        print(f"{name:36} {judged:>10} {here:11.2f} {there:9.2f} {there / here:7.2f} {length:10}")
    text = QUERIES["cells of one twin, two steps"]
    print(f"{'judging a text':36} {'':10} {median(lambda: is_bounded_lookup(text)):11.3f}")


def changes(fleet: LocalFleet) -> None:
    """What a start and a change of the store add."""
    assert fleet.readers is not None
    keys = QUERIES["keys of the fleet"]
    fleet.readers.shut_idle()
    print(f"{'keys first: process and snapshot':36} {once(lambda: fleet.query(keys)):22.1f}")

    def written(turn: int) -> float:
        now = datetime.now(UTC)
        fleet.put("/module-0017/serial", f"S-{turn}", unit=None, time=now, author="benchmark")
        return once(lambda: fleet.query(keys))

    print(f"{'keys after a commit: new snapshot':36} {statistics.median(map(written, range(11))):22.1f}")
    with tempfile.TemporaryDirectory(dir=fleet.readers._snapshot._folder) as folder:
        numbers = iter(range(RUNS))
        taking = median(lambda: fleet.committer.store.snapshot(Path(folder, str(next(numbers)))))  # type: ignore[attr-defined]
        print(f"{'  of it taking the snapshot':36} {taking:22.1f}")


def runaways(fleet: LocalFleet) -> None:
    """How a query that runs away ends, and what others notice of it."""
    assert fleet.readers is not None
    text = QUERIES["everything about one twin"]
    calm = median(lambda: fleet.query(text), 301)
    abandoned = threading.Event()

    def run() -> None:
        try:
            fleet.query(RUNAWAY, abandoned=abandoned)
        except StoreError:
            return

    threads = [threading.Thread(target=run) for _ in range(fleet.readers.limits.at_once)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    busy = median(lambda: fleet.query(text), 301)
    abandoned.set()
    for thread in threads:
        thread.join()
    print(f"{'look-up while nothing else runs':36} {calm:22.3f}")
    print(f"{'look-up beside two that run away':36} {busy:22.3f} {busy / calm:17.2f}")
    fleet.readers.limits = replace(fleet.readers.limits, seconds=1.0)
    fleet.query(QUERIES["everything, counted"])

    def ended() -> None:
        try:
            fleet.query(RUNAWAY)
        except QueryLimitError:
            return
        raise SystemExit("the query ended by itself")

    print(f"{'ended after its limit of 1000 ms by':36} {once(ended) - 1000:22.1f}")


def widest(fleet: LocalFleet) -> None:
    """The look-up with the most to do: everything one step behind the thing with the most triples."""
    row = fleet.query(BUSIEST, "text/csv").body.decode().splitlines()[1].split(",")
    text = f"SELECT * {{ <{row[0]}> ?p ?o . ?o a ?type ; vt:key ?key ; vt:partOf ?whole }}"
    assert is_bounded_lookup(text)
    print(f"{f'widest look-up, {row[1]} triples':36} {'look-up':>10} {median(lambda: fleet.query(text)):11.2f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("fleet", type=Path, nargs="?", default=Path("demo-fleet"))
    folder = arguments.parse_args().fleet
    if not (folder / "fleet.json").is_file():
        raise SystemExit(f"{folder}: is no fleet; `make demo ARGS=--exit` makes the one this works on")
    with tempfile.TemporaryDirectory(dir=folder.resolve().parent) as place:
        copy = Path(place, "fleet")
        shutil.copytree(folder, copy)
        with open_fleet(copy) as fleet:
            assert isinstance(fleet, LocalFleet)
            twins = len(fleet)
            triples = fleet.query(QUERIES["everything, counted"], "text/csv").body.split()[1].decode()
            print(f"{twins} twins, {triples} triples")
            compare(fleet)
            widest(fleet)
            changes(fleet)
            runaways(fleet)


if __name__ == "__main__":
    main()
