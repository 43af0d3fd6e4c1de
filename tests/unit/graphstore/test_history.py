"""Past states equal those of a store that took in so many commits, wherever snapshots stand and history begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Dataset, Literal, NamedNode, Quad, RdfFormat, Triple, parse

from voltwin.errors import InputError, MomentNotFoundError, StoreError
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.history import snapshots as history_module
from voltwin.graphstore.history.past_graphs import as_of_text, parse_as_of
from voltwin.graphstore.history.snapshots import History, Retention
from voltwin.graphstore.interfaces import Entry, FinishedRun, GraphChange, GraphLoad, QueuedRun, Sample
from voltwin.graphstore.journal.bulk_files import LoadFiles, place_of
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal

BASE = "https://fleet.example/"
T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
GRAPHS = [NamedNode(f"{BASE}twins/{key}") for key in ("a", "b", "a/computed")]
# Everything that may pass for the end of a line, and what a spelling may differ in.
ODD = ["", "x", "\u2028", "\x0b\x85\x1c", "a\nb\r", '\\n "q" .', "ä€😀", "<https://fleet.example/twins/zz>"]


def at(hours: Any) -> Any:
    return T0 + timedelta(hours=hours)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Any]:
    made = SqliteJournal.open(tmp_path / "journal.sqlite")
    yield made
    made.close()


@pytest.fixture
def loads(tmp_path: Path) -> Any:
    return LoadFiles(tmp_path / "loads")


@pytest.fixture
def history(journal: Any, loads: Any) -> Any:
    return History(journal.database, loads)


def triple(number: Any) -> Any:
    subject, predicate = NamedNode(f"{BASE}twins/a/s{number % 3}"), NamedNode("https://m.example/p")
    return Triple(subject, predicate, Literal(ODD[number % len(ODD)] + str(number // len(ODD))))


def text(triples: Any) -> Any:
    return "".join(sorted(f"{item} .\n" for item in triples))


def content(triples_text: Any) -> Any:
    return {quad.triple for quad in parse(triples_text, format=RdfFormat.N_TRIPLES)}


def one(graph: Any, removed: Any = (), added: Any = ()) -> Any:
    return GraphChange(graph, text(map(triple, removed)), text(map(triple, added)))


graphs = st.integers(0, len(GRAPHS) - 1)
contents = st.frozensets(st.integers(0, 40), max_size=8)
steps = st.one_of(
    st.tuples(st.just("change"), st.dictionaries(graphs, contents, max_size=3)),
    st.tuples(st.just("load"), graphs, contents),
    st.tuples(st.just("snapshot"), graphs, st.integers(0, 6)),
    st.tuples(st.just("compact"), st.integers(0, 8)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=20))
def test_a_graph_as_of_a_commit_is_what_a_store_held_that_took_in_so_many(
    tmp_path_factory: pytest.TempPathFactory, script: Any
) -> None:
    folder = tmp_path_factory.mktemp("law")
    journal, loads = SqliteJournal.open(folder / "journal.sqlite"), LoadFiles(folder / "loads")
    history = History(journal.database, loads)
    believed: list[Any] = [{graph: frozenset() for graph in GRAPHS}]
    entries = []
    for kind, *what in script:
        state, last = dict(believed[-1]), len(believed) - 1
        if kind == "snapshot":
            sequence = last - what[1]
            if sequence >= max(history.begins, 1):
                history.snapshot(GRAPHS[what[0]], sequence)
            continue
        if kind == "compact":
            done = history.compact(last - what[0], now=at(100))
            assert done.begins == history.begins <= max(0, last - 1)
            continue
        changes, named = [], []
        if kind == "change":
            for number, wanted in what[0].items():
                graph = GRAPHS[number]
                new = frozenset(map(triple, wanted))
                changes.append(GraphChange(graph, text(state[graph] - new), text(new - state[graph])))
                state[graph] = new
        else:
            graph = GRAPHS[what[0]]
            new = [triple(item) for item in sorted(what[1])]  # type: ignore[assignment]  # the first value is narrower than those to come
            named.append(GraphLoad(graph, *loads.store(new)))
            state[graph] = state[graph] | set(new)
        entries.append(Entry("anna", at(last), changes, loads=named))
        assert journal.append(entries[-1]) == last + 1
        believed.append(state)
    store = OxigraphStore(None, BASE)
    for sequence, state in enumerate(believed):
        if sequence:
            for load in entries[sequence - 1].loads:
                store.load(load.graph, loads.read(load.file))
            store.apply(sequence, entries[sequence - 1].changes)
        if sequence < history.begins:
            with pytest.raises(MomentNotFoundError, match=f"commit {history.begins} "):
                history.graph(GRAPHS[0], sequence)
            continue
        for graph in GRAPHS:
            assert content(history.graph(graph, sequence)) == state[graph]
        held = [quad for graph in GRAPHS for quad in store.quads(None, None, None, graph)]
        told = [
            Quad(t.subject, t.predicate, t.object, graph) for graph, nt in history.state(sequence) for t in content(nt)
        ]
        assert Dataset(told) == Dataset(held)
    journal.close()


def test_a_removal_spelled_otherwise_still_removes(journal: Any, history: Any) -> None:
    plain, typed = '<a:s> <a:p> "x" .\n', '<a:s> <a:p> "x"^^<http://www.w3.org/2001/XMLSchema#string> .\n'
    journal.append(Entry("a", T0, [GraphChange(GRAPHS[0], "", plain + '<a:s> <a:p> "\\u00e4" .\n')]))
    journal.append(Entry("a", T0, [GraphChange(GRAPHS[0], typed + '<a:s> <a:p> "ä" .\n', "")]))
    assert len(content(history.graph(GRAPHS[0], 1))) == 2
    assert history.graph(GRAPHS[0], 2) == b""


def test_a_moment_is_the_highest_commit_whose_time_is_not_after_it(journal: Any, history: Any) -> None:
    assert history.span() is None
    with pytest.raises(MomentNotFoundError, match="nothing has been committed"):
        history.find(T0)
    for hours in (1, 2, 2, 5, 3, 7):  # the clock was set back once
        journal.append(Entry("a", at(hours)))
    assert [history.sequence_at(at(hours)) for hours in (1, 1.5, 2, 3, 4, 5, 7, 99)] == [1, 1, 3, 5, 5, 5, 6, 6]
    with pytest.raises(MomentNotFoundError, match=r"from commit 1 of 2019-04-01T07:00:00Z to commit 6"):
        history.sequence_at(at(0.5))
    assert history.find(4).time == at(5)
    for wrong in (0, 7, -1):
        with pytest.raises(MomentNotFoundError, match=f"as of {wrong}: outside"):
            history.find(wrong)


def test_what_people_write_for_a_moment_comes_back_as_text() -> None:
    assert parse_as_of("12") == 12
    assert parse_as_of("2019-04-01T08:00:00+02:00") == T0
    assert [as_of_text(item) for item in (12, T0)] == ["12", "2019-04-01T06:00:00Z"]
    for wrong in ("yesterday", "2019-04-01T06:00:00", "--1", "", "²"):
        with pytest.raises(InputError, match="as of"):
            parse_as_of(wrong)


def test_snapshots_come_by_themselves_where_much_changes(
    journal: Any, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "SNAPSHOT_AFTER", 10)
    busy, quiet = GRAPHS[:2]

    def commit(graph: Any, slots: Any) -> None:
        sequence = journal.append(Entry("a", T0, [one(graph, added=[journal.last_sequence])]))
        predicate = NamedNode("https://m.example/p")
        history.follow(sequence, [(graph, NamedNode(f"https://m.example/{n}"), predicate) for n in range(slots)])

    def taken() -> Any:
        rows = journal.database.reader().execute("SELECT iri, sequence FROM snapshots JOIN graphs ON id = graph")
        return {(NamedNode(iri), sequence) for iri, sequence in rows}

    for _ in range(7):
        commit(busy, 4)
    commit(quiet, 8)
    assert taken() == {(busy, 3), (busy, 6)}
    # A process that starts anew counts on from the changes since the last snapshot.
    again = History(journal.database, None)
    assert again._since_snapshot(busy) == (1, 6)
    assert [len(content(history.graph(busy, n))) for n in range(1, 8)] == list(range(1, 8))


def test_a_snapshot_that_cannot_be_taken_spoils_no_commit(
    journal: Any, history: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history_module, "SNAPSHOT_AFTER", 1)
    journal.append(Entry("a", T0, [one(GRAPHS[0], added=[1])]))
    writing = journal.database.transaction
    monkeypatch.setattr(journal.database, "transaction", lambda: (_ for _ in ()).throw(StoreError("disk full")))
    history.follow(1, [(GRAPHS[0], GRAPHS[0], GRAPHS[0])])
    assert "no snapshot after commit 1" in caplog.text
    monkeypatch.setattr(journal.database, "transaction", writing)
    history.follow(1, [(GRAPHS[0], GRAPHS[0], GRAPHS[0])])
    assert journal.database.reader().execute("SELECT count(*) FROM snapshots").fetchone() == (1,)


def run(name: Any, hours: Any) -> Any:
    return QueuedRun(name, NamedNode(f"{BASE}actions/x"), GRAPHS[0], at(hours), "schedule")


@pytest.fixture
def busy(journal: Any, loads: Any) -> Any:
    """Ten commits, an hour each: changes, one load at 3, keys, samples, runs, dead letters."""
    file, count = loads.store([triple(30), triple(31)])
    for hour in range(1, 11):
        entry = Entry(
            "anna",
            at(hour),
            [one(GRAPHS[0], removed=[hour - 1] if hour > 1 else [], added=[hour])],
            [Sample(NamedNode(f"{BASE}twins/a/t"), hour, 1.0)],
            message_keys=[f"m{hour}"],
            queued=[run(f"r{hour}", hour)],
            finished=[FinishedRun(f"r{hour - 1}", "succeeded")] if hour > 1 else [],
            dead_letters=1,
            loads=[GraphLoad(GRAPHS[1], file, count)] if hour == 3 else [],
        )
        journal.append(entry)
    return file


def rows(journal: Any, table: Any) -> Any:
    return journal.database.reader().execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_compaction_forgets_what_was_and_keeps_what_is(journal: Any, history: Any, busy: Any) -> None:
    before, counts = {n: dict(history.state(n)) for n in range(1, 11)}, journal.counts()
    done = history.compact(at(6.5), messages=at(4), runs=at(5), now=at(11))
    assert (done.begins, done.changes, done.loads, done.messages, done.runs) == (6, 6, 1, 4, 4)
    assert {n: dict(history.state(n)) for n in range(6, 11)} == {n: before[n] for n in range(6, 11)}
    assert journal.counts() == counts
    assert journal.known_messages(["m4", "m5"]) == {"m5"}
    assert journal.known_runs(["r4", "r5", "r10"]) == {"r5", "r10"}
    assert [run.id for run in journal.queued_runs()] == ["r10"]
    (first, *_) = [history.span().first]
    assert (first.sequence, first.time) == (6, at(6))
    with pytest.raises(MomentNotFoundError, match="commit 6 of 2019-04-01T12:00:00Z"):
        history.find(at(5.9))
    # Commits stay as long as a message's key or a run is kept that belongs to them.
    assert rows(journal, "commits") == 6
    discarded = journal.database.reader().execute("SELECT file, since FROM discarded").fetchall()
    assert [file for file, _ in discarded] == [place_of(busy)]


def test_compaction_again_changes_nothing(journal: Any, history: Any, busy: Any) -> None:
    history.compact(6, now=at(11))
    file = journal.database.reader()
    before = [
        file.execute(f"SELECT * FROM {table}").fetchall() for table in ("snapshots", "facts", "commits", "changes")
    ]
    again = history.compact(6, now=at(12))
    assert (again.begins, again.snapshots, again.changes, again.commits) == (6, 0, 0, 0)
    assert history.compact(2, now=at(12)).begins == 6
    assert history.compact(at(0), now=at(12)).begins == 6
    after = [
        file.execute(f"SELECT * FROM {table}").fetchall() for table in ("snapshots", "facts", "commits", "changes")
    ]
    assert after == before


def test_the_newest_commit_always_stays(journal: Any, history: Any, busy: Any) -> None:
    assert history.compact(at(1000), now=at(11)).begins == 9
    assert [commit.sequence for commit in journal.since(9)] == [10]


def test_a_view_that_stands_before_the_history_is_told_to_be_made_anew(journal: Any, history: Any, busy: Any) -> None:
    history.compact(6, now=at(11))
    with pytest.raises(StoreError, match=r"up to commit 6 .* at commit 5 .* `voltwin rebuild`"):
        journal.since(5)
    assert [commit.sequence for commit in journal.since(6)] == [7, 8, 9, 10]


def test_a_view_is_made_anew_from_the_state_at_the_horizon(journal: Any, history: Any, loads: Any, busy: Any) -> None:
    whole = OxigraphStore(None, BASE)
    for commit in journal.since(0):
        for load in commit.loads:
            whole.load(load.graph, loads.read(load.file))
        whole.apply(commit.sequence, commit.changes)
    history.compact(6, now=at(11))
    anew = OxigraphStore(None, BASE)
    for graph, triples in history.state(history.begins):
        anew.load(graph, triples)
    for commit in journal.since(history.begins):
        anew.apply(commit.sequence, commit.changes)
    quads = [{q for q in store.quads(None, None, None, None) if q.graph_name in GRAPHS} for store in (whole, anew)]
    assert quads[0] == quads[1]
    assert quads[0]


def test_a_file_that_a_new_load_names_again_is_not_discarded(journal: Any, history: Any, busy: Any) -> None:
    history.compact(6, now=at(11))
    journal.append(Entry("a", at(12), loads=[GraphLoad(GRAPHS[2], busy, 2)]))
    assert rows(journal, "discarded") == 0
    # Nor is one that a later commit still names.
    history.compact(8, now=at(13))
    assert rows(journal, "discarded") == 0


def test_a_graph_that_was_emptied_leaves_no_snapshot(journal: Any, history: Any) -> None:
    journal.append(Entry("a", T0, [one(GRAPHS[0], added=[1])]))
    history.snapshot(GRAPHS[0], 1)
    journal.append(Entry("a", T0, [one(GRAPHS[0], removed=[1])]))
    journal.append(Entry("a", T0))
    history.compact(2, now=T0)
    assert rows(journal, "snapshots") == 0
    assert list(history.state(2)) == list(history.state(3)) == []


def test_how_long_to_keep_is_read_from_the_fleets_description(journal: Any, history: Any, busy: Any) -> None:
    assert Retention.read({}) == Retention(None, None, None)
    read = Retention.read({"keep_days": 0.25, "keep_messages_days": None, "keep_runs_days": 1})
    assert read == Retention(0.25, None, 1)
    assert history.keep(read, at(10)).begins == 4
    for wrong in ({"keep": 1}, {"keep_days": -1}, {"keep_days": "90"}, {"keep_days": True}):
        with pytest.raises(InputError, match="history"):
            Retention.read(wrong)


def test_a_load_without_its_file_says_which(journal: Any, loads: Any, busy: Any) -> None:
    loads.path(busy).unlink()
    with pytest.raises(StoreError, match=busy):
        History(journal.database, loads).graph(GRAPHS[1], 10)
    with pytest.raises(StoreError, match="without the folder"):
        History(journal.database, None).graph(GRAPHS[1], 10)
