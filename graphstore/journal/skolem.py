"""Replacing blank nodes by IRIs before they are journaled: a commit must name the triples it removes.

The names come from the graph's canonical form (RDFC-1.0), so the same ontology gives the same IRIs
and loading it again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad, Triple

from ...ontology.naming import Naming


def skolemise(triples: Iterable[Triple], graph: NamedNode, names: Naming) -> list[Triple]:
    """The same graph with an IRI below ``BASE.well-known/genid/`` for every blank node."""
    dataset = Dataset(Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)

    def name(node: NamedNode | BlankNode | Literal | Triple) -> NamedNode | Literal | Triple:
        if isinstance(node, BlankNode):
            digest = hashlib.sha256(f"{graph.value} {node.value}".encode()).hexdigest()[:20]
            return NamedNode(names.skolem + digest)
        return node

    skolemised = []
    for quad in dataset:
        subject = name(quad.subject)
        if isinstance(subject, NamedNode):
            skolemised.append(Triple(subject, quad.predicate, name(quad.object)))
    return skolemised
