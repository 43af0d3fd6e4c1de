"""Loading of a design: ontology, shapes, actions, rules and the twins of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyoxigraph import NamedNode, Quad, Triple

from ...ontology.naming import Naming
from ..interfaces import Entry
from ..journal.changes import GraphChanges, Slot, load_change
from ..journal.commit import Committer
from ..journal.skolem import skolemise
from .protected import design_graphs


@dataclass(frozen=True)
class Design:
    """A converted model, ready for one fleet; graphs may hold blank nodes."""

    ontology: Sequence[Triple]
    shapes: Sequence[Triple]
    instances: Sequence[Quad]


def load_design(design: Design, committer: Committer, names: Naming, author: str, now: datetime) -> int:
    """Replace the fleet's design by ``design``, in one commit; returns its number.

    Ontology, shapes, actions and rules are replaced; twins of the model replace only themselves.
    """
    wanted = design_graphs_of(design, names)
    with committer.lock:
        changes = [load_change(graph, triples, committer.store) for graph, triples in wanted.items()]
        touched: list[Slot] = [
            (graph, triple.subject, triple.predicate)
            for graph, triples in wanted.items()
            if graph not in design_graphs(names)
            for triple in triples
            if isinstance(triple.subject, NamedNode)
        ]
        return committer.commit(Entry.of(GraphChanges(changes), author, now), touched)


def design_graphs_of(design: Design, names: Naming) -> dict[NamedNode, Sequence[Triple]]:
    """The graphs of ``design``: ontology, shapes, actions, rules, and one for each twin of the model."""
    individuals: dict[NamedNode, list[Triple]] = {}
    for quad in design.instances:
        if isinstance(quad.graph_name, NamedNode):
            individuals.setdefault(quad.graph_name, []).append(quad.triple)
    ontology = [*design.ontology, *individuals.pop(names.ontology_graph, [])]
    return {
        names.ontology_graph: list(skolemise(ontology, names.ontology_graph, names)),
        names.shapes_graph: list(skolemise(design.shapes, names.shapes_graph, names)),
        names.actions_graph: individuals.pop(names.actions_graph, []),
        names.rules_graph: individuals.pop(names.rules_graph, []),
        **individuals,
    }
