"""A shape that cannot be evaluated is refused at every door; one that slipped in is told, and nothing conforms."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, RdfFormat, parse

from voltwin.control.master.checks.registry import find_problems
from voltwin.errors import ShapesError
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal.bulk_files import LoadFiles
from voltwin.graphstore.journal.skolem import skolemise
from voltwin.graphstore.validation.probe import find_shape_problems
from voltwin.graphstore.validation.shacl import PyShaclEngine
from voltwin.ontology.iris import VT
from voltwin.ontology.literals import EPOCH
from voltwin.testing import Bench

PREFIXES = (
    f"PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX vt: <{VT.Twin.value.removesuffix('Twin')}> "
    "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX e: <https://x.example/> "
    "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
)
SHAPE = "e:S a sh:NodeShape ; sh:targetClass vt:Twin ; "
BEGIN = PREFIXES + SHAPE
SELECT = 'sh:sparql [ a sh:SPARQLConstraint ; sh:select "SELECT $this WHERE { %s }" ] .'
PROPERTY = "sh:property [ sh:path e:p ; %s ] ."

WRONG = {
    "pattern": PROPERTY % 'sh:pattern "(["',
    "MINUS": SELECT % "$this a e:C MINUS { $this e:q ?x }",
    "VALUES": SELECT % "VALUES $this { e:C }",
    "syntax": SELECT % "{",
    "no select": 'sh:sparql [ a sh:SPARQLConstraint ; sh:message "x" ] .',
    "node kind": PROPERTY % "sh:nodeKind sh:Iri",
    "node kind of another sort": PROPERTY % "sh:nodeKind sh:Violation",
    "in": PROPERTY % "sh:in e:x",
    "and": "sh:and e:x .",
    "endless list": "sh:and e:l . e:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> e:S ; "
    "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> e:l .",
    "recursion": PROPERTY % "sh:node e:S",
    "recursion through two": "sh:node e:T . e:T a sh:NodeShape ; sh:not e:S .",
    "recursion through a list": "sh:or ( e:S ) .",
    "count": PROPERTY % 'sh:minCount "one"',
    "no path": "sh:property [ sh:minCount 1 ] .",
    "misspelt": PROPERTY % "sh:minCout 1",
    "missing shape": PROPERTY % "sh:node e:No",
    "datatype": PROPERTY % 'sh:datatype "x"',
    "bound": PROPERTY % "sh:minInclusive e:x",
    "length": PROPERTY % 'sh:minLength "x"',
    "nested": PROPERTY % 'sh:node [ sh:property [ sh:path e:q ; sh:pattern "([" ] ]',
    "behind an alternative": 'sh:or ( [ sh:nodeKind sh:IRI ] [ sh:property [ sh:path e:q ; sh:pattern "*" ] ] ) .',
    "on an inverse path": 'sh:property [ sh:path [ sh:inversePath e:p ] ; sh:pattern "(" ] .',
    "rules": "sh:rule [ a sh:TripleRule ] .",
}
RIGHT = {
    "pattern": PROPERTY % 'sh:pattern "[a-z]+"',
    "select": SELECT % "$this <https://x.example/q> ?value . FILTER (?value < 0)",
    "list": PROPERTY % "sh:in ( 1 2 )",
    "nested": PROPERTY % "sh:node [ sh:property [ sh:path e:q ; sh:maxCount 1 ] ]",
    "path": "sh:property [ sh:path ( e:p [ sh:zeroOrMorePath e:q ] ) ; sh:minCount 0 ] .",
}


def triples(text: str) -> list[Any]:
    return [quad.triple for quad in parse((BEGIN + text).encode(), format=RdfFormat.TURTLE)]


@pytest.mark.parametrize("name", WRONG)
def test_what_the_engine_cannot_evaluate_is_found(name: str) -> None:
    problems = find_shape_problems(triples(WRONG[name]))
    assert problems
    assert {problem.shape for problem in problems} <= {"https://x.example/S", "https://x.example/T"}
    assert all(problem.reason for problem in problems)


@pytest.mark.parametrize("name", RIGHT)
def test_what_it_can_is_not(name: str) -> None:
    assert find_shape_problems(triples(RIGHT[name])) == []


def test_a_misspelt_term_has_a_suggestion_and_all_problems_are_told() -> None:
    text = WRONG["misspelt"] + ' e:T a sh:NodeShape ; sh:property [ sh:path e:q ; sh:pattern "(" ] .'
    problems = {problem.shape.rpartition("/")[2]: problem for problem in find_shape_problems(triples(text))}
    assert set(problems) == {"S", "T"}
    assert problems["S"].suggestion == "sh:minCount"


@pytest.mark.parametrize("door", ["update", "load", "replace"])
def test_every_door_refuses_it(bench: Bench, tmp_path: Path, door: str) -> None:
    graph, before = bench.fleet.names.shapes_graph.value, bench.committer.journal.last_sequence
    file = tmp_path / "shapes.ttl"
    bench.committer.loads = LoadFiles(tmp_path / "loads")
    file.write_text(BEGIN + WRONG["pattern"], "utf-8")

    def write() -> None:
        if door == "update":
            text = f"{PREFIXES} INSERT DATA {{ GRAPH <{graph}> {{ {SHAPE + WRONG['pattern']} }} }}"
            bench.fleet.update(text, author="t")
        else:
            bench.fleet.load(file, graph=graph, author="t", replace=door == "replace")

    with pytest.raises(ShapesError, match=re.escape("shape https://x.example/S: cannot be evaluated")):
        write()
    assert bench.committer.journal.last_sequence == before
    assert bench.fleet.validate().conforms


@pytest.fixture
def slipped(bench: Bench) -> Bench:
    """A shape of an older version, in the journal without a check."""
    graph = bench.fleet.names.shapes_graph
    shapes = skolemise(triples(WRONG["pattern"].replace("e:p", "rdf:type")), graph, bench.fleet.names)
    lines = "".join(f"{triple} .\n" for triple in shapes)
    bench.committer.commit(Entry("older", EPOCH, [GraphChange(graph, "", lines)]))
    bench.fleet.reload()
    return bench


def test_one_that_slipped_in_is_told_and_nothing_conforms(slipped: Bench) -> None:
    report = slipped.fleet.validate()
    assert not report.conforms
    assert report.note.startswith("not validated: twin ")
    assert "cannot be evaluated" in report.not_validated
    assert type(report).from_json(report.to_json()) == report
    past = slipped.fleet.as_of(slipped.committer.journal.last_sequence)
    assert past.validate().not_validated == report.not_validated
    assert "shape" in {found.check for found in find_problems(slipped.committer.store, slipped.fleet.names)}


def test_no_shapes_is_told(bench: Bench) -> None:
    bench.committer.store.replace(bench.fleet.names.shapes_graph, [])
    bench.fleet.reload()
    report = bench.fleet.validate()
    assert (report.shapes, report.note) == (0, "no shapes: nothing was checked")


SNIPPETS = st.sampled_from(
    [
        "sh:minCount 1", 'sh:minCount "x"', 'sh:pattern "("', 'sh:pattern "a+"', "sh:in ( 1 )", "sh:in 3",
        "sh:class e:C", 'sh:class "C"', "sh:nodeKind sh:IRI", "sh:nodeKind e:x", "sh:or ( e:T )", "sh:or 7",
        "sh:not e:T", "sh:node e:S",
        "sh:qualifiedValueShape e:T ; sh:qualifiedMinCount 1", 'sh:qualifiedValueShape e:T ; sh:qualifiedMinCount "a"',
        "sh:maxLength 3", "sh:maxLength e:x", "sh:datatype xsd:string", 'sh:languageIn ( "en" )', "sh:languageIn e:x",
        "sh:uniqueLang true", "sh:lessThan e:q", 'sh:lessThan "x"', "sh:hasValue 1", "sh:closed true", "sh:equals e:q",
    ]
)  # fmt: skip


@given(parts=st.lists(SNIPPETS, min_size=1, max_size=4), path=st.sampled_from(["e:p", "( e:p e:q )", "( )", "3"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_accepted_evaluates_on_data(parts: list[str], path: str) -> None:
    """A shape without a problem is evaluated without an error, on values of every kind."""
    text = f"sh:property [ sh:path {path} ; {' ; '.join(parts)} ] . e:T a sh:NodeShape ; sh:nodeKind sh:IRI ."
    shapes = triples(text)
    if find_shape_problems(shapes):
        return
    a = NamedNode("https://x.example/a")
    data = f'<{a.value}> a vt:Twin ; e:p "x", 3, e:b, "1"^^xsd:date ; e:q "y"@en, <{a.value}> . e:b e:q e:b .'
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in PyShaclEngine(shapes).violations(
            quad.triple for quad in parse((PREFIXES + data).encode(), format=RdfFormat.TURTLE)
        ):
            pass
