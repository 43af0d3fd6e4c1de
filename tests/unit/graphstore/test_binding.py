from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, Store

from voltwin.graphstore.sparql.binding import bind


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_bound_value_never_becomes_syntax(text: Any) -> None:
    query = bind("ASK { VALUES ?v { $value } FILTER(?v = $value) }", {"value": Literal(text)})
    assert bool(Store().query(query))
    (row,) = Store().query(bind("SELECT ($value AS ?v) {}", {"value": Literal(text)}))  # type: ignore[misc]  # drawn values are wider than they seem
    assert row["v"] == Literal(text)


def test_a_place_without_a_value_is_a_bug() -> None:
    with pytest.raises(KeyError):
        bind("SELECT * { ?s ?p $o }", {})
