"""A plain model of what test_salvage.py commits, told without the product, and what a fleet knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pyoxigraph import NamedNode, Triple

from voltwin.assembly import open_fleet
from voltwin.graphstore.interfaces import (
    Due,
    Entry,
    FinishedRun,
    GraphChange,
    GraphLoad,
    QueuedRun,
    Sample,
    SampleBatch,
)
from voltwin.graphstore.journal.bulk_files import LoadFiles

from ..unit.api.sample_fleet import EOL

BASE = "https://fleet.example/"
P = NamedNode("https://x.example/p")
ACTION = NamedNode(f"{BASE}actions/x")
COMMITS = 12
KEYS = "SELECT key FROM messages WHERE key LIKE 'key-%'"


@dataclass
class Model:
    """What was committed, told without the product: triples by graph, samples, keys, open runs, due times."""

    graphs: dict[str, set[str]] = field(default_factory=dict)
    samples: dict[str, dict[int, float]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    queued: set[str] = field(default_factory=set)
    due: dict[str, datetime] = field(default_factory=dict)


def graph(name: str) -> NamedNode:
    return NamedNode(f"{BASE}notes/{name}")


def line(name: str, value: int) -> str:
    node = graph(name)
    return f"{Triple(node, P, NamedNode(f'{node.value}/{value}'))} .\n"


def series(name: str) -> NamedNode:
    return NamedNode(f"{BASE}twins/truck-01/{name}")


def entry(number: int, loads: LoadFiles) -> tuple[Entry, Callable[[Model], None]]:
    """Commit ``number`` and what it does to the model."""
    name, moment = "abc"[number % 3], EOL + timedelta(days=400, hours=number)
    removed = line(name, number - 3) if number > 3 else ""
    times = np.arange(5000) + number * 10**9
    batch = number % 6 == 5
    load = loads.store_lines([line("loaded", number).encode()]) if number % 4 == 1 else None
    made = Entry(
        f"author-{number}",
        moment,
        [GraphChange(graph(name), removed, line(name, number)), GraphChange(graph("all"), "", line("all", number))],
        [Sample(series(part), number, number / 7) for part in "xy"] + [Sample(series("x"), 0, float(number))],
        [f"key-{number}-{part}" for part in range(3)],
        [QueuedRun(f"run-{number}", ACTION, graph(name), moment, "schedule")],
        [FinishedRun(f"run-{number - 2}", "succeeded")] * (number > 2),
        [Due(ACTION, graph(name), moment)],
        loads=[GraphLoad(graph("loaded"), *load)] if load else (),
        batches=[SampleBatch(series("z"), times, times / 2)] if batch else (),
    )

    def tell(model: Model) -> None:
        model.graphs.setdefault(graph(name).value, set()).discard(removed)
        model.graphs[graph(name).value].add(line(name, number))
        model.graphs.setdefault(graph("all").value, set()).add(line("all", number))
        if load:
            model.graphs.setdefault(graph("loaded").value, set()).add(line("loaded", number))
        for part in "xy":
            model.samples.setdefault(series(part).value, {})[number] = number / 7
        model.samples[series("x").value][0] = float(number)
        if batch:
            model.samples.setdefault(series("z").value, {}).update(
                zip(times.tolist(), (times / 2).tolist(), strict=True)
            )
        model.keys |= set(made.message_keys)
        model.queued = (model.queued | {f"run-{number}"}) - {f"run-{number - 2}"}
        model.due[graph(name).value] = moment

    return made, tell


def found(folder: Path, names: Model) -> Model:
    """What a fleet knows of what the model is about."""
    with open_fleet(folder) as fleet:
        journal, store = fleet.committer.journal, fleet.committer.store
        return Model(
            {
                name: {f"{quad.triple} .\n" for quad in store.quads(None, None, None, NamedNode(name))}
                for name in names.graphs
            },
            {
                name: dict(zip(*(column.tolist() for column in journal.series.read(NamedNode(name))), strict=True))
                for name in names.samples
            },
            {
                str(key)
                for (key,) in journal.database.reader().execute("SELECT key FROM messages WHERE key LIKE 'key-%'")
            },
            {run.id for run in journal.queued_runs()},
            {due.twin.value: due.next for due in journal.due_table() if due.action == ACTION},
        )
