"""Faults in the files of a graph: each is found and said in one sentence, or every answer is the same as before."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from voltwin.assembly import open_fleet
from voltwin.errors import GraphDamagedError
from voltwin.maintenance import check_everything
from voltwin.verbs.operations import rebuild
from voltwin.verbs.query import get

from ..unit.api.sample_fleet import EOL

Fault = tuple[str, str, int, int]
"""What is done to a file of the graph, its name, a place in it and how many bytes are changed."""

QUERIES = (
    "SELECT ?g ?s ?p ?o { GRAPH ?g { ?s ?p ?o } FILTER(?g != <https://fleet.example/state>) }",
    "SELECT ?s ?o { ?s a ?o }",
    'SELECT ?s ?p { ?s ?p "S-7" }',
    "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o FILTER(?s != <https://fleet.example/>) }",
)


def faults(graph: Path, count: int, seed: int) -> Iterator[Fault]:
    """Each file cut, emptied and deleted, and ``count`` places all over them flipped."""
    files = sorted(file for file in graph.iterdir() if file.stat().st_size and not file.name.startswith("LOG"))
    for file in files:
        size = file.stat().st_size
        yield ("delete", file.name, 0, 0)
        yield ("cut", file.name, 0, size)
        yield ("cut", file.name, size // 2, size)
    chosen = random.Random(seed)
    for number in range(count):
        file = files[number % len(files)]
        yield ("flip", file.name, chosen.randrange(file.stat().st_size), chosen.choice((1, 1, 64, 4096)))


def harm(graph: Path, fault: Fault) -> None:
    """Do it."""
    what, name, place, length = fault
    file = graph / name
    if what == "delete":
        file.unlink()
        return
    data = bytearray(file.read_bytes())
    if what == "cut":
        del data[place:]
    for index in range(place, min(len(data), place + length)):
        data[index] ^= 0x41
    file.write_bytes(data)


def answers(folder: Path) -> Any:
    """All that is read from the fleet: by paths, by queries here and in a worker, by a check of its shapes."""
    with open_fleet(folder) as fleet:
        return (
            [sorted(fleet.query(text, "text/csv" if "SELECT" in text else None).body.splitlines()) for text in QUERIES],
            [answer.to_json() for answer in fleet.all("/*/**")],
            fleet.status(),
            str(fleet.validate("module-0001")),
        )


def outcome(sound: Path, wanted: Any, fault: Fault, work: Path) -> str:
    """``found`` or ``harmless``; anything else is an AssertionError or the exception itself."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(sound, work)
    harm(work / "graph", fault)
    shutil.copytree(work, work / "copy")
    findings = check_everything(work / "copy")
    said: Any = None
    try:
        got = answers(work)
    except GraphDamagedError as error:
        said = str(error)
    if said is not None:
        assert "the graph of this fleet is damaged" in said
        assert "`voltwin rebuild`" in said
        assert [finding.kind for finding in findings] == ["view"], fault
        printed = CliRunner().invoke(get, ["/*/**", "--fleet", str(work)])
        assert printed.exception is None or isinstance(printed.exception, GraphDamagedError), printed.exception
        rebuilt = CliRunner().invoke(rebuild, ["--fleet", str(work)])
        assert rebuilt.exit_code == 0, rebuilt.output
        assert answers(work) == wanted
        return "found"
    if got != wanted:
        assert findings, f"{fault}: other answers, and nothing is said"
        return "found"
    # Answers are right: fsck may still have met a block that they do not need.
    with open_fleet(work) as fleet:
        fleet.put("/module-0001/serial", "S-8", unit=None, time=EOL, author="anna")
    return "found" if findings else "harmless"
