"""What .mdj files look like in the wild, and what has to come of it."""

import pytest

from voltwin.converter import ontology, shapes
from voltwin.ontology.iris import OWL, QUDT, RDFS, SH, SKOS, VT

from .conftest import Convert, Maker, cls, codes, ends, feature


# ---- names and packages
def test_iris_follow_the_packages(uml: Maker, converted: Convert) -> None:
    cell = uml.cls("Cell", uml.attr("state of charge", "Real"))
    inner = uml.pkg("sub", uml.cls("Module"))
    top = uml.cls("Top")
    found = converted(uml.project(top, uml.pkg("product", cell, inner), name="Battery logistics"))
    base = "https://voltwin.example/models/battery-logistics"
    assert cls(found, "Top").iri == f"{base}#Top"
    assert cls(found, "Cell").iri == f"{base}/product#Cell"
    assert cls(found, "Module").iri == f"{base}/product/sub#Module"
    assert cls(found, "Module").key == "product::sub::Module"
    assert feature(found, "Cell", "state of charge").iri == f"{base}/product#Cell.state%20of%20charge"


def test_tags_set_iris_outright(uml: Maker, converted: Convert) -> None:
    cell = uml.cls("Cell", uml.attr("v", "Real", tags=uml.tags(iri="urn:x:v")), tags=uml.tags(iri="urn:x:Cell"))
    module = uml.cls("Module", uml.attr("v", "Real"))
    flat = uml.pkg("p", module, tags=uml.tags(iri="https://e.example/ns#", properties="flat"))
    found = converted(uml.project(cell, flat, tags=uml.tags(iri="https://e.example/model")))
    assert found.description.iri == "https://e.example/model"
    assert cls(found, "Cell").iri == "urn:x:Cell"
    assert feature(found, "Cell", "v").iri == "urn:x:v"
    assert cls(found, "Module").iri == "https://e.example/ns#Module"
    assert feature(found, "Module", "v").iri == "https://e.example/ns#v"


def test_flat_properties_of_one_name_are_one_property_where_their_ranges_agree(uml: Maker, converted: Convert) -> None:
    owned = [
        uml.cls("A", uml.attr("v", "Real")),
        uml.cls("B", uml.attr("v", "Real")),
        uml.cls("C", uml.attr("v", "int")),
    ]
    found = converted(uml.project(uml.pkg("p", *owned, tags=uml.tags(properties="flat"))))
    a, b, c = (feature(found, name, "v").iri for name in "ABC")
    assert a == b
    assert c != a
    assert "flat-property" in codes(found)
    triples = ontology(found.description)
    assert [t.object for t in triples if t.subject == next(x.subject for x in triples if x.predicate == OWL.unionOf)]
    paths = [t.subject for t in shapes(found.description) if t.predicate == SH.path]
    assert len(set(paths)) == 3


def test_flat_properties_of_one_name_and_different_units_are_two(uml: Maker, converted: Convert) -> None:
    owned = [uml.cls(n, uml.attr("v", "Real", tags=uml.tags(unit=u))) for n, u in (("A", "V"), ("B", "MilliV"))]
    found = converted(uml.project(uml.pkg("p", *owned, tags=uml.tags(properties="flat"))))
    assert feature(found, "A", "v").iri != feature(found, "B", "v").iri
    units = {t.subject: t.object for t in ontology(found.description) if t.predicate == QUDT.hasUnit}
    assert len(units) == 2
    assert codes(found) == ["flat-property"]


def test_two_top_models_never_merge_what_has_one_name(uml: Maker, converted: Convert) -> None:
    project = uml.project(uml.pkg("product", uml.cls("Cell", uml.attr("v", "Real"))), uml.cls("Module"))
    other = uml.pkg("product", uml.cls("Cell", uml.attr("w", "int")))
    project["ownedElements"].append(uml.make("UMLModel", "Other", ownedElements=[other, uml.cls("Module")]))
    found = converted(project)
    assert len({c.iri for c in found.description.classes}) == 4
    assert len({p.iri for p in found.description.packages}) == 2
    names = {f.path_name for c in found.description.classes for f in c.attributes}
    assert names == {"v", "w"}
    assert codes(found) == ["duplicate-name", "duplicate-name"]


def test_a_bad_iri_is_a_warning(uml: Maker, converted: Convert) -> None:
    found = converted(uml.project(uml.cls("Cell", tags=uml.tags(iri="not an iri"))))
    assert cls(found, "Cell").iri.endswith("#Cell")
    assert "bad-iri" in codes(found)


def test_duplicate_names_get_a_name_made_from_their_id(uml: Maker, converted: Convert) -> None:
    first, second = uml.cls("Cell"), uml.cls("Cell")
    one = converted(uml.project(first, second))
    other = converted(uml.project(second, first))
    assert {c.id: c.iri for c in one.description.classes} == {c.id: c.iri for c in other.description.classes}
    assert len({c.iri for c in one.description.classes}) == 2
    assert next(c for c in one.description.classes if c.id == first["_id"]).key == "Cell"
    assert "duplicate-name" in codes(one)


def test_duplicate_ids_are_reported_and_both_are_kept(uml: Maker, converted: Convert) -> None:
    first, second = uml.cls("A"), uml.cls("B")
    second["_id"] = first["_id"]
    found = converted(uml.project(first, second))
    assert {c.name for c in found.description.classes} == {"A", "B"}
    assert "duplicate-id" in codes(found)


# ---- attributes
@pytest.mark.parametrize(
    ("drawn", "datatype"),
    [
        ("Real", "xsd:double"),
        ("EInt", "xsd:integer"),
        ("unsigned long", "xsd:integer"),
        ("java.lang.String", "xsd:string"),
        ("boolean", "xsd:boolean"),
        ("DateTime", "xsd:dateTime"),
        ("Date", "xsd:date"),
        ("varchar(20)", "xsd:string"),
        ("Duration", "xsd:string"),
    ],
)
def test_primitive_names_of_the_tools(uml: Maker, converted: Convert, drawn: str, datatype: str) -> None:
    found = converted(uml.project(uml.cls("A", uml.attr("x", drawn))))
    assert feature(found, "A", "x").datatype == datatype
    assert codes(found) == []


@pytest.mark.parametrize("drawn", ["Mystery", "Order Date", "Map<String, int>", ""])
def test_an_unknown_type_is_text_and_a_warning(uml: Maker, converted: Convert, drawn: str) -> None:
    found = converted(uml.project(uml.cls("A", uml.attr("x", drawn))))
    assert feature(found, "A", "x").datatype == "xsd:string"
    assert codes(found) in (["unresolved-type"], ["no-type"])


def test_a_type_is_found_by_reference_by_name_and_by_qualified_name(uml: Maker, converted: Convert) -> None:
    cell = uml.cls("Cell")
    other = uml.cls("Cell")
    holder = uml.cls(
        "Module",
        uml.attr("a", cell),
        uml.attr("b", "Cell"),
        uml.attr("c", "two::Cell"),
        uml.attr("d", "List<Cell>"),
        uml.attr("e", "Cell[]"),
    )
    found = converted(uml.project(uml.pkg("one", cell, holder), uml.pkg("two", other)))
    keys = {f.path_name: (f.class_key, f.upper) for f in cls(found, "Module").attributes}
    assert keys == {
        "a": ("one::Cell", 1),
        "b": ("one::Cell", 1),
        "c": ("two::Cell", 1),
        "d": ("one::Cell", None),
        "e": ("one::Cell", None),
    }


def test_a_name_that_says_more(uml: Maker, converted: Convert) -> None:
    found = converted(uml.project(uml.cls("A", uml.attr("- voltage : Real [0..2] = 3.6"))))
    said = feature(found, "A", "voltage")
    assert (said.datatype, said.lower, said.upper, said.default) == ("xsd:double", 0, 2, "3.6")
    assert codes(found) == ["typed-name"]


def test_flags_reach_the_ontology(uml: Maker, converted: Convert) -> None:
    attribute = uml.attr("x", "int", "1", isDerived=True, isReadOnly=True, isID=True, isOrdered=True, defaultValue="7")
    found = converted(uml.project(uml.cls("A", attribute)))
    about = {(t.predicate, getattr(t.object, "value", "")) for t in ontology(found.description)}
    assert {
        (VT.derived, "true"),
        (VT.readOnly, "true"),
        (VT.identifier, "true"),
        (VT.defaultValue, "7"),
        (VT.stereotype, "ordered"),
        (VT.lower, "1"),
        (VT.upper, "1"),
    } <= about


def test_units_and_alignments_are_checked(uml: Maker, converted: Convert) -> None:
    good = uml.attr(
        "t",
        "Real",
        tags=uml.tags(unit="DEG_C", quantityKind="CelsiusTemperature", min="-40", max="60", closeMatch="emmo:EMMO_1"),
    )
    bad = uml.attr("u", "Real", tags=uml.tags(unit="degC", quantityKind="Heat Level", exactMatch="nope", min="low"))
    odd = uml.attr("w", "Real", tags=uml.tags(unit="V", quantityKind="CelsiusTemperature"))
    found = converted(uml.project(uml.cls("A", good, bad, odd)))
    about = {(t.predicate, getattr(t.object, "value", "")) for t in ontology(found.description)}
    assert (QUDT.hasUnit, "http://qudt.org/vocab/unit/DEG_C") in about
    assert (QUDT.hasUnit, "http://qudt.org/vocab/unit/degC") not in about
    assert (SKOS.closeMatch, "https://w3id.org/emmo#EMMO_1") in about
    assert (VT.tag, "unit=degC") in about
    assert sorted(codes(found)) == ["bad-limit", "bad-match", "unit-mismatch", "unknown-quantityKind", "unknown-unit"]
    limits = {t.object.value for t in shapes(found.description) if t.predicate in (SH.minInclusive, SH.maxInclusive)}
    assert limits == {"-40", "60"}


# ---- associations
@pytest.mark.parametrize("reverse", [False, True])
def test_the_whole_is_where_the_diamond_is(uml: Maker, converted: Convert, reverse: bool) -> None:
    module, cell = uml.cls("Module"), uml.cls("Cell")
    whole = uml.end(module, "module", "1", aggregation="composite")
    part = uml.end(cell, "cells", "12")
    module["ownedElements"] = [uml.assoc(part, whole) if reverse else uml.assoc(whole, part)]
    found = converted(uml.project(module, cell))
    by_name = ends(found)
    cells, back = by_name["cells"], by_name["module"]
    about = {(t.subject, t.predicate, t.object) for t in ontology(found.description)}
    node = {getattr(s, "value", ""): s for s, _, _ in about}
    assert cells.iri.endswith("#Module.cells")
    assert back.iri.endswith("#Cell.module")
    assert (cells.lower, cells.upper) == (12, 12)
    assert (node[cells.iri], RDFS.subPropertyOf, VT.hasPart) in about
    assert (node[back.iri], RDFS.subPropertyOf, VT.partOf) in about
    assert any(p == OWL.inverseOf for _, p, _ in about)


@pytest.mark.parametrize(
    ("first", "second", "navigable"),
    [
        (None, None, {"a", "b"}),
        (True, True, {"a", "b"}),
        (False, True, {"b"}),
        (False, None, {"b"}),  # StarUML 3 to 5: an absent value beside booleans is true
        ("notNavigable", "navigable", {"b"}),
        ("unspecified", "navigable", {"b"}),
        (None, "navigable", {"b"}),
        ("notNavigable", None, {"b"}),
        ("unspecified", "unspecified", {"a", "b"}),
        (False, False, set()),
    ],
)
def test_navigability_in_all_dialects(
    uml: Maker, converted: Convert, first: object, second: object, navigable: set[str]
) -> None:
    a, b = uml.cls("A"), uml.cls("B")
    a["ownedElements"] = [uml.assoc(uml.end(a, "a", navigable=first), uml.end(b, "b", navigable=second))]
    found = converted(uml.project(a, b))
    assert {e.path_name for e in ends(found).values() if e.navigable} == navigable
    assert ("no-direction" in codes(found)) == (not navigable)


def test_an_unnamed_end_is_called_after_its_class(uml: Maker, converted: Convert) -> None:
    a, b = uml.cls("A"), uml.cls("BatteryPack")
    a["ownedElements"] = [uml.assoc(uml.end(a), uml.end(b))]
    assert {e.path_name for e in ends(converted(uml.project(a, b))).values()} == {"a", "batteryPack"}


def test_a_self_association_is_two_properties(uml: Maker, converted: Convert) -> None:
    a = uml.cls("Node")
    a["ownedElements"] = [uml.assoc(uml.end(a, "parent", "0..1"), uml.end(a, "children", "*"))]
    found = ends(converted(uml.project(a)))
    assert found["parent"].iri.endswith("#Node.parent")
    assert found["children"].upper is None


def test_an_association_class_has_a_property_to_each_end(uml: Maker, converted: Convert) -> None:
    student, course, mark = uml.cls("Student"), uml.cls("Course"), uml.cls("Enrolment", uml.attr("mark", "int"))
    association = uml.assoc(uml.end(student, "student"), uml.end(course, "course"))
    joint = uml.make("UMLAssociationClassLink", classSide=uml.ref(mark), associationSide=uml.ref(association))
    student["ownedElements"] = [association]
    found = converted(uml.project(student, course, mark, joint))
    properties = {f.path_name: (f.class_key or f.datatype, f.lower) for f in cls(found, "Enrolment").attributes}
    assert properties == {"mark": ("xsd:integer", 0), "student": ("Student", 1), "course": ("Course", 1)}
    assert cls(found, "Enrolment").association == found.description.associations[0].key
