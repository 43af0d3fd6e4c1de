"""Incremental reasoning gives what reasoning from scratch gives, also from twin to twin."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal

from voltwin.errors import NotFoundError
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.answers import Trend
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.ontology.iris import RDF, VT
from voltwin.ontology.literals import EPOCH
from voltwin.reasoner.engine import RuleEngine
from voltwin.testing import Bench

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
STORAGES = ["storage-cell-plant", "storage-system-plant"]


def at(hour: Any) -> Any:
    return T0 + timedelta(hours=hour)


hours = st.integers(0, 20)
modules, trucks = st.sampled_from(["m1", "m2", "m3"]), st.sampled_from(["t1", "t2"])
stays = st.sampled_from(["outbound", "inbound"])


def op(cls, key: Any, path: Any, value: Any, unit: Any = None) -> Any:  # type: ignore[no-untyped-def]  # hypothesis hands it over
    return st.tuples(st.just(cls), key, path, value, st.just(unit), hours.map(at))


ops = st.one_of(
    op("Module", modules, st.just("endOfLineTest/performedAt"), hours.map(at)),
    op("Module", modules, stays.map("storageStays/{}/begin".format), hours.map(at)),
    op("Module", modules, stays.map("storageStays/{}/end".format), hours.map(at)),
    op("Module", modules, stays.map("storageStays/{}/storage".format), st.sampled_from(STORAGES)),
    op("Module", modules, st.sampled_from(["transport/begin", "transport/end"]), hours.map(at)),
    op("Module", modules, st.just("transport/truck"), trucks),
    op("Truck", trucks, st.just("logger/temperature"), st.integers(-5, 30), "DEG_C"),
    op("Storage", st.sampled_from(STORAGES), st.just("setPoint"), st.integers(15, 30), "DEG_C"),
    op("Storage", st.sampled_from(STORAGES), st.just("name"), st.sampled_from(["a", "bb", "ccc"])),
)
commits = st.lists(st.lists(ops, min_size=1, max_size=4), min_size=1, max_size=8)


def read_inferred(bench: Any) -> Any:
    graphs: dict[Any, Any] = {}
    for quad in bench.committer.store.quads(None, None, None, None):
        if quad.graph_name.value.endswith("/inferred"):
            graphs.setdefault(quad.graph_name.value, set()).add(quad.triple)
    return graphs


def chain(bench: Any) -> None:
    """A rule that gives a storage's set point: modules take it over from another twin's inferred graph."""
    names, changes = bench.fleet.names, ChangeSet(bench.committer.store)
    rule, graph = names.rule("set-point-by-name"), names.rules_graph
    changes.add(rule, RDF.type, VT.Rule, graph)
    changes.add(rule, VT.appliesTo, bench.fleet.schema.class_named("Storage").iri, graph)
    changes.add(rule, VT.subsequent, Literal("setPoint"), graph)
    changes.add(rule, VT.antecedent, Literal("called <- name"), graph)
    changes.add(rule, VT.transformation, Literal("xsd:double(STRLEN(?called))"), graph)
    changes.add(rule, VT.priority, Literal(50), graph)
    bench.committer.commit(Entry("test", EPOCH, changes.changes()), ())
    bench.engine.reload(bench.fleet.schema)
    bench.engine.derive_all()


@settings(max_examples=25, deadline=None)
@given(commits, st.booleans())
def test_incremental_is_as_from_scratch(case_study: Any, script: Any, chained: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.make(Path(folder), case_study)
        if chained:
            chain(bench)
        fleet = bench.fleet
        for puts in script:
            changes = ChangeSet(bench.committer.store)
            writer = TwinWriter(changes, fleet.schema, fleet.names, bench.committer.journal.series)
            for cls, key, path, value, unit, moment in puts:
                twin = writer.create_twin(key, fleet.schema.class_named(cls).iri)
                writer.put(twin, path.split("/"), value, unit, Provenance("asserted", moment))
            entry = Entry("test", EPOCH, changes.changes(), tuple(changes.samples))
            bench.committer.commit(entry, tuple(changes.touched()))
            incremental = read_inferred(bench)
            for name in list(incremental):
                bench.committer.store.replace(next(iter(_graphs(bench, name))), ())
            bench.engine.derive_all()
            assert incremental == read_inferred(bench)
        bench.close()


def _graphs(bench: Any, name: Any) -> Any:
    return {q.graph_name for q in bench.committer.store.quads(None, None, None, None) if q.graph_name.value == name}


def stored_module(key: str = "m1") -> Any:
    return [
        ("Module", key, "endOfLineTest/performedAt", at(0), None, at(0)),
        ("Module", key, "storageStays/outbound/begin", at(1), None, at(1)),
        ("Module", key, "storageStays/outbound/storage", STORAGES[0], None, at(1)),
    ]


def trend(bench: Any, key: str = "m1", hour: Any = 20) -> Any:
    fleet = bench.fleet
    prop = fleet.schema.property_of(fleet.schema.class_named("Module").iri, "temperatureTrend")
    (answer,) = fleet.reader.resolver.resolve(fleet.names.twin(key), prop, at(hour))
    assert isinstance(answer.value, Trend)
    return [(item.rule, item.priority, item.origin, item.values[0]) for item in answer.value.segments]


def test_a_storage_that_changes_its_set_point_changes_the_modules_stored_there(bench: Bench, write: Any) -> None:
    write(*stored_module("m1"), *stored_module("m2"))
    assert trend(bench) == [
        ("default-temperature", 90, "best guess", 20.0),
        ("storage-set-point", 20, "best guess", 25.0),
    ]
    write(("Storage", STORAGES[0], "setPoint", 18.5, "DEG_C", at(2)))
    assert trend(bench)[1] == ("storage-set-point", 20, "best guess", 18.5)
    assert trend(bench, "m2")[1][3] == 18.5


def test_a_truck_logs_for_the_modules_on_it_from_its_first_sample(bench: Bench, write: Any) -> None:
    write(
        *stored_module(),
        ("Module", "m1", "transport/begin", at(5), None, at(5)),
        ("Module", "m1", "transport/truck", "t1", None, at(5)),
    )
    assert [item[0] for item in trend(bench)] == ["default-temperature", "storage-set-point"]
    write(("Truck", "t1", "logger/temperature", 7.0, "DEG_C", at(6)))
    write(("Truck", "t1", "logger/temperature", 6.0, "DEG_C", at(8)))
    assert [item[:3] for item in trend(bench)] == [
        ("default-temperature", 90, "best guess"),
        ("storage-set-point", 20, "best guess"),
        ("logged-temperature", 10, "measured"),
        ("storage-set-point", 20, "best guess"),
    ]


def test_what_is_inferred_for_a_storage_reaches_the_modules_stored_there(
    bench: Bench, write: Any, add_rule: Any
) -> None:
    write(*stored_module())
    add_rule(
        "set-point-by-name",
        "Storage",
        subsequent="setPoint",
        antecedent="called <- name",
        transformation="xsd:double(STRLEN(?called))",
    )
    bench.engine.reload(bench.fleet.schema)
    bench.engine.derive_all()
    write(("Storage", STORAGES[0], "name", "four", None, at(2)))
    candidates = bench.fleet.reader.resolver.candidates(bench.fleet.names.twin("m1"))
    assert Literal(4.0) in {item.value for item in candidates}
    write(("Storage", STORAGES[0], "name", "sixsix", None, at(3)))
    candidates = bench.fleet.reader.resolver.candidates(bench.fleet.names.twin("m1"))
    assert {Literal(6.0), Literal(25.0)} <= {item.value for item in candidates}
    assert Literal(4.0) not in {item.value for item in candidates}


def test_deriving_for_one_twin_writes_no_other_graph(bench: Bench, write: Any, inferred: Any) -> None:
    write(*stored_module("m1"), *stored_module("m2"))
    before = inferred()
    victim = bench.fleet.names.inferred_graph(bench.fleet.names.twin("m2"))
    bench.committer.store.replace(victim, ())
    bench.engine.derive([bench.fleet.names.twin("m1")])
    assert inferred() == {name: triples for name, triples in before.items() if name != victim.value}


@pytest.mark.parametrize(
    "rule", ["default-temperature", "storage-set-point", "transport-temperature", "logged-temperature"]
)
def test_no_rule_speaks_of_twins_it_was_not_asked_for(bench: Bench, write: Any, rule: Any) -> None:
    write(*stored_module("m1"), *stored_module("m2"))
    (compiled,) = (item for item in bench.engine.rules if item.rule.key == rule)
    names = bench.fleet.names
    for asked in ([], ["m1"], ["storage-cell-plant"]):
        triples = bench.engine._construct(compiled, [names.twin(key) for key in asked])
        owners = {names.twin_key(triple.subject) for triple in triples}
        assert owners <= set(asked)


def test_a_kill_between_taking_a_commit_in_and_deriving_is_made_good(bench: Bench, write: Any, inferred: Any) -> None:
    write(*stored_module())
    before = inferred()
    followers, bench.committer.followers[:] = list(bench.committer.followers), []
    write(("Storage", STORAGES[0], "setPoint", 18.5, "DEG_C", at(2)))
    assert inferred() == before
    again = RuleEngine(bench.committer.store, bench.fleet.names, bench.fleet.schema)
    again.resume(bench.committer.journal)
    assert trend(bench)[1] == ("storage-set-point", 20, "best guess", 18.5)
    resumed = inferred()
    again.derive_all()
    assert inferred() == resumed
    bench.committer.followers[:] = followers


def test_resuming_an_empty_journal_does_nothing(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path)
    bench.engine.resume(bench.committer.journal)
    assert bench.engine.rules == []
    bench.close()


def test_many_twins_at_once_are_as_one_after_another(
    bench: Bench, write: Any, inferred: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(*stored_module("m1"), *stored_module("m2"), *stored_module("m3"))
    chain(bench)
    wanted = inferred()
    monkeypatch.setattr("voltwin.reasoner.engine.TWINS_AT_ONCE", 1)
    for name in wanted:
        bench.committer.store.replace(next(iter(_graphs(bench, name))), ())
    bench.engine.derive_all()
    assert inferred() == wanted


def test_the_smallest_priority_wins_and_equal_ones_are_settled_by_name(bench: Bench, write: Any, add_rule: Any) -> None:
    for key, priority in (("b-rule", 30), ("a-rule", 30), ("c-rule", 40)):
        add_rule(key, "Storage", subsequent="setPoint", priority=priority, transformation=f"{ord(key[0])}.0")
    bench.engine.reload(bench.fleet.schema)
    write(("Storage", "s9", "", None, None, at(0)))
    fleet = bench.fleet
    answer = fleet.get("/s9/setPoint")
    assert (answer.value, answer.origin, answer.rule, answer.priority) == (97.0, "inferred", "a-rule", 30)
    assert len(fleet.reader.resolver.candidates(fleet.names.twin("s9"))) == 3
    # What was asserted is believed before what a rule infers.
    write(("Storage", "s9", "setPoint", 21.0, "DEG_C", at(1)))
    assert (fleet.get("/s9/setPoint").value, fleet.get("/s9/setPoint").origin) == (21.0, "measured")
    assert len(fleet.reader.resolver.candidates(fleet.names.twin("s9"))) == 3


def test_a_rule_speaks_inside_its_interval_only(bench: Bench, write: Any, add_rule: Any) -> None:
    interval = {"each": "transport", "intervalStart": "begin", "intervalEnd": "end"}
    add_rule("r", "Module", subsequent="transport/temperature", transformation="5.0", **interval)
    bench.engine.reload(bench.fleet.schema)
    write(
        ("Module", "m1", "transport/begin", at(5), None, at(5)), ("Module", "m1", "transport/end", at(9), None, at(9))
    )
    fleet = bench.fleet
    node = fleet.names.part(fleet.names.twin("m1"), "transport")
    (candidate,) = fleet.reader.resolver.candidates(node)
    assert (candidate.valid_from, candidate.valid_to) == (at(5), at(9))


def test_nothing_is_answered_where_no_rule_speaks(bench: Bench, write: Any) -> None:
    write(("Module", "m1", "", None, None, at(0)))
    with pytest.raises(NotFoundError):
        bench.fleet.get("/m1/reasoner/temperatureTrend")
