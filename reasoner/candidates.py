"""Candidates: the values given by each rule, all kept for explanations; and the choice among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pyoxigraph import Literal, NamedNode, Triple

from ..graphstore.interfaces import Node, Term
from ..graphstore.paths.answers import first_time
from ..ontology.iris import PROV, RDF, VT


@dataclass(frozen=True)
class Candidate:
    """A value given by one rule to one property of one element, optionally for [valid_from, valid_to)."""

    iri: NamedNode
    about: NamedNode
    prop: NamedNode
    value: Term
    rule: NamedNode
    priority: int
    valid_from: datetime | None
    valid_to: datetime | None
    used: tuple[NamedNode, ...]

    @property
    def order(self) -> tuple[int, str]:
        """The sort key: the smallest wins; the rule's name decides between equal priorities."""
        return self.priority, self.rule.value


def read_candidates(triples: Iterable[Triple]) -> list[Candidate]:
    """The candidates among ``triples`` (of one inferred graph), by IRI."""
    facts: dict[NamedNode, dict[NamedNode, list[Node]]] = {}
    for triple in triples:
        if isinstance(triple.subject, NamedNode):
            facts.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple.object)
    return [
        candidate
        for iri, values in sorted(facts.items(), key=lambda item: item[0].value)
        if VT.Candidate in values.get(RDF.type, ())
        for candidate in _read(iri, values)
    ]


def _read(iri: NamedNode, values: dict[NamedNode, list[Node]]) -> Iterable[Candidate]:
    about, prop, rule, priority = (values[p][0] for p in (VT.about, VT.property, VT.rule, VT.priority))
    assert isinstance(about, NamedNode)
    assert isinstance(prop, NamedNode)
    assert isinstance(rule, NamedNode)
    assert isinstance(priority, Literal)
    used = sorted((node for node in values.get(PROV.used, ()) if isinstance(node, NamedNode)), key=lambda n: n.value)
    # Several values if an antecedent has several: each is a candidate of its own.
    for value in sorted(values.get(VT.value, ()), key=str):
        if isinstance(value, NamedNode | Literal):
            yield Candidate(
                iri, about, prop, value, rule, int(priority.value),
                first_time(values.get(VT.validFrom, ())), first_time(values.get(VT.validTo, ())), tuple(used),
            )  # fmt: skip


def plain_winners(candidates: Iterable[Candidate]) -> set[Triple]:
    """Winners without interval as plain triples, so that SPARQL and other rules see them.

    Several candidates with intervals have no single winner: they are stitched on request.
    """
    groups: dict[tuple[NamedNode, NamedNode], list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault((candidate.about, candidate.prop), []).append(candidate)
    plain = set()
    for (about, prop), rivals in groups.items():
        best = min(rivals, key=lambda candidate: candidate.order)
        limited = any(rival.valid_from or rival.valid_to for rival in rivals)
        if len(rivals) == 1 or not limited:
            plain.add(Triple(about, prop, best.value))
    return plain
