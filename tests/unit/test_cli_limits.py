"""The limits at the command line: options and environment, and what files and arguments may bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.errors import InputError
from voltwin.settings import InputLimits, Settings, parse_limits

from .api.sample_fleet import make_fleet
from .test_cli import said

SMALL = {
    "VOLTWIN_INPUT_BODY_BYTES": "60",
    "VOLTWIN_INPUT_VALUE_BYTES": "200",
    "VOLTWIN_INPUT_QUERY_DEPTH": "5",
    "VOLTWIN_INPUT_PATH_STEPS": "5",
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("limited")
    make_fleet(place, ["module-0001"]).close()
    return place / "fleet"


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("body-bytes=32M", {"body_bytes": 32 * 2**20}),
        ("body_bytes = 32m", {"body_bytes": 32 * 2**20}),
        ("json-depth=1", {"json_depth": 1}),
        ("message-bytes=64K", {"message_bytes": 65_536}),
        ("graph-bytes=2G", {"graph_bytes": 2**31}),
    ],
)
def test_a_limit_as_an_option(text: str, limits: dict[str, int]) -> None:
    assert parse_limits([text]) == limits
    assert InputLimits().changed([text]) == InputLimits(**limits)


@pytest.mark.parametrize("text", ["", "body-bytes", "body-bytes=", "body-bytes=0", "body-bytes=-1", "body-bytes=1.5"])
@pytest.mark.parametrize("more", ["", "T", "\u0663"])
def test_no_limit(text: str, more: str) -> None:
    with pytest.raises(InputError, match=r"limit"):
        parse_limits([text + more])


@given(st.text(max_size=30))
def test_any_text_as_a_limit(text: str) -> None:
    for item in (text, f"body-bytes={text}", f"{text}=5"):
        try:
            assert all(value > 0 for value in parse_limits([item]).values())
        except InputError:
            assert item != "body-bytes=5"


def test_options_win_over_the_environment() -> None:
    settings = Settings.from_environment(
        {"VOLTWIN_INPUT_JSON_DEPTH": "7", "VOLTWIN_ALLOW_OUTGOING": "http://a.example"}
    )
    inputs = settings.inputs.changed(["json-depth=9"], ["http://b.example"])
    assert inputs.json_depth == 9
    assert inputs.outgoing.allowed == {"http://a.example", "http://b.example"}


@pytest.mark.parametrize(
    "words",
    [("--limit", "nothing=5"), ("--limit", "body-bytes=many"), ("--allow-outgoing", "x.example")],
)
def test_serve_refuses_what_is_no_limit(fleet: Path, words: tuple[str, ...]) -> None:
    told = said("serve", str(fleet), "--port", "0", *words, cwd=fleet.parent)
    assert (told.returncode, told.stdout) == (2, "")
    assert "Traceback" not in told.stderr


def insert(text: str) -> str:
    return f'INSERT DATA {{ GRAPH <x:g> {{ <x:s> <x:p> "{text}" }} }}'


@pytest.mark.parametrize(
    ("verb", "just", "above"),
    [
        (["query"], ["ASK " + "{" * 5 + "}" * 5], ["ASK " + "{" * 6 + "}" * 6]),
        (["query"], ["@just.rq"], ["@above.rq"]),
        (["query"], ["-"], ["-"]),
        (["update"], [insert("x" * 200)], [insert("x" * 201)]),
        (["put", "/module-0001/serial"], ["x" * 200], ["x" * 201]),
        (["get"], ["/module-0001/././."], ["/module-0001/./././././."]),
        (["load"], ["--graph", "https://x.example/g", "just.nt"], ["--graph", "https://x.example/g", "above.nt"]),
    ],
)
def test_just_below_and_just_above(fleet: Path, verb: list[str], just: list[str], above: list[str]) -> None:
    here = fleet.parent
    texts = {size: "ASK {}" + " " * (size - 6) for size in (60, 61)}
    (here / "just.rq").write_text(texts[60], "utf-8")
    (here / "above.rq").write_text(texts[61], "utf-8")
    for name, size in (("just.nt", 200), ("above.nt", 201)):
        (here / name).write_text(f'<x:s> <x:p> "{"z" * size}" .\n', "utf-8")
    done = said(*verb, "--fleet", str(fleet), *just, cwd=here, text=texts[60], environment=SMALL)
    assert done.returncode == 0, done.stderr
    refused = said(*verb, "--fleet", str(fleet), *above, cwd=here, text=texts[61], environment=SMALL)
    assert refused.returncode == 2, (refused.stdout, refused.stderr)
    assert "Traceback" not in refused.stderr
    assert "at most" in refused.stderr or "larger than" in refused.stderr


@pytest.mark.parametrize("depth", [99, 1000, 50_000])
def test_nested_values_and_requests(fleet: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    (fleet.parent / "deep.json").write_text(deep, "utf-8")
    for words in (
        ("put", "/module-0001/serial", deep, "--fleet", str(fleet)),
        ("models", "run", "ocv-soc", "deep.json"),
        ("models", "run", "ocv-soc", "-"),
        ("check", "deep.json"),
    ):
        told = said(*words, cwd=fleet.parent, text=deep)
        assert "Traceback" not in told.stderr, (words[0], told.stderr[-500:])
        assert told.returncode in (0, 2)


@pytest.mark.parametrize("kind", ["mdj", "json", "xmi"])
@pytest.mark.parametrize("depth", [150, 1000, 100_000])
def test_nested_models(tmp_path: Path, kind: str, depth: int) -> None:
    package = '{"_type": "UMLPackage", "_id": "x", "ownedElements": ['
    element = '<packagedElement xmi:type="uml:Package" xmi:id="p" name="p">'
    spaces = 'xmlns:xmi="http://schema.omg.org/spec/XMI/2.1" xmlns:uml="http://schema.omg.org/spec/UML/2.1"'
    text = {
        "mdj": f'{{"_type": "Project", "ownedElements": [{package * depth}{"]}" * depth}]}}',
        "json": json.dumps({"format": "voltwin-description", "version": 1, "name": "a", "packages": "?"}).replace(
            '"?"', "[" * depth + "]" * depth
        ),
        "xmi": f'<xmi:XMI {spaces}><uml:Model xmi:id="m">{element * depth}{"</packagedElement>" * depth}'
        "</uml:Model></xmi:XMI>",
    }[kind]
    (tmp_path / f"deep.{kind}").write_text(text, "utf-8")
    told = said("check", f"deep.{kind}", cwd=tmp_path)
    assert "Traceback" not in told.stderr
    assert told.returncode == (0 if depth == 150 and kind != "json" else 2), told.stderr[-300:]
