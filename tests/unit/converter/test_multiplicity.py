"""Multiplicities as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
