"""An index that lacks a quad is named, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.interfaces import GraphChange
from voltwin.graphstore.operations.indexes import compare_indexes

BASE = "https://fleet.example/"
S, P, G = (NamedNode(f"https://x.example/{name}") for name in "spg")
LINES = "".join(f"{S} {P} {Literal(number)} .\n" for number in range(3))


class OneIndexLacks(OxigraphStore):
    """Leaves a quad out of the answers to one kind of pattern, as a lost entry of one index does."""

    def __init__(self, named: tuple[bool, ...]) -> None:
        super().__init__(None, BASE)
        self._named = named

    def quads(self, subject: Any, predicate: Any, object: Any, graph: Any) -> Iterator[Quad]:
        found = super().quads(subject, predicate, object, graph)
        if tuple(term is not None for term in (subject, predicate, object, graph)) == self._named:
            next(found, None)
        return found


def filled(store: OxigraphStore) -> OxigraphStore:
    store.apply(1, [GraphChange(G, "", LINES)])
    return store


def test_equal_stores_have_equal_indexes() -> None:
    made = filled(OxigraphStore(None, BASE))
    assert list(compare_indexes(made, filled(OxigraphStore(None, BASE)))) == []


@pytest.mark.parametrize(
    ("by", "named"),
    [
        ("subject", (True, False, False, False)),
        ("predicate", (False, True, False, False)),
        ("object", (False, False, True, False)),
        ("graph", (False, False, False, True)),
        ("graph and predicate", (False, True, False, True)),
        ("graph and object", (False, False, True, True)),
    ],
)
def test_an_index_that_lacks_a_quad_is_named(by: str, named: tuple[bool, ...]) -> None:
    made, present = filled(OxigraphStore(None, BASE)), filled(OneIndexLacks(named))
    (wrong,) = compare_indexes(made, present)
    assert (wrong.by, wrong.extra) == (by, 0)
    assert wrong.missing > 0


def test_a_graph_that_is_not_in_the_list_is_named() -> None:
    made = filled(OxigraphStore(None, BASE))
    (wrong, *_) = [found for found in compare_indexes(made, OxigraphStore(None, BASE)) if found.by == "name of graph"]
    assert wrong.missing == 2
