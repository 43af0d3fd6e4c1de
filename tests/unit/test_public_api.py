"""The public face, frozen: what users import, and how they call it. Changing it means changing this file on purpose."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import voltwin

PUBLIC = [
    "Answer",
    "Conversion",
    "Description",
    "Fleet",
    "Path",
    "QueryLimits",
    "Rule",
    "Server",
    "Settings",
    "Trend",
    "Twin",
    "VoltwinError",
    "convert",
    "create_fleet",
    "open_fleet",
    "parse_path",
]

# Names of parameters that may be given by name are part of the promise; defaults and types may grow.
CALLS = {
    "convert": ["path"],
    "create_fleet": ["path", "conversion", "base", "store"],
    "open_fleet": ["location", "limits"],
    "parse_path": ["text"],
    "Fleet.open": ["location", "limits"],
    "Fleet.all": ["self", "path"],
    "Fleet.get": ["self", "path"],
    "Fleet.structure": ["self", "path", "depth"],
    "Fleet.query": ["self", "text", "accept", "abandoned"],
    "Fleet.validate": ["self", "twin"],
    "Fleet.put": ["self", "path", "value", "unit", "time", "author"],
    "Fleet.as_of": ["self", "moment"],
    "Fleet.events": ["self", "since", "follow", "twin", "changes"],
    "Fleet.status": ["self"],
    "Fleet.close": ["self"],
    "Twin.all": ["self", "path"],
    "Twin.put": ["self", "path", "value", "unit", "time", "author"],
    "Twin.validate": ["self"],
    "Server.start": ["self"],
    "Server.join": ["self", "seconds"],
    "Server.stop": ["self"],
    "Settings.from_environment": ["environment"],
}

FIELDS = {
    "Answer": {"path", "value", "unit", "time", "origin", "source", "rule", "priority", "inputs"},
    "Path": {"absolute", "steps", "window"},
    "QueryLimits": {"seconds", "rows", "bytes", "memory", "at_once"},
    "Settings": {
        "host",
        "port",
        "broker",
        "services",
        "clock",
        "batch_messages",
        "handler_timeout",
        "query_seconds",
        "query_rows",
        "query_bytes",
        "query_memory",
        "query_readers",
    },
    "Trend": {"segments"},
}


def find(name: str) -> Any:
    found = voltwin
    for part in name.split("."):
        found = getattr(found, part)
    return found


def test_the_names() -> None:
    assert voltwin.__all__ == PUBLIC
    assert sorted(voltwin._HOMES) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there_and_explained(name: Any) -> None:
    assert inspect.getdoc(find(name))


@pytest.mark.parametrize("name", CALLS)
def test_parameters_keep_their_names_and_order(name: Any) -> None:
    parameters = list(inspect.signature(find(name)).parameters)
    assert parameters[: len(CALLS[name])] == CALLS[name]
    later = list(inspect.signature(find(name)).parameters.values())[len(CALLS[name]) :]
    assert all(item.default is not item.empty for item in later), "a new parameter needs a default"


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_there(name: Any) -> None:
    assert FIELDS[name] <= set(find(name).__dataclass_fields__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Flet"):
        voltwin.Flet  # noqa: B018 - looking it up is what is tested


@pytest.mark.parametrize("name", ["__getitem__", "__iter__", "__len__", "__contains__", "__enter__", "__exit__"])
def test_a_fleet_is_a_collection_of_twins(name: Any) -> None:
    assert callable(getattr(voltwin.Fleet, name))


def test_importing_voltwin_loads_no_engine() -> None:
    heavy = ("fastapi", "matplotlib", "scipy", "pyoxigraph")
    code = f"import sys, voltwin; print(*(name for name in {heavy} if name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []


def test_type_checkers_and_run_time_see_the_same_names(root: Path) -> None:
    text = (root / "__init__.py").read_text("utf-8")
    block = text.split("if TYPE_CHECKING:", 1)[1].split("_HOMES", 1)[0]
    named = set(block.replace("(", " ").replace(",", " ").replace(" as ", " ").split())
    assert set(PUBLIC) <= named
