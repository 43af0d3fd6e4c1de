"""The class that a twin is shown and written as: one rule for both, also where two are equally special."""

from __future__ import annotations

import itertools

from pyoxigraph import NamedNode, Quad

from voltwin.graphstore.engines.oxigraph import OxigraphStore
from voltwin.graphstore.schema import OntologyClass, Schema, twins_of
from voltwin.ontology.iris import RDF, VT

THING, PUMP, VALVE, OTHER = (NamedNode(f"https://x.example/{name}") for name in ("Thing", "Pump", "Valve", "Other"))
SCHEMA = Schema(
    {
        iri: OntologyClass(iri, iri.value, frozenset(above))
        for iri, above in ((THING, [THING]), (PUMP, [THING, PUMP]), (VALVE, [THING, VALVE]))
    },
    {},
)


def test_most_ancestors_win_and_then_the_last_iri_in_any_order() -> None:
    for types in itertools.permutations([THING, PUMP, VALVE, OTHER]):
        assert SCHEMA.most_specific(types) == VALVE
    assert SCHEMA.most_specific([PUMP, THING]) == PUMP
    assert SCHEMA.most_specific([OTHER]) is None


def test_twins_are_in_the_order_of_their_iris_and_once_each() -> None:
    store = OxigraphStore(None, "https://f.example/")
    twins = [NamedNode(f"https://f.example/twins/{key}") for key in "ba"]
    for graph in (*twins, THING):
        store.load(graph, "".join(f"{Quad(t, RDF.type, VT.Twin).triple} .\n" for t in twins).encode())
    assert twins_of(store) == sorted(twins, key=lambda twin: twin.value)
