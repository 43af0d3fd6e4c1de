"""What a fleet costs on each engine beside Oxigraph in memory: `voltwin init`, puts, path look-ups, a fleet average.

    python benchmarks/engines.py

Servers are started on ports of this machine for the length of the run; Virtuoso is left out where it is not installed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import voltwin.ontology
from voltwin import create_fleet, open_fleet
from voltwin.converter import convert
from voltwin.graphstore.engines.registry import StoreChoice, open_store
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import TwinWriter

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.contract.servers import OxigraphServer, VirtuosoServer  # noqa: E402  # the suite's own servers

BASE = "https://fleet.example/"
MODEL = Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj"
PUTS = 50
START = datetime(2019, 4, 1, 6, tzinfo=UTC)
AVERAGE = "SELECT (AVG(?v) AS ?mean) (COUNT(?v) AS ?n) WHERE { ?e ?p ?v . ?p vt:pathName 'ocv' }"


@contextmanager
def engines(folder: Path) -> Iterator[dict[str, StoreChoice]]:
    """Every engine that is there, by its name."""
    (folder / "o").mkdir()
    (folder / "v").mkdir()
    servers: list[OxigraphServer | VirtuosoServer] = [OxigraphServer(folder / "o", data=True)]
    names = ["`oxigraph serve` (on disk)"]
    if shutil.which("virtuoso-t") and shutil.which("isql-vt"):
        servers.append(VirtuosoServer(folder / "v"))
        names.append("Virtuoso 7")
    try:
        for server in servers:
            server.start()
        yield {
            "Oxigraph in memory": StoreChoice("memory"),
            "Oxigraph on disk": StoreChoice("oxigraph"),
            **{name: StoreChoice("sparql", server.options) for name, server in zip(names, servers, strict=True)},
        }
    finally:
        for server in servers:
            server.stop()


def measure(choice: StoreChoice, folder: Path) -> list[float]:
    """Milliseconds: init, open, one put, one look-up, one fleet average."""
    model = convert(MODEL)
    if choice.engine == "sparql":
        store = open_store(choice, None, BASE)
        store.clear()
        store.close()
    init = timed(lambda: create_fleet(folder, model, BASE, choice))
    began = time.perf_counter()
    fleet = open_fleet(folder)
    opened = time.perf_counter() - began
    assert isinstance(fleet, LocalFleet)
    with fleet:
        changes = ChangeSet(fleet.committer.store)
        writer = TwinWriter(changes, fleet.schema, fleet.names, fleet.committer.journal.series)
        for number in range(5):
            writer.create_twin(f"module-{number}", fleet.schema.class_named("Module").iri)
        fleet.committer.commit(Entry("benchmark", START, changes.changes()), tuple(changes.touched()))

        def put(number: int) -> None:
            path = f"/module-{number % 5}/endOfLineTest/ocv"
            fleet.put(path, 43.0 + number / 7, unit="V", time=START, author="benchmark")

        put(0)
        puts = timed(lambda: [put(number) for number in range(1, PUTS + 1)]) / PUTS
        asks = timed(lambda: [fleet.get(f"/module-{number % 5}/endOfLineTest/ocv") for number in range(PUTS)]) / PUTS
        average = timed(lambda: [fleet.query(AVERAGE) for _ in range(10)]) / 10
    return [1000 * seconds for seconds in (init, opened, puts, asks, average)]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with engines(folder) as choices:
            measure(StoreChoice("memory"), folder / "warm")
            found = {title: measure(choice, folder / f"fleet-{n}") for n, (title, choice) in enumerate(choices.items())}
    peer = next(iter(found.values()))
    print(f"| engine | init ms | open ms | one put ms (of {PUTS}) | one look-up ms | one average ms | put / memory |")
    print("|---|---|---|---|---|---|---|")
    for title, figures in found.items():
        cells = " | ".join(f"{value:.1f}" for value in figures)
        print(f"| {title} | {cells} | {figures[2] / peer[2]:.1f} |")


if __name__ == "__main__":
    main()
