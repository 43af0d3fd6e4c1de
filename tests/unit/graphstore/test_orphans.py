"""A change that would orphan twins is refused unless forced with the count, which an oracle counts too."""

from __future__ import annotations

import re
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Triple

from voltwin.errors import OrphanError
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.changes import touched_by
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.series.functions import SeriesFunctions
from voltwin.graphstore.update.run import run_update
from voltwin.graphstore.update.session import UpdateSession
from voltwin.ontology.iris import OWL, RDF, VT
from voltwin.ontology.literals import EPOCH
from voltwin.ontology.naming import Naming
from voltwin.testing import Bench

NAMES = Naming("https://fleet.example/")
CLASSES = [NamedNode(f"https://x.example/C{n}") for n in range(4)]
PROPERTIES = [NamedNode(f"https://x.example/p{n}") for n in range(4)]
DESIGN = (NAMES.ontology_graph, NAMES.shapes_graph, NAMES.actions_graph, NAMES.rules_graph)


def declared(quads: set[Quad]) -> tuple[set[Any], set[Any]]:
    mine = [quad for quad in quads if quad.graph_name == NAMES.ontology_graph]
    return (
        {quad.subject for quad in mine if (quad.predicate, quad.object) == (RDF.type, OWL.Class)},
        {quad.subject for quad in mine if quad.predicate == VT.pathName},
    )


def oracle(before: set[Quad], after: set[Quad]) -> int:
    """Counted over plain sets of quads."""
    classes, properties = (old - new for old, new in zip(declared(before), declared(after), strict=True))
    twins = [quad for quad in after if "/twins/" in str(quad.graph_name) and "/inferred>" not in str(quad.graph_name)]
    elements = {quad.subject for quad in twins if quad.predicate == RDF.type and quad.object in classes}
    values = {quad for quad in twins if quad.predicate in properties}
    dropped = [g for g in DESIGN if not any(quad.graph_name == g for quad in after)]
    return len(elements) + len(values) + sum(quad.graph_name in dropped for quad in before)


def fleet_quads(draw: Any) -> set[Quad]:
    quads = {Quad(cls, RDF.type, OWL.Class, NAMES.ontology_graph) for cls in CLASSES}
    quads |= {Quad(prop, VT.pathName, Literal(f"p{n}"), NAMES.ontology_graph) for n, prop in enumerate(PROPERTIES)}
    for graph in DESIGN[1:]:
        quads |= {Quad(graph, VT.key, Literal(str(n)), graph) for n in range(draw(st.integers(0, 2)))}
    for n in range(draw(st.integers(0, 5))):
        twin = NAMES.twin(f"t{n}")
        element = draw(st.sampled_from([twin, NAMES.part(twin, "a")]))
        graph = draw(st.sampled_from([twin, NAMES.computed_graph(twin), NAMES.inferred_graph(twin)]))
        quads.add(Quad(element, RDF.type, draw(st.sampled_from(CLASSES)), graph))
        for prop in draw(st.sets(st.sampled_from(PROPERTIES))):
            quads.add(Quad(element, prop, Literal("x"), graph))
    return quads


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_count_is_the_oracles_for_any_design_and_change(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = fleet_quads(data.draw)
        journal, store = SqliteJournal.open(Path(folder) / "journal.sqlite"), OxigraphStore(None, NAMES.base)
        committer = Committer(journal, store)
        committer.commit(Entry("t", EPOCH, changes(set(), before)))
        gone = set(data.draw(st.lists(st.sampled_from(sorted(before, key=str)), max_size=8)))
        for graph in data.draw(st.sets(st.sampled_from([*DESIGN, NAMES.twin("t0"), NAMES.twin("t1")]))):
            gone |= {quad for quad in before if quad.graph_name == graph}
        late = NAMES.twin("late")
        come = set(data.draw(st.sampled_from([[], [Quad(late, RDF.type, CLASSES[0], late)]])))
        after = (before - gone) | come
        entry = Entry("t", EPOCH, changes(before, after))
        count = oracle(before, after)
        if not entry.changes or not {quad.graph_name for quad in before ^ after} & set(DESIGN):
            journal.close()
            return
        for force in (None, count + 1, count):
            forced = UpdateSession(committer, NAMES, "t", EPOCH, force=force)
            if count and force != count:
                with pytest.raises(OrphanError, match=rf"--force {count},"):
                    forced.commit_entry(entry, touched_by(entry.changes))
                assert journal.last_sequence == 1
            else:
                forced.commit_entry(entry, touched_by(entry.changes))
                break
        assert {quad for quad in store.quads(None, None, None, None) if quad.graph_name != NAMES.state_graph} == after
        journal.close()


def changes(before: set[Quad], after: set[Quad]) -> list[GraphChange]:
    found = []
    for graph in sorted({quad.graph_name for quad in before ^ after}, key=str):
        assert isinstance(graph, NamedNode)
        gone, come = (
            "".join(
                f"{Triple(quad.subject, quad.predicate, quad.object)} .\n" for quad in part if quad.graph_name == graph
            )
            for part in (before - after, after - before)
        )
        found.append(GraphChange(graph, gone, come))
    return found


@pytest.mark.parametrize("graph", ["shapes", "rules"])
@pytest.mark.parametrize("verb", ["DROP GRAPH", "CLEAR GRAPH", "DELETE WHERE"])
def test_a_graph_of_the_design_is_dropped_with_its_count_alone(bench: Bench, graph: str, verb: str) -> None:
    iri = f"{NAMES.base}{graph}"
    count = sum(1 for _ in bench.committer.store.quads(None, None, None, NamedNode(iri)))
    text = f"{verb} <{iri}>" if verb != "DELETE WHERE" else f"DELETE WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"
    for wrong in (None, 0, count - 1, count + 1):
        with pytest.raises(OrphanError, match=rf"{count} statements.*graph {re.escape(iri)}.*--force {count},"):
            bench.fleet.update(text, author="t", force=wrong)
    assert bench.fleet.update(text, author="t", force=count).removed == count


def test_a_class_with_twins_is_not_undeclared_and_the_refusal_names_them(bench: Bench) -> None:
    ontology, cls, twin = NAMES.ontology_graph.value, "https://x.example/Late", NAMES.twin("t1").value
    bench.fleet.update(
        f"INSERT DATA {{ GRAPH <{ontology}> {{ <{cls}> a owl:Class }} GRAPH <{twin}> {{ <{twin}> a <{cls}> }} }}",
        author="t",
    )
    text = f"DELETE WHERE {{ GRAPH <{ontology}> {{ <{cls}> a ?type }} }}"
    with pytest.raises(OrphanError, match=r"1 twins or parts without their class: /t1;"):
        bench.fleet.update(text, author="t")
    assert bench.fleet.update(f"{text} ; DROP GRAPH <{twin}>", author="t").removed == 2


def test_the_count_is_that_of_the_moment_of_the_commit(bench: Bench) -> None:
    """Others write twins of the class while it is undeclared: none of them is orphaned uncounted."""
    ontology, cls = NAMES.ontology_graph.value, "https://x.example/Late"
    bench.fleet.update(f"INSERT DATA {{ GRAPH <{ontology}> {{ <{cls}> a owl:Class }} }}", author="designer")
    first, stop = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            twin, number = NAMES.twin(f"late-{number}").value, number + 1
            bench.fleet.update(f"INSERT DATA {{ GRAPH <{twin}> {{ <{twin}> a <{cls}> }} }}", author="writer")
            first.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert first.wait(60)
        text, force = f"DELETE WHERE {{ GRAPH <{ontology}> {{ <{cls}> ?p ?o }} }}", 0
        for attempt in range(1000):
            try:
                done = bench.fleet.update(text, author="designer", force=force)
                break
            except OrphanError as error:
                told = re.search(r"--force (\d+)", str(error))
                assert told
                force = int(told[1])
            if attempt == 5:  # until here the writer went on between being told and forcing
                stop.set()
    finally:
        stop.set()
        writer.join()
    assert done.sequence is not None
    past = bench.fleet.as_of(done.sequence)
    left = past.query(f"SELECT (COUNT(*) AS ?n) WHERE {{ ?s a <{cls}> }}", "text/csv").body.split()[1]
    assert int(left) == force > 0


def test_run_update_passes_the_count_on(tmp_path: Path) -> None:
    journal, store = SqliteJournal.open(tmp_path / "journal.sqlite"), OxigraphStore(None, NAMES.base)
    committer = Committer(journal, store)
    run_update(
        f"INSERT DATA {{ GRAPH <{NAMES.rules_graph.value}> {{ <a:b> <a:c> 1, 2 }} }}",
        UpdateSession(committer, NAMES, "t", EPOCH),
        SeriesFunctions({}),
    )
    with pytest.raises(OrphanError, match="--force 2,"):
        run_update(
            f"DROP GRAPH <{NAMES.rules_graph.value}>", UpdateSession(committer, NAMES, "t", EPOCH), SeriesFunctions({})
        )
    journal.close()
