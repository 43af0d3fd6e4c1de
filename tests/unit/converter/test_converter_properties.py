"""Properties of every model: nothing is lost, names do not depend on order, the ontology is OWL 2 DL."""

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad

from voltwin.converter import Conversion, convert, dump_description, instances, load_description, ontology, shapes
from voltwin.converter.writers.from_owl import description_from_owl
from voltwin.ontology.iris import OWL, RDF, RDFS, SH
from voltwin.ontology.naming import Naming
from voltwin.ontology.profile import profile_problems

from .conftest import Json, Maker

NAMES = Naming("https://fleet.example/")
names = st.one_of(
    st.sampled_from(
        ["Cell", "Module", "cell", "voltage", "state of charge", "", "Größe", "a::b", "x.y", "<T>", "电池"]
    ),
    st.text(max_size=8),
)
type_names = st.sampled_from(
    ["Real", "int", "String", "", "Cell", "Module", "List<Cell>", "Mystery", "Date", "bool", "Cell[]", "unsigned long"]
)
multiplicities = st.sampled_from([None, "", "1", "*", "0..1", "1..*", "n", "2..5", "ab", "1..", "5..2", "0", "n_seats"])


@st.composite
def projects(draw: st.DrawFn) -> Json:
    uml = Maker()
    enums = [uml.enum(draw(names), *draw(st.lists(names, max_size=3))) for _ in range(draw(st.integers(0, 2)))]
    classes: list[Json] = []
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["UMLClass", "UMLInterface", "UMLDataType", "UMLPrimitiveType", "UMLSignal"]))
        classes.append(uml.cls(draw(names), kind=kind, isAbstract=draw(st.booleans()), ownedElements=[]))
    anything = [*classes, *enums]
    for class_ in classes:
        for _ in range(draw(st.integers(0, 3))):
            by_ref = draw(st.sampled_from(anything)) if draw(st.booleans()) else None
            class_["attributes"].append(
                uml.attr(draw(names), by_ref or draw(type_names), draw(multiplicities), isStatic=draw(st.booleans()))
            )
    for _ in range(draw(st.integers(0, 6)) if classes else 0):
        one, two = draw(st.sampled_from(classes)), draw(st.sampled_from(classes))
        if draw(st.booleans()):
            one["ownedElements"].append(uml.gen(one, two))
            continue
        ends = [
            uml.end(
                class_,
                draw(names),
                draw(multiplicities),
                aggregation=draw(st.sampled_from([None, "none", "shared", "composite"])),
                navigable=draw(st.sampled_from([None, True, False, "navigable", "notNavigable", "unspecified"])),
            )
            for class_ in (one, two)
        ]
        one["ownedElements"].append(uml.assoc(*ends, name=draw(names)))  # type: ignore[misc]  # drawn values are wider than they seem
    objects: list[Json] = []
    for _ in range(draw(st.integers(0, 4))):
        classifier = draw(st.sampled_from(anything)) if anything and draw(st.booleans()) else draw(names)
        slots = [uml.slot(draw(names), draw(names)) for _ in range(draw(st.integers(0, 2)))]
        objects.append(uml.obj(draw(names), classifier, *slots, ownedElements=[]))
    for _ in range(draw(st.integers(0, 3)) if objects else 0):
        one, two = draw(st.sampled_from(objects)), draw(st.sampled_from(objects))
        one["ownedElements"].append(uml.link(one, two))
    package = uml.pkg(draw(names), *classes[1::2], *objects[1::2])
    return uml.project(*enums, *classes[::2], *objects[::2], package, name=draw(names))


def run(project: Json) -> Conversion:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.mdj"
        path.write_text(json.dumps(project), encoding="utf-8")
        return convert(path)


def typed(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if "_type" in value:
            yield value
        for child in value.values():
            yield from typed(child)
    elif isinstance(value, list):
        for child in value:
            yield from typed(child)


def same(first: list[Any], second: list[Any]) -> bool:
    def canonical(triples: list[Any]) -> Dataset:
        dataset = Dataset(t if isinstance(t, Quad) else Quad(t.subject, t.predicate, t.object) for t in triples)
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        return dataset

    return canonical(first) == canonical(second)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        found = {key: shuffled(child, chance) for key, child in value.items()}
        for key in ("ownedElements", "attributes", "slots"):
            if isinstance(found.get(key), list):
                chance.shuffle(found[key])
        return found
    return [shuffled(child, chance) for child in value] if isinstance(value, list) else value


def owl_carries(conversion: Conversion) -> None:
    """Every class, attribute, literal, navigable end and parent of the description is in the ontology."""
    triples = ontology(conversion.description)
    types = {(t.subject.value, t.object) for t in triples if t.predicate == RDF.type and hasattr(t.subject, "value")}
    for class_ in conversion.description.classes:
        kinds = {kind for iri, kind in types if iri == class_.iri}
        assert kinds & {OWL.Class} or class_.datatype
        assert (class_.iri, OWL.NamedIndividual) not in types
        for feature in class_.attributes:
            expected = OWL.DatatypeProperty if feature.datatype else OWL.ObjectProperty
            assert (feature.iri, expected) in types
        for literal in class_.literals:
            assert (literal.iri, OWL.NamedIndividual) in types
    for association in conversion.description.associations:
        for end in association.ends:
            expected = OWL.DatatypeProperty if end.datatype else OWL.ObjectProperty
            assert ((end.iri, expected) in types) == end.navigable
    parents = {(t.subject.value, t.object.value) for t in triples if t.predicate == RDFS.subClassOf}
    by_key = {c.key: c for c in conversion.description.classes}
    for class_ in conversion.description.classes:
        for parent in class_.parents:
            if not class_.datatype and not by_key[parent].datatype:
                assert (class_.iri, by_key[parent].iri) in parents


many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(projects())
def test_every_element_is_accounted_for(project: Json) -> None:
    report = run(project).report
    elements = list(typed(project))
    assert len(report.entries) == len(elements)
    assert sorted(e.id for e in report.entries) == sorted(e["_id"] for e in elements)
    assert sum(report.counts().values()) == len(elements)
    assert all(entry.reason for entry in report.entries if entry.outcome != "converted")


@many
@given(projects())
def test_json_and_owl_carry_every_element(project: Json) -> None:
    conversion = run(project)
    outcome = {entry.id: entry.outcome for entry in conversion.report.entries}
    text = dump_description(conversion.description)
    for element in typed(project):
        if element["_type"] in ("Project", "UMLModel", "UMLSlot", "UMLLinkEnd", "UMLGeneralization"):
            continue
        if outcome[element["_id"]] != "ignored":
            assert element["_id"] in text
    classifiers = {e["_id"] for e in typed(project) if "attributes" in e or e["_type"] == "UMLEnumeration"}
    assert classifiers == {c.id for c in conversion.description.classes}
    owl_carries(conversion)


@many
@given(projects())
def test_names_are_unique_and_the_ontology_is_owl_2_dl(project: Json) -> None:
    description = run(project).description
    classes = [c.iri for c in description.classes]
    properties = [f.iri for c in description.classes for f in c.attributes]
    properties += [e.iri for a in description.associations for e in a.ends if e.navigable]
    everything = classes + properties + [x.iri for c in description.classes for x in c.literals]
    assert len(set(everything)) == len(everything)
    assert profile_problems(ontology(description)) == []
    keys = [o.key for o in description.objects]
    assert len(set(keys)) == len(keys)
    shapes_ = [t.subject for t in shapes(description) if t.predicate == SH.path]
    assert len(set(shapes_)) == len(shapes_)


@many
@given(projects())
def test_the_json_says_the_same_as_the_model(project: Json) -> None:
    description = run(project).description
    again = load_description(dump_description(description))
    assert again == description
    assert ontology(again) == ontology(description)
    assert shapes(again) == shapes(description)
    assert instances(again, NAMES) == instances(description, NAMES)


@many
@given(projects())
def test_nothing_that_owl_carries_is_lost_on_the_way_back(project: Json) -> None:
    triples = ontology(run(project).description)
    assert same(ontology(description_from_owl(triples)), triples)


@many
@given(projects(), st.randoms(use_true_random=False))
def test_order_changes_nothing(project: Json, chance: random.Random) -> None:
    one, two = run(project).description, run(shuffled(project, chance)).description
    assert {c.id: c.iri for c in one.classes} == {c.id: c.iri for c in two.classes}
    assert same(ontology(one), ontology(two))
    assert same(shapes(one), shapes(two))
    assert set(instances(one, NAMES)) == set(instances(two, NAMES))
