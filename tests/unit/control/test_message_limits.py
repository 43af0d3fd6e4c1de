"""What a message or a handler brings is measured: just below a limit it counts, just above it is put aside."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.control.interfaces import Outcome
from voltwin.control.master.faults import LONGEST_REASON
from voltwin.control.master.intake import Bad, Good, Intake
from voltwin.errors import InputError, InputLimitError
from voltwin.graphstore.sparql.json_gate import read_json
from voltwin.settings import InputLimits
from voltwin.testing import Bench, message

LIMITS = InputLimits(message_bytes=3000, message_key_bytes=50, topic_bytes=60, json_depth=5, value_bytes=500)
BIRTH = "voltwin/modules/module-0001/birth"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, case_study: Any) -> Any:
    made = Bench.make(tmp_path_factory.mktemp("limits"), case_study)
    yield made
    made.close()


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


def of_bytes(body: Any, size: int) -> bytes:
    payload = json.dumps(body).encode()
    return payload + b" " * (size - len(payload))


@pytest.mark.parametrize(
    ("just", "above", "words"),
    [
        ({"id": "i" * 50}, {"id": "i" * 51}, "id: has 51 bytes, at most 50"),
        ({"id": "\u20ac" * 16}, {"id": "\u20ac" * 17}, "id: has 51 bytes"),
        ({"more": nested(4)}, {"more": nested(5)}, "nested more than 5 deep"),
        ({"more": "x" * 500}, {"more": "x" * 501}, "a text has 501 bytes"),
        ({"x" * 500: 1}, {"x" * 501: 1}, "a text has 501 bytes"),
        ({"more": "\u20ac"}, {"more": "\ud800"}, "surrogate"),
        ({"more": "\x01"}, {"more": "\0"}, "NUL"),
        ({"\ufffd": 1}, {"\udfff": 1}, "surrogate"),
    ],
)
def test_the_parts_of_a_message(bench: Bench, message_examples: Any, just: Any, above: Any, words: str) -> None:
    intake = Intake.of(bench.actions, LIMITS)
    body = message_examples["module-birth"]
    below = intake.read(message(BIRTH, {**body, **just}))
    # The schema of this message has no more fields: that is the only complaint there may be.
    assert isinstance(below, Good) or "schema module-birth" in below.reason
    read = intake.read(message(BIRTH, {**body, **above}))
    assert isinstance(read, Bad)
    assert read.error is None
    assert re.search(words, read.reason)


def test_the_bytes_of_a_message_and_of_its_topic(bench: Bench, message_examples: Any) -> None:
    intake = Intake.of(bench.actions, LIMITS)
    body = message_examples["module-birth"]
    assert isinstance(intake.read(message(BIRTH, of_bytes(body, 3000))), Good)
    read = intake.read(message(BIRTH, of_bytes(body, 3001)))
    assert isinstance(read, Bad)
    assert "has 3001 bytes, at most 3000" in read.reason
    room = 60 - len("voltwin/modules//birth")
    assert isinstance(intake.read(message(f"voltwin/modules/{'m' * room}/birth", body)), Good)
    for topic in (
        f"voltwin/modules/{'m' * (room + 1)}/birth",
        "voltwin/modules/\ud800/birth",
        "voltwin/modules/\0/birth",
    ):
        assert isinstance(intake.read(message(topic, body)), Bad)


@pytest.mark.parametrize("depth", [6, 900, 1000, 5000, 1_000_000])
@pytest.mark.parametrize("signs", ["[]", '{"a":}'])
def test_no_depth_is_too_much_for_the_reader(depth: int, signs: str) -> None:
    data = (signs[:-1] * depth + "1" + signs[-1] * depth).encode()
    with pytest.raises(InputLimitError, match="nested more than 5 deep"):
        read_json("message", data, len(data), LIMITS)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_a_message_is_utf_8(bench: Bench, encoding: str) -> None:
    payload = json.dumps({"id": "\ud800 \0 \u00fc", "time": "2019-04-01T00:00:00Z"}, ensure_ascii=True)
    raw = payload.replace("\\u00fc", "\u00fc").encode(encoding)
    read = Intake.of(bench.actions, LIMITS).read(message(BIRTH, raw))
    assert isinstance(read, Bad)
    assert "is not JSON in UTF-8" in read.reason


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(), max_size=60).map(lambda t: t * 20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
)


@given(ANYTHING, st.integers(0, 9))
def test_what_is_read_is_within_every_limit(document: Any, around: int) -> None:
    for _ in range(around):
        document = [document]
    data = json.dumps(document).encode()
    try:
        found = read_json("message", data, 3000, LIMITS)
    except InputError:
        assert len(data) > 3000 or not _fits(document, 0)
    else:
        assert len(data) <= 3000
        assert _fits(found, 0)


def _fits(node: Any, depth: int) -> bool:
    if isinstance(node, str):
        return "\0" not in node and len(node.encode("utf-8", "surrogatepass")) <= 500 and not _halves(node)
    if isinstance(node, dict):
        parts: list[Any] = [*node, *node.values()]
    elif isinstance(node, list):
        parts = node
    else:
        return True
    return depth < LIMITS.json_depth and all(_fits(part, depth + 1) for part in parts)


def _halves(text: str) -> bool:
    return any(0xD800 <= ord(character) <= 0xDFFF for character in text)


class Answers:
    """A handler with one answer for every run."""

    def __init__(self, outputs: Any, error: str = "") -> None:
        self.outputs, self.error = outputs, error

    def run(self, invocations: Any) -> Any:
        return [Outcome(item.run, self.outputs, self.error) for item in invocations]


LONG = InputLimits().value_bytes + 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answers({"soc": "x" * LONG}), "output: a text has"),
        (Answers({"soc": nested(101)}), "output: is nested more than 100 deep"),
        (Answers({"soc": "\ud800"}), "surrogate"),
        (Answers({"soc": "\0"}), "NUL"),
        (Answers(None, "x" * LONG), "xxx…"),
        (Answers(None, "half \ud800 and \0"), "half"),
    ],
)
def test_what_a_handler_answers_fails_its_run_and_nothing_else(
    tmp_path: Path, case_study: Any, message_examples: Any, answer: Any, words: str
) -> None:
    bench = Bench.make(tmp_path, case_study)
    services = {"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"}
    sent = [
        message(BIRTH, message_examples["module-birth"]),
        message("voltwin/modules/module-0001/end-of-line", message_examples["module-end-of-line"], receipt=2),
    ]
    bench.play(sent, {"model-service": answer, "http-pull": answer}, services=services)
    text = "SELECT ?r { ?run vt:status 'failed' ; vt:reason ?r }"
    rows = json.loads(bench.fleet.query(text, "application/sparql-results+json").body)["results"]["bindings"]
    reasons = [row["r"]["value"] for row in rows]
    assert any(words in reason for reason in reasons), reasons
    assert all(len(reason) <= LONGEST_REASON + 1 for reason in reasons)
    assert bench.master().status()["problem"] is None
    assert not bench.committer.journal.queued_runs()
    bench.close()


def test_a_dead_letter_with_a_reason_that_quotes_a_long_text(
    tmp_path: Path, case_study: Any, message_examples: Any
) -> None:
    bench = Bench.make(tmp_path, case_study)
    master = bench.master()
    bench.master = lambda *_: master  # type: ignore[method-assign]  # its status is looked at afterwards
    body = {**message_examples["module-birth"], "time": "x" * (LONG - 1)}
    bench.play([message(BIRTH, body), replace(message("\ud800/birth", body), receipt=7)])
    status = master.status()
    assert (status["internal"], status["problem"]) == (0, None)
    assert bench.acknowledged == [0, 7]
    assert bench.fleet.status()["deadLetters"] == 2
    bench.close()
