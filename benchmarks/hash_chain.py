"""The price of the hash chain: the same commits with and without hashing, in one run.

    python benchmarks/hash_chain.py [--commits 300]

Commits go through journal and triple store as messages make them: values, samples and messages' keys of some twins.
The two alternate commit by commit; the ratio is that of the medians. Without hashing, the hash functions return a
constant; the row of the chain is written all the same.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pyoxigraph import Literal, NamedNode, Triple

from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.interfaces import Entry, GraphChange, Sample
from voltwin.graphstore.journal import sqlite_journal
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
LIMIT = 1.05
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


def without_hashing() -> Any:
    """The journal with hash functions that compute nothing."""
    nothing: Callable[..., Any] = lambda *_: b""  # noqa: E731 - three names for one constant
    return patch.multiple(
        sqlite_journal, digest=nothing, list_digest=nothing, content_digest=nothing, samples_digest=nothing
    )


def ratio(commits: int, twins: int) -> float:
    """Median seconds of a commit with hashing over those without, printed."""
    with tempfile.TemporaryDirectory() as folder:
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        parts = {}
        for name in seconds:
            place = Path(folder, name)
            place.mkdir()
            journal, store = SqliteJournal.open(place / "journal.sqlite"), OxigraphStore(place / "graph", BASE)
            parts[name] = (journal, store, Committer(journal, store))
        for number in range(commits):
            made = entry(number, twins)
            for name in ("with", "without") if number % 2 else ("without", "with"):
                committer = parts[name][2]
                start = time.perf_counter()
                if name == "with":
                    committer.commit(made)
                else:
                    with without_hashing():
                        start = time.perf_counter()
                        committer.commit(made)
                seconds[name].append(time.perf_counter() - start)
        for journal, store, _ in parts.values():
            with closing(journal), closing(store):
                pass
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    found = medians["with"] / medians["without"]
    print(
        f"{twins:4} messages a commit: {medians['with'] * 1e3:.2f} ms with hashes, {medians['without'] * 1e3:.2f} ms "
        f"without, ratio {found:.3f}"
    )
    return found


def main() -> None:
    """Print the ratios; fail over the limit."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--commits", type=int, default=300)
    commits = arguments.parse_args().commits
    worst = max(ratio(commits, twins) for twins in (1, 50, 500))
    if worst > LIMIT:
        raise SystemExit(f"hashing costs {worst - 1:.1%} of a commit, over {LIMIT - 1:.0%}")


if __name__ == "__main__":
    main()
