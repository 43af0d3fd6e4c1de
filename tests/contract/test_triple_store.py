"""What every triple store keeps: a view that takes commits in order, each whole and as often as it comes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Triple

from voltwin.errors import FleetLockedError, QueryError, StoreError
from voltwin.graphstore.engines.endpoint.options import EndpointOptions
from voltwin.graphstore.engines.endpoint.store import SparqlEndpoint
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.engines.registry import GROUP, StoreChoice, open_store
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.ontology.iris import XSD
from voltwin.ontology.literals import EPOCH
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
TWIN = NAMES.twin("module 0001")
P = NamedNode("https://x.example/p")


def line(value: Any, subject: Any = TWIN) -> str:
    return f"{Triple(subject, P, Literal(value))} .\n"


# Engines of other packages that are installed take part.
OTHERS = sorted(entry_points(group=GROUP).names - {"memory", "oxigraph", "sparql"})
ENGINES = ("memory", "disk", "oxigraph serve", "virtuoso", *OTHERS)


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An empty store of each engine."""
    if request.param in ("memory", "disk"):
        made = OxigraphStore(None if request.param == "memory" else tmp_path / "graph", BASE)
    elif request.param in OTHERS:
        made = open_store(StoreChoice(request.param), tmp_path / "graph", BASE)  # type: ignore[assignment]  # a stand-in takes the place of the real part
    else:
        server = request.getfixturevalue("oxigraph_server" if "oxigraph" in request.param else "virtuoso_server")
        made = SparqlEndpoint.open(EndpointOptions.from_json(server.options), BASE)  # type: ignore[assignment]  # a stand-in takes the place of the real part
        made.clear()
    made.engine = request.param
    yield made
    made.close()


def values(store: Any, graph: Any = TWIN) -> Any:
    return {quad.object.value for quad in store.quads(None, P, None, graph)}


def test_an_empty_store_has_applied_nothing(store: Any) -> None:
    assert store.last_applied() == 0


def test_a_commit_and_its_number_arrive_together(store: Any) -> None:
    store.apply(7, [GraphChange(TWIN, "", line("a")), GraphChange(NAMES.twin("b"), "", line("b"))])
    assert values(store) == {"a"}
    assert values(store, NAMES.twin("b")) == {"b"}
    assert store.last_applied() == 7


def test_a_commit_that_cannot_be_read_changes_nothing(store: Any) -> None:
    store.apply(1, [GraphChange(TWIN, "", line("a"))])
    with pytest.raises(SyntaxError):
        store.apply(2, [GraphChange(TWIN, line("a"), ""), GraphChange(TWIN, "", "no triple")])
    assert values(store) == {"a"}
    assert store.last_applied() == 1


def test_a_commit_taken_twice_is_taken_once(store: Any) -> None:
    first = [GraphChange(TWIN, "", line("a"))]
    second = [GraphChange(TWIN, line("a"), line("b"))]
    for sequence, change in ((1, first), (2, second), (1, first), (2, second)):
        store.apply(sequence, change)
    assert values(store) == {"b"}
    assert store.last_applied() == 2


def test_a_commit_without_changes_moves_the_number_on(store: Any) -> None:
    store.apply(1, [])
    store.apply(2, [])
    assert store.last_applied() == 2


def test_graphs_are_kept_apart_and_seen_together(store: Any) -> None:
    store.apply(1, [GraphChange(TWIN, "", line("a")), GraphChange(NAMES.twin("b"), "", line("b"))])
    assert len(list(store.query(f"SELECT ?v {{ ?s {P} ?v }}"))) == 2
    (row,) = store.query(f'SELECT ?g {{ GRAPH ?g {{ ?s {P} "b" }} }}', union=False)
    assert row["g"] == NAMES.twin("b")
    (row,) = store.query(f"SELECT ?v FROM {TWIN} {{ ?s {P} ?v }}", union=False)
    assert row["v"] == Literal("a")
    # A deviation: Virtuoso's default graph is the union of all, whatever is asked.
    plain = list(store.query(f"SELECT ?v {{ ?s {P} ?v }}", union=False))
    assert len(plain) == (2 if store.engine == "virtuoso" else 0)


def test_a_view_is_replaced_by_its_difference(store: Any) -> None:
    store.apply(1, [GraphChange(NAMES.twin("b"), "", line("b"))])
    view = NAMES.inferred_graph(TWIN)
    wanted = [Triple(TWIN, P, Literal(text)) for text in "xy"]
    assert store.replace(view, wanted) is True
    assert store.replace(view, reversed(wanted)) is False
    assert store.replace(view, wanted[:1]) is True
    assert values(store, view) == {"x"}
    assert values(store, NAMES.twin("b")) == {"b"}
    assert store.last_applied() == 1


@pytest.mark.parametrize(
    "value",
    [
        *(
            Literal(v)
            for v in (True, False, 7, -(2**62), 0.1, 0.30000000000000004, 123456.78901234567, 1.5e-7, 3.5e300)
        ),
        *(Literal(v) for v in ("", "plain", 'q"uote\n\\ é 😀', "x" * 5000)),
        Literal("3.14", datatype=XSD.decimal),
        Literal("20", datatype=XSD.decimal),
        Literal("3.141592653589793238", datatype=XSD.decimal),
        Literal("12345678901234567890", datatype=XSD.integer),
        Literal("0.1", datatype=NamedNode(XSD.NS + "float")),
        Literal("2019-06-01T00:00:00Z", datatype=XSD.dateTime),
        Literal("2019-06-01T00:00:00.1Z", datatype=XSD.dateTime),
        Literal("2019-06-01T00:00:00.123456Z", datatype=XSD.dateTime),
        Literal("2019-06-01", datatype=XSD.date),
        Literal("PT1H", datatype=NamedNode(XSD.NS + "duration")),
        Literal("https://x.example/", datatype=XSD.anyURI),
        Literal("not a number", datatype=XSD.double),
        Literal("<b>b</b>", datatype=NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral")),
        Literal("grün", language="de-at"),
        Literal("made up", datatype=NamedNode("https://x.example/datatype")),
        NamedNode("https://x.example/grün%20?a=b&c#d"),
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_went_in_and_goes_again(store: Any, value: Any) -> None:
    text = f"{Triple(TWIN, P, value)} .\n"
    other = f"{Triple(TWIN, P, Literal('other'))} .\n"
    store.apply(1, [GraphChange(TWIN, "", text + other)])
    assert {quad.object for quad in store.quads(TWIN, P, None, None)} == {value, Literal("other")}
    assert [quad.object for quad in store.quads(TWIN, P, value, TWIN)] == [value]
    assert {row["v"] for row in store.query(f"SELECT ?v {{ ?s {P} ?v }}")} == {value, Literal("other")}
    built = store.query(f"CONSTRUCT {{ ?s {P} ?v }} WHERE {{ ?s {P} ?v }}")
    assert {triple.object for triple in built} == {value, Literal("other")}
    store.apply(2, [GraphChange(TWIN, text, f"{Triple(TWIN, P, Literal('third'))} .\n")])
    assert values(store) == {"other", "third"}
    store.replace(TWIN, [Triple(TWIN, P, value)])
    assert store.replace(TWIN, [Triple(TWIN, P, value)]) is False


def test_what_is_asked_is_the_answer_of_each_form(store: Any) -> None:
    store.apply(1, [GraphChange(TWIN, "", line("a") + line(1.25))])
    assert bool(store.query(f'ASK {{ ?s {P} "a" }}')) is True
    assert bool(store.query(f'ASK {{ ?s {P} "b" }}')) is False
    assert list(store.query(f'CONSTRUCT {{ ?s {P} ?v }} WHERE {{ ?s {P} ?v . ?s {P} "b" }}')) == []
    rows = store.query(f"SELECT ?s ?none ?v {{ ?s {P} ?v OPTIONAL {{ ?v {P} ?none }} }} ORDER BY isNumeric(?v)")
    assert {(row["s"], row["none"], row["v"]) for row in rows} == {
        (TWIN, None, Literal("a")),
        (TWIN, None, Literal(1.25)),
    }


def test_a_large_commit_is_one_commit(store: Any) -> None:
    lines = "".join(f"{Triple(NAMES.twin(str(n)), P, Literal(n / 7))} .\n" for n in range(1500))
    store.apply(1, [GraphChange(TWIN, "", lines)])
    assert {q.object for q in store.quads(None, P, None, TWIN)} == {Literal(n / 7) for n in range(1500)}
    store.apply(2, [GraphChange(TWIN, lines, line("a"))])
    assert values(store) == {"a"}
    assert store.last_applied() == 2


def test_a_bulk_load_adds_and_may_be_repeated(store: Any) -> None:
    store.apply(1, [GraphChange(TWIN, "", line("a"))])
    lines = "".join(line(value) for value in ("b", 0.1, True)).encode()
    for _ in range(2):
        store.load(TWIN, lines)
    assert {quad.object for quad in store.quads(None, P, None, TWIN)} == {Literal(v) for v in ("a", "b", 0.1, True)}
    assert store.last_applied() == 1


def test_a_cleared_store_takes_the_journal_in_from_its_start(store: Any) -> None:
    store.apply(5, [GraphChange(TWIN, "", line("a"))])
    store.clear()
    assert store.last_applied() == 0
    assert values(store) == set()
    store.apply(1, [GraphChange(TWIN, "", line("b"))])
    assert values(store) == {"b"}


def test_a_bad_query_is_a_query_error(store: Any) -> None:
    with pytest.raises(QueryError):
        store.query("SELEKT")


def test_prefixes_and_functions_are_there(store: Any) -> None:
    double = NamedNode("https://x.example/double")
    functions = {double: lambda value: Literal(2 * int(value.value))}
    (row,) = store.query(f"SELECT ({double}(21) AS ?v) WHERE {{}}", functions=functions)
    assert row["v"] == Literal(42)
    store.apply(1, [GraphChange(TWIN, "", line("a"))])
    assert bool(store.query(f"ASK {{ ?s {P} ?v FILTER(isIRI(vt:Twin)) }}"))


def test_a_closed_store_says_so(store: Any) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.last_applied()
    store.close()


commits = st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.text("xyz", max_size=2)), max_size=4), max_size=6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits)
def test_catching_up_from_nothing_gives_an_equal_store(tmp_path_factory: pytest.TempPathFactory, script: Any) -> None:
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

    def test_what_was_applied_is_there_after_reopening_at_once(self, tmp_path: Path) -> None:
        for number in range(1, 6):
            store = OxigraphStore(tmp_path / "graph", BASE)
            assert store.last_applied() == number - 1
            store.apply(number, [GraphChange(TWIN, "", line(str(number)))])
            rows = store.query(f"SELECT ?v {{ ?s {P} ?v }}")
            assert len(list(rows)) == number
            store.close()
            del rows
        gc.collect()

    def test_a_second_owner_is_refused(self, tmp_path: Path) -> None:
        store = OxigraphStore(tmp_path / "graph", BASE)
        with pytest.raises(FleetLockedError, match="another process"):
            OxigraphStore(tmp_path / "graph", BASE)
        store.close()
        OxigraphStore(tmp_path / "graph", BASE).close()

    def test_a_folder_that_cannot_be_made_is_a_store_error(self, tmp_path: Path) -> None:
        (tmp_path / "graph").write_text("in the way")
        with pytest.raises(StoreError, match="graph"):
            OxigraphStore(tmp_path / "graph", BASE)

    def test_flushing_on_the_way_loses_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("voltwin.graphstore.engines.oxigraph.FLUSH_EVERY", 3)
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
