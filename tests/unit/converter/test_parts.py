"""The small pieces: multiplicities, types, names, values, units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from voltwin.converter.description.naming import NameRegistry, local, slug
from voltwin.converter.terms import alignment
from voltwin.converter.terms.datatypes import type_text, xsd_for
from voltwin.converter.terms.values import lexical
from voltwin.converter.uml.multiplicity import parse


@pytest.mark.parametrize(
    ("drawn", "lower", "upper", "noted"),
    [
        ("1", 1, 1, False),
        ("*", 0, None, False),
        ("0..1", 0, 1, False),
        ("0..*", 0, None, False),
        (" 1 .. * ", 1, None, False),
        ("[2..5]", 2, 5, False),
        ("1...*", 1, None, False),
        ("0..-1", 0, None, False),
        ("1..n", 1, None, True),
        ("N", 0, None, True),
        ("1..", 1, None, True),
        ("n_seats", 0, None, True),
        ("Max_Nodes * Max_Edges", 0, None, True),
        ("ab", 0, None, True),
        ("5..2", 0, None, True),
        ("0", 0, None, True),
        ("99999999999", 0, None, True),
        ("1..* {ordered}", 1, None, False),
    ],
)
def test_multiplicities(drawn: str, lower: int, upper: int | None, noted: bool) -> None:
    bounds = parse(drawn)
    assert (bounds.lower, bounds.upper, bool(bounds.note)) == (lower, upper, noted)


@given(st.text(max_size=20))
def test_any_text_is_some_multiplicity(drawn: str) -> None:
    bounds = parse(drawn)
    assert bounds.lower >= 0
    assert bounds.upper is None or bounds.upper >= max(1, bounds.lower)


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


@given(st.text())
def test_a_name_is_part_of_an_iri_and_tells_names_apart(name: str) -> None:
    NamedNode("https://e.example/#" + local(name))
    assert slug(name)


@given(st.lists(st.text(max_size=5), unique=True))
def test_different_names_are_different_in_iris(given_names: list[str]) -> None:
    plain = [name for name in given_names if "%" not in name and not any("\ud800" <= c <= "\udfff" for c in name)]
    assert len({local(name) for name in plain}) == len(plain)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.uuids().map(str)), unique_by=lambda x: x[1]))
def test_a_register_gives_every_name_once(claims: list[tuple[str, str]]) -> None:
    register = NameRegistry()
    found = [register.claim(name, identifier)[0] for name, identifier in claims]
    assert len(set(found)) == len(found)


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
