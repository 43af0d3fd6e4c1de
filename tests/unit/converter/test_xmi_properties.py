"""Properties of every XMI file: random UML models, written as Eclipse UML2 and as Enterprise Architect write them."""

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from hypothesis import given
from hypothesis import strategies as st

from voltwin.converter import Conversion, convert, dump_description, load_description, ontology
from voltwin.converter.writers.from_owl import description_from_owl
from voltwin.ontology.profile import profile_problems

from .test_converter_properties import many, owl_carries, same

names = st.one_of(
    st.sampled_from(["Cell", "Module", "voltage", "Größe", "a b", "电池", "<T>", '"q"', "x::y", "&amp;"]),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=6),
)
bounds = st.sampled_from([(None, None), ("0", "1"), ("1", "1"), ("0", "*"), ("1", "*"), ("2", "5"), ("0", "-1")])
PRIMITIVES = ("Real", "Integer", "String", "Boolean")
KINDS = ("Class", "Interface", "DataType", "Signal", "Component")


@dataclass
class Model:
    """A UML model as numbers: classes refer to each other by their place."""

    name: str
    classes: list[tuple[str, str, list[tuple[str, int, tuple[str | None, str | None]]]]]
    enumerations: list[tuple[str, list[str]]]
    generalizations: list[tuple[int, int]]
    associations: list[tuple[int, int, list[str], tuple[str | None, str | None], bool, str]]
    objects: list[tuple[str, int]]
    constraints: list[tuple[int, str]]
    nested: list[int] = field(default_factory=list)


@st.composite
def models(draw: st.DrawFn) -> Model:
    count = draw(st.integers(0, 5))
    places = st.integers(0, max(0, count - 1))
    attributes = st.lists(st.tuples(names, st.integers(0, len(PRIMITIVES) + count), bounds), max_size=3)
    some = count > 0
    pairs = draw(st.lists(st.tuples(places, places), max_size=4)) if some else []
    ends = st.tuples(
        places, places, st.lists(names, min_size=2, max_size=2), bounds, st.booleans(),
        st.sampled_from(["none", "shared", "composite"]),
    )  # fmt: skip
    return Model(
        name=draw(names),
        classes=[(draw(st.sampled_from(KINDS)), draw(names), draw(attributes)) for _ in range(count)],
        enumerations=draw(st.lists(st.tuples(names, st.lists(names, min_size=1, max_size=3)), max_size=2)),
        generalizations=[(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1]],
        associations=draw(st.lists(ends, max_size=4)) if some else [],
        objects=draw(st.lists(st.tuples(names, places), max_size=3)) if some else [],
        constraints=draw(st.lists(st.tuples(places, names), max_size=2)) if some else [],
        nested=[i for i in range(count) if draw(st.booleans())],
    )


def element(tag: str, *children: str, **attributes: str | None) -> str:
    said = "".join(
        f" {key.replace('xmi_', 'xmi:')}={quoteattr(value)}" for key, value in attributes.items() if value is not None
    )
    return f"<{tag}{said}>{''.join(children)}</{tag}>"


class Writer:
    """Writes a model as one of the tools does."""

    def __init__(self, model: Model, *, eclipse: bool) -> None:
        self.model = model
        self.eclipse = eclipse
        self.count = 0

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def bound(self, lower: str | None, upper: str | None) -> list[str]:
        kinds = (("lowerValue", "LiteralInteger", lower), ("upperValue", "LiteralUnlimitedNatural", upper))
        return [
            element(tag, xmi_type=f"uml:{kind}", xmi_id=self.fresh(), value=value)
            for tag, kind, value in kinds
            if value is not None
        ]

    def typed(self, place: int) -> tuple[str | None, list[str]]:
        """A reference to a class is an attribute, one to a primitive an element with an href."""
        if place >= len(PRIMITIVES):
            index = place - len(PRIMITIVES)
            return (f"c{index}", []) if index < len(self.model.classes) else (None, [])
        name = PRIMITIVES[place]
        if self.eclipse:
            where = f"pathmap://UML_LIBRARIES/UMLPrimitiveTypes.library.uml#{name}"
            return None, [element("type", xmi_type="uml:PrimitiveType", href=where)]
        return None, [element("type", xmi_idref=f"EAJava_{name}")]

    def cls(self, index: int) -> str:
        kind, name, attributes = self.model.classes[index]
        inside: list[str] = []
        for i, (label, place, many_) in enumerate(attributes):
            type_, below = self.typed(place)
            inside.append(
                element(
                    "ownedAttribute", *below, *self.bound(*many_),
                    xmi_type="uml:Property", xmi_id=f"c{index}a{i}", name=label, type=type_,
                )
            )  # fmt: skip
        inside += [
            element("generalization", xmi_type="uml:Generalization", xmi_id=f"g{i}", general=f"c{parent}")
            for i, (child, parent) in enumerate(self.model.generalizations)
            if child == index
        ]
        inside += [
            element(
                "ownedRule",
                element("specification", xmi_type="uml:OpaqueExpression", xmi_id=f"r{i}s", body=text),
                xmi_type="uml:Constraint", xmi_id=f"r{i}",
            )
            for i, (about, text) in enumerate(self.model.constraints)
            if about == index
        ]  # fmt: skip
        return element("packagedElement", *inside, xmi_type=f"uml:{kind}", xmi_id=f"c{index}", name=name)

    def association(self, index: int) -> str:
        first, second, roles, many_, owned, aggregation = self.model.associations[index]
        ends = [
            element(
                "ownedEnd", *self.bound(*many_),
                xmi_type="uml:Property", xmi_id=f"as{index}e{i}", name=role, type=f"c{place}",
                association=f"as{index}", aggregation=aggregation if i else None,
            )
            for i, (place, role) in enumerate(zip((first, second), roles, strict=True))
        ]  # fmt: skip
        return element(
            "packagedElement",
            *ends,
            xmi_type="uml:Association",
            xmi_id=f"as{index}",
            memberEnd=f"as{index}e0 as{index}e1",
            navigableOwnedEnd=f"as{index}e1" if owned else None,
        )

    def text(self) -> str:
        model = self.model
        inner = [self.cls(i) for i in model.nested]
        outer = [self.cls(i) for i in range(len(model.classes)) if i not in model.nested]
        outer += [self.association(i) for i in range(len(model.associations))]
        for i, (name, literals) in enumerate(model.enumerations):
            below = [element("ownedLiteral", xmi_type="uml:EnumerationLiteral", xmi_id=f"n{i}l{j}", name=text)
                     for j, text in enumerate(literals)]  # fmt: skip
            outer.append(element("packagedElement", *below, xmi_type="uml:Enumeration", xmi_id=f"n{i}", name=name))
        outer += [
            element(
                "packagedElement", xmi_type="uml:InstanceSpecification", xmi_id=f"o{i}", name=name, classifier=f"c{of}"
            )
            for i, (name, of) in enumerate(model.objects)
        ]
        outer.append(element("packagedElement", *inner, xmi_type="uml:Package", xmi_id="p", name="inner"))
        root = element("uml:Model", *outer, xmi_id="m", name=model.name)
        space = "http://www.eclipse.org/uml2/5.0.0/UML" if self.eclipse else "http://schema.omg.org/spec/UML/2.1"
        tool = "" if self.eclipse else '<xmi:Documentation exporter="Enterprise Architect" exporterVersion="6.5"/>'
        return (
            f'<xmi:XMI xmi:version="2.1" xmlns:xmi="http://www.omg.org/spec/XMI/20131001" xmlns:uml="{space}">'
            f"{tool}{root}</xmi:XMI>"
        )


def run(model: Model, *, eclipse: bool) -> tuple[Conversion, str]:
    text = Writer(model, eclipse=eclipse).text()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("m.uml" if eclipse else "m.xmi")
        path.write_text(text, encoding="utf-8")
        return convert(path), text


@many
@given(models(), st.booleans())
def test_every_xml_element_is_accounted_for(model: Model, eclipse: bool) -> None:
    conversion, text = run(model, eclipse=eclipse)
    entries = conversion.report.entries
    elements = list(ElementTree.fromstring(text).iter())
    assert len(entries) == len(elements)
    assert sum(conversion.report.counts().values()) == len(elements)
    ids = Counter(value for e in elements for key, value in e.attrib.items() if key.endswith("}id"))
    assert ids == Counter(e.id for e in entries if not e.id.startswith("("))
    assert all(entry.reason for entry in entries if entry.outcome != "converted")


@many
@given(models(), st.booleans())
def test_json_and_owl_carry_every_element_of_xmi(model: Model, eclipse: bool) -> None:
    conversion, _ = run(model, eclipse=eclipse)
    description = conversion.description
    by_id = {c.id: c for c in description.classes}
    assert set(by_id) == {f"c{i}" for i in range(len(model.classes))} | {
        f"n{i}" for i in range(len(model.enumerations))
    }
    for i, (_, name, attributes) in enumerate(model.classes):
        class_ = by_id[f"c{i}"]
        assert class_.name == name
        assert [a.id for a in class_.attributes] == [f"c{i}a{j}" for j in range(len(attributes))]
        for (_, place, many_), found in zip(attributes, class_.attributes, strict=True):
            assert (found.lower, found.upper) == expected(many_, eclipse, many=False)
            if place < len(PRIMITIVES):
                types = ("xsd:double", "xsd:integer", "xsd:string", "xsd:boolean")
                assert found.datatype == types[place]
        parents = {p for child, p in model.generalizations if child == i}
        assert set(class_.parents) == {by_id[f"c{p}"].key for p in parents}
        said = [text.strip() for about, text in model.constraints if about == i and text.strip()]
        assert sorted(class_.constraints) == sorted(said)
    for i, (_, (literal, *_)) in enumerate(model.enumerations):
        (found_name,) = [x.name for x in by_id[f"n{i}"].literals if x.id == f"n{i}l0"]
        # Blanks around and between words count once; a literal of blanks alone is named after its id.
        words = " ".join(literal.split())
        assert found_name == words if words else re.fullmatch(r"literal_[0-9a-f]{6}", found_name)
    assert {a.id for a in description.associations} == {f"as{i}" for i in range(len(model.associations))}
    for association in description.associations:
        first, second, _, many_, _, aggregation = model.associations[int(association.id[2:])]
        assert [e.class_key for e in association.ends] == [by_id[f"c{i}"].key for i in (first, second)]
        # XMI says it at the part, a description at the whole
        assert [e.aggregation for e in association.ends] == [aggregation, "none"]
        assert all((e.lower, e.upper) == expected(many_, eclipse, many=True) for e in association.ends)
    assert {o.id: o.classes for o in description.objects} == {
        f"o{i}": (by_id[f"c{of}"].key,) for i, (_, of) in enumerate(model.objects)
    }
    owl_carries(conversion)


def expected(many_: tuple[str | None, str | None], eclipse: bool, *, many: bool) -> tuple[int, int | None]:
    lower, upper = many_
    if lower is None and upper is None:
        if eclipse:
            return 1, 1
        return (0, None) if many else (0, 1)
    return int(lower or 1), None if upper in ("*", "-1") else int(upper or 1)


@many
@given(models(), st.booleans())
def test_what_xmi_says_goes_to_json_and_owl_and_back(model: Model, eclipse: bool) -> None:
    description = run(model, eclipse=eclipse)[0].description
    triples = ontology(description)
    assert load_description(dump_description(description)) == description
    assert profile_problems(triples) == []
    assert same(ontology(description_from_owl(triples)), triples)


@many
@given(models())
def test_both_tools_say_the_same_structure(model: Model) -> None:
    def structure(eclipse: bool) -> dict[str, Any]:
        found = run(model, eclipse=eclipse)[0].description
        return {
            c.iri: (c.id, c.parents, tuple((a.iri, a.datatype, a.class_key) for a in c.attributes))
            for c in found.classes
        }

    assert structure(True) == structure(False)
