"""Types, values and units in the texts of a model."""

import pytest

from voltwin.converter.terms import alignment
from voltwin.converter.terms.datatypes import type_text, xsd_for
from voltwin.converter.terms.values import lexical


@pytest.mark.parametrize(
    ("drawn", "name", "many"),
    [
        ("Cell", "Cell", False),
        ("const Cell &", "Cell", False),
        ("Cell*", "Cell", False),
        ("Cell[12]", "Cell", True),
        ("std::vector<Cell>", "Cell", True),
        ("List<List<Cell>>", "List<List<Cell>>", False),
        ("Optional<Cell>", "Cell", False),
        ("Map<String, Cell>", "Map<String, Cell>", False),
    ],
)
def test_programmers_types(drawn: str, name: str, many: bool) -> None:
    assert type_text(drawn) == (name, many)


def test_a_word_in_a_name_makes_no_type() -> None:
    assert [xsd_for(name) for name in ("Order Date", "Long Name", "CharSet", "")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "datatype", "form"),
    [
        ("3", "xsd:double", "3"),
        ("3.6f", "xsd:double", "3.6"),
        ('"3"', "xsd:integer", "3"),
        ("3.5", "xsd:integer", None),
        ("TRUE", "xsd:boolean", "true"),
        ("yes", "xsd:boolean", None),
        ("2019-06-01 10:00Z", "xsd:dateTime", "2019-06-01T10:00:00Z"),
        ("2019-06-31x", "xsd:date", None),
        ("'xi'", "xsd:string", "xi"),
    ],
)
def test_values(text: str, datatype: str, form: str | None) -> None:
    assert lexical(text, datatype) == form


def test_units_of_the_case_study_are_in_qudt() -> None:
    for name in ("V", "MilliV", "DEG_C", "A-HR", "PERCENT", "FRACTION", "PERCENT-PER-MO", "PERCENT-PER-DAY", "HR"):
        assert alignment.unit(name) == (name, "")
        assert alignment.unit(f"http://qudt.org/vocab/unit/{name}") == (name, "")
    for name in ("StateOfCharge", "BatteryCapacity", "Voltage", "CelsiusTemperature"):
        assert alignment.quantity_kind(name) == (name, "")
    assert alignment.unit("volts")[0] == ""
    assert "deprecated" in alignment.unit("2PiRAD")[1]
    assert alignment.fits("MilliV", "Voltage")
    assert not alignment.fits("MilliV", "Mass")
