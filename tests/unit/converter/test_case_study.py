"""The model that ships with voltwin, through the whole converter."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from voltwin.converter import Conversion, convert, dump_description, instances, load_description, ontology, shapes
from voltwin.ontology.iris import CORE, OWL, RDF, RDFS, SH, VT, XSD
from voltwin.ontology.naming import Naming

NAMES = Naming("https://fleet.example/")
MODEL = Path(str(files("voltwin.ontology"))) / "models" / "battery_logistics.mdj"


@pytest.fixture(scope="module")
def case() -> Conversion:
    return convert(MODEL)


def test_nothing_is_doubtful_and_nothing_but_diagrams_is_left_out(case: Conversion) -> None:
    assert case.report.warnings == ()
    ignored = [e for e in case.report.entries if e.outcome == "ignored"]
    assert {e.reason for e in ignored} == {"diagram layout: no part of the model"}
    assert all(e.type.endswith(("View", "Diagram")) for e in ignored)


def test_every_class_object_and_relation_is_drawn_and_drawing_changes_nothing(case: Conversion, tmp_path: Path) -> None:
    drawn: set[str] = set()
    ids: set[str] = set()
    references: set[str] = set()

    def without_diagrams(value: Any) -> Any:
        if isinstance(value, list):
            found = [without_diagrams(x) for x in value]
            return [x for x in found if x is not None]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            references.add(value["$ref"])
        elif "_id" in value:
            ids.add(value["_id"])
        is_view = str(value.get("_type", "")).endswith(("View", "Diagram"))
        if is_view and isinstance(value.get("model"), dict):
            drawn.add(value["model"]["$ref"])
        kept = {key: without_diagrams(child) for key, child in value.items()}
        return None if is_view else kept

    project = without_diagrams(json.loads(MODEL.read_text(encoding="utf-8")))
    assert references <= ids
    relations = ("UMLGeneralization", "UMLAssociation", "UMLLink")
    wanted = {e.id for e in case.report.entries if e.type in ("UMLClass", "UMLEnumeration", "UMLObject", *relations)}
    assert wanted <= drawn
    plain = tmp_path / "plain.mdj"
    plain.write_text(json.dumps(project), encoding="utf-8")
    assert convert(plain).description == case.description


def test_the_framework_is_referred_to_and_not_said_again(case: Conversion) -> None:
    said = [t for t in ontology(case.description) if getattr(t.subject, "value", "").startswith(CORE)]
    assert {t.predicate for t in said} == {RDF.type}
    assert {t.object for t in said} <= {OWL.Class, OWL.ObjectProperty, OWL.AnnotationProperty}
    targets = [t.object.value for t in shapes(case.description) if t.predicate == SH.targetClass]
    assert targets
    assert not [iri for iri in targets if iri.startswith(CORE)]


def test_a_composition_is_a_part(case: Conversion) -> None:
    triples = ontology(case.description)
    cells = next(t.subject for t in triples if t.predicate == VT.pathName and t.object == Literal("cells"))
    about = {(t.predicate, t.object) for t in triples if t.subject == cells}
    assert (RDFS.subPropertyOf, VT.hasPart) in about
    assert (VT.upper, Literal("12", datatype=XSD.integer)) in about


def test_twins_and_actions_live_where_the_design_says(case: Conversion) -> None:
    quads = instances(case.description, NAMES)
    storages = {q.subject for q in quads if q.predicate == RDF.type and q.object.value.endswith("#Storage")}
    assert storages
    for storage in storages:
        mine = [q for q in quads if q.subject == storage]
        assert {q.graph_name for q in mine} == {storage}
        assert Quad(storage, RDF.type, VT.Twin, storage) in mine
    birth = NAMES.action("receive-birth")
    assert Quad(birth, RDF.type, VT.PushAction, NAMES.actions_graph) in quads
    applies = [q.object for q in quads if q.subject == birth and q.predicate == VT.appliesTo]
    assert [type(x) for x in applies] == [NamedNode]
    assert {q.graph_name for q in quads if q.predicate == VT.priority} == {NAMES.rules_graph}


def test_the_description_is_the_same_after_a_round_trip(case: Conversion) -> None:
    text = dump_description(case.description)
    assert load_description(text) == case.description
    assert dump_description(load_description(text)) == text
