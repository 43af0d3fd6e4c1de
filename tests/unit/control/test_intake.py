"""A message is read once: good with its targets, or bad with its reason; both have a key that repetitions share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyoxigraph import NamedNode

from voltwin.control.actions.action import Action, Actions
from voltwin.control.actions.messages import MessageSchema
from voltwin.control.master.intake import CLOCK_TOPIC, Bad, Good, Intake
from voltwin.testing import message

T0 = datetime(2019, 4, 1, tzinfo=UTC)
BODY = {"id": "m-1", "time": "2019-04-01T00:00:00Z", "speed": 3}
SCHEMA = MessageSchema("pump-sample", {"properties": {"speed": {"type": "number"}}, "required": ["speed"]})


def push(key: Any, topic: Any, consecutive: Any = (), channel: str = "mqtt") -> Any:
    iri, pump = NamedNode(f"https://f.example/actions/{key}"), NamedNode("https://f.example/Pump")
    given = {"channel": channel, "topic": topic, "message_schema": SCHEMA.name}
    return Action(iri, key, "push", pump, "ingest", (), (), (), "", None, consecutive, **given)


@pytest.fixture
def intake() -> Any:
    follower = NamedNode("https://f.example/actions/next")
    actions = [
        push("one", "plant/{twin}/sample"),
        push("two", "plant/{twin}/sample", (follower,)),
        push("three", "plant/{twin}/birth"),
        push("four", "plant/{twin}/sample", channel="other"),
    ]
    return Intake(Actions({action.iri: action for action in actions}), {SCHEMA.name: SCHEMA})


def test_a_good_message_has_every_action_that_listens_to_it_and_its_twin(intake: Any) -> None:
    received = message("plant/pump-07/sample", BODY)
    read = intake.read(received)
    assert isinstance(read, Good)
    assert (read.key, read.time, read.received) == ("m-1", T0, received)
    assert [(target.action.key, target.twin, target.schema) for target in read.targets] == [
        ("one", "pump-07", SCHEMA),
        ("two", "pump-07", SCHEMA),
    ]
    assert read.body == BODY


@pytest.mark.parametrize(
    ("topic", "body", "key", "time", "reason"),
    [
        ("plant/pump-07/sample", {**BODY, "speed": "fast"}, "m-1", T0, "schema pump-sample"),
        ("plant/pump-07/stop", BODY, "m-1", T0, "no push action"),
        ("plant/pump-07/sample", {**BODY, "time": "today"}, None, None, "ISO 8601"),
        ("plant/pump-07/sample", b"{", None, None, "not JSON"),
    ],
)
def test_a_bad_message_has_its_reason_and_what_of_it_can_be_read(
    intake: Any, topic: Any, body: Any, key: Any, time: Any, reason: Any
) -> None:
    read = intake.read(message(topic, body, receipt=5))
    assert isinstance(read, Bad)
    assert (read.time, read.received.receipt, read.targets) == (time, 5, ())
    assert reason in read.reason
    assert read.key == key or (key is None and read.key.startswith("sha256-"))


def test_without_an_id_the_key_is_that_of_topic_and_payload(intake: Any) -> None:
    keys = [intake.read(message(topic, b"{")).key for topic in ("a", "a", "b")]
    assert keys[0] == keys[1] != keys[2]
    assert intake.read(message("a", b"}")).key not in keys


def test_a_message_for_the_clock_needs_no_action(intake: Any) -> None:
    read = intake.read(message(CLOCK_TOPIC, json.dumps(BODY).encode()))
    assert isinstance(read, Good)
    assert (read.time, read.targets) == (T0, ())
    assert intake.read(message(CLOCK_TOPIC, b"")).time is None
