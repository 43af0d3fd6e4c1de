"""Change sets: what really changes, all or nothing, and text that replays to the same graph."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad

from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.journal.changes import ChangeSet, load_change
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
GRAPHS = [NAMES.twin("a"), NAMES.twin("b")]
NODES = [NAMES.part(GRAPHS[0], "cells", "c 1"), GRAPHS[1]]
PREDICATES = [NamedNode("https://x.example/p"), NamedNode("https://x.example/q")]
VALUES = st.one_of(
    st.sampled_from(NODES),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6).map(Literal),
    st.sampled_from(["\\u0022 .", '"', "}", "\\", "\r\n\t\b\f\0", "$base", "?x", "<x>"]).map(Literal),
    st.integers(-5, 5).map(Literal),
    st.builds(Literal, st.sampled_from(["Zelle", "cell"]), language=st.sampled_from(["de", "en"])),
)
slots = st.tuples(st.sampled_from(NODES), st.sampled_from(PREDICATES), st.sampled_from(GRAPHS))
puts = st.tuples(st.just("put"), slots, st.lists(VALUES, max_size=3))
adds = st.tuples(st.just("add"), slots, st.lists(VALUES, min_size=1, max_size=1))
scripts = st.lists(st.one_of(puts, adds), max_size=8)


def everything(store: Any) -> Any:
    state = NAMES.state_graph
    return {quad for quad in store.quads(None, None, None, None) if quad.graph_name != state}


def follow(changes: Any, script: Any) -> None:
    for what, (subject, predicate, graph), values in script:
        if what == "put":
            changes.put(subject, predicate, values, graph)
        else:
            changes.add(subject, predicate, values[0], graph)


def expected(before: Any, script: Any) -> Any:
    quads = set(before)
    for what, (subject, predicate, graph), values in script:
        if what == "put":
            quads = {q for q in quads if (q.subject, q.predicate, q.graph_name) != (subject, predicate, graph)}
        quads |= {Quad(subject, predicate, value, graph) for value in values}
    return quads


def filled(script: Any) -> Any:
    store = OxigraphStore(None, BASE)
    changes = ChangeSet(store)
    follow(changes, script)
    store.apply(1, changes.changes())
    return store


def fail_after(changes: Any, script: Any) -> None:
    with changes.savepoint():
        follow(changes, script)
        changes.sample(NODES[0], 2, 2.0)
        raise ZeroDivisionError


@given(scripts, scripts)
def test_what_is_applied_is_what_was_put(first: Any, second: Any) -> None:
    store = filled(first)
    before = everything(store)
    assert before == expected(set(), first)
    changes = ChangeSet(store)
    follow(changes, second)
    store.apply(2, changes.changes())
    assert everything(store) == expected(before, second)
    assert store.last_applied() == 2


@given(scripts, scripts)
def test_only_net_changes_are_told(first: Any, second: Any) -> None:
    store = filled(first)
    before = everything(store)
    changes = ChangeSet(store)
    follow(changes, second)
    told = changes.changes()
    after = expected(before, second)
    # Not splitlines(): a literal may hold characters that Python, but not N-Triples, takes for the end of a line.
    lines = [(change.graph, line) for change in told for line in (change.removed + change.added).split("\n") if line]
    assert len(lines) == len(set(lines)) == len(before ^ after)
    assert {slot[0] for slot in changes.touched()} == {change.graph for change in told}
    if before == after:
        assert told == ()


@given(scripts, scripts, scripts)
def test_an_attempt_that_fails_leaves_nothing(first: Any, kept: Any, failed: Any) -> None:
    store = filled(first)
    changes, alone = ChangeSet(store), ChangeSet(store)
    follow(changes, kept)
    follow(alone, kept)
    changes.sample(NODES[0], 1, 1.0)
    with pytest.raises(ZeroDivisionError):
        fail_after(changes, failed)
    assert changes.changes() == alone.changes()
    assert [sample.time for sample in changes.samples] == [1]
    # The next attempt starts from what was kept.
    with changes.savepoint():
        follow(changes, failed)
    follow(alone, failed)
    assert changes.changes() == alone.changes()


def test_two_parts_of_one_commit_see_each_other() -> None:
    changes = ChangeSet(OxigraphStore(None, BASE))
    graph, predicate = GRAPHS[0], PREDICATES[0]
    with changes.savepoint():
        changes.put(graph, predicate, [Literal(1)], graph)
    with changes.savepoint():
        assert set(changes.objects(graph, predicate, graph)) == {Literal(1)}
        changes.put(graph, predicate, [Literal(2)], graph)
    (change,) = changes.changes()
    assert (change.removed, change.added) == ("", f"{graph} {predicate} {Literal(2)} .\n")


def test_what_came_and_went_again_is_no_change() -> None:
    changes = ChangeSet(OxigraphStore(None, BASE))
    changes.add(GRAPHS[0], PREDICATES[0], Literal(1), GRAPHS[0])
    changes.put(GRAPHS[0], PREDICATES[0], [], GRAPHS[0])
    assert changes.changes() == ()
    assert list(changes.touched()) == []


@given(scripts, scripts)
def test_the_text_is_the_same_whatever_the_order_of_the_writes(first: Any, second: Any) -> None:
    # Slots are independent of each other: written slot by slot in any order, the commit is the same.
    store = filled(first)
    forward, backward = ChangeSet(store), ChangeSet(store)
    puts_only = [step for step in second if step[0] == "put"]
    last = {step[1]: step for step in puts_only}
    follow(forward, list(last.values()))
    follow(backward, list(reversed(last.values())))
    assert forward.changes() == backward.changes()


@given(scripts, scripts)
def test_a_load_makes_a_graph_hold_exactly_what_is_given(first: Any, second: Any) -> None:
    store = filled(first)
    graph = GRAPHS[0]
    wanted = {quad.triple for quad in expected(set(), second) if quad.graph_name == graph}
    others = {quad for quad in everything(store) if quad.graph_name != graph}
    store.apply(2, [load_change(graph, wanted, store)])
    assert everything(store) == others | {Quad(t.subject, t.predicate, t.object, graph) for t in wanted}
    again = load_change(graph, wanted, store)
    assert (again.removed, again.added) == ("", "")
