from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from voltwin import ontology
from voltwin.simulator.messages import clock_message, schema, timestamp, topic, twin_message

DOCS = Path(__file__).parents[3] / "docs" / "messages.md"
UNITS = {"V", "DEG_C", "PERCENT_RH", "M-PER-SEC2", "DEG", "HR", "A-HR"}
NOON = datetime(2019, 4, 10, 12, tzinfo=UTC)

KINDS = (
    "clock",
    "module-arrival",
    "module-birth",
    "module-end-of-line",
    "storage-begin",
    "storage-end",
    "transport-begin",
    "transport-end",
    "transport-sample",
)
every_kind = pytest.mark.parametrize("kind", KINDS)


def numbers(node: Any, name: str = "") -> Iterator[Any]:
    """Every schema of a number below ``node``, with its name."""
    if isinstance(node, dict):
        if node.get("type") in ("number", "integer"):
            yield name, node
        for key, value in node.items():
            yield from numbers(value, key)


def test_there_is_a_schema_for_every_kind_and_no_other() -> None:
    found = {entry.name.removesuffix(".schema.json") for entry in files(ontology).joinpath("messages").iterdir()}
    assert found == set(KINDS)


@every_kind
def test_the_schema_is_sound_and_its_examples_fit_it(kind: Any) -> None:
    definition = schema(kind)
    Draft202012Validator.check_schema(definition)
    assert definition["$id"] == f"https://w3id.org/voltwin/messages/{kind}"
    assert definition["examples"]
    for example in definition["examples"]:
        Draft202012Validator(definition).validate(example)


@every_kind
def test_every_number_has_a_unit(kind: Any) -> None:
    for name, node in numbers(schema(kind)):
        assert node.get("x-unit") in UNITS, name


@every_kind
def test_a_message_with_a_member_too_few_or_too_many_is_refused(kind: Any) -> None:
    validator = Draft202012Validator(schema(kind))
    example = schema(kind)["examples"][0]
    for name in schema(kind)["required"]:
        with pytest.raises(ValidationError, match=f"'{name}' is a required property"):
            validator.validate({key: value for key, value in example.items() if key != name})
    with pytest.raises(ValidationError, match="Additional properties"):
        validator.validate({**example, "colour": "blue"})


@every_kind
@pytest.mark.parametrize(
    "wrong", ["2019-04-10T12:00:00", "2019-04-10T12:00:00+02:00", "2019-04-10", "noon", 1554897600]
)
def test_only_utc_times_are_times(kind: Any, wrong: Any) -> None:
    example = {**schema(kind)["examples"][0], "time": wrong}
    assert not Draft202012Validator(schema(kind)).is_valid(example)


@pytest.mark.parametrize("kind", ["module-end-of-line", "module-arrival"])
def test_cells_are_closed_too(kind: Any) -> None:
    validator = Draft202012Validator(schema(kind))
    example = schema(kind)["examples"][0]
    for cells in (  # type: ignore[var-annotated]  # filled below
        {},
        {"cell 1": {"voltage": 3.6}},
        {"cell-01": {}},
        {"cell-01": {"voltage": 3.6, "colour": "blue"}},
    ):
        changed = copy.deepcopy(example)
        changed["cells"] = cells
        assert not validator.is_valid(changed)


@every_kind
def test_topics_come_from_the_schema(kind: Any) -> None:
    template = schema(kind)["x-topic"]
    assert topic(kind, "thing-1") == template.replace("{twin}", "thing-1")
    assert template.startswith("voltwin/")
    assert not re.search(r"[+#]", template)


@every_kind
def test_the_documentation_names_every_topic_and_member(kind: Any) -> None:
    text = DOCS.read_text(encoding="utf-8")
    section = text.split(f"### {kind}\n", maxsplit=1)[1].split("\n### ", maxsplit=1)[0]
    assert f"`{schema(kind)['x-topic']}`" in section
    for name, member in schema(kind)["properties"].items():
        if name in ("id", "time"):  # described once for all kinds
            continue
        assert f"`{name}`" in section
        if "x-unit" in member:
            assert member["x-unit"] in section


def test_times_are_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert timestamp(datetime(2019, 4, 10, 14, tzinfo=berlin)) == "2019-04-10T12:00:00Z"


def test_a_message_is_compact_json_in_utf_8() -> None:
    message = twin_message("transport-begin", "module-0001", NOON, truck="Lkw-ä")
    assert (
        message.encode()
        == (
            '{"id":"module-0001/transport-begin/2019-04-10T12:00:00Z","time":"2019-04-10T12:00:00Z","truck":"Lkw-ä"}'
        ).encode()
    )
    recorded = json.loads(message.record())
    assert recorded == {"topic": message.topic, "payload": json.loads(message.encode())}


def test_only_the_last_message_of_the_clock_is_final() -> None:
    assert "final" not in clock_message(NOON).body
    assert clock_message(NOON, final=True).body["final"] is True
    assert clock_message(NOON).body["id"] == "clock/2019-04-10T12:00:00Z"
