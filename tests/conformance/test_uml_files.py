"""Real files: every element of the file is in the report, and the ontology is valid."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, Triple, parse

from voltwin.converter import convert, dump_description, instances, load_description, ontology, read, shapes, turtle
from voltwin.converter.writers.from_owl import description_from_owl
from voltwin.converter.writers.staruml2json import staruml2json
from voltwin.ontology.check import check
from voltwin.ontology.naming import Naming
from voltwin.ontology.profile import profile_problems

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
GOLDENS = Path(__file__).parents[1] / "goldens" / "converter"
SHIPPED = sorted((Path(__file__).parents[2] / "ontology" / "models").glob("*.mdj"))
FILES = sorted([*DATA.glob("mdj/*"), *DATA.glob("xmi/*")]) if DATA.is_dir() else []
NAMES = Naming("https://fleet.example/")

every_file = pytest.mark.parametrize("path", [*FILES, *SHIPPED], ids=lambda path: path.name)


def elements(path: Path) -> int:
    """How many elements a file has, counted without the converter."""
    if path.suffix in (".mdj", ".mfj"):
        return sum(1 for _ in typed(json.loads(path.read_text("utf-8-sig"))))
    text = re.sub(rb"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>", b"", path.read_bytes(), flags=re.DOTALL)
    return len(re.findall(rb"<[A-Za-z_]", text))


def typed(value: Any) -> Any:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and "_type" in value:
        yield value
    for child in children:
        yield from typed(child)


def canonical(triples: list[Triple]) -> Dataset:
    dataset = Dataset(Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def golden(path: Path) -> Dataset:
    return canonical([q.triple for q in parse(path.read_bytes(), format=RdfFormat.TURTLE)])


def test_there_are_files_to_try() -> None:
    if not DATA.is_dir():
        pytest.skip("the shared data are not beside the repository")
    assert len(FILES) >= 8


@every_file
def test_the_report_is_full(path: Path) -> None:
    report = convert(path).report
    assert len(report.entries) == elements(path)
    assert sum(report.counts().values()) == len(report.entries)
    assert report.counts()["converted"] > 0
    assert not [e for e in report.entries if e.outcome != "converted" and not e.reason]
    assert not [e for e in report.entries if e.reason == "no part of the description"]


@every_file
def test_the_json_carries_the_whole_description(path: Path) -> None:
    description = convert(path).description
    text = dump_description(description)
    assert load_description(text) == description
    assert dump_description(convert(path).description) == text


@every_file
def test_the_ontology_is_owl_2_dl(path: Path) -> None:
    description = convert(path).description
    assert profile_problems(ontology(description)) == []
    for triples in (ontology(description), shapes(description)):
        written = [q.triple for q in parse(turtle(triples, description), format=RdfFormat.TURTLE)]
        assert canonical(written) == canonical(triples)
    instances(description, NAMES)


@every_file
def test_nothing_that_owl_carries_is_lost_on_the_way_back(path: Path) -> None:
    triples = ontology(convert(path).description)
    assert canonical(ontology(description_from_owl(triples))) == canonical(triples)


@pytest.mark.skipif(shutil.which("java") is None, reason="the reasoner needs Java")
@every_file
def test_the_reasoner_agrees(path: Path) -> None:
    found = check(ontology(convert(path).description))
    assert found.good, found


def test_simplecar_is_what_the_papers_tool_makes_of_it() -> None:
    """The tree is the one that TUMFTM/Staruml2json publishes as its example's result."""
    path = DATA / "mdj" / "simplecar.mdj"
    if not path.exists():
        pytest.skip("the shared data are not beside the repository")
    tree = staruml2json(read(path), "Mycar")
    car, trailer = tree["Mycar"], tree["Mycar"]["Mytrailer"]
    assert list(car) == ["color", "Chassis", "inheriting_from", "classifier", "Mytrailer"]
    assert car["color"] == {"type": None, "value": "blue"}
    assert car["Chassis"]["Tyre"] == [{}, {}, {}, {}]
    drive = car["Chassis"]["ElectricDrivetrain"]
    assert drive["max_torque"] == {"type": None, "is_derrived": True, "value": "100"}
    assert drive["max_speed"] == {"type": None, "is_derrived": True, "value": "300"}
    assert drive["inheriting_from"] == "Drivetrain"
    assert drive["ElectricEngine"] == {}
    assert set(drive["Battery"]) == {"voltage", "SOC"}
    assert {name: trailer[name]["value"] for name in ("n_axes", "max_load", "length", "n_tyres")} == {
        "n_axes": None,
        "max_load": None,
        "length": None,
        "n_tyres": "4",
    }
    assert (trailer["Tyre"], trailer["classifier"]) == ({}, "Trailer")


@every_file
def test_the_papers_tree_of_every_object_can_be_made(path: Path) -> None:
    model = read(path)
    for name in {o.name for o in model.objects if o.name} | {c.name for c in model.classifiers[:20] if c.name}:
        assert name in staruml2json(model, name)


@pytest.mark.parametrize("path", sorted(GOLDENS.glob("*.mdj")), ids=lambda path: path.stem)
def test_goldens(path: Path) -> None:
    """A model with its description, ontology and shapes as they are meant to be, compared as graphs."""
    description = convert(path).description
    expected = load_description(path.with_suffix(".json").read_text("utf-8"))
    assert description == expected
    assert canonical(ontology(description)) == golden(path.with_suffix(".ttl"))
    assert canonical(shapes(description)) == golden(path.with_suffix(".shapes.ttl"))


def test_there_are_goldens() -> None:
    assert len(list(GOLDENS.glob("*.mdj"))) >= 2
