from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad, Triple

from voltwin.graphstore.journal.skolem import skolemise
from voltwin.ontology.naming import Naming

NAMES = Naming("https://fleet.example/")
P, Q = NamedNode("https://x.example/p"), NamedNode("https://x.example/q")
nodes = st.one_of(st.sampled_from("abcd").map(BlankNode), st.sampled_from([P, Q]))
graphs = st.sets(
    st.builds(Triple, nodes, st.sampled_from([P, Q]), st.one_of(nodes, st.sampled_from("xy").map(Literal)))
)


def shape(triples: Any) -> Any:
    dataset = Dataset(Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def skolem_names(triples: Any) -> Any:
    return {term.value for t in triples for term in (t.subject, t.object) if term.value.startswith(NAMES.skolem)}


def back(triples: Any) -> Any:
    def node(term: Any) -> Any:
        return BlankNode(term.value[-20:]) if term.value.startswith(NAMES.skolem) else term

    return [Triple(node(t.subject), t.predicate, node(t.object)) for t in triples]


@given(graphs)
def test_a_skolemised_graph_is_the_graph(triples: Any) -> None:
    assert shape(back(skolemise(triples, NAMES.ontology_graph, NAMES))) == shape(triples)


@given(graphs, st.permutations("abcd"))
def test_skolem_names_do_not_depend_on_the_names_of_blank_nodes(triples: Any, names: Any) -> None:
    other = dict(zip("abcd", names, strict=True))

    def rename(term: Any) -> Any:
        return BlankNode(other[term.value]) if isinstance(term, BlankNode) else term

    renamed = [Triple(rename(t.subject), t.predicate, rename(t.object)) for t in triples]
    graph = NAMES.ontology_graph
    once, again = set(skolemise(triples, graph, NAMES)), set(skolemise(renamed, graph, NAMES))
    assert once == again
    assert not any(isinstance(term, BlankNode) for t in once for term in (t.subject, t.object))
    elsewhere = skolemise(triples, NAMES.shapes_graph, NAMES)
    assert skolem_names(once).isdisjoint(skolem_names(elsewhere))
