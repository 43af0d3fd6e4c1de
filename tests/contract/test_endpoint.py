"""A remote engine in a bad way: away, killed, too busy, too slow, asking who we are, or not fit to hold a fleet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from voltwin.errors import QueryError, StoreError
from voltwin.graphstore.engines.endpoint.http import EndpointHttp
from voltwin.graphstore.engines.endpoint.options import EndpointOptions
from voltwin.graphstore.engines.endpoint.store import SparqlEndpoint
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.changes import ChangeSet, touched_by
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.ontology.literals import EPOCH
from voltwin.ontology.naming import Naming

from .servers import PASSWORD, OxigraphServer, Proxy, basic

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
TWIN = NAMES.twin("module-0001")
P = NamedNode("https://x.example/p")


def line(value: Any) -> str:
    return f"{Triple(TWIN, P, Literal(value))} .\n"


def values(store: Any) -> Any:
    return {quad.object.value for quad in store.quads(None, P, None, TWIN)}


@pytest.fixture
def waits() -> Any:
    return []


@pytest.fixture
def connect(waits: Any) -> Iterator[Any]:
    """Opens endpoints that note their pauses instead of making them."""
    opened = []

    def make(options: Any, environment: Any = None, **more: Any) -> Any:
        def http(chosen: Any, variables: Any) -> Any:
            return EndpointHttp(chosen, variables, sleep=waits.append, chance=lambda: 0.0)

        store = SparqlEndpoint.open(EndpointOptions.from_json({**options, **more}), BASE, environment or {}, http)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


def put(committer: Any, value: Any) -> None:
    changes = ChangeSet(committer.store)
    changes.put(TWIN, P, [Literal(value)], TWIN)
    committer.commit(Entry("test", EPOCH, changes.changes()), tuple(changes.touched()))


class TestAway:
    """The journal is the spine: an engine that was away takes in what it missed."""

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[Any]:
        (tmp_path / "server").mkdir()
        server = OxigraphServer(tmp_path / "server", data=True)
        server.start()
        yield server
        server.stop()

    @pytest.fixture
    def committer(self, server: Any, connect: Any, tmp_path: Path) -> Iterator[Any]:
        journal = SqliteJournal.open(tmp_path / "journal.sqlite")
        yield Committer(journal, connect(server.options, attempts=2))
        journal.close()

    def test_a_commit_while_it_is_away_is_kept_and_taken_in_before_the_next(self, committer: Any, server: Any) -> None:
        told = []
        put(committer, "a")
        committer.followers.append(lambda sequence, slots: told.append((sequence, list(slots))))
        change = GraphChange(TWIN, line("a"), line("b"))
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreError, match=r"2 attempts failed.*start the engine"):
                committer.commit(Entry("test", EPOCH, [change]), touched_by([change]))
        assert committer.journal.last_sequence == 2  # the second of them was refused before the journal took it
        assert told == []
        server.start()
        with pytest.raises(StoreError, match="read again and retry"):
            put(committer, "c")  # it was to replace a, and b is there by now
        assert values(committer.store) == {"b"}
        put(committer, "c")
        assert values(committer.store) == {"c"}
        assert committer.store.last_applied() == 3
        slot = (TWIN, TWIN, P)
        # The first once more: whether its followers had seen it is not known.
        assert told == [(1, [slot]), (2, [slot]), (3, [slot])]

    def test_killed_and_opened_again_it_catches_up_to_an_equal_store(
        self, committer: Any, server: Any, connect: Any
    ) -> None:
        for number in range(5):
            put(committer, str(number))
        server.kill()
        server.start()
        again = Committer(committer.journal, connect(server.options))
        again.catch_up()
        local = Committer(committer.journal, OxigraphStore(None, BASE))
        local.catch_up()
        assert set(again.store.quads(None, None, None, None)) == set(local.store.quads(None, None, None, None))

    def test_a_commit_that_was_half_taken_is_taken_again(
        self, committer: Any, server: Any, connect: Any, proxy: Any
    ) -> None:
        put(committer, "a")
        proxy.target = server.port
        lines = "".join(line(f"v{number}") for number in range(40))
        change = GraphChange(TWIN, line("a"), lines)
        half = connect(proxy.through(server.options), update_quads=10, attempts=1)
        send, sent = half._http.update, []

        def break_off(text: Any) -> None:
            sent.append(text)
            if len(sent) == 4:
                proxy.refuse, proxy.status = 1, 503
            send(text)

        half._http.update = break_off
        behind = Committer(committer.journal, half)
        with pytest.raises(StoreError, match="503"):
            behind.commit(Entry("test", EPOCH, [change]))
        assert half.last_applied() == 1
        assert 0 < len(values(half)) < 40
        assert behind.catch_up() == 1
        assert values(half) == {f"v{number}" for number in range(40)}
        assert half.last_applied() == 2

    def test_an_answer_that_was_lost_is_no_second_commit(
        self, committer: Any, server: Any, connect: Any, proxy: Any
    ) -> None:
        proxy.target = server.port
        lost = Committer(committer.journal, connect(proxy.through(server.options)))
        put(lost, "a")
        proxy.lose = 1
        put(lost, "b")
        assert values(lost.store) == {"b"}
        assert lost.store.last_applied() == lost.journal.last_sequence == 2

    def test_an_update_that_lands_late_changes_nothing(self, committer: Any, server: Any) -> None:
        store = committer.store
        late = []
        send = store._http.update
        store._http.update = lambda text: (late.append(text), send(text))  # type: ignore[func-returns-value]  # one expression in a lambda
        put(committer, "a")
        put(committer, "b")
        for text in late:
            send(text)
        assert values(store) == {"b"}
        assert store.last_applied() == 2


def test_pauses_grow_and_end(proxy: Any, connect: Any, oxigraph_server: Any, waits: Any) -> None:
    store = connect(proxy.through(oxigraph_server.options), attempts=6, first_pause=1, longest_pause=4)
    store.clear()
    proxy.refuse = 5
    assert store.last_applied() == 0
    assert waits == [0.5, 1.0, 2.0, 2.0, 2.0]
    proxy.refuse, proxy.status = 9, 429
    with pytest.raises(StoreError, match="6 attempts failed, the last one with: answered 429"):
        store.last_applied()
    proxy.refuse = 0


def test_what_is_not_worth_repeating_is_not_repeated(
    proxy: Any, connect: Any, oxigraph_server: Any, waits: Any
) -> None:
    store = connect(proxy.through(oxigraph_server.options))
    proxy.seen.clear()
    with pytest.raises(QueryError):
        store.query("SELECT ?x { ?x vt:key }")
    proxy.refuse, proxy.status = 1, 500
    with pytest.raises(StoreError, match=r"answered 500: not now"):
        store.last_applied()
    assert len(proxy.seen) == 2
    assert waits == []


def test_nobody_there_is_said_after_the_attempts(connect: Any, waits: Any) -> None:
    with pytest.raises(StoreError, match=r"http://127.0.0.1:9/query: 3 attempts failed.*check the addresses"):
        connect({"query": "http://127.0.0.1:9/query"}, attempts=3)
    assert len(waits) == 2


def test_a_query_that_is_too_slow_ends_at_the_limit_that_is_named(
    connect: Any, oxigraph_server: Any, waits: Any
) -> None:
    store = connect(oxigraph_server.options)
    store.load(TWIN, "".join(line(number) for number in range(400)).encode())
    hasty = connect(oxigraph_server.options, answer_seconds=0.3)
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"no answer within 0.3 s.*answer_seconds"):
        hasty.query("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c + ?f + ?i < 0) }")
    assert time.monotonic() - began < 30
    assert waits == []
    store.clear()


def test_an_answer_that_the_engine_cut_off_is_an_error(tmp_path: Path, connect: Any) -> None:
    server = OxigraphServer(tmp_path, "--timeout-s", "1")
    server.start()
    try:
        store = connect(server.options)
        store.load(TWIN, "".join(line(number) for number in range(400)).encode())
        with pytest.raises(StoreError):
            store.query("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c + ?f + ?i < 0) }")
    finally:
        server.kill()


VARIABLES = {"VOLTWIN_STORE_USER": "ann", "VOLTWIN_STORE_PASSWORD": "ä:b", "VOLTWIN_STORE_TOKEN": "t0ken"}


class TestCredentials:
    """Basic and bearer at a proxy before a real server, digest at Virtuoso's own door."""

    @pytest.fixture
    def guarded(self, oxigraph_server: Any) -> Iterator[Any]:
        made = Proxy(oxigraph_server.port, allowed=(basic("ann", "ä:b"), "Bearer t0ken"))
        yield made.through(oxigraph_server.options)
        made.close()

    @pytest.mark.parametrize("auth", ["basic", "bearer"])
    def test_they_open_every_address(self, guarded: Any, connect: Any, auth: Any) -> None:
        store = connect(guarded, VARIABLES, auth=auth)
        store.clear()
        store.apply(1, [GraphChange(TWIN, "", line("a"))])
        store.load(TWIN, line("b").encode())
        assert values(store) == {"a", "b"}

    @pytest.mark.parametrize(
        ("auth", "variables", "sentence"),
        [
            ("none", {}, "refused the credentials .401.; check the option auth"),
            ("basic", {"VOLTWIN_STORE_USER": "ann"}, "needs basic credentials; set VOLTWIN_STORE_PASSWORD"),
            (
                "basic",
                {**VARIABLES, "VOLTWIN_STORE_PASSWORD": "no"},
                "refused.*_USER and VOLTWIN_STORE_PASS",
            ),
            ("bearer", {"VOLTWIN_STORE_TOKEN": "no"}, "refused.*VOLTWIN_STORE_TOKEN"),
        ],
    )
    def test_wrong_or_missing_ones_are_said_by_the_names_of_their_variables(
        self, guarded: Any, connect: Any, auth: Any, variables: Any, sentence: Any
    ) -> None:
        with pytest.raises(StoreError, match=sentence) as raised:
            connect(guarded, variables, auth=auth)
        assert "no'" not in str(raised.value)

    def test_digest(self, virtuoso_server: Any, connect: Any) -> None:
        right = {"VOLTWIN_STORE_USER": "dba", "VOLTWIN_STORE_PASSWORD": PASSWORD}
        store = connect(virtuoso_server.digest_options, right)
        store.clear()
        store.apply(1, [GraphChange(TWIN, "", line("a"))])
        store.load(TWIN, line(0.1).encode())
        assert values(store) == {"a", "0.1"}
        store.replace(TWIN, [Triple(TWIN, P, Literal("c"))])
        assert values(store) == {"c"}
        with pytest.raises(StoreError, match="refused the credentials"):
            connect(virtuoso_server.digest_options, {**right, "VOLTWIN_STORE_PASSWORD": "no"})


class TestUnfit:
    """What cannot hold a fleet is refused when it is opened."""

    def test_another_fleet_is_there(self, oxigraph_server: Any, connect: Any) -> None:
        connect(oxigraph_server.options).clear()
        options = EndpointOptions.from_json(oxigraph_server.options)
        with pytest.raises(StoreError, match=r"holds the fleet https://fleet.example/; one endpoint holds one fleet"):
            SparqlEndpoint.open(options, "https://another.example/")

    def test_from_is_not_heeded(self, tmp_path: Path, connect: Any) -> None:
        server = OxigraphServer(tmp_path, "--union-default-graph")
        server.start()
        try:
            with pytest.raises(StoreError, match="ignores FROM"):
                connect(server.options)
        finally:
            server.stop()

    def test_the_default_graph_is_not_the_union(
        self, oxigraph_server: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The field is all that makes the union here.
        monkeypatch.setattr("voltwin.graphstore.engines.endpoint.http._UNION", "another-field")
        with pytest.raises(StoreError, match="does not see the named graphs"):
            connect(oxigraph_server.options)


class TestVirtuoso:
    """What it does otherwise than the rest: the table of docs/stores.md, line by line."""

    @pytest.fixture
    def store(self, virtuoso_server: Any, connect: Any) -> Any:
        store = connect(virtuoso_server.options)
        store.clear()
        return store

    def test_an_answer_of_too_many_rows_is_refused_and_not_cut(self, store: Any) -> None:
        for start in range(0, 10_001, 1000):
            store.load(TWIN, "".join(line(number) for number in range(start, start + 1000)).encode())
        with pytest.raises(QueryError, match=r"returns at most 10000 rows.*ResultSetMaxRows"):
            store.query(f"SELECT ?v {{ ?s {P} ?v }}")

    def test_a_truth_value_that_is_computed_is_a_number(self, store: Any) -> None:
        store.apply(1, [GraphChange(TWIN, "", line(1))])
        (row,) = store.query(f"SELECT ((?v = 1) AS ?same) {{ ?s {P} ?v }}")
        assert row["same"] == Literal(1)

    def test_its_own_graphs_are_part_of_the_union(self, store: Any) -> None:
        assert bool(store.query("ASK { ?s a <http://www.openlinksw.com/schemas/virtrdf#QuadMap> }"))

    def test_literals_kept_as_text_are_not_found_by_their_value(self, store: Any) -> None:
        long = Literal("PT1H", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#duration"))
        store.apply(1, [GraphChange(TWIN, "", f"{Triple(TWIN, P, long)} .\n")])
        (row,) = store.query(f"SELECT ?v {{ ?s {P} ?v }}")
        assert row["v"] == long
        assert not bool(store.query(f"ASK {{ ?s {P} {long} }}"))
