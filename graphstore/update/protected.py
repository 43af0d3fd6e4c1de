"""Graphs with a special role: views, which cannot be written, and the design graphs of a fleet."""

from __future__ import annotations

from pyoxigraph import NamedNode

from ...errors import QueryError
from ...ontology.naming import Naming
from ..interfaces import Commit


def is_view(graph: NamedNode, names: Naming) -> bool:
    """Whether ``graph`` holds values derived by rules."""
    owner = names.owner(graph)
    return owner is not None and graph == names.inferred_graph(owner)


def check_writable(graph: NamedNode, names: Naming) -> None:
    """Raises QueryError for a graph that is derived from others."""
    if is_view(graph, names):
        raise QueryError(
            f"graph {graph}: holds values derived by rules and is replaced when they run; "
            f"change the rules, or write to {names.owner(graph)}"
        )
    if graph == names.state_graph:
        raise QueryError(f"graph {graph}: is the store's own record of the commits applied; it cannot be written")


def concerns_all(commit: Commit, names: Naming) -> bool:
    """Whether ``commit`` requires deriving everything again, not only for the slots that it changes."""
    return bool(commit.loads) or any(change.graph in design_graphs(names) for change in commit.changes)


def design_graphs(names: Naming) -> tuple[NamedNode, ...]:
    """The graphs of a fleet's design: ontology, shapes, actions and rules."""
    return names.ontology_graph, names.shapes_graph, names.actions_graph, names.rules_graph
