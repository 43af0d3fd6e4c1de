"""What the past costs: reading a twin and a fleet as of a commit, and what keeping it quick costs a commit.

    python benchmarks/history.py [--modules 181] [--commits 10000]

Makes the case study's fleet with so many modules, puts cell voltages in so many commits, one a commit, over modules
chosen at random with a fixed seed, and asks for states in the middle of it. "without" is the same journal with
its snapshots taken away; commits are timed with and without the history following them. Every second commit is
about one and the same module, which is what snapshots are for. The peers are the same
questions to the fleet of now. Times are the best of several runs, except commits (median of all).
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from voltwin.assembly import create_fleet, open_fleet
from voltwin.converter import convert
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.testing import BASE

MODEL = Path(__file__).parents[1] / "ontology" / "models" / "battery_logistics.mdj"
START = datetime(2019, 4, 1, 6, tzinfo=UTC)
RUNS = 3
BUSY = "module-0001"
QUIET = "module-0017"


def write(fleet: LocalFleet, put: Callable[[TwinWriter], None], moment: datetime) -> None:
    """One commit."""
    committer = fleet.committer
    with committer.lock:
        changes = ChangeSet(committer.store)
        put(TwinWriter(changes, fleet.schema, fleet.names, committer.journal.series))
        entry = Entry("benchmark", moment, changes.changes(), tuple(changes.samples))
        committer.commit(entry, tuple(changes.touched()))


def make(fleet: LocalFleet, modules: int) -> None:
    """Modules with a history of tests and transport, ten a commit."""
    module, truck = (fleet.schema.class_named(name).iri for name in ("Module", "Truck"))
    told = Provenance("asserted", START)

    def some(writer: TwinWriter, numbers: range) -> None:
        writer.create_twin("truck-01", truck)
        for number in numbers:
            twin = writer.create_twin(f"module-{number:04d}", module)
            for path, value, unit in (
                ("serial", f"S-{number}", None),
                ("capacity", 12.5, "A-HR"),
                ("endOfLineTest/performedAt", START, None),
                ("endOfLineTest/ocv", 43.8, "V"),
                ("storageStays/outbound/begin", START, None),
                ("storageStays/outbound/storage", "storage-cell-plant", None),
                ("transport/truck", "truck-01", None),
                ("arrivalTest/decision", "ACCEPT", None),
                *((f"cells/cell-{cell:02d}/voltage", 3.65, "V") for cell in range(1, 13)),
                *((f"cells/cell-{cell:02d}/endOfLineOcv", 3.65, "V") for cell in range(1, 13)),
            ):
                writer.put(twin, path.split("/"), value, unit, told)

    for first in range(1, modules + 1, 10):
        numbers = range(first, min(first + 10, modules + 1))
        write(fleet, lambda writer, numbers=numbers: some(writer, numbers), START)  # type: ignore[misc]


def commits(fleet: LocalFleet, count: int, modules: int, seed: int) -> list[float]:
    """Seconds of each of ``count`` commits that put one voltage."""
    chance, seconds = random.Random(seed), []
    for number in range(count):
        twin = fleet.names.twin(BUSY if number % 2 else f"module-{chance.randint(1, modules):04d}")
        steps = ("cells", f"cell-{chance.randint(1, 12):02d}", "voltage")
        moment = START + timedelta(minutes=number)
        value = 3.6 + chance.random() / 10

        def put(writer: TwinWriter) -> None:
            writer.put(twin, steps, value, "V", Provenance("asserted", moment))  # noqa: B023 - called at once

        begun = time.perf_counter()
        write(fleet, put, moment)
        seconds.append(time.perf_counter() - begun)
    return seconds


def best(question: Callable[[], object], fleet: LocalFleet) -> float:
    """Seconds of the best of several runs; no past state is kept between them."""
    times = []
    for _ in range(RUNS):
        assert fleet.fleet_history is not None
        fleet.fleet_history.states._kept.clear()
        begun = time.perf_counter()
        question()
        times.append(time.perf_counter() - begun)
    return min(times)


def row(name: str, seconds: float, peer: float) -> None:
    print(f"  {name:44} {1e3 * seconds:10.2f} ms   {seconds / peer:8.1f} x now")


def ask(fleet: LocalFleet, when: int, title: str) -> None:
    print(title)
    for path in (f"/{QUIET}/cells/cell-03/voltage", f"/{BUSY}/cells/cell-03/voltage", "/*/arrivalTest/decision"):
        now = best(lambda path=path: fleet.all(path), fleet)  # type: ignore[misc]
        row(f"{path} as of commit {when}", best(lambda path=path: fleet.as_of(when).all(path), fleet), now)  # type: ignore[misc]
        past = fleet.as_of(when)
        past.all(path)
        begun = time.perf_counter()
        past.all(path)
        row("  the same state once more", time.perf_counter() - begun, now)
    query = "SELECT (AVG(?v) AS ?mean) WHERE { ?p vt:pathName 'voltage' . ?c ?p ?v }"
    now = best(lambda: fleet.query(query), fleet)
    row("mean of all voltages by SPARQL", best(lambda: fleet.as_of(when).query(query), fleet), now)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", type=int, default=181)
    parser.add_argument("--commits", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "fleet"
        create_fleet(folder, convert(MODEL), BASE)
        fleet = open_fleet(folder)
        assert isinstance(fleet, LocalFleet)
        assert fleet.fleet_history is not None
        with fleet:
            make(fleet, given.modules)
            database = fleet.fleet_history.history.database
            followed, alone = [], []
            for part in range(40):  # in turns, so that a growing journal is in both
                if part % 2 == part // 2 % 2:
                    followed += commits(fleet, given.commits // 40, given.modules, part)
                else:
                    fleet.committer.followers.remove(fleet.fleet_history.follow)
                    alone += commits(fleet, given.commits // 40, given.modules, part)
                    fleet.committer.followers.append(fleet.fleet_history.follow)
            middle, mean = statistics.median, statistics.fmean
            print(
                f"{given.modules} modules, {fleet.status()['commits']} commits; a commit: median "
                f"{1e3 * middle(followed):.2f} ms, mean {1e3 * mean(followed):.2f} ms; without history median "
                f"{1e3 * middle(alone):.2f} ms, mean {1e3 * mean(alone):.2f} ms ({mean(followed) / mean(alone):.3f} x)"
            )
            when = fleet.status()["commits"] // 2
            reader = database.reader()
            count, packed = reader.execute("SELECT count(*), sum(length(triples)) FROM snapshots").fetchone()
            (changed,) = reader.execute("SELECT sum(length(removed) + length(added)) FROM changes").fetchone()
            print(f"{count} snapshots, {(packed or 0) / 1e6:.2f} MB beside {changed / 1e6:.2f} MB of changes")
            ask(fleet, when, "with snapshots")
            with database.transaction() as writer:
                writer.execute("DELETE FROM snapshots")
            ask(fleet, when, "without")
            size = database.file.stat().st_size
            begun = time.perf_counter()
            done = fleet.fleet_history.history.compact(when, now=START)
            database.maintain("VACUUM")
            seconds = time.perf_counter() - begun
            print(
                f"compaction to commit {done.begins}: {seconds:.2f} s, {done.changes} changes gone, "
                f"journal {size / 1e6:.1f} -> {database.file.stat().st_size / 1e6:.1f} MB"
            )
            ask(fleet, when, "as of the horizon, from its snapshots")


if __name__ == "__main__":
    main()
