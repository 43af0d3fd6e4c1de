"""Updates and loads do the same on the local fleet and through a server: to the graph, the rules and the journal."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.errors import InputError, MomentNotFoundError, NotFoundError, OrphanError, QueryError, RuleError
from voltwin.graphstore.fleets.remote import RemoteFleet

from ..unit.api.sample_fleet import BASE, make_fleet

MODULE = f"<{BASE}twins/module-0001>"
ONTOLOGY = "https://w3id.org/voltwin/models/battery-logistics/"


@pytest.fixture(params=["local", "remote"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with make_fleet(tmp_path, ["module-0001"]) as local, contextlib.ExitStack() as stack:
        if request.param == "local":
            yield local
        else:
            server = stack.enter_context(WebServer(create_app(local), port=0))
            yield stack.enter_context(RemoteFleet(server.url))


def answer(fleet: Any, text: Any) -> Any:
    return fleet.query(text, "text/csv").body.decode().splitlines()[1:]


def test_an_update_changes_what_paths_answer(fleet: Any) -> None:
    prop = f"<{ONTOLOGY}product#Module.serial>"
    text = f"WITH {MODULE} DELETE {{ ?m {prop} ?old }} INSERT {{ ?m {prop} 'S-9' }} WHERE {{ ?m {prop} ?old }}"
    before = fleet.status()["commits"]
    done = fleet.update(text, author="änn & co")
    assert (done.sequence, done.added, done.removed) == (before + 1, 1, 1)
    assert fleet["module-0001"]["serial"].value == "S-9"
    again = fleet.update(text, author="ann")
    assert (again.sequence, again.added, again.removed) == (None, 0, 0)
    assert fleet.status()["commits"] == before + 1


def test_rules_follow_an_update(fleet: Any) -> None:
    where = f"<{BASE}twins/module-0001/inferred>"
    assert answer(fleet, f"SELECT (COUNT(*) AS ?n) {{ GRAPH {where} {{ ?s ?p ?o }} }}") != ["0"]
    fleet.update(f"DROP GRAPH {MODULE} ; DROP GRAPH <{BASE}twins/module-0001/computed>", author="ann")
    assert "module-0001" not in fleet
    assert answer(fleet, f"SELECT (COUNT(*) AS ?n) {{ GRAPH {where} {{ ?s ?p ?o }} }}") == ["0"]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("INSERT DATA {", QueryError, "update: line 1, column 14: the text ends; expected"),
        ("INSERT DATA { <a:a> <a:b> 1 }", QueryError, "union of all graphs"),
        ("LOAD <http://127.0.0.1:1/>", QueryError, "must not fetch"),
        (f"CLEAR GRAPH <{BASE}twins/module-0001/inferred>", QueryError, "derived by rules"),
    ],
)
def test_what_is_refused_changes_nothing(fleet: Any, text: Any, error: Any, words: Any) -> None:
    before = fleet.status()
    with pytest.raises(error, match=words):
        fleet.update(text, author="ann")
    assert fleet.status() == before


RULES = f"<{BASE}rules>"


def test_a_rule_that_is_changed_holds_at_once(fleet: Any) -> None:
    """Storage set points no longer speak: the trend falls back to what is left."""
    rules = [segment.rule for segment in fleet.get("/module-0001/reasoner/temperatureTrend").value.segments]
    assert "storage-set-point" in rules
    fleet.update(f"WITH {RULES} DELETE {{ ?r ?p ?o }} WHERE {{ ?r vt:key 'storage-set-point' ; ?p ?o }}", author="ann")
    rules = [segment.rule for segment in fleet.get("/module-0001/reasoner/temperatureTrend").value.segments]
    assert "storage-set-point" not in rules
    assert "default-temperature" in rules


def test_a_rule_that_does_not_compile_is_refused_and_leaves_nothing(fleet: Any) -> None:
    before = fleet.status()
    text = f"WITH {RULES} DELETE {{ ?r vt:subsequent ?o }} INSERT {{ ?r vt:subsequent 'no such thing' }} " + (
        "WHERE { ?r vt:subsequent ?o }"
    )
    with pytest.raises(RuleError):
        fleet.update(text, author="ann")
    assert fleet.status() == before
    assert fleet.get("/module-0001/reasoner/temperatureTrend").value.segments


def test_a_property_that_is_added_can_be_asked_for(fleet: Any) -> None:
    prop = f"<{ONTOLOGY}product#Module.colour>"
    fleet.update(
        f"INSERT {{ GRAPH <{BASE}ontology> {{ {prop} ?p ?o . {prop} vt:pathName 'colour' }} "
        f"GRAPH {MODULE} {{ {MODULE} {prop} 'red' }} }} "
        f"WHERE {{ GRAPH <{BASE}ontology> {{ <{ONTOLOGY}product#Module.serial> ?p ?o }} FILTER(?p != vt:pathName) }}",
        author="ann",
    )
    assert fleet["module-0001"]["colour"].value == "red"


def test_a_load_adds_and_replaces(fleet: Any, tmp_path: Path) -> None:
    graph, many = f"{BASE}materials", tmp_path / "many.nt.gz"
    lines = "".join(f'<https://x.example/s{n}> <https://x.example/p> "{n}" .\n' for n in range(2000))
    many.write_bytes(gzip.compress(lines.encode()))
    done = fleet.load(many, graph=graph, author="ann")
    assert (done.triples, done.removed) == (2000, 0)
    count = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    assert answer(fleet, count) == ["2000"]
    few = tmp_path / "few.ttl"
    few.write_text("<#a> <https://x.example/p> [ <https://x.example/q> 1 ] .")
    done = fleet.load(few, graph=graph, author="ann", replace=True)
    assert (done.triples, done.removed) == (2, 2000)
    assert answer(fleet, f"SELECT ?s {{ GRAPH <{graph}> {{ ?s <https://x.example/p> ?o }} }}") == [f"{graph}#a"]
    assert fleet.load(few, graph=graph, author="ann", replace=True).sequence is None


def test_a_load_of_named_graphs_goes_where_it_says(fleet: Any, tmp_path: Path) -> None:
    file = tmp_path / "graphs.trig"
    file.write_text("<https://x.example/g> { <https://x.example/a> a <https://x.example/T> }")
    assert fleet.load(file, author="ann").triples == 1
    assert answer(fleet, "SELECT ?g { GRAPH ?g { ?s a <https://x.example/T> } }") == ["https://x.example/g"]


def test_a_load_that_cannot_be_read_changes_nothing(fleet: Any, tmp_path: Path) -> None:
    before = fleet.status()
    wrong, other = tmp_path / "wrong.ttl", tmp_path / "a.docx"
    wrong.write_text("<a")
    other.touch()
    for file, graph in ((wrong, f"{BASE}x"), (other, f"{BASE}x"), (tmp_path / "none.ttl", f"{BASE}x"), (wrong, "x y")):
        with pytest.raises(InputError):
            fleet.load(file, graph=graph, author="ann")
    assert fleet.status() == before


def test_an_ontology_that_rules_do_not_fit_is_refused_as_a_load_too(fleet: Any, tmp_path: Path) -> None:
    before = fleet.status()
    nothing = tmp_path / "nothing.ttl"
    nothing.touch()
    with pytest.raises((RuleError, NotFoundError, InputError)):
        fleet.load(nothing, graph=f"{BASE}ontology", author="ann", replace=True)
    assert fleet.status() == before


@pytest.mark.parametrize("door", ["update", "load"])
def test_a_dropped_graph_of_the_design_is_forced_with_its_count_through_every_door(
    fleet: Any, tmp_path: Path, door: str
) -> None:
    rules, nothing = f"{BASE}rules", tmp_path / "nothing.ttl"
    nothing.touch()
    (count,) = answer(fleet, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{rules}> {{ ?s ?p ?o }} }}")

    def drop(force: int | None) -> Any:
        if door == "update":
            return fleet.update(f"DROP GRAPH <{rules}>", author="ann", force=force)
        return fleet.load(nothing, graph=rules, author="ann", replace=True, force=force)

    for wrong in (None, int(count) + 1):
        with pytest.raises(OrphanError, match=f"Voltwin-Force: {count}"):
            drop(wrong)
    assert drop(int(count)).removed == int(count)
    assert answer(fleet, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{rules}> {{ ?s ?p ?o }} }}") == ["0"]


def test_the_header_forces_a_deleted_graph_and_is_a_count(tmp_path: Path) -> None:
    with make_fleet(tmp_path, ["module-0001"]) as local, WebServer(create_app(local), port=0) as server:
        url = f"{server.url}/graphs?graph={BASE}rules"
        (count,) = answer(local, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{BASE}rules> {{ ?s ?p ?o }} }}")
        told = httpx2.delete(url)
        assert (told.status_code, told.json()["error"]) == (409, "OrphanError")
        assert httpx2.delete(url, headers={"Voltwin-Force": "all"}).status_code == 422
        assert httpx2.delete(url, headers={"Voltwin-Force": count}).json()["removed"] == int(count)


def test_a_rollback_is_a_commit_through_every_door(fleet: Any) -> None:
    before = fleet.status()["commits"]
    prop = f"<{ONTOLOGY}product#Module.serial>"
    text = f"WITH {MODULE} DELETE {{ ?m {prop} ?old }} INSERT {{ ?m {prop} 'S-9' }} WHERE {{ ?m {prop} ?old }}"
    old = fleet["module-0001"]["serial"].value
    fleet.update(text, author="ann")
    assert fleet.rollback(before, author="ann").sequence is None
    done = fleet.rollback(before, data=True, author="ann")
    assert (done.sequence, done.to, done.graphs, done.added, done.removed) == (before + 2, before, 1, 1, 1)
    assert fleet["module-0001"]["serial"].value == old
    with pytest.raises(MomentNotFoundError):
        fleet.rollback(before + 100, author="ann")
