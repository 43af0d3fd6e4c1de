"""Nothing that comes from outside ends the master: it is put aside with its reason, and work goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voltwin.control.interfaces import Outcome
from voltwin.testing import Bench, message

BIRTH = "voltwin/modules/module-0001/birth"


class Fixed:
    """A handler that gives every run the same outputs."""

    def __init__(self, outputs: Any) -> None:
        self.outputs = outputs
        self.runs: list[Any] = []

    def run(self, invocations: Any) -> Any:
        self.runs += [item.run for item in invocations]
        return [Outcome(item.run, outputs=self.outputs) for item in invocations]


def reasons(bench: Any) -> Any:
    rows = bench.fleet.query("SELECT ?r { ?l a vt:DeadLetter ; vt:reason ?r }", "application/sparql-results+json").body
    return [row["r"]["value"] for row in json.loads(rows)["results"]["bindings"]]


@pytest.mark.parametrize(
    ("topic", "change", "reason"),
    [
        (BIRTH, b"", "not JSON"),
        (BIRTH, b"\xff\xfe", "not JSON"),
        (BIRTH, b"[]", "not a JSON object"),
        (BIRTH, b"[" * 200_000, "nested more than 100 deep"),
        (BIRTH, b'{"id": "lone \\ud800", "time": "2019-04-01T00:00:00Z"}', "half of a surrogate pair"),
        (BIRTH, b"9" * 5000, "not JSON"),
        (BIRTH, {"id": ""}, "id: is missing"),
        (BIRTH, {"id": 5}, "id: is missing"),
        (BIRTH, {"time": None}, "time: is missing"),
        (BIRTH, {"time": "yesterday"}, "not ISO 8601"),
        (BIRTH, {"time": "2019-04-01T00:00:00"}, "no zone"),
        (BIRTH, {"time": "0001-01-01T00:00:00+14:00"}, "outside the years"),
        (BIRTH, {"capacity": 10**400}, "not of type double"),
        (BIRTH, {"capacity": "much"}, "capacity"),
        (BIRTH, {"capacity": float("nan")}, "capacity|finite"),
        (BIRTH, {"colour": "red"}, "colour"),
        ("voltwin/modules/module-0001/nonsense", {}, "no push action"),
        ("voltwin/modules//birth", {}, "no push action"),
        ("voltwin/modules/a/b/birth", {}, "no push action"),
        ("voltwin/trucks/truck-01/sample", {}, "schema transport-sample"),
        ("voltwin/modules/storage-cell-plant/birth", {}, "Storage has no"),
    ],
)
def test_a_bad_message_is_put_aside_and_the_next_one_taken(
    bench: Bench, message_examples: Any, topic: Any, change: Any, reason: Any
) -> None:
    good = message_examples["module-birth"]
    bad = change if isinstance(change, bytes) else {**good, "id": "bad", **change}
    before = bench.fleet.status()
    bench.play([message(topic, bad, receipt=1), message("voltwin/modules/module-0002/birth", good, receipt=2)])
    (told,) = reasons(bench)
    assert any(part in told for part in reason.split("|"))
    status = bench.fleet.status()
    assert status["deadLetters"] == 1
    assert status["twins"] == before["twins"] + 1
    assert "module-0002" in bench.fleet
    assert "module-0001" not in bench.fleet
    assert bench.acknowledged == [1, 2]


@pytest.mark.parametrize("key", ["a{b}", "{", "}", "{0}", "{models}", "a b", "ä?#%41&x=1", "..", "'q'", "$twin", "\\"])
def test_a_twin_may_be_called_anything(bench: Bench, message_examples: Any, key: Any) -> None:
    gate = Fixed({})
    bench.play(
        [
            message(f"voltwin/modules/{key}/birth", message_examples["module-birth"]),
            message(f"voltwin/modules/{key}/end-of-line", message_examples["module-end-of-line"]),
        ],
        {"model-service": gate},
        services={"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"},
    )
    assert bench.fleet[key]["serial"].value == message_examples["module-birth"]["serial"]
    assert len(bench.fleet[key].all("cells/*/voltage")) == len(message_examples["module-end-of-line"]["cells"])
    assert bench.fleet.status()["deadLetters"] == 0
    assert [run.split("~")[:2] for run in gate.runs] == [["ocv-to-soc", key]]
    assert bench.fleet.validate(key).twins == 1


@pytest.mark.parametrize(
    "outputs",
    [
        {"soc": 5},
        {"soc": [1, 2, 3]},
        {"soc": {"value": "abc", "unit": "PERCENT"}},
        {"soc": {"value": [float("nan")] * 2, "unit": "PERCENT"}},
        {"soc": {"value": [[1]] * 2, "unit": "PERCENT"}},
        {"soc": {"value": [{}] * 2, "unit": "PERCENT"}},
        {"soc": {"value": [10**400] * 2, "unit": "PERCENT"}},
        {"soc": {"value": [50.0] * 2, "unit": ["PERCENT"]}},
        {"soc": {"value": [0.5] * 2, "unit": "V"}},
    ],
)
def test_outputs_that_do_not_fit_fail_their_run_and_change_nothing(
    bench: Bench, message_examples: Any, outputs: Any
) -> None:
    bench.play(
        [
            message(f"voltwin/modules/module-0001/{kind}", message_examples[f"module-{kind}"])
            for kind in ("birth", "end-of-line")
        ],
        {"model-service": Fixed(outputs), "http-pull": Fixed({})},
        services={"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"},
    )
    status = bench.fleet.status()
    assert (status["failed"], status["queued"]) == (1, 0)
    assert bench.fleet.all("/module-0001/cells/*/endOfLineSoc") == []


@pytest.mark.parametrize("decision", ["MAYBE", ["ACCEPT"], {"value": ["ACCEPT"]}, 5, None, True])
def test_a_decision_that_is_none_fails_its_run(bench: Bench, message_examples: Any, decision: Any) -> None:
    class Gate:
        def run(self, invocations: Any) -> Any:
            return [Outcome(item.run, outputs={"decision": decision}) for item in invocations]

    kinds = ("birth", "end-of-line", "arrival")
    played = [message(f"voltwin/modules/module-0001/{kind}", message_examples[f"module-{kind}"]) for kind in kinds]
    bench.play(played, {"model-service": Gate()}, services={"models": "http://x", "weather": "http://y"})
    assert bench.fleet.status()["deadLetters"] == 0
    assert bench.fleet.all("/module-0001/arrivalTest/decision") == []
