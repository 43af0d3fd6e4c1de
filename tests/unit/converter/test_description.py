"""The JSON format: what may be left out, what has to be there, what is said where it is wrong."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from voltwin.converter import dump_description, load_description, ontology, shapes
from voltwin.converter.description.check import schema
from voltwin.errors import ModelFileError
from voltwin.ontology.profile import profile_problems

HEAD = {"format": "voltwin-description", "version": 1, "name": "Pack"}


def load(**content: Any) -> Any:
    return load_description(json.dumps(HEAD | content), "pack.json")


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_what_is_left_out_is_filled_in() -> None:
    found = load(
        packages=[{"name": "product"}],
        classes=[
            {"name": "Cell", "package": "product", "attributes": [{"name": "voltage", "datatype": "xsd:double"}]},
            {"name": "Module", "package": "product"},
        ],
        associations=[{"ends": [{"class": "product::Module", "navigable": False}, {"class": "product::Cell"}]}],
    )
    base = "https://voltwin.example/models/pack/product#"
    cell, module = found.classes
    assert (cell.key, cell.iri) == ("product::Cell", f"{base}Cell")
    assert (cell.attributes[0].iri, cell.attributes[0].path_name) == (f"{base}Cell.voltage", "voltage")
    back, there = found.associations[0].ends
    assert (there.path_name, there.iri, back.iri) == ("cell", f"{base}Module.cell", "")
    assert module.attributes == ()
    assert load_description(dump_description(found)) == found
    assert profile_problems(ontology(found)) == []


def test_a_simple_data_type_is_its_literals() -> None:
    found = load(
        classes=[
            {"name": "Postcode", "kind": "primitiveType", "datatype": "xsd:string"},
            {"name": "Plant", "attributes": [{"name": "postcode", "class": "Postcode"}]},
        ]
    )
    assert found.classes[1].attributes[0].datatype == "xsd:string"
    assert profile_problems(ontology(found)) == []
    assert shapes(found)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"version": 2}, "at version"),
        ({"classes": [{"name": "A", "colour": "red"}]}, "at classes/0"),
        ({"classes": [{"name": "A", "attributes": [{"name": "x", "upper": 0}]}]}, "at classes/0/attributes/0/upper"),
        ({"classes": [{"name": "A", "parents": ["B"]}]}, "A refers to the parent 'B'"),
        ({"classes": [{"name": "A"}, {"name": "A"}]}, "two classes have the key 'A'"),
        ({"classes": [{"name": "A", "package": "p"}]}, "the package 'p', which is not listed"),
        ({"associations": [{"ends": [{"class": "A"}, {"class": "B"}]}]}, "ends at a class that is not listed"),
        ({"links": [{"objects": ["a", "b"]}]}, "refers to the object 'a'"),
        ({"classes": [{"name": "A", "iri": "x:y%"}]}, "no absolute IRI"),
        ({"objects": [{"name": "a", "classes": ["A"]}]}, "a refers to the class 'A'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        load(**content)
    assert words in str(caught.value)
    assert "pack.json" in str(caught.value)


def test_text_that_is_no_json() -> None:
    with pytest.raises(ModelFileError, match="not valid JSON"):
        load_description("{", "pack.json")
    with pytest.raises(ModelFileError, match="deeper"):
        load_description("[" * 100_000, "pack.json")
