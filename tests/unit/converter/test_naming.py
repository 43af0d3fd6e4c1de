"""Names as parts of IRIs, and the registry of names in use."""

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from voltwin.converter.description.naming import NameRegistry, local, slug


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
