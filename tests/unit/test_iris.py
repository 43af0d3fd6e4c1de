"""The vocabulary is written down three times, for three readers; here it is one.

``VT`` for programs, the .ttl files for Protégé and the graph, the package ``framework`` of the example
model for whoever draws.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Dataset, Literal, NamedNode, Quad, RdfFormat, parse

import voltwin.ontology
from voltwin.ontology import FRAMEWORK_FILES, framework, iris
from voltwin.ontology.iris import CORE, OWL, RDF, RDFS, VT
from voltwin.ontology.profile import profile_problems

TRIPLES = framework()
GRAPH = Dataset(Quad(t.subject, t.predicate, t.object) for t in TRIPLES)
KINDS = {OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty}
# Terms of others are declared too, without words of their own, so that each file is OWL 2 DL by itself.
DECLARED = {
    t.subject for t in TRIPLES if t.predicate == RDF.type and t.object in KINDS and t.subject.value.startswith(CORE)
}
MEMBERS = {name: term for name, term in vars(VT).items() if isinstance(term, NamedNode)}


def objects(subject: NamedNode, predicate: NamedNode) -> list[Any]:
    return [quad.object for quad in GRAPH.quads_for_subject(subject) if quad.predicate == predicate]


def test_members_of_vt_are_the_terms_declared() -> None:
    assert {term.value for term in MEMBERS.values()} == {term.value for term in DECLARED}


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_a_member_is_called_as_its_term(name: Any) -> None:
    assert MEMBERS[name].value == CORE + name


@pytest.mark.parametrize("term", sorted(DECLARED, key=str), ids=lambda term: term.value.removeprefix(CORE))
def test_a_term_has_one_kind_a_label_a_comment_and_a_home(term: Any) -> None:
    assert len([kind for kind in objects(term, RDF.type) if kind in KINDS]) == 1
    assert len(objects(term, RDFS.label)) == 1
    (comment,) = objects(term, RDFS.comment)
    assert comment.value.endswith(".")
    (home,) = objects(term, RDFS.isDefinedBy)
    assert (home, RDF.type, OWL.Ontology) in {(t.subject, t.predicate, t.object) for t in TRIPLES}


def test_every_term_used_is_declared() -> None:
    used = {node for t in TRIPLES for node in (t.subject, t.predicate, t.object) if isinstance(node, NamedNode)}
    assert {node.value for node in used if node.value.startswith(CORE)} <= {term.value for term in DECLARED}


def test_each_file_reads_alone_and_defines_its_own(root: Path) -> None:
    seen: set[str] = set()
    for name in FRAMEWORK_FILES:
        triples = list(parse((root / "ontology" / name).read_bytes(), format=RdfFormat.TURTLE))
        own = {t.subject.value for t in triples if t.predicate == RDFS.isDefinedBy}
        assert own
        assert not own & seen, "a term is defined in one file"
        seen |= own


def test_the_framework_is_owl_2_dl() -> None:
    assert list(profile_problems(TRIPLES)) == []


@pytest.mark.parametrize("space", ["RDF", "RDFS", "OWL", "XSD", "SOSA", "PROV", "QUDT"])
def test_terms_of_others_are_in_their_namespace(space: Any) -> None:
    members = [term for term in vars(getattr(iris, space)).values() if isinstance(term, NamedNode)]
    (start,) = {term.value[: max(term.value.rfind("#"), term.value.rfind("/")) + 1] for term in members}
    assert start.startswith("http")
    assert len({term.value for term in members}) == len(members)


# --- the same, drawn ---


@pytest.fixture(scope="module")
def drawn(root: Path) -> Any:
    """The package ``framework``: class -> (names of parents, attribute -> (type, multiplicity))."""
    file = root / "ontology" / "models" / "battery_logistics.mdj"
    project = json.loads(file.read_text("utf-8"))
    model = next(item for item in project["ownedElements"] if item["_type"] == "UMLModel")
    package = next(item for item in model["ownedElements"] if item["name"] == "framework")
    classes = [item for item in package["ownedElements"] if item["_type"] == "UMLClass"]
    names = {item["_id"]: item["name"] for item in classes}
    found = {}
    for item in classes:
        parents = {
            names[link["target"]["$ref"]]
            for link in item.get("ownedElements", ())
            if link["_type"] == "UMLGeneralization"
        }
        attributes = {
            part["name"]: (part.get("type"), part.get("multiplicity") or "1") for part in item.get("attributes", ())
        }
        found[item["name"]] = (parents, attributes)
    roles = [
        (names[link["end1"]["reference"]["$ref"]], link["end2"])
        for item in classes
        for link in item.get("ownedElements", ())
        if link["_type"] == "UMLAssociation"
    ]
    return found, roles


def test_every_class_drawn_is_declared_with_the_same_parents(drawn: Any) -> None:
    for name, (parents, _) in drawn[0].items():
        assert MEMBERS[name] in DECLARED
        declared = {node.value.removeprefix(CORE) for node in objects(MEMBERS[name], RDFS.subClassOf)}
        assert declared & set(MEMBERS) == parents, name


def test_every_class_that_people_draw_with_is_drawn(drawn: Any) -> None:
    """A model is drawn on these; runs, candidates, dead letters and series are made by the system."""
    made = {"Run", "Candidate", "DeadLetter", "Series"}
    classes = {term.value.removeprefix(CORE) for term in DECLARED if OWL.Class in objects(term, RDF.type)}
    assert set(drawn[0]) == classes - made


def bounds(multiplicity: str) -> tuple[str, str | None]:
    low, _, high = multiplicity.rpartition("..")
    return low or ("0" if high == "*" else high), None if high == "*" else high


def test_every_attribute_drawn_is_a_property_with_the_same_bounds(drawn: Any) -> None:
    for name, (_, attributes) in drawn[0].items():
        for attribute, (_, multiplicity) in attributes.items():
            term = MEMBERS[attribute]
            assert objects(term, VT.pathName) == [Literal(attribute)], f"{name}.{attribute}"
            lower = [node.value for node in objects(term, VT.lower)]
            upper = [node.value for node in objects(term, VT.upper)]
            low, high = bounds(multiplicity)
            assert (lower, upper) == ([low], [high] if high else []), f"{name}.{attribute} {multiplicity}"


def test_every_property_people_set_is_drawn(drawn: Any) -> None:
    classes, roles = drawn
    names = {name for _, attributes in classes.values() for name in attributes} | {end["name"] for _, end in roles}
    settable = {t.subject.value.removeprefix(CORE) for t in TRIPLES if t.predicate == VT.pathName}
    assert names == settable


def test_the_ontology_ships(root: Path) -> None:
    assert (root / "ontology").samefile(next(iter(voltwin.ontology.__path__)))
