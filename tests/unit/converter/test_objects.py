"""Objects, slots and links: what is inferred, what is reported."""

from collections.abc import Callable
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from voltwin.converter import Conversion, instances
from voltwin.ontology.iris import CORE, RDF, VT, XSD
from voltwin.ontology.naming import Naming

from .conftest import Json, Maker

Convert = Callable[[Json], Conversion]
NAMES = Naming("https://fleet.example/")
MODEL = "https://voltwin.example/models/test#"


def framework(uml: Maker) -> tuple[Json, dict[str, Json]]:
    twin = uml.cls("Twin")
    parts = {name: uml.cls(name) for name in ("Product", "Component", "PushAction", "Action", "Rule")}
    parts["Product"]["ownedElements"] = [uml.gen(parts["Product"], twin)]
    parts["PushAction"]["ownedElements"] = [uml.gen(parts["PushAction"], parts["Action"])]
    tags = uml.tags(iri=CORE, properties="flat")
    return uml.pkg("framework", twin, *parts.values(), tags=tags), parts | {"Twin": twin}


def values(conversion: Conversion, ending: str) -> list[Any]:
    return [q.object for q in instances(conversion.description, NAMES) if q.predicate.value.endswith(ending)]


def codes(conversion: Conversion) -> list[str]:
    return [warning.code for warning in conversion.report.warnings]


def test_twins_parts_actions_and_rules_live_where_they_should(uml: Maker, converted: Convert) -> None:
    package, core = framework(uml)
    module, cell = uml.cls("Module"), uml.cls("Cell")
    tester = uml.cls("Tester")
    module["ownedElements"] = [
        uml.gen(module, core["Product"]),
        uml.assoc(uml.end(module, "module", "1", aggregation="composite"), uml.end(cell, "cells", "*")),
        uml.assoc(uml.end(module, "of", "1", aggregation="composite"), uml.end(tester, "tester", "0..1")),
    ]
    cell["ownedElements"] = [uml.gen(cell, core["Component"])]
    m, c, t = uml.obj("module-1", module), uml.obj("cell/03", cell), uml.obj("t", tester)
    a, r, other = uml.obj("birth", core["PushAction"]), uml.obj("best", core["Rule"]), uml.obj("loose", cell)
    links = [uml.link(c, m), uml.link(m, t)]
    found = converted(uml.project(package, module, cell, tester, m, c, t, a, r, other, *links))
    quads = instances(found.description, NAMES)
    places = {q.subject: q.graph_name for q in quads if q.predicate == VT.key}
    twin = NAMES.twin("module-1")
    part = NAMES.part(twin, "cells", "cell/03")
    assert places == {
        twin: twin,
        part: twin,
        NAMES.part(twin, "tester"): twin,
        NAMES.action("birth"): NAMES.actions_graph,
        NAMES.rule("best"): NAMES.rules_graph,
        NamedNode(f"{MODEL}loose"): NAMES.ontology_graph,
    }
    assert Quad(twin, RDF.type, VT.Twin, twin) in quads
    assert Quad(part, VT.partOf, twin, twin) in quads
    assert Quad(twin, NamedNode(f"{MODEL}Module.cells"), part, twin) in quads
    assert Quad(part, NamedNode(f"{MODEL}Cell.module"), twin, twin) in quads


@pytest.mark.parametrize(
    ("name", "value"), [("x", "3"), ("x", "'3'"), ("x = 3", None), ("x: int = 3", None), ("x : int", "3"), ("x=3", "")]
)
def test_a_slot_finds_its_property(uml: Maker, converted: Convert, name: str, value: str | None) -> None:
    a = uml.cls("A", uml.attr("x", "int"))
    b = uml.cls("B")
    b["ownedElements"] = [uml.gen(b, a)]
    found = converted(uml.project(a, b, uml.obj("one", b, uml.slot(name, value))))
    assert values(found, "A.x") == [Literal("3", datatype=XSD.integer)]


def test_a_slot_by_its_defining_feature_whatever_its_name(uml: Maker, converted: Convert) -> None:
    x = uml.attr("x", "string")
    a = uml.cls("A", x)
    found = converted(uml.project(a, uml.obj("one", a, uml.slot("Slot1", "blue", feature=x))))
    assert values(found, "A.x") == [Literal("blue")]
    assert codes(found) == []


def test_several_slots_are_several_values(uml: Maker, converted: Convert) -> None:
    a = uml.cls("A", uml.attr("x", "int", "*"))
    found = converted(uml.project(a, uml.obj("one", a, uml.slot("x", "1"), uml.slot("x", "2"))))
    assert [v.value for v in values(found, "A.x")] == ["1", "2"]


def test_what_has_no_property_is_kept_as_a_tag(uml: Maker, converted: Convert) -> None:
    a = uml.cls("A")
    found = converted(uml.project(a, uml.obj("one", a, uml.slot("colour", "red"))))
    assert values(found, "core#tag") == [Literal("colour=red")]
    assert codes(found) == ["unresolved-slot"]


def test_a_value_of_the_wrong_type_is_text_and_a_warning(uml: Maker, converted: Convert) -> None:
    a = uml.cls("A", uml.attr("x", "int"), uml.attr("t", "DateTime"))
    slots = [uml.slot("x", "many"), uml.slot("t", "2019-06-01T00:00:00")]
    found = converted(uml.project(a, uml.obj("one", a, *slots)))
    assert values(found, "A.x") == [Literal("many")]
    assert codes(found) == ["bad-value", "bad-value"]


def test_the_class_by_name_by_reference_and_in_the_objects_name(uml: Maker, converted: Convert) -> None:
    a = uml.cls("A")
    found = converted(uml.project(a, uml.obj("one", a), uml.obj("two", "A"), uml.obj("three: A"), uml.obj(": A")))
    assert [o.classes for o in found.description.objects] == [("A",)] * 4
    assert {"one", "two", "three"} < {o.name for o in found.description.objects}


def test_a_class_name_is_resolved_to_the_class(uml: Maker, converted: Convert) -> None:
    package, core = framework(uml)
    name = uml.make("UMLPrimitiveType", "ClassName")
    package["ownedElements"].append(name)
    core["Action"]["attributes"] = [uml.attr("appliesTo", name, "1")]
    found = converted(
        uml.project(package, uml.cls("Module"), uml.obj("birth", core["PushAction"], uml.slot("appliesTo", "Module")))
    )
    assert values(found, "core#appliesTo") == [NamedNode(f"{MODEL}Module")]


def test_a_slot_of_a_class_type_names_an_object(uml: Maker, converted: Convert) -> None:
    a, b = uml.cls("A"), uml.cls("B")
    a["attributes"] = [uml.attr("b", b, "*"), uml.attr("part", b, "*", aggregation="composite")]
    one = uml.obj("one", a, uml.slot("b", "two"), uml.slot("b", "nobody"))
    found = converted(uml.project(a, b, one, uml.obj("two", b)))
    assert values(found, "#A.b") == [NamedNode(f"{MODEL}two")]
    assert values(found, "core#tag") == [Literal("b=nobody")]
    assert codes(found) == ["bad-value"]
    assert [f.composite for f in found.description.classes[0].attributes] == [False, True]


# ---- links
def test_a_link_means_the_only_association_there_is_through_ancestors(uml: Maker, converted: Convert) -> None:
    a, b, special = uml.cls("A"), uml.cls("B"), uml.cls("SpecialA")
    a["ownedElements"] = [uml.assoc(uml.end(a, "a"), uml.end(b, "b"))]
    special["ownedElements"] = [uml.gen(special, a)]
    one, two = uml.obj("one", special), uml.obj("two", b)
    found = converted(uml.project(a, b, special, one, two, uml.link(two, one)))
    assert values(found, "#A.b") == [NamedNode(f"{MODEL}two")]
    assert values(found, "#B.a") == [NamedNode(f"{MODEL}one")]
    assert codes(found) == []


def test_an_ambiguous_link_is_reported_and_can_be_named(uml: Maker, converted: Convert) -> None:
    a, b = uml.cls("A"), uml.cls("B")
    drives, owns = uml.assoc(uml.end(a), uml.end(b, "car"), "drives"), uml.assoc(uml.end(a), uml.end(b, "own"), "owns")
    a["ownedElements"] = [drives, owns]
    one, two = uml.obj("one", a), uml.obj("two", b)
    silent = converted(uml.project(a, b, one, two, uml.link(one, two)))
    assert "unresolved-link" in codes(silent)
    assert values(silent, "A.car") == []
    by_role = converted(uml.project(a, b, one, two, uml.link(one, two, role2="car")))
    by_name = converted(uml.project(a, b, one, two, uml.link(one, two, name="drives")))
    by_ref = converted(uml.project(a, b, one, two, uml.link(one, two, association=uml.ref(drives))))
    for found in (by_role, by_name, by_ref):
        assert values(found, "A.car") == [NamedNode(f"{MODEL}two")]
        assert "unresolved-link" not in codes(found)


def test_a_link_that_fits_both_ways_says_so(uml: Maker, converted: Convert) -> None:
    a = uml.cls("A")
    a["ownedElements"] = [uml.assoc(uml.end(a, "parent"), uml.end(a, "child"))]
    one, two = uml.obj("one", a), uml.obj("two", a)
    silent = converted(uml.project(a, one, two, uml.link(one, two)))
    assert codes(silent) == ["link-direction"]
    named = converted(uml.project(a, one, two, uml.link(one, two, role2="parent")))
    assert codes(named) == []
    assert values(named, "A.parent") == [NamedNode(f"{MODEL}two")]


def test_parts_of_two_wholes_may_have_one_name(uml: Maker, converted: Convert) -> None:
    module, cell = uml.cls("Module"), uml.cls("Cell")
    module["ownedElements"] = [uml.assoc(uml.end(module, "m", aggregation="composite"), uml.end(cell, "cells", "*"))]
    m1, m2, c1, c2 = uml.obj("m1", module), uml.obj("m2", module), uml.obj("c", cell), uml.obj("c", cell)
    found = converted(uml.project(module, cell, m1, m2, c1, c2, uml.link(m1, c1), uml.link(m2, c2)))
    assert codes(found) == []
    keys = {q.subject.value for q in instances(found.description, NAMES) if q.object == Literal("c")}
    assert keys == {f"{MODEL}m1/cells/c", f"{MODEL}m2/cells/c"}


def test_a_dependency_from_a_link_is_kept_on_the_link(uml: Maker, converted: Convert) -> None:
    a = uml.cls("A")
    one, two = uml.obj("one", a), uml.obj("two", a)
    link = uml.link(one, two)
    found = converted(
        uml.project(a, one, two, link, uml.make("UMLDependency", source=uml.ref(link), target=uml.ref(a)))
    )
    assert [x.dependencies for x in found.description.links] == [("dependency -> A",)]
