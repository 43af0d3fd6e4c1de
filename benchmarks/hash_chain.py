"""The price of the hash chain: the same commits, and the same opening, with hashes and without, in one run.

    python benchmarks/hash_chain.py [--commits 2000] [--twins 10000]

Commits go through journal and triple store as messages make them: values, samples and messages' keys of some twins.
They alternate commit by commit between two journals; the price is the median of the differences within each pair, over
the median without hashing. Without hashing, the functions return nothing and no column of a proof is written.

Opening is that of a fleet of many twins, its newest commit one value, then a commit that creates 1,000 twins. Without
checks, the newest commits are not read for comparison on opening and a commit is read with its changes alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from growth import MODEL, copies, grow, pattern
from pyoxigraph import Literal, NamedNode, Triple

from voltwin.assembly import create_fleet, open_fleet
from voltwin.converter import convert
from voltwin.graphstore.database import chain
from voltwin.graphstore.database.hashes import CommitDigests
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.interfaces import Commit, Entry, GraphChange, GraphLoad, Sample
from voltwin.graphstore.journal import sqlite_journal
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.ontology.literals import from_microseconds
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
MOST_OF_A_COMMIT, MOST_OF_OPENING = 1.05, 1.2
OPENINGS = 20
BORN = 1000
T0 = datetime(2019, 4, 1, tzinfo=UTC)


def entry(number: int, twins: int) -> Entry:
    """A commit of one message from each of some twins: four values, two samples."""
    changes, samples = [], []
    for key in range(twins):
        twin = NAMES.twin(f"module-{(number * twins + key) % 1000:04d}")
        cells = [NAMES.part(twin, "cells", f"cell-{part}") for part in range(4)]
        lines = [f"{Triple(cell, NamedNode(f'{BASE}p'), Literal(number / 8))} .\n" for cell in cells]
        changes.append(GraphChange(twin, "", "".join(lines)))
        samples += [Sample(NAMES.part(twin, "t", str(part)), number * 1000, 3.6 + number / 7) for part in range(2)]
    return Entry("benchmark", T0, changes, samples, [f"m-{number}-{key}" for key in range(twins)])


class Unhashed(CommitDigests):
    """A commit without a hash."""

    def after(self, previous: bytes) -> bytes:
        """Nothing."""
        return b""


def journal_without_hashing() -> type[SqliteJournal]:
    """The journal's class once more, with hash functions that compute nothing.

    Of a module of its own: functions that are replaced while it runs would slow down both.
    """
    found = importlib.util.find_spec(sqlite_journal.__name__)
    assert found is not None
    assert found.loader is not None
    spec = importlib.util.spec_from_loader(f"{sqlite_journal.__name__}_unhashed", found.loader, origin=found.origin)
    assert spec is not None
    module = ModuleType(spec.name)
    module.__spec__, module.__package__ = spec, sqlite_journal.__package__
    code = compile(Path(str(found.origin)).read_text("utf-8"), str(found.origin), "exec")
    sys.modules[spec.name] = module
    exec(code, module.__dict__)
    for name, nothing in (
        ("digest", lambda *_: b""),
        ("change_hash", lambda *_: b""),
        ("list_digest", lambda *_: None),
        ("content_digest", lambda *_: None),
        ("sample_digests", lambda *_: (None, None)),
        ("CommitDigests", Unhashed),
    ):
        assert hasattr(module, name), name
        setattr(module, name, nothing)
    journal: type[SqliteJournal] = module.SqliteJournal
    return journal


def without_checks() -> AbstractContextManager[Any]:
    """A journal that is opened and read as if it had no hashes."""

    def since(journal: SqliteJournal, sequence: int) -> Iterator[Commit]:
        reader = journal.database.reader()
        rows = reader.execute("SELECT sequence, time, author FROM commits WHERE sequence > ? ORDER BY 1", (sequence,))
        for number, moment, author in rows:
            changes = reader.execute(
                "SELECT iri, removed, added FROM changes JOIN graphs ON graphs.id = graph WHERE sequence = ? "
                "ORDER BY changes.rowid",
                (number,),
            )
            loads = reader.execute("SELECT file, triples FROM loads WHERE sequence = ?", (number,))
            yield Commit(
                number, author, from_microseconds(moment),
                tuple(GraphChange(NamedNode(graph), removed, added) for graph, removed, added in changes),
                tuple(GraphLoad(NamedNode(BASE), file, triples) for file, triples in loads),
            )  # fmt: skip

    opening = patch.object(chain, "check_tail", lambda *_: iter(()))
    opening.additional_patchers.append(patch.object(SqliteJournal, "_since", since))
    return opening


def paired(seconds: dict[str, list[float]]) -> tuple[float, float]:
    """The median without, and the median of what the other one of each pair took more."""
    pairs = zip(seconds["with"], seconds["without"], strict=True)
    return statistics.median(seconds["without"]), statistics.median(one - other for one, other in pairs)


def commit_ratio(commits: int, twins: int) -> float:
    """Seconds of a commit with hashing over those without, printed."""
    with tempfile.TemporaryDirectory() as folder:
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        parts = {}
        for name, journals in (("with", SqliteJournal), ("without", journal_without_hashing())):
            place = Path(folder, name)
            place.mkdir()
            journal, store = journals.open(place / "journal.sqlite"), OxigraphStore(place / "graph", BASE)
            parts[name] = (journal, store, Committer(journal, store))
        for number in range(commits):
            made = entry(number, twins)
            for name in ("with", "without") if number % 2 else ("without", "with"):
                committer = parts[name][2]
                start = time.perf_counter()
                committer.commit(made)
                seconds[name].append(time.perf_counter() - start)
        for journal, store, _ in parts.values():
            with closing(journal), closing(store):
                pass
    without, more = paired(seconds)
    found = 1 + more / without
    print(
        f"{twins:4} messages a commit: {without * 1e3:.3f} ms without hashes, {more * 1e6:.0f} µs more with them, "
        f"ratio {found:.3f}"
    )
    return found


def opening_ratio(folder: Path, what: str) -> float:
    """Seconds of opening a fleet with the checks over those without, printed."""
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(OPENINGS + 1):
        for name in ("with", "without") if number % 2 else ("without", "with"):
            if name == "with":
                start = time.perf_counter()
                fleet = open_fleet(folder)
                took = time.perf_counter() - start
            else:
                with without_checks():
                    start = time.perf_counter()
                    fleet = open_fleet(folder)
                    took = time.perf_counter() - start
            fleet.close()
            if number:  # the first one warms the disk's cache
                seconds[name].append(took)
    without, more = paired(seconds)
    found = 1 + more / without
    print(
        f"opening, newest commit {what}: {without * 1e3:.1f} ms without checks, {more * 1e3:.1f} ms more with them, "
        f"ratio {found:.3f}"
    )
    return found


def opening_ratios(twins: int) -> float:
    """The worst ratio of opening a fleet of some twins."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "fleet")
        create_fleet(folder, convert(MODEL), BASE)
        with open_fleet(folder) as fleet:
            assert isinstance(fleet, LocalFleet)
            born = list(copies(pattern(fleet), twins + BORN))[twins:]
            grow(fleet, twins)
            fleet.put("/module-0000001/cells/cell-03/voltage", 3.6, unit="V", time=T0, author="benchmark")
        one = opening_ratio(folder, "one value")
        with open_fleet(folder) as fleet:
            assert isinstance(fleet, LocalFleet)
            fleet.committer.commit(Entry("benchmark", T0, born))
        return max(one, opening_ratio(folder, f"of {BORN} twins"))


def main() -> None:
    """Print the ratios; fail over the limits."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--commits", type=int, default=2000)
    arguments.add_argument("--twins", type=int, default=10_000)
    given = arguments.parse_args()
    costs = (commit_ratio(max(given.commits // part, 40), twins) for twins, part in ((1, 1), (50, 4), (500, 20)))
    commit = max(costs)
    opening = opening_ratios(given.twins)
    if commit > MOST_OF_A_COMMIT or opening > MOST_OF_OPENING:
        raise SystemExit(f"hashing costs {commit - 1:.1%} of a commit, checks {opening - 1:.1%} of an opening")


if __name__ == "__main__":
    main()
