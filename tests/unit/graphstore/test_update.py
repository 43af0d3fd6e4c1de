"""SPARQL updates: what comes of them is what the bare engine makes of them, and it all passes the journal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
)

from voltwin.errors import QueryError
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.changes import touched_by
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.series.functions import SeriesFunctions
from voltwin.graphstore.update import draft as limits
from voltwin.graphstore.update.parse import parse_update, with_using
from voltwin.graphstore.update.run import run_update
from voltwin.graphstore.update.session import UpdateSession
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
NOW = datetime(2019, 4, 1, 6, tzinfo=UTC)
EX = "PREFIX ex: <https://x.example/> "
DATA = """
PREFIX ex: <https://x.example/>
GRAPH ex:g { ex:a ex:p ex:b, 1, "one"@en ; ex:q 2.5 . ex:b ex:p ex:c ; a ex:T . }
GRAPH ex:h { ex:a ex:p ex:b ; ex:q "x y\\n\\"z\\"" . ex:c ex:r true . }
GRAPH ex:i { ex:c ex:p ex:a }
"""


class World:
    """A journal and a store in memory, without a fleet around them."""

    def __init__(self, folder: Any) -> None:
        self.folder = folder
        self.journal = SqliteJournal.open(folder / "journal.sqlite")
        self.committer = Committer(self.journal, OxigraphStore(None, BASE))

    def fill(self, quads: Any) -> None:
        graphs: dict[Any, Any] = {}
        for quad in quads:
            graphs.setdefault(quad.graph_name, []).append(f"{quad.triple} .\n")
        self.committer.commit(Entry("test", NOW, tuple(GraphChange(g, "", "".join(t)) for g, t in graphs.items())))

    def update(self, text: Any, functions: Any = None, force: int | None = None) -> Any:
        known = SeriesFunctions({})
        known.update(functions or {})
        return run_update(text, UpdateSession(self.committer, NAMES, "ann", NOW, force=force), known)

    def quads(self) -> Any:
        return [q for q in self.committer.store.quads(None, None, None, None) if q.graph_name != NAMES.state_graph]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Any]:
    made = World(tmp_path)
    made.fill(loaded(DATA))
    yield made
    made.journal.close()


def loaded(trig: Any) -> Any:
    store = Store()
    store.load(trig, RdfFormat.TRIG)
    return store


def blank(term: Any) -> Any:
    if isinstance(term, NamedNode) and term.value.startswith(NAMES.skolem):
        return BlankNode(term.value.rpartition("/")[2])
    if isinstance(term, Triple):
        return Triple(blank(term.subject), term.predicate, blank(term.object))
    return term


def same(ours: Any, theirs: Any) -> Any:
    """Equal up to the names of blank nodes."""
    left = Dataset(Quad(blank(q.subject), q.predicate, blank(q.object), q.graph_name) for q in ours)
    right = Dataset(theirs)
    for dataset in (left, right):
        dataset.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return left == right


UPDATES = [
    "INSERT DATA { GRAPH ex:g { ex:n ex:p 7 } }",
    "INSERT DATA { GRAPH ex:g { ex:a ex:p ex:b } }",
    "INSERT DATA { GRAPH ex:n { ex:n ex:p 007, 1e3, 1.50,"
    " -3, +4.0, true, 'a', '''b''', \"c\"@en-GB, \"4\"^^xsd:int } }",
    "INSERT DATA { GRAPH ex:g { ex:n a ex:T ; ex:p 1 , 2 ; . ex:m a ex:T } . GRAPH ex:new { ex:x ex:y ex:z . } }",
    "INSERT DATA { GRAPH ex:g { [ ex:p [ ex:q 1 ] ; ex:l (1 2 ex:a) ] ex:r _:x . _:x ex:p _:y } "
    "GRAPH ex:h { _:x a ex:T } }",
    "INSERT DATA { }",
    "INSERT DATA { GRAPH ex:g { } }",
    "INSERT DATA { GRAPH ex:g { ex:a ex:says <<( ex:a ex:p ex:b )>> } }",
    "DELETE DATA { GRAPH ex:g { ex:a ex:p ex:b , 1.0, 1 } GRAPH ex:i { ex:c ex:p ex:nobody } }",
    "DELETE DATA { GRAPH ex:g { ex:a ex:p '+1'^^xsd:integer } }",
    "DELETE WHERE { GRAPH ex:g { ex:a ?p ?o } }",
    "DELETE WHERE { GRAPH ?g { ?s ex:p ex:b } }",
    "DELETE WHERE { GRAPH ex:g { ?s ex:p ?o } . GRAPH ex:h { ?s ex:q ?x } }",
    "WITH ex:g DELETE { ?s ex:p ?o } INSERT { ?s ex:was ?o } WHERE { ?s ex:p ?o }",
    "WITH ex:g DELETE { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(isLiteral(?o)) }",
    "WITH ex:g INSERT { ex:n ex:p 1 } WHERE { }",
    "WITH ex:none INSERT { ex:n ex:p 1 } WHERE { }",
    "WITH ex:none INSERT { ex:n ex:p ?s } WHERE { GRAPH ex:g { ?s ex:q 2.5 } }",
    "WITH ex:g INSERT { GRAPH ex:n { ?s ex:in ?g } } WHERE { ?s a ex:T . GRAPH ?g { ?x ex:p ?s } }",
    "WITH ex:g DELETE { ?s a ex:T . GRAPH ex:h { ex:a ex:p ?s } } INSERT { GRAPH ex:i { ?s a ex:U } } "
    "WHERE { ?s a ex:T }",
    "DELETE { GRAPH ?g { ?s ex:p ?o } } INSERT { GRAPH ?g { ?o ex:q ?s } } WHERE { GRAPH ?g { ?s ex:p ?o } }",
    "INSERT { GRAPH ex:n { ?s ex:b [ ex:v ?o ; ex:w _:one ] . _:one ex:of ?s } } WHERE { GRAPH ex:g { ?s ex:p ?o } }",
    "INSERT { GRAPH ex:n { ?s ex:b ?b . ?b ex:of ?s } } WHERE { GRAPH ex:g { ?s ex:q ?o } BIND(BNODE() AS ?b) }",
    "INSERT { GRAPH ex:n { ?o ex:p ?s . ?s ?o ?s . ?s ex:x ?nothing } } WHERE { GRAPH ex:g { ?s ex:p ?o } }",
    "INSERT { GRAPH ?o { ?s ex:p ?s } } WHERE { GRAPH ex:g { ?s ex:p ?o } }",
    "INSERT { GRAPH ex:n { ?s ex:says <<( ?s ex:p ?o )>> } } WHERE { GRAPH ex:g { ?s ex:p ?o } }",
    "INSERT { GRAPH ex:n { ?s ex:n ?n } } WHERE { { SELECT ?s (COUNT(*) AS ?n) { "
    "GRAPH ex:g { ?s ?p ?o } } GROUP BY ?s } }",
    "INSERT { GRAPH ex:n { ex:s ex:p $x . ?x ex:p 1 } } WHERE { VALUES $x { ex:a ex:b } }",
    "INSERT { GRAPH ex:n { ?s ex:p 1 } } USING ex:g WHERE { ?s ex:p ?o }",
    "INSERT { GRAPH ex:n { ?s ex:p ?o } } USING ex:g USING ex:h WHERE { ?s ex:p ex:b ; ex:q ?o }",
    "INSERT { GRAPH ex:n { ?s ex:p ?g } } USING ex:g USING NAMED ex:h WHERE { ?s ex:q ?x . GRAPH ?g { ?s ex:q ?y } }",
    "INSERT { GRAPH ex:n { ?s ex:p ?g } } USING NAMED ex:h WHERE { { GRAPH ?g { ?s ex:p ?y } } UNION { ?s ex:p ?g } }",
    "WITH ex:h DELETE { ?s ex:p ?o } USING ex:g WHERE { ?s ex:p ?o }",
    "DELETE { GRAPH ex:g { ex:a ex:p ex:b } } INSERT { GRAPH ex:g { ex:a ex:p ex:b } } WHERE { }",
    "CLEAR GRAPH ex:g",
    "DROP GRAPH ex:g ; DROP SILENT GRAPH ex:none",
    "CLEAR SILENT GRAPH ex:none",
    "CLEAR NAMED",
    "DROP ALL",
    "CREATE GRAPH ex:fresh",
    "CREATE SILENT GRAPH ex:g",
    "COPY ex:g TO ex:h",
    "COPY GRAPH ex:g TO GRAPH ex:new",
    "COPY ex:g TO ex:g",
    "MOVE ex:g TO ex:h",
    "MOVE ex:g TO ex:g",
    "ADD ex:g TO ex:h",
    "ADD ex:g TO ex:g",
    "INSERT DATA { GRAPH ex:g { ex:n ex:p 1 } } ; DELETE DATA { GRAPH ex:g { ex:n ex:p 1 } }",
    "DELETE DATA { GRAPH ex:g { ex:a ex:p ex:b } } ; INSERT DATA { GRAPH ex:g { ex:a ex:p ex:b } } ;",
    "DELETE WHERE { GRAPH ex:g { ex:a ?p ?o } } ; INSERT DATA { GRAPH ex:g { ex:a ex:p 3 } } ; ADD ex:g TO ex:i",
    "INSERT DATA { GRAPH ex:h { ex:n ex:p ex:b } } ; WITH ex:h DELETE { ?s ex:p ex:b } INSERT { ?s ex:q ex:b } "
    "WHERE { ?s ex:p ex:b }",
    "DELETE WHERE { GRAPH ex:h { ex:a ?p ?o } } ; INSERT { GRAPH ex:n { ?s ex:p ?g } } WHERE { "
    "GRAPH ?g { ?s ex:p ?o } }",
    "INSERT DATA { GRAPH ex:m { ex:n ex:p 1 } } ; INSERT { GRAPH ex:n { ?s ex:p 2 } } USING ex:m WHERE { ?s ex:p 1 }",
    "MOVE ex:h TO ex:k ; WITH ex:k DELETE { ?s ?p ?o } INSERT { GRAPH ex:l { ?s ?p ?o } } "
    "WHERE { ?s ?p ?o . ?s ex:q ?x }",
    "PREFIX y: <https://y.example/> INSERT DATA { GRAPH y:g { y:a y:b y:c } } ; INSERT DATA { "
    "GRAPH y:h { y:a y:b y:c } }",
    "BASE <https://b.example/d/> INSERT DATA { GRAPH <g> { <#a> <../p> <//c.example/x> } } "
    "; WITH <g> DELETE { ?s ?p ?o } "
    "INSERT { ?o <p> ?s } WHERE { ?s ?p ?o }",
    'INSERT DATA { GRAPH ex:g { ex:a ex:p "; } INSERT DATA { # \' GRAPH" . # } ; DROP ALL \n '
    "ex:b ex:p '\\u00e9\\'' } }",
    "insert { graph ex:n { ?x a ex:GRAPH } } where { graph ex:g { ?x a ?t } filter(?t in (ex:T)) }",
    "INSERT { GRAPH ex:n { ?s?p?o . } } WHERE { GRAPH ex:g { ?s?p?o.?s a ex:T.} }",
    "INSERT { GRAPH ex:n { ?é ex:p 1 } } WHERE { GRAPH ex:g { ?é a ex:T } }",
]


@pytest.mark.parametrize("text", UPDATES)
def test_an_update_does_what_the_engine_does(world: Any, text: Any) -> None:
    plain = loaded(DATA)
    text = f"{EX} {text}"
    plain.update(text, prefixes={"xsd": "http://www.w3.org/2001/XMLSchema#"})
    answer = world.update(text)
    assert all(quad.graph_name != DefaultGraph() for quad in plain)
    assert same(world.quads(), plain)
    assert answer.sequence == (2 if answer.added or answer.removed else None)
    assert answer.added - answer.removed == len(plain) - len(loaded(DATA))
    check_the_journal(world)


def check_the_journal(world: Any) -> None:
    """The journal alone gives the same store, quad by quad, and each of its changes was one."""
    anew = OxigraphStore(None, BASE)
    for commit in world.journal.since(0):
        for change in commit.changes:
            there = {f"{quad.triple} ." for quad in anew.quads(None, None, None, change.graph)}
            removed, added = change.removed.splitlines(), change.added.splitlines()
            assert there >= set(removed)
            assert not there & set(added)
        anew.apply(commit.sequence, commit.changes)
    live = world.committer.store
    assert set(anew.quads(None, None, None, None)) == set(live.quads(None, None, None, None))


names = st.sampled_from(["ex:a", "ex:b", "ex:c"])
graphs = st.sampled_from(["ex:g", "ex:h"])
objects = st.one_of(names, st.sampled_from(["1", "2", "'x'"]))
variables = st.sampled_from(["?x", "?y", "?z"])
facts = st.lists(st.tuples(names, names, objects, graphs), max_size=12)
triples = st.tuples(st.one_of(names, variables), st.one_of(names, variables), st.one_of(objects, variables)).map(
    " ".join
)
blocks = st.builds(
    lambda graph, inner: f"GRAPH {graph} {{ {' . '.join(inner)} }}",
    st.one_of(graphs, variables),
    st.lists(triples, min_size=1, max_size=2),
)
quads = st.lists(blocks, min_size=1, max_size=2).map(" ".join)
grounds = st.builds(
    lambda items: " ".join(f"GRAPH {g} {{ {s} {p} {o} }}" for s, p, o, g in items),
    st.lists(st.tuples(names, names, objects, graphs), min_size=1, max_size=3),
)
inner = st.lists(triples, min_size=1, max_size=2).map(" . ".join)
operations = st.one_of(
    st.builds("INSERT DATA {{ {} }}".format, grounds),
    st.builds("DELETE DATA {{ {} }}".format, grounds),
    st.builds("DELETE WHERE {{ {} }}".format, quads),
    st.builds("DELETE {{ {} }} INSERT {{ {} }} WHERE {{ {} }}".format, quads, quads, quads),
    st.builds("WITH {} DELETE {{ {} }} INSERT {{ {} }} WHERE {{ {} }}".format, graphs, inner, quads, inner),
    st.builds("WITH {} INSERT {{ {} }} WHERE {{ {} OPTIONAL {{ {} }} }}".format, graphs, inner, inner, quads),
    st.builds("INSERT {{ {} }} USING {} USING NAMED {} WHERE {{ {} {} }}".format, quads, graphs, graphs, inner, quads),
    st.builds("{} SILENT {} TO {}".format, st.sampled_from(["ADD"]), graphs, graphs),
    st.builds("CLEAR SILENT GRAPH {}".format, graphs),
)


@settings(max_examples=150, deadline=None)
@given(facts, st.lists(operations, min_size=1, max_size=3))
def test_any_update_does_what_the_engine_does(tmp_path_factory: pytest.TempPathFactory, data: Any, script: Any) -> None:
    trig = EX + " ".join(f"GRAPH {g} {{ {s} {p} {o} }}" for s, p, o, g in data)
    world = World(tmp_path_factory.mktemp("world"))
    world.fill(loaded(trig))
    plain = loaded(trig)
    text = EX + " ;\n".join(script)
    plain.update(text)
    world.update(text)
    assert same(world.quads(), plain), text
    check_the_journal(world)
    world.journal.close()


def test_the_default_graph_that_is_read_is_the_union(world: Any) -> None:
    world.update(
        EX + "INSERT { GRAPH ex:n { ex:a ex:n ?n } } WHERE { SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ex:p ?o } }"
    )
    (quad,) = world.committer.store.quads(None, NamedNode("https://x.example/n"), None, None)
    assert quad.object == Literal(5)


def test_later_operations_see_the_union_as_earlier_ones_left_it(world: Any) -> None:
    text = (
        "DELETE WHERE { GRAPH ex:g { ?s ex:p ?o } } ; INSERT DATA { GRAPH ex:m { ex:z ex:p 1 } } ; "
        "INSERT { GRAPH ex:n { ?s ex:seen ?o } } WHERE { ?s ex:p ?o }"
    )
    world.update(EX + text)
    seen = world.committer.store.quads(None, NamedNode("https://x.example/seen"), None, None)
    assert {quad.subject.value[-1] for quad in seen} == {"a", "c", "z"}


def test_prefixes_may_change_on_the_way(world: Any) -> None:
    """As the grammar of SPARQL has it, though the engine does not read it."""
    text = "BASE <https://b.example/> INSERT DATA { GRAPH ex:n { <a> ex:p 1 } } ; PREFIX ex: <https://y.example/> "
    world.update(f"{EX} {text} INSERT DATA {{ GRAPH ex:n {{ <a> ex:p 2 }} }} ; BASE <https://c.example/>")
    subject = NamedNode("https://b.example/a")
    quads = world.committer.store.quads(subject, None, None, None)
    assert {(q.graph_name.value, q.predicate.value, q.object.value) for q in quads} == {
        (f"https://{host}.example/n", f"https://{host}.example/p", value) for host, value in (("x", "1"), ("y", "2"))
    }


def test_functions_are_there(world: Any) -> None:
    double = NamedNode("https://x.example/double")
    text = f"{EX} WITH ex:g INSERT {{ ex:a ex:twice ?t }} WHERE {{ ex:a ex:q ?o BIND({double}(?o) AS ?t) }}"
    world.update(text, {double: lambda value: Literal(2 * float(value.value))})
    (quad,) = world.committer.store.quads(None, NamedNode("https://x.example/twice"), None, None)
    assert quad.object == Literal(5.0)


def test_prefixes_of_the_house_need_no_declaration(world: Any) -> None:
    world.update("INSERT DATA { GRAPH <https://x.example/n> { <https://x.example/a> a vt:Twin ; rdfs:label 'a' } }")
    assert len(list(world.committer.store.quads(None, None, None, NamedNode("https://x.example/n")))) == 2


def test_one_request_is_one_commit_of_its_author(world: Any) -> None:
    seen = []
    world.committer.followers.append(lambda sequence, touched: seen.append((sequence, set(touched))))
    text = "DELETE DATA { GRAPH ex:g { ex:a ex:p 1 } } ; INSERT DATA { GRAPH ex:h { ex:a ex:p 2 } }"
    answer = world.update(EX + text)
    assert (answer.sequence, answer.added, answer.removed) == (2, 1, 1)
    (commit,) = world.journal.since(1)
    assert (commit.author, commit.time) == ("ann", NOW)
    assert seen == [(2, set(touched_by(commit.changes)))]


def test_what_changes_nothing_is_no_commit(world: Any) -> None:
    answer = world.update(EX + "INSERT DATA { GRAPH ex:g { ex:a ex:p ex:b } }")
    assert (answer.sequence, answer.added, answer.removed) == (None, 0, 0)
    assert world.journal.last_sequence == 1


REFUSED = {
    "INSERT DATA { ex:a ex:p 1 }": "name the graph",
    "DELETE DATA { ex:a ex:p 1 }": "name the graph",
    "DELETE WHERE { ?s ?p ?o }": "name the graph",
    "INSERT { ?s ex:x 1 } WHERE { ?s ex:p ?o }": "name the graph",
    "INSERT { ?s ex:x 1 } USING ex:g WHERE { ?s ex:p ?o }": "name the graph",
    "CLEAR DEFAULT": "DEFAULT is the union",
    "DROP DEFAULT": "DEFAULT is the union",
    "COPY DEFAULT TO ex:g": "DEFAULT is the union",
    "ADD ex:g TO DEFAULT": "DEFAULT is the union",
    "LOAD <https://x.example/data.ttl> INTO GRAPH ex:g": "voltwin load",
    "LOAD SILENT <file:///etc/passwd>": "voltwin load",
    "INSERT { GRAPH ex:n { ?s ?p ?o } } WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }": "SERVICE",
    "INSERT DATA { GRAPH <https://fleet.example/twins/m/inferred> { ex:a ex:p 1 } }": "derived by rules",
    "CLEAR GRAPH <https://fleet.example/twins/m/inferred>": "derived by rules",
    "INSERT DATA { GRAPH <https://fleet.example/state> { ex:a ex:p 1 } }": "cannot be written",
    "CREATE GRAPH ex:g": "exists already",
    "COPY ex:none TO ex:g": "no such graph",
    "INSERT DATA { GRAPH ex:g { <https://x.example/\\u0041> ex:p 1 } }": "escape",
    "INSERT DATA { GRAPH ex:g { ?x ex:p 1 } }": "variables are not allowed in INSERT DATA",
    "SELECT * { ?s ?p ?o }": "column 33: found 'SELECT'",
    "INSERT DATA { GRAPH ex:g { ex:n ex:p 1 } } ;\n NONSENSE": "line 2, column 2: found 'NONSENSE'",
    "DELETE DATA { GRAPH ex:g { _:a ex:p 1 } }": "update: ",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_taken_says_why_and_leaves_nothing(world: Any, text: Any) -> None:
    before = set(world.quads())
    for whole in (text, f"INSERT DATA {{ GRAPH ex:g {{ ex:n ex:p 1 }} }} ;\n {text}"):
        with pytest.raises(QueryError, match=re.escape(REFUSED[text]) if whole == text else "."):
            world.update(EX + whole)
        assert set(world.quads()) == before
        assert world.journal.last_sequence == 1


def test_too_much_at_once_is_refused(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUADS_AT_MOST", 4)
    for text in (
        "DELETE WHERE { GRAPH ?g { ?s ?p ?o } }",
        "CLEAR GRAPH ex:g",
        "ADD ex:g TO ex:h",
        "INSERT DATA { GRAPH ex:n { ex:a ex:p 1,2,3,4,5 } }",
        "INSERT DATA { GRAPH ex:n { ex:a ex:p 1,2,3 } } ; INSERT DATA { GRAPH ex:n { ex:a ex:q 1,2,3 } }",
    ):
        with pytest.raises(QueryError, match="voltwin load"):
            world.update(EX + text)
    assert world.update(EX + "INSERT DATA { GRAPH ex:n { ex:a ex:p 1,2,3,4 } }").added == 4


def test_a_copy_that_would_be_too_large_is_refused(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COPIED_AT_MOST", 6)
    first = "INSERT DATA { GRAPH ex:n { ex:a ex:p 1 } } ; "
    with pytest.raises(QueryError, match="one by one"):
        world.update(EX + first + "INSERT { GRAPH ex:m { ?s ex:p 1 } } WHERE { ?s ex:p 1 }")
    # Where the graphs are named, no others are copied.
    assert (
        world.update(EX + first + "INSERT { GRAPH ex:m { ?s ex:p 1 } } WHERE { GRAPH ex:n { ?s ex:p 1 } }").added == 2
    )


def test_all_is_the_data_and_not_what_the_fleet_is_made_of(world: Any) -> None:
    fixed = [NAMES.ontology_graph, NAMES.shapes_graph, NAMES.actions_graph, NAMES.rules_graph]
    world.fill(Quad(NAMES.twin("a"), NamedNode("https://x.example/p"), Literal(1), graph) for graph in fixed)
    world.update("DROP ALL")
    assert {quad.graph_name for quad in world.quads()} == set(fixed)
    world.update(f"DROP GRAPH {NAMES.rules_graph}", force=1)
    assert {quad.graph_name for quad in world.quads()} == set(fixed[:-1])


def test_the_protocols_dataset_becomes_using() -> None:
    text = EX + "INSERT { GRAPH ex:n { ?s ex:p 1 } } WHERE { ?s ex:p 2 } ; DELETE WHERE { GRAPH ex:n { ?s ex:p 3 } }"
    first, second = parse_update(with_using(text, ["https://x.example/g"], ["https://x.example/h"]))
    for operation in (first, second):
        assert [graph.value[-1] for graph in (*operation.using, *operation.using_named)] == ["g", "h"]
    assert len(second.delete) == 1
    assert with_using(text, [], []) == text
    with pytest.raises(QueryError, match="USING or WITH"):
        with_using(EX + "WITH ex:g DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", ["https://x.example/g"], [])
    with pytest.raises(QueryError, match="absolute IRI"):
        with_using(text, ["no iri"], [])
