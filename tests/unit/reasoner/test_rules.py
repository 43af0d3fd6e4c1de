"""Bad rules are refused with a sentence that names the rule and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from voltwin.errors import RuleError
from voltwin.reasoner.compile import compile_rule, construct_for
from voltwin.reasoner.rules import load_rules
from voltwin.testing import Bench


@pytest.fixture
def reload(bench: Bench) -> Any:
    return lambda: bench.engine.reload(bench.fleet.schema)


def test_the_rules_of_the_case_study_run_after_what_they_take(bench: Bench) -> None:
    order = [item.rule.key for item in bench.engine.rules]
    assert set(order) == {
        "default-temperature",
        "logged-temperature",
        "storage-set-point",
        "transport-temperature",
    }
    assert order.index("transport-temperature") < order.index("logged-temperature")


def test_every_rule_is_one_query_with_its_twins_first(bench: Bench) -> None:
    names = bench.fleet.names
    for rule in load_rules(bench.committer.store, names):
        text = construct_for(compile_rule(rule, bench.fleet.schema, names), [names.twin("a b")])
        assert text.count("CONSTRUCT") == 1
        assert text.index("VALUES ?twin { <https://fleet.example/twins/a%20b> }") < text.index("?twin <")
        assert "$" not in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"subsequent": "temperatureTrnd"}, "did you mean temperatureTrend"),
        ({"subsequent": "storageStays/*"}, "must end on a name"),
        ({"subsequent": "/m1/serial"}, "must be relative"),
        ({"subsequent": "reasoner/temperatureTrend"}, "must be relative"),
        ({"subsequent": "transport/truck/logger/temperature"}, "leads into another twin by truck"),
        ({"subsequent": "serial", "antecedent": "x <- cells/*/volts"}, "volts"),
        ({"subsequent": "serial", "antecedent": "x"}, "target <- source"),
        ({"subsequent": "serial", "antecedent": "x y <- curve"}, "no SPARQL name"),
        ({"subsequent": "serial", "antecedent": "x <- cells/"}, "column"),
        ({"subsequent": "serial", "antecedent": "x <- cells/*"}, "must end on the name of a value"),
        ({"subsequent": "serial", "transformation": "?x +"}, "transformation"),
        ({"subsequent": "serial", "transformation": "1) AS ?y) } INSERT"}, "transformation"),
        ({"subsequent": "serial", "transformation": f"{'(' * 3000}1{')' * 3000}"}, "brackets are 3000 deep"),
        ({"subsequent": "serial", "transformation": "EXISTS { SERVICE <http://127.0.0.1:9/> { } }"}, "SERVICE"),
        ({"subsequent": "serial", "antecedent": f"x <- cells/*{'[1]' * 101}/voltage"}, "has 101 predicates"),
        ({"subsequent": "serial", "antecedent": f"x <- {'./' * 101}curve"}, "has 101 steps"),
        ({"subsequent": "serial", "antecedent": [f"x{n} <- curve" for n in range(4000)]}, "together they are too much"),
        ({"subsequent": "serial", "priority": "high"}, "rule 'bad'"),
        ({"subsequent": "serial", "priority": [1, 2]}, "priority"),
        ({"subsequent": ["serial", "curve"]}, "2 subsequent, needs exactly one"),
        ({}, "no subsequent, needs exactly one"),
        ({"subsequent": "serial", "each": "nowhere"}, "nowhere"),
        ({"subsequent": "serial", "intervalStart": "nowhen"}, "nowhen"),
    ],
)
def test_a_bad_rule_is_refused_and_the_old_ones_stay(
    bench: Bench, add_rule: Any, reload: Any, fields: Any, said: Any
) -> None:
    before = bench.engine.strata
    add_rule("bad", "Module", **fields)
    with pytest.raises(RuleError) as caught:
        reload()
    assert "rule 'bad'" in str(caught.value)
    assert said in str(caught.value)
    assert bench.engine.strata == before


def test_a_circle_is_refused_and_named(bench: Bench, add_rule: Any, reload: Any) -> None:
    add_rule("one", "Module", subsequent="serial", antecedent="x <- curve")
    add_rule("two", "Module", subsequent="curve", antecedent="x <- serial")
    with pytest.raises(RuleError, match=r"one -> two -> one|two -> one -> two"):
        reload()


def test_a_rule_that_takes_what_it_gives_is_a_circle(bench: Bench, add_rule: Any, reload: Any) -> None:
    add_rule("self", "Module", subsequent="serial", antecedent="x <- serial")
    with pytest.raises(RuleError, match="self"):
        reload()


def test_a_class_that_does_not_exist_is_refused(bench: Bench, add_rule: Any, reload: Any) -> None:
    from pyoxigraph import Literal

    from voltwin.graphstore.interfaces import Entry, GraphChange
    from voltwin.ontology.iris import RDF, VT
    from voltwin.ontology.literals import EPOCH

    names = bench.fleet.names
    rule = names.rule("lost")
    facts = [
        f"{rule} {RDF.type} {VT.Rule} .\n",
        f"{rule} {VT.appliesTo} <https://nowhere.example#Thing> .\n",
        f"{rule} {VT.subsequent} {Literal('serial')} .\n",
        f"{rule} {VT.transformation} {Literal('1')} .\n",
        f"{rule} {VT.priority} {Literal(1)} .\n",
    ]
    bench.committer.commit(Entry("test", EPOCH, [GraphChange(names.rules_graph, "", "".join(facts))]))
    with pytest.raises(RuleError, match=r"nowhere\.example#Thing is no class"):
        reload()
