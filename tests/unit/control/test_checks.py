"""One validator of a design: each finding with its place, and whatever passes can be started and fed messages."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad

from voltwin.assembly import check_conversion
from voltwin.cli import voltwin
from voltwin.control.interfaces import Outcome
from voltwin.control.master.checks.registry import CHECKS, find_problems, refuse_errors
from voltwin.errors import ActionError, VoltwinError
from voltwin.ontology.iris import RDF, VT, XSD
from voltwin.testing import Bench, message

SERVICES = {"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"}


def change(bench: Bench, key: str, predicate: NamedNode, *values: str | NamedNode) -> None:
    """Replace the values of one part of an action, in the store alone."""
    store, graph = bench.committer.store, bench.fleet.names.actions_graph
    iri = NamedNode(f"{bench.fleet.names.base}actions/{key}")
    triples = [q.triple for q in store.quads(None, None, None, graph) if (q.subject, q.predicate) != (iri, predicate)]
    terms = [value if isinstance(value, NamedNode) else Literal(value) for value in values]
    store.replace(graph, [*triples, *(Quad(iri, predicate, term).triple for term in terms)])


def found(bench: Bench, services: Any = None) -> list[tuple[str, str]]:
    return [(f.check, f.severity) for f in find_problems(bench.committer.store, bench.fleet.names, services)]


def test_the_case_study_has_no_finding_with_its_services_and_warnings_without(bench: Bench, case_study: Any) -> None:
    assert found(bench, SERVICES) == []
    assert {(f.check, f.severity) for f in check_conversion(case_study)} == {("endpoint", "warning")}
    with pytest.raises(ActionError, match="--service models=URL"):
        refuse_errors(find_problems(bench.committer.store, bench.fleet.names, {}))


@pytest.mark.parametrize(
    ("key", "predicate", "values", "check", "words"),
    [
        ("receive-birth", VT.topic, ["voltwin/modules/birth"], "topic", "{twin}"),
        ("receive-birth", VT.topic, ["voltwin/{twin}/{twin}/birth"], "topic", "{twin}"),
        ("receive-birth", VT.topic, ["voltwin/m-{twin}/birth"], "topic", "{twin}"),
        ("receive-birth", VT.topic, ["voltwin/{twin}/#"], "topic", "none of"),
        ("receive-birth", VT.topic, ["{twin}/" + "x" * 65_529], "topic", "longer"),
        ("receive-birth", VT.topic, [], "action", "no topic"),
        ("receive-birth", VT.messageSchema, ["module-brith"], "message-schema", "'module-birth'"),
        ("receive-birth", VT.messageSchema, ["../../secret"], "message-schema", "there is no"),
        ("receive-birth", VT.appliesTo, [NamedNode("https://x.example/No")], "class", "no class"),
        ("receive-birth", VT.output, ["serail <- serial"], "output", "did you mean 'serial'"),
        ("receive-birth", VT.output, ["serial <- serail"], "output", "did you mean 'serial'"),
        ("receive-birth", VT.output, ["serial <- capacity"], "output", "number"),
        ("receive-birth", VT.output, ["capacity <- serial"], "output", "no unit"),
        ("receive-birth", VT.output, ["cells <- serial"], "output", "no value"),
        ("receive-birth", VT.output, ["cells/a <- serial"], "output", "no value"),
        ("receive-birth", VT.output, ["cells/{nobody}/voltage <- serial"], "output", "nobody"),
        ("receive-birth", VT.output, ["cells/*/voltage <- capacity"], "output", "no input has cells"),
        ("receive-birth", VT.consecutive, [NamedNode("https://fleet.example/actions/no")], "consecutive", "no action"),
        ("ocv-to-soc", VT.consecutive, [NamedNode("https://fleet.example/actions/ocv-to-soc")], "consecutive", "back"),
        ("poll-weather", VT.consecutive, [NamedNode("https://fleet.example/actions/end-storage")], "consecutive", "pu"),
        ("ocv-to-soc", VT.parameter, ["gain = 1e999"], "parameter", "finite"),
        ("ocv-to-soc", VT.input, ["x <- cells/*" + "[key!='a']" * 101], "input", "101 predicates"),
        ("ocv-to-soc", VT.parameter, ["x <- cells/*" + "[key!='a']" * 20_000], "input", "20000 predicates"),
        ("ocv-to-soc", VT.parameter, ["gain"], "parameter", "name = value"),
        ("ocv-to-soc", VT.input, ["ocv <- cells[["], "input", "cells"),
        ("ocv-to-soc", VT.endpoint, ["{models"], "endpoint", "malformed"),
        ("ocv-to-soc", VT.endpoint, ["{models.x}/y"], "endpoint", "no place"),
        ("ocv-to-soc", VT.endpoint, ["{}/y"], "endpoint", "no place"),
        ("ocv-to-soc", VT.handler, ["not an IRI"], "action", "ocv-to-soc"),
    ],
)
def test_each_problem_is_found_with_its_place(
    bench: Bench, key: str, predicate: NamedNode, values: Any, check: str, words: str
) -> None:
    change(bench, key, predicate, *values)
    findings = find_problems(bench.committer.store, bench.fleet.names, SERVICES)
    errors = [finding for finding in findings if finding.severity == "error"]
    assert check in {finding.check for finding in errors}
    told = [finding for finding in errors if finding.check == check]
    assert all(finding.place == f"action {key!r}" for finding in told)
    assert any(words in str(finding) for finding in told)
    with pytest.raises(VoltwinError):
        refuse_errors(findings)


@pytest.mark.parametrize(
    ("times", "period", "fits"),
    [
        ("1", "PT1S", True),
        ("2", "PT1S", False),
        ("1", "P36525D", True),
        ("1", "P36526D", False),
        ("0", "PT1H", False),
        ("-1", "PT1H", False),
        ("x", "PT1H", False),
        ("1", "P1Y", False),
        ("1", "PT0S", False),
    ],
)
def test_a_schedule_is_bounded(bench: Bench, times: str, period: str, fits: bool) -> None:
    store, names = bench.committer.store, bench.fleet.names
    (schedule, *_) = (q.subject for q in store.quads(None, VT.period, None, names.actions_graph))
    assert isinstance(schedule, NamedNode)
    key = schedule.value.removeprefix(f"{names.base}actions/")
    change(bench, key, VT.times, times)
    change(bench, key, VT.period, period)
    assert (found(bench, SERVICES) == []) is fits


def test_all_findings_are_told_at_once(bench: Bench) -> None:
    change(bench, "receive-birth", VT.topic, "a/b")
    change(bench, "begin-storage", VT.output, "no <- time")
    change(bench, "poll-weather", VT.handler)
    assert {name for name, _ in found(bench, SERVICES)} == {"action", "topic", "output"}


def test_the_same_validator_refuses_an_update(bench: Bench) -> None:
    before = bench.committer.journal.last_sequence
    update = (
        "DELETE { GRAPH ?g { ?a vt:topic ?t } } INSERT { GRAPH ?g { ?a vt:topic 'nowhere' } } "
        "WHERE { GRAPH ?g { ?a vt:messageSchema 'module-birth' ; vt:topic ?t } }"
    )
    with pytest.raises(ActionError, match=r"receive-birth.*\{twin\}"):
        bench.fleet.update(update, author="test")
    assert bench.committer.journal.last_sequence == before


@pytest.mark.parametrize(
    ("wrong", "code"),
    [(None, 0), ("voltwin/modules/birth", 2)],
)
def test_the_verb_has_all_findings_and_an_exit_code(
    tmp_path: Path, case_study: Any, capsys: pytest.CaptureFixture[str], wrong: str | None, code: int
) -> None:
    from voltwin.converter import dump_description

    text = dump_description(case_study.description)
    if wrong:
        text = text.replace("voltwin/modules/{twin}/birth", wrong)
    model = tmp_path / "model.json"
    model.write_text(text, "utf-8")
    assert voltwin.main(["check", str(model), "--json"], standalone_mode=False) == code
    findings = json.loads(capsys.readouterr().out)
    assert ({"topic", "endpoint"} if wrong else {"endpoint"}) == {finding["check"] for finding in findings}
    assert {"check", "severity", "place", "message", "suggestion"} == set(findings[0])


def test_every_check_has_a_file_and_a_name() -> None:
    assert len({check.__module__ for check in CHECKS.values()}) == len(CHECKS)
    assert all(check.__doc__ for check in CHECKS.values())


class Anything:
    """A handler that answers every run with the same outputs."""

    def run(self, invocations: Any) -> Any:
        outputs = {"soc": {"value": [1.0, 2.0], "unit": "PERCENT"}, "loss": 3, "temperature": "x", "decision": None}
        return [Outcome(item.run, outputs=outputs) for item in invocations]


TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "{twin}",
            "a/{twin}/b",
            "{",
            "}",
            "{0}",
            "*",
            "a/*/b <- c/*",
            "serial <- time",
            "cells/*/voltage <- ocv",
            "x = nan",
            "x <- cells/*",
            "-1",
            "0",
            "1000000",
            "PT0.5S",
            "P9999999D",
            "PT1H",
            "true",
            "ingest",
            "mqtt",
            "module-birth",
            "storage-end",
            "http-pull",
            "model-service",
            "{@time}",
            "{twin}{twin}",
            "9999-12-31",
        ]
    ),
    st.text(max_size=12),
)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_accepted_can_be_started_and_no_message_ends_it(
    case_study: Any, message_examples: Any, data: st.DataObject
) -> None:
    """Mutations of one to three triples of actions and ontology."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.make(Path(folder), case_study)
        store, names = bench.committer.store, bench.fleet.names
        for _ in range(data.draw(st.integers(1, 3))):
            graph = data.draw(st.sampled_from([names.actions_graph, names.actions_graph, names.ontology_graph]))
            wanted = {VT.lower, VT.upper, VT.pathName, RDF.type} if graph == names.ontology_graph else None
            quads = sorted(store.quads(None, None, None, graph), key=str)
            quads = [quad for quad in quads if wanted is None or quad.predicate in wanted]
            quad = data.draw(st.sampled_from(quads))
            others = [other.object for other in quads if other.predicate == quad.predicate]
            term = data.draw(
                st.one_of(
                    st.none(),
                    st.sampled_from(others),
                    TEXTS.map(Literal),
                    st.integers(-2, 200_000).map(lambda n: Literal(str(n), datatype=XSD.integer)),
                )
            )
            kept = [q.triple for q in store.quads(None, None, None, graph)]
            if not data.draw(st.booleans()) or term is None:
                kept.remove(quad.triple)
            if term is not None:
                kept.append(Quad(quad.subject, quad.predicate, term).triple)
            store.replace(graph, kept)
        findings = find_problems(store, names, SERVICES)
        try:
            refuse_errors(findings)
        except VoltwinError:
            bench.close()
            return
        bench.fleet.reload()
        sent = [
            message(action.topic.replace("{twin}", "twin-1"), {**example, "id": f"{action.key}-{name}"}, receipt=number)
            for action in bench.actions.pushes()
            for number, (name, example) in enumerate(message_examples.items(), 1)
        ]
        master = bench.master(SERVICES)
        bench.master = lambda *_: master  # type: ignore[method-assign]  # its status is looked at afterwards
        bench.play(sent, dict.fromkeys(("model-service", "http-pull"), Anything()), services=SERVICES)
        status = master.status()
        assert (status["internal"], status["problem"]) == (0, None)
        assert len(bench.acknowledged) == len(sent) or not sent
        bench.close()


def test_every_rule_that_is_wrong_is_named(bench: Bench) -> None:
    store, names = bench.committer.store, bench.fleet.names
    rules = sorted({q.subject for q in store.quads(None, RDF.type, VT.Rule, names.rules_graph)}, key=str)
    wrong = dict(zip(rules[:3], ["(((", "1 +", ""], strict=True))
    kept = [
        q.triple
        for q in store.quads(None, None, None, names.rules_graph)
        if not (q.subject in wrong and q.predicate == VT.transformation)
    ]
    added = [Quad(rule, VT.transformation, Literal(text)).triple for rule, text in wrong.items() if text]
    store.replace(names.rules_graph, [*kept, *added])
    places = {f.place for f in find_problems(store, names, SERVICES) if f.check == "rule"}
    assert places == {f"rule {rule.value.rpartition('/')[2]!r}" for rule in wrong}
