"""The changes between two models, and what each means for existing twins."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from voltwin.converter import Conversion
from voltwin.converter.description.diff import Change, Effect, compare

from .conftest import Json, Maker

Convert = Callable[[Json], Conversion]


@pytest.fixture
def model(uml: Maker) -> Json:
    cell = uml.cls(
        "Cell", uml.attr("voltage", "Real", "0..1", tags=uml.tags(unit="V", min="0")), uml.attr("serial", "int")
    )
    module = uml.cls("Module")
    base = uml.cls("Thing")
    state = uml.enum("State", "NEW", "OLD")
    module["ownedElements"] = [
        uml.assoc(uml.end(module, "module", "1", aggregation="composite"), uml.end(cell, "cells", "12"))
    ]
    return uml.project(cell, module, base, state)


def owned(project: Json) -> list[Json]:
    elements: list[Json] = project["ownedElements"][0]["ownedElements"]
    return elements


def changes(converted: Convert, old: Json, new: Json) -> list[Change]:
    return compare(converted(old).description, converted(new).description)


def test_nothing_changed(model: Json, converted: Convert) -> None:
    assert changes(converted, model, deepcopy(model)) == []


def test_order_and_layout_are_no_change(uml: Maker, model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    owned(new).reverse()
    owned(new)[0].setdefault("ownedElements", []).append(uml.make("UMLClassDiagram", ownedViews=[]))
    assert changes(converted, model, new) == []


def one(converted: Convert, old: Json, new: Json) -> Change:
    found = changes(converted, old, new)
    assert len(found) == 1, found
    return found[0]


def test_a_renamed_class_is_a_rename_and_says_how_to_keep_its_iri(uml: Maker, model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    owned(new)[2]["name"] = "Entity"
    change = one(converted, model, new)
    assert change.effect is Effect.BREAKING
    assert "renamed or moved to Entity" in change.what
    assert "iri=https://voltwin.example/models/test#Thing" in change.meaning
    owned(new)[2]["tags"] = uml.tags(iri="https://voltwin.example/models/test#Thing")
    assert one(converted, model, new).effect is Effect.HARMLESS


def test_classes_come_and_go(uml: Maker, model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    owned(new)[2] = uml.cls("Other")
    found = changes(converted, model, new)
    assert [(c.effect, c.where) for c in found] == [(Effect.BREAKING, "Thing"), (Effect.HARMLESS, "Other")]


def test_a_new_parent(uml: Maker, model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    owned(new)[0]["ownedElements"] = [uml.gen(owned(new)[0], owned(new)[2])]
    assert one(converted, model, new).what == "is now a kind of Thing"
    assert one(converted, new, model).what == "is no longer a kind of Thing"


@pytest.mark.parametrize(
    ("drawn", "effect", "words"),
    [
        ("1", Effect.BREAKING, "fewer than 1"),
        ("0..*", Effect.CHECK, "several"),
        ("0..3", Effect.CHECK, "several"),
    ],
)
def test_multiplicities(model: Json, converted: Convert, drawn: str, effect: Effect, words: str) -> None:
    new = deepcopy(model)
    owned(new)[0]["attributes"][0]["multiplicity"] = drawn
    change = one(converted, model, new)
    assert change.effect is effect
    assert words in change.meaning
    assert change.where == "Cell::voltage"


def test_an_end_that_allows_less(model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    owned(new)[1]["ownedElements"][0]["end2"]["multiplicity"] = "0..8"
    change = one(converted, model, new)
    assert (change.effect, change.where) == (Effect.BREAKING, "Module::cells")
    assert "more than 8" in change.meaning


def test_attributes(uml: Maker, model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    attributes = owned(new)[0]["attributes"]
    attributes[1]["type"] = "string"
    attributes[0]["tags"][0]["value"] = "MilliV"
    attributes[0]["tags"][1]["value"] = "1"
    attributes.append(uml.attr("mass", "Real", "1"))
    attributes.append(uml.attr("note", "String"))
    found = {(c.where, c.effect): c.what for c in changes(converted, model, new)}
    assert found == {
        ("Cell::mass", Effect.BREAKING): "a new property with at least 1 value",
        ("Cell::serial", Effect.BREAKING): "its values change from xsd:integer to xsd:string",
        ("Cell::voltage", Effect.BREAKING): "its unit changes from V to MilliV",
        ("Cell::voltage", Effect.CHECK): "its minimum changes from 0 to 1",
        ("Cell::note", Effect.HARMLESS): "a new property",
    }


def test_a_property_renamed_or_gone(model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    owned(new)[0]["attributes"][0]["name"] = "ocv"
    assert "renamed to ocv" in one(converted, model, new).what
    del owned(new)[0]["attributes"][0]
    assert one(converted, model, new).what == "the property is gone"


def test_literals(uml: Maker, model: Json, converted: Convert) -> None:
    new = deepcopy(model)
    owned(new)[3]["literals"][1]["name"] = "AGED"
    assert one(converted, model, new).what == "the literal OLD becomes AGED"
    owned(new)[3]["literals"].pop()
    assert one(converted, model, new).effect is Effect.BREAKING


def test_objects(uml: Maker, model: Json, converted: Convert) -> None:
    old, new = deepcopy(model), deepcopy(model)
    thing = uml.obj("cell-1", owned(model)[0], uml.slot("serial", "1"))
    owned(old).append(thing)
    owned(new).append(deepcopy(thing))
    owned(new)[-1]["slots"][0]["value"] = "2"
    assert one(converted, old, new).what == "other values of serial"
    assert one(converted, old, model).what == "the object is gone"
