"""What every triple store keeps: a view that takes commits in order, each whole and as often as it comes."""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Triple

from voltwin.errors import FleetLockedError, QueryError, StoreError
from voltwin.graphstore.changes import ChangeSet
from voltwin.graphstore.commit import Committer
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal import SqliteJournal
from voltwin.graphstore.oxigraph import OxigraphStore
from voltwin.ontology.literals import EPOCH
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
TWIN = NAMES.twin("module 0001")
P = NamedNode("https://x.example/p")


def line(value, subject=TWIN):
    return f"{Triple(subject, P, Literal(value))} .\n"


@pytest.fixture(params=["memory", "disk"])
def reopen(request, tmp_path):
    """Opens a store; called again it opens the same folder (in memory: a new store)."""
    opened = []

    def make():
        folder = None if request.param == "memory" else tmp_path / "graph"
        store = OxigraphStore(folder, BASE)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen):
    return reopen()


def values(store, graph=TWIN):
    return {quad.object.value for quad in store.quads(None, P, None, graph)}


def test_an_empty_store_has_applied_nothing(store):
    assert store.last_applied() == 0


def test_a_commit_and_its_number_arrive_together(store):
    store.apply(7, [GraphChange(TWIN, "", line("a")), GraphChange(NAMES.twin("b"), "", line("b"))])
    assert values(store) == {"a"}
    assert values(store, NAMES.twin("b")) == {"b"}
    assert store.last_applied() == 7


def test_a_commit_that_cannot_be_read_changes_nothing(store):
    store.apply(1, [GraphChange(TWIN, "", line("a"))])
    with pytest.raises(SyntaxError):
        store.apply(2, [GraphChange(TWIN, line("a"), ""), GraphChange(TWIN, "", "no triple")])
    assert values(store) == {"a"}
    assert store.last_applied() == 1


def test_a_commit_taken_twice_is_taken_once(store):
    first = [GraphChange(TWIN, "", line("a"))]
    second = [GraphChange(TWIN, line("a"), line("b"))]
    for sequence, change in ((1, first), (2, second), (1, first), (2, second)):
        store.apply(sequence, change)
    assert values(store) == {"b"}
    assert store.last_applied() == 2


def test_a_commit_without_changes_moves_the_number_on(store):
    store.apply(1, [])
    store.apply(2, [])
    assert store.last_applied() == 2


def test_graphs_are_kept_apart_and_seen_together(store):
    store.apply(1, [GraphChange(TWIN, "", line("a")), GraphChange(NAMES.twin("b"), "", line("b"))])
    assert len(list(store.query(f"SELECT ?v {{ ?s {P} ?v }}"))) == 2
    assert len(list(store.query(f"SELECT ?v {{ ?s {P} ?v }}", union=False))) == 0
    (row,) = store.query(f'SELECT ?g {{ GRAPH ?g {{ ?s {P} "b" }} }}', union=False)
    assert row["g"] == NAMES.twin("b")


def test_a_view_is_replaced_by_its_difference(store):
    store.apply(1, [GraphChange(NAMES.twin("b"), "", line("b"))])
    view = NAMES.inferred_graph(TWIN)
    wanted = [Triple(TWIN, P, Literal(text)) for text in "xy"]
    assert store.replace(view, wanted) is True
    assert store.replace(view, reversed(wanted)) is False
    assert store.replace(view, wanted[:1]) is True
    assert values(store, view) == {"x"}
    assert values(store, NAMES.twin("b")) == {"b"}
    assert store.last_applied() == 1


def test_a_bad_query_is_a_query_error(store):
    with pytest.raises(QueryError):
        store.query("SELEKT")


def test_prefixes_and_functions_are_there(store):
    double = NamedNode("https://x.example/double")
    functions = {double: lambda value: Literal(2 * int(value.value))}
    (row,) = store.query(f"SELECT ({double}(21) AS ?v) WHERE {{}}", functions=functions)
    assert row["v"] == Literal(42)
    assert bool(store.query("ASK { FILTER(isIRI(vt:Twin)) }"))


def test_a_closed_store_says_so(store):
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.last_applied()
    store.close()


commits = st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.text("xyz", max_size=2)), max_size=4), max_size=6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits)
def test_catching_up_from_nothing_gives_an_equal_store(tmp_path_factory, script):
    folder = tmp_path_factory.mktemp("fleet")
    journal = SqliteJournal.open(folder / "journal.sqlite")
    live = Committer(journal, OxigraphStore(None, BASE))
    for number, puts in enumerate(script):
        changes = ChangeSet(live.store)
        for twin, text in puts:
            changes.put(NAMES.twin(twin), P, [Literal(text), Literal(number)], NAMES.twin(twin))
        live.commit(Entry("test", EPOCH, changes.changes()), tuple(changes.touched()))
    anew = Committer(journal, OxigraphStore(None, BASE))
    assert anew.catch_up() == len(script)
    assert set(anew.store.quads(None, None, None, None)) == set(live.store.quads(None, None, None, None))
    assert anew.catch_up() == 0
    journal.close()


class TestOnDisk:
    """What only a folder can show."""

    def test_what_was_applied_is_there_after_reopening_at_once(self, tmp_path):
        for number in range(1, 6):
            store = OxigraphStore(tmp_path / "graph", BASE)
            assert store.last_applied() == number - 1
            store.apply(number, [GraphChange(TWIN, "", line(str(number)))])
            rows = store.query(f"SELECT ?v {{ ?s {P} ?v }}")
            assert len(list(rows)) == number
            store.close()
            del rows
        gc.collect()

    def test_a_second_owner_is_refused(self, tmp_path):
        store = OxigraphStore(tmp_path / "graph", BASE)
        with pytest.raises(FleetLockedError, match="another process"):
            OxigraphStore(tmp_path / "graph", BASE)
        store.close()
        OxigraphStore(tmp_path / "graph", BASE).close()

    def test_a_folder_that_cannot_be_made_is_a_store_error(self, tmp_path):
        (tmp_path / "graph").write_text("in the way")
        with pytest.raises(StoreError, match="graph"):
            OxigraphStore(tmp_path / "graph", BASE)

    def test_flushing_on_the_way_loses_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr("voltwin.graphstore.oxigraph.FLUSH_EVERY", 3)
        store = OxigraphStore(tmp_path / "graph", BASE)
        for number in range(1, 11):
            store.apply(number, [GraphChange(TWIN, line(str(number - 1)), line(str(number)))])
        store.replace(NAMES.inferred_graph(TWIN), [Triple(TWIN, P, Literal(n)) for n in range(10)])
        assert values(store) == {"10"}
        store.close()
        again = OxigraphStore(tmp_path / "graph", BASE)
        assert values(again) == {"10"}
        assert set(again.quads(None, P, None, TWIN)) == {Quad(TWIN, P, Literal("10"), TWIN)}
        again.close()
