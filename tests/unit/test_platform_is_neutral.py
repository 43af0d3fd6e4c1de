"""The platform names nothing of the case study: its sources are read for the names of the case's own description.

Read are identifiers, strings, comments and docstrings alike. A folder is clean when no line of it names a class, a
property, an object, a literal or a message of the case study, in any of the spellings that code and prose use.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import voltwin
from voltwin.converter import Description, convert

PACKAGE = Path(voltwin.__file__).parent
MODEL = PACKAGE / "ontology" / "models" / "battery_logistics.mdj"
FRAMEWORK = "framework"

ENGLISH = {
    "acceleration": "of simulated time",
    "begin": "the start of anything",
    "capacity": "of a queue or a file system",
    "curve": "of a plot or a model",
    "Decision": "the first word of a sentence about a choice",
    "decision": "a choice",
    "end": "of anything",
    "ingest": "a handler of the platform itself, which the case names too",
    "http-pull": "a handler of the platform itself, which the case names too",
    "logger": "of Python's logging",
    "loss": "of power or data",
    "model-service": "a handler of the platform itself, which the case names too",
    "name": "of anything",
    "operator": "of a query language, or who runs a server",
    "reasons": "why something is so",
    "rest": "the remainder, and the REST interface",
    "serial": "one after the other",
    "Storage": "the first word of a sentence about where data are kept",
    "storage": "where data are kept",
    "Transport": "the first word of a sentence about a protocol's carrier",
    "transport": "a protocol's carrier",
    "trend": "an answer of the reasoner: a stitched history",
    "type": "of anything",
}
"""Names of the case that are English words or the platform's own in general use, each with its meaning there."""

PLACES = (
    "api",
    "assembly.py",
    "cli.py",
    "control",
    "graphstore",
    "maintenance.py",
    "reasoner",
    "server.py",
    "verbs",
)
NOT_PLATFORM = ("api/battery",)


def words_of(name: str) -> list[str]:
    """``endOfLineTest`` and ``end-of-line`` as words in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def spellings(name: str) -> set[str]:
    """The name as written, and, of several words, with underscores, hyphens and spaces."""
    words = words_of(name)
    if len(words) == 1:
        return {name}
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    return {name, camel, camel[0].upper() + camel[1:], *(joint.join(words) for joint in "_- ")}


def case_names(description: Description) -> set[str]:
    """Names of classes, properties, literals, objects and messages of the model, without its framework package."""
    classes = [cls for cls in description.classes if cls.package != FRAMEWORK]
    keys = {cls.key for cls in classes}
    ends = [end for association in description.associations for end in association.ends if end.iri]
    near = {end.class_key for association in description.associations for end in association.ends} & keys
    messages = {
        value
        for item in description.objects
        for slot in item.slots
        for value in slot.values
        if slot.name == "messageSchema"
    }
    framework = {feature.path_name for cls in description.classes if cls not in classes for feature in cls.attributes}
    framework |= {end.path_name for end in ends if end.class_key not in near}
    found = {cls.name for cls in classes} | {item.name for item in description.objects} | messages
    found |= {literal.name for cls in classes for literal in cls.literals}
    found |= {feature.path_name for cls in classes for feature in cls.attributes}
    found |= {end.path_name for end in ends if end.class_key in near}
    return found - framework


@cache
def pattern() -> re.Pattern[str]:
    """Finds any name of the case: the names, keys such as ``module-0017``, and the case's file."""
    description = convert(MODEL).description
    names = {text for name in case_names(description) - set(ENGLISH) for text in spellings(name)}
    classes = [words_of(cls.name) for cls in description.classes if cls.package != FRAMEWORK]
    keys = [rf"{'-'.join(words)}-\d+" for words in classes]
    topics = [rf"voltwin/{'-'.join(words)}s" for words in classes]
    file = re.sub(r"[_-]", "[_ -]", MODEL.stem)
    alternatives = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join([*keys, *topics, file, *alternatives])})(?![A-Za-z0-9])")


def hits(text: str) -> list[str]:
    return pattern().findall(text)


def sources(place: str) -> list[Path]:
    path = PACKAGE / place
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    kinds = (".py", ".html", ".css", ".lark", ".ttl", ".rq", ".json")
    return [
        file
        for file in files
        if file.suffix in kinds and not any(file.is_relative_to(PACKAGE / other) for other in NOT_PLATFORM)
    ]


@pytest.mark.parametrize("place", PLACES)
def test_a_place_of_the_platform_names_nothing_of_the_case(place: Any) -> None:
    files = sources(place)
    assert files
    found = [
        f"{file.relative_to(PACKAGE)}:{number}: {', '.join(sorted(set(hits(line))))}"
        for file in files
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
        if hits(line)
    ]
    assert found == [], "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "/module-0017/endOfLineTest/ocv",
        "def read_arrival_test(): ...",
        "the temperature trend of a twin",
        "class Module:",
        "cells[2]",
        "voltwin/modules/{twin}/birth",
        "battery_logistics.mdj",
        "storage-cell-plant",
        "a state of charge",
        "self-discharge",
        "reject = 'REJECT'",
        "truck-01",
        "module-arrival.schema.json",
    ],
)
def test_names_of_the_case_are_found_in_every_spelling(text: Any) -> None:
    assert hits(text)


@pytest.mark.parametrize(
    "text",
    ["import module", "a cell of the table", "Modules of Python", "the end of the name", "storage = 3", "pump-0017"],
)
def test_plain_english_is_not_a_name_of_the_case(text: Any) -> None:
    assert not hits(text)


def test_words_that_are_left_out_are_names_of_the_case_and_have_a_reason() -> None:
    assert set(ENGLISH) <= case_names(convert(MODEL).description)
    assert all(ENGLISH.values())
