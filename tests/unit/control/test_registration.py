"""Every twin gets the schedules of its class once: those there at the start, the master's own, and others'."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from voltwin.control.interfaces import Outcome
from voltwin.control.master.due import DueTable
from voltwin.control.master.schedules import Births, Schedules
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import TwinWriter
from voltwin.ontology.iris import RDF
from voltwin.testing import Bench, message


@pytest.fixture
def schedules(bench: Bench) -> Any:
    table = DueTable(bench.committer.journal.due_table())
    return Schedules(bench.committer.store, bench.fleet.names, bench.actions, table, bench.births)


def create(bench: Any, key: Any, cls: str = "WeatherStation") -> Any:
    """A twin as a user's write creates it."""
    changes = ChangeSet(bench.committer.store)
    schema = bench.fleet.schema
    writer = TwinWriter(changes, schema, bench.fleet.names, bench.committer.journal.series)
    twin = writer.create_twin(key, schema.class_named(cls).iri)
    bench.committer.commit(Entry.of(changes, "anna", bench.clock.now()), tuple(changes.touched()))
    return twin


def keys(bench: Any, rows: Any) -> Any:
    return {bench.fleet.names.twin_key(row.twin) for row in rows}


def test_births_are_the_types_of_twins_in_their_own_graphs(bench: Bench) -> None:
    names, births = bench.fleet.names, Births()
    twin, part = names.twin("a"), names.part(names.twin("a"), "logger")
    slots = [(twin, twin, RDF.type), (twin, part, RDF.type), (twin, twin, RDF.first), (part, twin, RDF.type)]
    births.follow(1, slots)
    assert (births.take(), births.take()) == ([twin], [])


def test_at_first_all_twins_are_registered_and_then_those_that_others_create(
    bench: Bench, schedules: Any, start: Any
) -> None:
    bench.clock.advance(start)
    first = schedules.unregistered(start).due
    assert "weather-station" in keys(bench, first)
    schedules.table.update(first)
    assert schedules.unregistered(start).due == []
    twin = create(bench, "station-2")
    (row,) = schedules.unregistered(start).due
    assert (row.twin, row.next) == (twin, start + timedelta(hours=3))
    schedules.table.update([row])
    assert schedules.unregistered(start + timedelta(hours=1)).due == []


def test_a_twin_that_is_known_is_not_registered_again(bench: Bench, schedules: Any, start: Any) -> None:
    bench.clock.advance(start)
    create(bench, "station-2")
    rows = schedules.unregistered(start).due
    schedules.table.update(rows)
    changes = ChangeSet(bench.committer.store)
    assert schedules.first_due([row.twin for row in rows], changes, start + timedelta(hours=7)) == []


def test_a_master_registers_its_own_twins_in_the_commit_that_creates_them(bench: Bench, message_examples: Any) -> None:
    class Answers:
        def run(self, invocations: Any) -> Any:
            return [Outcome(item.run, outputs={}) for item in invocations]

    bench.play(
        [message("voltwin/modules/module-0001/birth", message_examples["module-birth"])],
        {"model-service": Answers(), "http-pull": Answers()},
    )
    journal, twin = bench.committer.journal, bench.fleet.names.twin("module-0001")
    (created,) = (commit.sequence for commit in journal.since(1) if any(c.graph == twin for c in commit.changes))
    assert twin in {row.twin for row in journal.due_table()}
    # One commit registers the twins of the model, one creates this twin; a third would have registered it late.
    assert created == journal.last_sequence


def test_a_working_master_registers_what_others_create_meanwhile(bench: Bench, message_examples: Any) -> None:
    class User:
        """Writes while the master works."""

        def run(self, invocations: Any) -> Any:
            create(bench, "station-2")
            return [Outcome(item.run, outputs={}) for item in invocations]

    kinds = ("birth", "end-of-line")
    bench.play(
        [message(f"voltwin/modules/module-0001/{kind}", message_examples[f"module-{kind}"]) for kind in kinds],
        {"model-service": User(), "http-pull": User()},
        services={"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"},
    )
    assert "station-2" in keys(bench, bench.committer.journal.due_table())
