"""Going back is a new commit: the graphs and series are those of then, and what was before stays as it was."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Triple

from voltwin.errors import InputError, MomentNotFoundError, OrphanError
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.history.past_graphs import PastGraphs
from voltwin.graphstore.history.rollback import roll_back
from voltwin.graphstore.interfaces import Entry, GraphChange, Sample, SeriesReader
from voltwin.graphstore.journal.changes import touched_by
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.journal.verification import prove
from voltwin.graphstore.update.session import UpdateSession
from voltwin.ontology.iris import VT
from voltwin.ontology.literals import EPOCH
from voltwin.ontology.naming import Naming
from voltwin.testing import Bench

NAMES = Naming("https://fleet.example/")
DESIGN = [NAMES.ontology_graph, NAMES.shapes_graph, NAMES.actions_graph, NAMES.rules_graph]
DATA = [NAMES.twin("a"), NAMES.twin("b"), NAMES.computed_graph(NAMES.twin("a")), NamedNode("https://x.example/more")]
RECORD = [NAMES.runs_graph, NAMES.dead_letters_graph]
SERIES = [NamedNode(f"https://fleet.example/twins/a/s{n}") for n in range(2)]
TIMES = st.integers(0, 6).map(lambda n: n * 1000)

COMMITS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from([*DESIGN, *DATA, *RECORD]), st.integers(0, 3), st.booleans()), max_size=4),
        st.lists(st.tuples(st.sampled_from(SERIES), TIMES, st.integers(0, 3)), max_size=4),
        st.booleans(),
    ),
    min_size=2,
    max_size=7,
)


class Fleet:
    """A journal and its store, changed commit by commit."""

    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal.open(folder / "journal.sqlite")
        self.store = OxigraphStore(None, NAMES.base)
        self.committer = Committer(self.journal, self.store)
        self.past = PastGraphs(self.journal.database, None)

    def add(self, quads: Any, samples: Any, seal: bool) -> None:
        changes = []
        for graph in dict.fromkeys(graph for graph, _, _ in quads):
            present = {q.triple for q in self.store.quads(None, None, None, graph)}
            wanted = set(present)
            for _, number, there in (quad for quad in quads if quad[0] == graph):
                triple = Triple(graph, VT.key, Literal(number))
                (wanted.add if there else wanted.discard)(triple)
            gone, come = ("".join(f"{t} .\n" for t in part) for part in (present - wanted, wanted - present))
            if gone or come:
                changes.append(GraphChange(graph, gone, come))
        latest = {(iri, time): float(value) for iri, time, value in samples}
        rows = [Sample(iri, time, value) for (iri, time), value in latest.items()]
        self.committer.commit(Entry("t", EPOCH, changes, rows), touched_by(changes))
        if seal:
            self.journal.series.seal(EPOCH + timedelta(microseconds=3001), least_rows=1)

    def back(self, to: int, data: bool) -> Any:
        count = 10**9
        try:
            return roll_back(UpdateSession(self.committer, NAMES, "t", EPOCH), self.past, to, data)
        except OrphanError as error:
            count = int(str(error).partition("--force ")[2].partition(",")[0])
        return roll_back(UpdateSession(self.committer, NAMES, "t", EPOCH, force=count), self.past, to, data)

    def graphs(self) -> dict[NamedNode, set[Triple]]:
        return {g: {q.triple for q in self.store.quads(None, None, None, g)} for g in [*DESIGN, *DATA, *RECORD]}

    def state(self, sequence: int) -> Any:
        return [self.past.graph(g, sequence) for g in [*DESIGN, *DATA, *RECORD]], samples(
            self.journal.series.as_of(sequence)
        )


def samples(reader: SeriesReader) -> Any:
    """Everything that can be asked of the series."""
    return [
        (
            [part.tolist() for part in reader.read(iri)],
            [reader.at(iri, time) for time in range(0, 7000, 500)],
            [reader.aggregate(iri, name, start, end) for name in ("count", "min", "sum", "last", "integral")
             for start, end in ((None, None), (1000, 5000), (4000, None))],
            reader.duration_below(iri, 1.5, 500, 5500),
        )
        for iri in SERIES
    ]  # fmt: skip


@contextmanager
def fleet() -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory() as folder:
        made = Fleet(Path(folder))
        try:
            yield made
        finally:
            made.journal.close()


@given(commits=COMMITS, data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happened_the_state_is_that_of_then_and_history_stays(commits: Any, data: st.DataObject) -> None:
    with fleet() as made:
        states, at = [made.graphs()], [None]
        for quads, rows, seal in commits:
            made.add(quads, rows, seal)
            states.append(made.graphs())
            at.append(made.state(made.journal.last_sequence))
        last = made.journal.last_sequence
        to, whole = data.draw(st.integers(1, last)), data.draw(st.booleans())
        done = made.back(to, whole)
        changed = [*DESIGN, *DATA] if whole else DESIGN
        wanted = {graph: states[to if graph in changed else last][graph] for graph in states[0]}
        assert made.graphs() == wanted
        assert samples(made.journal.series) == (at[to] if whole else at[last])[1]
        assert [made.state(n) for n in range(1, last + 1)] == at[1:]  # history before is what it was
        prove(made.journal.database)
        if done.sequence is None:
            assert made.journal.last_sequence == last
            return
        assert done.sequence == made.journal.last_sequence == last + 1
        again = made.back(last, whole)
        assert again.sequence == last + 2
        assert made.graphs() == states[last]
        assert samples(made.journal.series) == at[last][1]
        made.journal.series.seal(EPOCH + timedelta(days=1), least_rows=1)
        assert samples(made.journal.series) == at[last][1]
        assert made.state(last + 1)[1] == (at[to] if whole else at[last])[1]
        table = made.journal.series.resample(timedelta(microseconds=2000), "count")
        assert sum(table["count"].to_pylist()) == sum(len(made.journal.series.read(iri).times) for iri in SERIES)


@pytest.mark.parametrize("to", [0, -1, True, 99])
def test_only_a_commit_of_the_history_can_be_gone_back_to(to: Any) -> None:
    with fleet() as made:
        made.add([(DATA[0], 1, True)], [], False)
        with pytest.raises((InputError, MomentNotFoundError)):
            roll_back(UpdateSession(made.committer, NAMES, "t", EPOCH), made.past, to, True)


def test_a_design_taken_back_is_read_again_and_what_it_would_orphan_is_forced(bench: Bench) -> None:
    ontology, cls, twin = NAMES.ontology_graph.value, "https://x.example/Late", NAMES.twin("late").value
    before = bench.committer.journal.last_sequence
    rules = len(bench.engine.rules)
    insert = f"INSERT DATA {{ GRAPH <{ontology}> {{ <{cls}> a owl:Class ; rdfs:label 'Late' }} }}"
    bench.fleet.update(insert, author="t")
    rule = bench.engine.rules[0].rule.iri.value
    bench.fleet.update(f"DELETE WHERE {{ GRAPH <{NAMES.rules_graph.value}> {{ <{rule}> ?p ?o }} }}", author="t")
    bench.fleet.update(
        f"INSERT DATA {{ GRAPH <{twin}> {{ <{twin}> a <{cls}>, <{VT.Twin.value}> ; vt:key 'late' }} }}", author="t"
    )
    assert (len(bench.engine.rules), NAMES.twin("late") in bench.fleet.twins()) == (rules - 1, True)
    with pytest.raises(OrphanError, match=r"1 twins or parts without their class: /late.*--force 1,"):
        bench.fleet.rollback(before, author="t")
    assert bench.fleet.rollback(before, author="t", force=1).sequence
    assert len(bench.engine.rules) == rules
    assert NAMES.twin("late") in bench.fleet.twins()
    done = bench.fleet.rollback(before, data=True, author="t")  # the twin goes too: nothing is left to orphan
    assert (done.graphs, NAMES.twin("late") in bench.fleet.twins()) == (1, False)
    assert bench.fleet.rollback(before, data=True, author="t").sequence is None
    with pytest.raises(InputError, match="the past"):
        bench.fleet.as_of(before).rollback(before, author="t")


def test_a_taken_back_twin_runs_no_action_any_more(bench: Bench, message_examples: Any) -> None:
    from voltwin.testing import message

    services = {"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"}
    before = bench.committer.journal.last_sequence

    def birth(key: str, time: str) -> Any:
        return message(f"voltwin/modules/{key}/birth", {**message_examples["module-birth"], "id": key, "time": time})

    bench.play([birth("m-1", "2019-04-01T00:00:00Z")], services=services)
    assert {row.twin for row in bench.committer.journal.due_table()} >= {NAMES.twin("m-1")}
    bench.fleet.rollback(before, data=True, author="t")
    bench.play([birth("m-2", "2019-04-03T00:00:00Z")], services=services)
    due = {row.twin for row in bench.committer.journal.due_table()}
    assert (NAMES.twin("m-1") in due, NAMES.twin("m-2") in due) == (False, True)
    assert "m-1" not in bench.fleet
