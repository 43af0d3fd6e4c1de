"""What the documentation shows is what happens: examples in docstrings run, blocks of Python and SPARQL hold.

Commands that need the case study's fleet are run in tests/e2e/test_documents.py.
"""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import QueryBoolean, Store

import voltwin
from voltwin.graphstore.series.functions import series_functions
from voltwin.ontology.iris import PREFIXES

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(Path(voltwin.__file__).parent)], "voltwin.")
    if module.name.split(".")[1] not in ("tests", "benchmarks", "examples", "build", "docs", "deploy")
)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


def each(language: str) -> Any:
    found = [(page, number, text) for page in PAGES for number, text in enumerate(blocks(page, language))]
    return pytest.mark.parametrize(
        ("page", "text"), [pytest.param(p, t, id=f"{p.relative_to(ROOT)}-{n}") for p, n, t in found]
    )


def test_there_are_modules_and_pages_to_look_at() -> None:
    assert len(MODULES) > 100
    assert all(page.is_file() for page in PAGES)
    assert len(PAGES) > 15


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=FLAGS)
    assert failed == 0


def test_docstrings_do_have_examples() -> None:
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES]
    examples = sum(len(found.examples) for module in modules for found in finder.find(module, module.__name__))
    assert examples >= 40


@each("python")  # type: ignore[untyped-decorator]  # a parametrize of its own
def test_python_in_pages_compiles(page: Any, text: Any) -> None:
    compile(text, str(page), "exec")


def test_the_path_example_runs() -> None:
    (text,) = blocks(ROOT / "docs" / "paths.md", "python")
    exec(text, {})


def test_the_handler_example_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from voltwin.control.interfaces import Invocation

    text, in_a_bench = blocks(ROOT / "docs" / "actions.md", "python")
    names: dict[str, Any] = {"__name__": "example"}
    exec(text, names)
    run = Invocation("a~b~c", "b", "2019-04-01T00:00:00Z", inputs={"x": {"value": 21.0}})
    (outcome,) = names["Doubler"]().run([run])
    assert (outcome.run, outcome.outputs, outcome.error) == ("a~b~c", {"y": 42.0}, "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-model.mdj").write_bytes((ROOT / "ontology" / "models" / "battery_logistics.mdj").read_bytes())
    exec(in_a_bench, names)
    assert names["bench"].acknowledged == [0]


@each("json")  # type: ignore[untyped-decorator]  # a parametrize of its own
def test_json_in_pages_reads(page: Any, text: Any) -> None:
    if "…" not in text:
        json.loads(text)


@each("toml")  # type: ignore[untyped-decorator]  # a parametrize of its own
def test_toml_in_pages_reads(page: Any, text: Any) -> None:
    assert tomllib.loads(text)


@each("sparql")  # type: ignore[untyped-decorator]  # a parametrize of its own
def test_sparql_in_pages_is_sparql(page: Any, text: Any) -> None:
    prefixes = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
    # Never called: the store is empty.
    functions = series_functions(None)
    assert not isinstance(Store().query(prefixes + text, custom_functions=functions), QueryBoolean)


def test_the_bindings_shown_are_bindings() -> None:
    from voltwin.graphstore.paths.parse import parse
    from voltwin.ontology.bindings import parse_binding

    page = (ROOT / "docs" / "actions.md").read_text("utf-8")
    section = page.split("## Bindings", 1)[1].split("## Schedules", 1)[0]
    (block, *_) = re.findall(r"^```\n(.*?)^```", section, re.M | re.S)
    shown = [re.split(r"\s{3,}", line)[0] for line in block.splitlines()]
    assert len(shown) >= 5
    for text in shown:
        binding = parse_binding(text)
        if binding.source != "@time":
            parse(binding.source)
        parse(re.sub(r"\{\w+\}", "x", binding.target))


def test_the_paths_shown_are_paths() -> None:
    from voltwin import parse_path

    page = (ROOT / "docs" / "paths.md").read_text("utf-8").split("## Answers", 1)[0]
    rows = re.findall(r"^\|.*\| (`.*`.*?) \|$", page, re.M)
    shown = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    assert len(shown) >= 14
    for text in shown:
        path = parse_path(text)
        assert parse_path(str(path)) == path


def test_the_settings_and_columns_named_are_there() -> None:
    """`batch_messages` and the like, in the pages, are fields of Settings."""
    from voltwin import Settings

    page = (ROOT / "docs" / "architecture.md").read_text("utf-8") + (ROOT / "docs" / "actions.md").read_text("utf-8")
    named = set(re.findall(r"`((?:batch|handler)_\w+)`", page))
    assert named
    assert named <= set(Settings.__dataclass_fields__)


def test_every_room_is_in_the_picture_of_the_house_on_the_floor_that_is_held() -> None:
    """The picture in architecture.md names the rooms of each contract of import-linter, floor by floor."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (picture,) = re.findall(r"## The rooms of the house\n\n```\n(.*?)```", page, re.S)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = [item for item in contracts if item["type"] == "layers"]
    assert len(layers) >= 6
    for contract in layers:
        (container,) = contract["containers"]
        lines = re.findall(r"^\S.*", picture, re.M)
        if container != "voltwin":
            (floors,) = re.findall(rf"^{container.removeprefix('voltwin.')}\b.*\n((?:  .*\n)+)", picture, re.M)
            lines = [line.strip() for line in floors.splitlines()]
        text = "\n".join(re.split(r" {2,}", line)[0] for line in lines)  # without what is said of each
        rooms = [room.strip() for layer in contract["layers"] for room in layer.split("|")]
        ordered = [layer.split("|")[0].strip() for layer in contract["layers"]]
        places = {room: re.search(rf"(?<![\w/]){room}\b", text) for room in rooms}
        assert [room for room, place in places.items() if place is None] == [], container
        shown = sorted(ordered, key=lambda room: places[room].start())
        assert shown == ordered, container


def test_the_public_face_is_in_the_api_reference() -> None:
    page = (ROOT / "docs" / "api" / "voltwin.md").read_text("utf-8")
    assert set(re.findall(r"^\.\. auto\w+:: voltwin\.(\w+)$", page, re.M)) == set(voltwin.__all__)


def test_files_that_decisions_name_are_there() -> None:
    """`folder/file.py` in the records of decisions and in the pages on models; the other pages: test_house.py."""
    top = {path.name for path in ROOT.iterdir()}
    for page in [*(ROOT / "docs" / "adr").glob("*.md"), *(ROOT / "docs" / "models").glob("*.md")]:
        for name in re.findall(r"`([\w.-]+/[\w./-]+\.(?:py|md|ttl|lark|mdj|toml))`", page.read_text("utf-8")):
            assert name.split("/")[0] not in top or (ROOT / name).is_file(), f"{page.name}: {name}"


def test_the_folder_shown_is_the_folder_made(tmp_path: Path, case_study: Any) -> None:
    from voltwin import create_fleet

    create_fleet(tmp_path / "fleet", case_study, "https://fleet.example/")
    made = {item.name for item in (tmp_path / "fleet").iterdir()}
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (block,) = re.findall(r"## The folder of a fleet\n\n```\n(.*?)```", page, re.S)
    shown = {line.split()[0].rstrip("/") for line in block.splitlines()}
    assert {name for name in made if not name.startswith("journal.sqlite-")} == shown


def test_the_graphs_shown_are_the_graphs_named() -> None:
    from voltwin.ontology.naming import Naming

    names = Naming("https://fleet.example/")
    twin = names.twin("x")
    graphs = [
        names.ontology_graph, names.shapes_graph, names.actions_graph, names.rules_graph, names.runs_graph,
        names.dead_letters_graph, names.state_graph, twin, names.computed_graph(twin), names.inferred_graph(twin),
    ]  # fmt: skip
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    shown = set(re.findall(r"`BASE/([^`]+)`", page.split("## The graphs of a fleet", 1)[1]))
    assert shown == {graph.value.removeprefix(names.base).replace("/x", "/<key>") for graph in graphs}
