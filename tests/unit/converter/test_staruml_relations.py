"""How classes relate in .mdj files, and what else a file holds: realisations, annotations, encodings."""

import json
from pathlib import Path

import pytest

from voltwin.converter import convert, describe, instances, ontology, read, shapes
from voltwin.converter.writers.from_owl import description_from_owl
from voltwin.ontology.iris import OWL, RDF, RDFS, SH, VT, XSD

from .conftest import NAMES, Convert, Maker, cls, codes, ends


# ---- generalisation
def test_all_parents_and_grandparents_are_kept(uml: Maker, converted: Convert) -> None:
    a, b, c, d = uml.cls("A", uml.attr("x", "int")), uml.cls("B"), uml.cls("C"), uml.cls("D")
    d["ownedElements"] = [uml.gen(d, b), uml.gen(d, c)]
    b["ownedElements"] = [uml.gen(b, a)]
    item = uml.obj("one", d, uml.slot("x", "3"))
    found = converted(uml.project(d, c, b, a, item))
    assert cls(found, "D").parents == ("B", "C")
    types = {q.object.value.rpartition("#")[2] for q in instances(found.description, NAMES) if q.predicate == RDF.type}
    assert types == {"A", "B", "C", "D", "NamedIndividual"}
    assert found.description.objects[0].slots[0].property.endswith("#A.x")


def test_a_circle_is_cut_and_reported(uml: Maker, converted: Convert) -> None:
    a, b = uml.cls("A"), uml.cls("B")
    a["ownedElements"] = [uml.gen(a, b), uml.gen(a, a)]
    b["ownedElements"] = [uml.gen(b, a)]
    found = converted(uml.project(a, b))
    assert sum(len(c.parents) for c in found.description.classes) == 1
    assert codes(found).count("circular-generalization") == 2


def test_disjoint_and_complete_from_tags(uml: Maker, converted: Convert) -> None:
    base, one, two = uml.cls("Base", tags=uml.tags(disjoint="true", complete="true")), uml.cls("One"), uml.cls("Two")
    base["ownedElements"] = [uml.gen(one, base), uml.gen(two, base)]
    predicates = [t.predicate for t in ontology(converted(uml.project(base, one, two)).description)]
    assert OWL.members in predicates
    assert OWL.unionOf in predicates


@pytest.mark.parametrize("kind", ["UMLInterfaceRealization", "UMLRealization"])
def test_a_realised_interface_is_a_parent(uml: Maker, converted: Convert, kind: str) -> None:
    a, face = uml.cls("A"), uml.cls("Face", uml.attr("x", "int"), kind="UMLInterface")
    a["ownedElements"] = [uml.make(kind, source=uml.ref(a), target=uml.ref(face))]
    assert cls(converted(uml.project(a, face)), "A").parents == ("Face",)


# ---- the rest
def test_an_enumeration_is_closed(uml: Maker, converted: Convert) -> None:
    colour = uml.enum("Colour", "RED", "GREEN")
    car = uml.cls("Car", uml.attr("colour", colour, "1"))
    mine = uml.obj("mine", car, uml.slot("colour", "Colour.RED"))
    found = converted(uml.project(colour, car, mine))
    triples = ontology(found.description)
    assert {OWL.oneOf, OWL.distinctMembers} <= {t.predicate for t in triples}
    assert SH.in_ in {t.predicate for t in shapes(found.description)}
    values = [q.object.value for q in instances(found.description, NAMES) if q.predicate.value.endswith("Car.colour")]
    assert values == ["https://voltwin.example/models/test#Colour.RED"]


def test_constraints_dependencies_operations_and_tags_become_annotations(uml: Maker, converted: Convert) -> None:
    a = uml.cls("A", tags=uml.tags(owner="plant 2"), stereotype="entity", documentation="What it is.")
    parameter = uml.make("UMLParameter", "at", type="DateTime")
    back = uml.make("UMLParameter", direction="return", type="Real")
    a["operations"] = [uml.make("UMLOperation", "voltage", parameters=[parameter, back])]
    b = uml.cls("B")
    b["ownedElements"] = [
        uml.make("UMLDependency", source=uml.ref(b), target=uml.ref(a)),
        uml.make("UMLConstraint", "limit", specification="x > 0", constrainedElements=[uml.ref(a)]),
    ]
    found = converted(uml.project(a, b))
    said = {(t.predicate, t.object.value) for t in ontology(found.description) if hasattr(t.object, "value")}
    assert {
        (VT.operation, "voltage(at: DateTime): Real"),
        (VT.tag, "owner=plant 2"),
        (VT.stereotype, "entity"),
        (RDFS.comment, "What it is."),
        (VT.constraint, "limit: x > 0"),
        (RDFS.comment, "{limit: x > 0}"),
        (VT.tag, "depends=dependency -> A"),
    } <= said
    assert codes(found) == []


def test_views_and_behaviour_are_counted_and_left_out(uml: Maker, converted: Convert) -> None:
    view = uml.make("UMLClassView", subViews=[uml.make("LabelView")])
    diagram = uml.make("UMLClassDiagram", "Main", ownedViews=[view])
    machine = uml.make("UMLStateMachine", "M", regions=[uml.make("UMLRegion")])
    found = converted(uml.project(uml.cls("A"), diagram, machine))
    assert found.report.counts() == {"converted": 3, "annotated": 0, "ignored": 5}
    assert all(e.reason for e in found.report.entries if e.outcome == "ignored")


def test_a_fragment_needs_no_project(uml: Maker, converted: Convert) -> None:
    found = converted(uml.pkg("product", uml.cls("Cell")))
    assert [c.name for c in found.description.classes] == ["Cell"]


def test_an_xsd_date_is_any_literal_in_owl_and_exact_in_the_shapes(uml: Maker, converted: Convert) -> None:
    found = converted(uml.project(uml.cls("A", uml.attr("day", "Date"))))
    ranges = [t.object.value for t in ontology(found.description) if t.predicate == RDFS.range]
    assert ranges == [f"{RDFS.NS}Literal"]
    assert [t.object for t in shapes(found.description) if t.predicate == SH.datatype] == [XSD.date]


def test_tags_of_every_kind_and_stereotypes_by_reference(uml: Maker, converted: Convert) -> None:
    other = uml.cls("Other")
    stereotype = uml.make("UMLStereotype", "traced")
    tags = [
        uml.make("Tag", "flagged", kind="boolean", checked=True),
        uml.make("Tag", "count", kind="number", number=7),
        uml.make("Tag", "see", kind="reference", reference=uml.ref(other)),
        uml.make("Tag", "secret", kind="hidden", value="x"),
        uml.make("Tag", "count", kind="string", value="again"),
    ]
    found = converted(uml.project(other, stereotype, uml.cls("A", tags=tags, stereotype=uml.ref(stereotype))))
    assert cls(found, "A").tags == (
        ("flagged", "true"),
        ("count", "7"),
        ("count", "again"),
        ("see", "Other"),
        ("secret", "x"),
    )
    assert cls(found, "A").stereotypes == ("traced",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_any_unicode_encoding_of_json(tmp_path: Path, uml: Maker, encoding: str) -> None:
    path = tmp_path / "m.mdj"
    path.write_bytes(json.dumps(uml.project(uml.cls("Größe")), ensure_ascii=False).encode(encoding))
    assert [c.name for c in convert(path).description.classes] == ["Größe"]


def test_progress_is_told(tmp_path: Path, uml: Maker) -> None:
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps(uml.project(uml.cls("A"), uml.cls("B"), uml.obj("a", "A"))))
    told: list[tuple[str, int, int]] = []
    convert(path, progress=lambda *what: told.append(what))
    assert told[0][0] == "reading"
    assert told[-1] == ("done", 3, 3)


def test_the_stages_can_be_taken_one_by_one(tmp_path: Path, uml: Maker) -> None:
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps(uml.project(uml.cls("A", uml.attr("x", "int")))))
    assert describe(read(path)) == convert(path).description


def test_a_relation_to_a_use_case_is_left_out_without_a_warning(uml: Maker, converted: Convert) -> None:
    actor, use = uml.cls("Driver", kind="UMLActor"), uml.make("UMLUseCase", "Drive")
    gone = uml.cls("Gone")
    actor["ownedElements"] = [
        uml.assoc(uml.end(actor), uml.end(use)),
        uml.make("UMLDependency", source=uml.ref(use), target=uml.ref(actor)),
    ]
    found = converted(uml.project(actor, use))
    assert codes(found) == []
    reasons = {e.type: e.reason for e in found.report.entries if e.outcome == "ignored"}
    assert reasons["UMLAssociation"] == "this association ends at a UMLUseCase, which is no class"
    assert reasons["UMLDependency"] == "this dependency ends at a UMLUseCase, which is no class"
    actor["ownedElements"] = [uml.assoc(uml.end(actor), uml.end(gone))]
    assert "unresolved-end" in codes(converted(uml.project(actor, use)))


def test_a_constraint_on_what_has_no_room_goes_to_what_is_around_it(uml: Maker, converted: Convert) -> None:
    operation = uml.make("UMLOperation", "charge")
    operation["preconditions"] = [uml.make("UMLConstraint", specification="soc < 1")]
    cell = uml.cls("Cell")
    cell["operations"] = [operation]
    use = uml.make("UMLUseCase", "Drive")
    loose = uml.make("UMLConstraint", specification="at night", constrainedElements=[uml.ref(use)])
    found = converted(uml.project(cell, use, loose))
    assert cls(found, "Cell").constraints == ("soc < 1",)
    assert found.description.constraints == ("at night",)


def test_what_an_association_says_is_one_comment_with_what_its_ends_say(uml: Maker, converted: Convert) -> None:
    a, b = uml.cls("A"), uml.cls("B")
    end = uml.end(b, "b", documentation="the end")
    limit = uml.make("UMLConstraint", specification="b > 0", constrainedElements=[])
    joined = uml.assoc(uml.end(a, "a"), end, documentation="the association", ownedElements=[limit])
    limit["constrainedElements"] = [uml.ref(joined)]
    a["ownedElements"] = [joined]
    triples = ontology(converted(uml.project(a, b)).description)
    comments = {(t.subject.value.rpartition(".")[2], t.object.value) for t in triples if t.predicate == RDFS.comment}
    assert comments == {
        ("b", "the end\n\nthe association"),
        ("a", "the association"),
        ("a", "{b > 0}"),
        ("b", "{b > 0}"),
    }
    back = {f.path_name: f.documentation for x in description_from_owl(triples).associations for f in x.ends}
    assert back == {"b": "the end\n\nthe association", "a": "the association"}


@pytest.mark.parametrize("kind", ["UMLClassDiagram", "UMLClassView", "ERDDiagram"])
def test_a_file_of_nothing_but_a_diagram_has_an_account(uml: Maker, converted: Convert, kind: str) -> None:
    found = converted(uml.make(kind, "Main", ownedViews=[uml.make("UMLClassView"), uml.make("UMLNoteView")]))
    assert found.report.counts() == {"converted": 0, "annotated": 0, "ignored": 3}
    assert found.description.classes == ()
    assert found.description.name == "test"


def test_an_aggregation_that_uml_does_not_have_is_none_and_a_warning(uml: Maker, converted: Convert) -> None:
    a, b = uml.cls("A"), uml.cls("B")
    a["ownedElements"] = [uml.assoc(uml.end(a, "a", aggregation="aggregate"), uml.end(b, "b"))]
    found = converted(uml.project(a, b))
    assert {e.aggregation for e in ends(found).values()} == {"none"}
    assert codes(found) == ["wrong-shape"]
