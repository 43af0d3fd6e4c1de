"""Bulk loads: stored once, named by what they hold, read as streams, applied again after a stop half way."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad, RdfFormat, Store, Triple, serialize

from voltwin.errors import InputError, QueryError, StoreError
from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.commit import Committer
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.update import bulk, files
from voltwin.graphstore.update.bulk import run_load
from voltwin.graphstore.update.session import UpdateSession
from voltwin.ontology.naming import Naming

from .test_update import blank

BASE = "https://fleet.example/"
NAMES = Naming(BASE)
NOW = datetime(2019, 4, 1, 6, tzinfo=UTC)
G, H = NamedNode("https://x.example/g"), NamedNode("https://x.example/h")
P = NamedNode("https://x.example/p")
MANY = 1500


def triple(number: Any, value: str = "v") -> Any:
    return Triple(NamedNode(f"https://x.example/s{number}"), P, Literal(f"{value}{number}"))


class World:
    def __init__(self, folder: Any) -> None:
        self.folder = folder
        self.journal = SqliteJournal.open(folder / "journal.sqlite")
        self.loads = LoadFiles(folder / "loads")
        self.committer = Committer(self.journal, OxigraphStore(None, BASE), self.loads)

    def load(self, file: Any, graph: Any = G, replace: bool = False) -> Any:
        target = None if graph is None else graph.value
        return run_load(file, target, replace, UpdateSession(self.committer, NAMES, "ann", NOW))

    def write(self, name: Any, content: Any) -> Any:
        file = self.folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def many(self, name: str = "many.nt", count: Any = MANY, value: str = "v") -> Any:
        return self.write(name, "".join(f"{triple(n, value)} .\n" for n in range(count)))

    def triples(self, graph: Any = G, store: Any = None) -> Any:
        return {quad.triple for quad in (store or self.committer.store).quads(None, None, None, graph)}

    def anew(self) -> Any:
        """What the journal alone makes."""
        store = OxigraphStore(None, BASE)
        Committer(self.journal, store, self.loads).catch_up()
        return store

    def kept(self) -> Any:
        return sorted(path.name for path in self.loads.folder.iterdir())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Any]:
    made = World(tmp_path)
    yield made
    made.journal.close()


class TestFiles:
    def test_what_is_stored_is_read(self, world: Any) -> None:
        triples = [triple(n) for n in range(100)]
        file, count = world.loads.store(triples)
        assert count == 100
        assert world.loads.read(file) == b"".join(f"{t} .\n".encode() for t in triples)
        assert b"".join(world.loads.pieces(file, 97)) == world.loads.read(file)
        assert all(piece.endswith(b"\n") for piece in world.loads.pieces(file, 97))

    def test_the_same_is_stored_once(self, world: Any) -> None:
        first, second = (world.loads.store([triple(1)])[0] for _ in range(2))
        assert first == second
        assert world.kept() == [world.loads.path(first).name]

    def test_a_load_that_ends_half_way_leaves_nothing(self, world: Any) -> None:
        def broken() -> Iterator[Any]:
            yield triple(1)
            raise InputError("the rest is missing")

        with pytest.raises(InputError):
            world.loads.store(broken())
        assert world.kept() == []

    def test_what_is_gone_or_damaged_is_said(self, world: Any) -> None:
        file, _ = world.loads.store([triple(1)])
        other, _ = world.loads.store([triple(2)])
        world.loads.path(other).replace(world.loads.path(file))
        with pytest.raises(StoreError, match="does not hold what its name says"):
            world.loads.read(file)
        world.loads.path(file).write_bytes(b"no gzip")
        with pytest.raises(StoreError, match="cannot be read"):
            world.loads.read(file)
        with pytest.raises(StoreError, match="gone"):
            world.loads.read(other)


def test_a_large_load_is_named_by_its_commit_and_not_copied(world: Any) -> None:
    answer = world.load(world.many())
    assert (answer.sequence, answer.triples, answer.removed) == (1, MANY, 0)
    (commit,) = world.journal.since(0)
    (load,) = commit.loads
    assert (commit.author, commit.changes, load.graph, load.triples) == ("ann", (), G, MANY)
    assert world.triples() == world.triples(store=world.anew()) == {triple(n) for n in range(MANY)}
    assert world.kept() == [world.loads.path(load.file).name]
    world.load(world.many())
    assert len(world.kept()) == 1


def test_a_small_load_is_a_change_like_any(world: Any) -> None:
    answer = world.load(world.many(count=10))
    assert world.load(world.many(count=12)).triples == 12
    assert answer.sequence == 1
    first, second = world.journal.since(0)
    assert (first.loads, second.loads, world.kept()) == ((), (), [])
    assert second.changes[0].added.count("\n") == 2
    assert world.load(world.many(count=12)).sequence is None


@pytest.mark.parametrize("count", [10, MANY])
def test_what_is_replaced_goes_and_what_stays_is_not_touched(world: Any, count: Any) -> None:
    world.load(world.many(count=count))
    world.load(world.many("other.nt"), graph=H)
    shifted = "".join(f"{triple(n)} .\n" for n in range(3, count + 1))
    answer = world.load(world.write("next.nt", shifted), replace=True)
    assert (answer.sequence, answer.triples, answer.removed) == (3, count - 2, 3)
    assert world.triples() == world.triples(store=world.anew()) == {triple(n) for n in range(3, count + 1)}
    assert len(world.triples(H)) == MANY
    assert world.load(world.write("none.nt", ""), replace=True).removed == count - 2
    assert world.triples() == set()


def test_a_stop_between_journal_and_store_is_made_good(world: Any) -> None:
    """As after a SIGKILL: the load is in the journal, the store has a part of it and no mark."""
    world.load(world.many(value="a"))

    class Stopped(OxigraphStore):
        def load(self, graph: Any, triples: Any) -> None:
            lines = triples.splitlines(keepends=True)
            super().load(graph, b"".join(lines[:700]))
            raise SystemExit

    store = Stopped(None, BASE)
    with pytest.raises(SystemExit):
        Committer(world.journal, store, world.loads).catch_up()
    assert (len(world.triples(store=store)), store.last_applied()) == (700, 0)
    store.load = lambda graph, triples: OxigraphStore.load(store, graph, triples)  # type: ignore[method-assign]  # a stand-in takes the place of the real part
    assert Committer(world.journal, store, world.loads).catch_up() == 1
    assert world.triples(store=store) == world.triples()
    assert store.last_applied() == 1


def test_followers_hear_of_every_slot(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voltwin.graphstore.journal.bulk_files.PIECE", 10_000)
    heard: list[Any] = []
    world.committer.followers.append(lambda sequence, slots: heard.extend((sequence, slot) for slot in slots))
    world.load(world.many())
    assert {slot for _, slot in heard} == {(G, triple(n).subject, P) for n in range(MANY)}
    assert {sequence for sequence, _ in heard} == {1}


FORMATS = {
    "a.ttl": RdfFormat.TURTLE,
    "a.nt": RdfFormat.N_TRIPLES,
    "a.rdf": RdfFormat.RDF_XML,
    "a.owl": RdfFormat.RDF_XML,
    "a.trig": RdfFormat.TRIG,
    "a.nq": RdfFormat.N_QUADS,
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read(world: Any, name: Any, packed: Any) -> None:
    content = serialize([triple(n) for n in range(20)], format=FORMATS[name])
    file = world.write(name + ".gz" * packed, gzip.compress(content) if packed else content)
    assert world.load(file).triples == 20
    assert world.triples() == {triple(n) for n in range(20)}


TURTLE = "@prefix ex: <https://x.example/> . ex:a ex:p [ ex:q (1 2) ; ex:r _:x ] . _:x ex:p 007 ."


@pytest.mark.parametrize("few", [1, 1000])
def test_blank_nodes_and_numbers_are_journaled_as_they_are_stored(
    world: Any, monkeypatch: pytest.MonkeyPatch, few: Any
) -> None:
    monkeypatch.setattr(bulk, "FEW", few)
    plain = Store()
    plain.load(TURTLE, RdfFormat.TURTLE, to_graph=G)
    file = world.write("a.ttl", TURTLE)
    world.load(file)
    first = world.triples()
    ours = Dataset(Quad(blank(t.subject), t.predicate, blank(t.object), G) for t in first)
    theirs = Dataset(plain)
    for dataset in (ours, theirs):
        dataset.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    assert ours == theirs
    world.load(file)
    assert world.triples() == first == world.triples(store=world.anew())
    assert world.load(world.write("b.ttl", TURTLE + " ")).triples == len(first)
    shared = {t.subject for t in first} & {t.subject for t in world.triples() - first}
    assert shared <= {NamedNode("https://x.example/a")}  # another file's blank nodes are other nodes


def test_a_file_that_names_graphs_fills_them(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_HELD", 50)
    monkeypatch.setattr(files, "_AT_ONCE", 20)
    lines = [
        f"{Quad(t.subject, t.predicate, t.object, (G, H)[n % 2])} .\n" for n, t in enumerate(map(triple, range(300)))
    ]
    assert world.load(world.write("a.nq", "".join(lines)), graph=None).triples == 300
    assert world.triples() == {triple(n) for n in range(0, 300, 2)}
    assert world.triples(H) == {triple(n) for n in range(1, 300, 2)}
    loose = world.write("b.nq", f"{triple(7)} .\n")
    with pytest.raises(InputError, match="--graph"):
        world.load(loose, graph=None)
    assert world.load(loose, graph=H).sequence is None


ONE = "<https://x.example/a> <https://x.example/p> 1 ."
VIEW = NAMES.inferred_graph(NAMES.twin("m"))


@pytest.mark.parametrize(
    ("name", "content", "graph", "error", "words"),
    [
        ("a.txt", "", G, InputError, "not a known RDF file"),
        ("a.ttl", "<a", G, InputError, "cannot be read as Turtle"),
        ("a.ttl.gz", "no gzip", G, InputError, "cannot be read"),
        (
            "a.ttl",
            ONE,
            NAMES.inferred_graph(NAMES.twin("m")),
            QueryError,
            "derived by rules",
        ),
        ("a.ttl", ONE, NAMES.state_graph, QueryError, "cannot be written"),
        ("a.ttl", ONE, None, InputError, "--graph"),
    ],
)
def test_what_cannot_be_loaded_leaves_nothing(
    world: Any, name: Any, content: Any, graph: Any, error: Any, words: Any
) -> None:
    with pytest.raises(error, match=words):
        world.load(world.write(name, content), graph=graph)
    assert world.journal.last_sequence == 0
    assert world.kept() == []


def test_a_file_that_is_not_there_is_said(world: Any) -> None:
    with pytest.raises(InputError, match="No such file"):
        world.load(world.folder / "missing.ttl")
