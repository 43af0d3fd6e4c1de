"""What counts as a cheap look-up, and that everything else does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.graphstore.sparql.cost import MOST_PATTERNS, MOST_STEPS, is_bounded_lookup

M = "<https://fleet.example/twins/m1>"

LOOKUPS = [
    f"SELECT * {{ {M} ?p ?o }}",
    f"SELECT DISTINCT ?o WHERE {{ {M} vt:key ?o . }}",
    f"select ?o where {{ {M} vt:key ?o }} order by desc(?o) limit 5 offset 1",
    f"SELECT ?v{{{M} vt:hasPart ?c.?c vt:key ?v.}}",
    f"SELECT ?v {{ {M} vt:hasPart ?c ; a vt:Twin . ?c vt:key ?v, 'x', 5, true, \"y\"@en, 'z'^^xsd:string }}",
    f"SELECT ?v {{ GRAPH ?g {{ {M} vt:hasPart ?c . ?c vt:key ?v }} }}",
    f"SELECT ?v {{ GRAPH {M} {{ {M} vt:key ?v }} . {M} a vt:Twin }}",
    "PREFIX f: <https://fleet.example/twins/> BASE <https://b.example/> SELECT ?v { f:m1 <key> ?v }",
    f"ASK {{ {M} a vt:Twin }}",
    f"CONSTRUCT {{ ?c vt:key [] }} WHERE {{ {M} vt:hasPart ?c }}",
    f"CONSTRUCT WHERE {{ {M} vt:hasPart ?c }}",
    f"DESCRIBE {M} vt:Twin",
    f"SELECT ?o {{ {M} vt:note 'FILTER {{ ?a ?b ?c }} UNION' ; vt:key ?o }} # OPTIONAL {{ ?a ?b ?c }}",
]

MAY_RUN_AWAY = [
    "",
    "SELECT",
    "SELECT * {",
    "SELECT * { ?a ?b ?c }",
    "SELECT ?t { ?t a vt:Twin }",
    'SELECT ?t { ?t vt:key "m1" }',
    "SELECT * { ?a ?b ?c } LIMIT 1",
    f"SELECT * {{ {M} ?p ?o . ?a ?b ?c }}",
    f"SELECT * {{ {M} vt:key ?o . ?x vt:key ?o }}",
    f"SELECT * {{ ?x vt:partOf {M} }}",
    f"SELECT * {{ {M} ?p ?o ; ?q ?r }}",
    f"SELECT * {{ {M} vt:hasPart ?o ; vt:hasPart ?r }}",
    f"SELECT * {{ {M} vt:hasPart ?o, ?r }}",
    f"SELECT (COUNT(*) AS ?n) {{ {M} vt:key ?o }}",
    f"SELECT ?o (vtf:mean(?o) AS ?n) {{ {M} vt:key ?o }}",
    f"SELECT ?o {{ {M} vt:key ?o }} GROUP BY ?o",
    f"SELECT ?o {{ {M} vt:key ?o }} ORDER BY vtf:mean(?o)",
    f"SELECT ?o {{ {M} vt:key ?o }} HAVING (?o > 1)",
    f"SELECT ?o {{ {M} vt:key ?o }} VALUES ?o {{ 1 }}",
    f"SELECT ?o FROM {M} {{ {M} vt:key ?o }}",
    *(
        f"SELECT * {{ {M} {path} ?o }}"
        for path in ("vt:a/vt:b", "vt:a|vt:b", "^vt:a", "vt:a*", "vt:a+", "vt:a?", "(vt:a)")
    ),
    f"SELECT * {{ {M} !vt:a ?o }}",
    f"SELECT * {{ {M} vt:hasPart [] }}",
    f"SELECT * {{ {M} vt:hasPart [ ?a ?b ] }}",
    f"SELECT * {{ {M} vt:hasPart (1 2) }}",
    f"SELECT * {{ {M} vt:hasPart _:b . _:b ?p ?o }}",
    f"SELECT * {{ _:b vt:hasPart {M} }}",
    f"SELECT * {{ {M} vt:hasPart ?o FILTER EXISTS {{ ?a ?b ?c }} }}",
    f"SELECT * {{ {M} vt:hasPart ?o OPTIONAL {{ ?o vt:key ?k }} }}",
    f"SELECT * {{ {M} vt:hasPart ?o MINUS {{ ?o vt:key ?k }} }}",
    f"SELECT * {{ {{ {M} vt:hasPart ?o }} UNION {{ {M} vt:key ?o }} }}",
    f"SELECT * {{ {M} vt:hasPart ?o BIND(1 AS ?x) }}",
    f"SELECT * {{ VALUES ?m {{ {M} }} ?m vt:hasPart ?o }}",
    f"SELECT * {{ {{ SELECT * {{ ?a ?b ?c }} }} {M} vt:key ?o }}",
    f"SELECT * {{ SERVICE {M} {{ {M} vt:key ?o }} }}",
    f"SELECT * {{ {M} vt:hasPart ?c . GRAPH ?g {{ ?c vt:key ?v }} }}",
    f"SELECT * {{ GRAPH ?g {{ GRAPH ?h {{ {M} vt:key ?v }} }} }}",
    f"SELECT * {{ <<( {M} vt:a vt:b )>> vt:key ?v }}",
    "CONSTRUCT { ?o ?p ?q } WHERE { ?o ?p ?q }",
    "DESCRIBE ?t { ?t a vt:Twin }",
    f"DESCRIBE {M} {{ ?a ?b ?c }}",
    f"INSERT DATA {{ {M} vt:key 1 }}",
    f"DELETE WHERE {{ {M} ?p ?o }}",
]


@pytest.mark.parametrize("text", LOOKUPS)
def test_a_look_up(text: Any) -> None:
    assert is_bounded_lookup(text)


@pytest.mark.parametrize("text", MAY_RUN_AWAY)
def test_what_may_run_away(text: Any) -> None:
    assert not is_bounded_lookup(text)


@pytest.mark.parametrize("text", LOOKUPS)
@pytest.mark.parametrize("more", ["?x ?y ?z .", "{ SELECT * { ?x ?y ?z } }", "OPTIONAL { ?x ?y ?z }", "FILTER(?x > 1)"])
def test_a_look_up_is_none_with_something_else_in_it(text: Any, more: Any) -> None:
    body = text.rfind("{", 0, text.find(M, text.find("{"))) + 1
    if text.startswith("DESCRIBE"):
        assert not is_bounded_lookup(f"{text} {{ {more} }}")
    elif body > 0:
        assert not is_bounded_lookup(f"{text[:body]} {more} {text[body:]}")


@given(st.integers(1, 2 * MOST_PATTERNS))
def test_how_many_patterns_there_may_be(number: Any) -> None:
    body = " . ".join(f"{M} vt:p{n} ?v{n}" for n in range(number))
    assert is_bounded_lookup(f"SELECT * {{ {body} }}") == (number <= MOST_PATTERNS)


@given(st.integers(1, 2 * MOST_STEPS))
def test_how_far_it_may_go(steps: Any) -> None:
    body = " . ".join(f"{f'?v{n}' if n else M} vt:p ?v{n + 1}" for n in range(steps))
    assert is_bounded_lookup(f"SELECT * {{ {body} }}") == (steps <= MOST_STEPS)


WORDS = st.sampled_from(
    [
        *"{}.;,*()^@?<>=!|/+-\"'#\n",
        "SELECT",
        "WHERE",
        "GRAPH",
        "OPTIONAL",
        "a",
        "vt:p",
        "?x",
        "?y",
        M,
        "_:b",
        "1",
        "'s'",
        "LIMIT",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=20).map(" ".join)))
def test_any_text_is_judged(text: Any) -> None:
    assert is_bounded_lookup(text) in (True, False)


@given(st.lists(WORDS, max_size=8).map(" ".join))
def test_what_it_takes_for_a_look_up_names_a_thing(inside: Any) -> None:
    assert not is_bounded_lookup(f"SELECT * {{ {inside} }}") or M in inside or "vt:p" in inside or inside.strip() == ""
