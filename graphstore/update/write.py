"""Committing what an update or a load comes to, and what has to hold where it changes the fleet's own design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pyoxigraph import NamedNode

from ...errors import QueryError
from ...ontology.naming import Naming
from ..engines.oxigraph import OxigraphStore
from ..interfaces import Commit, Entry, TripleStore
from ..journal.changes import Slot
from ..journal.commit import Committer


class DesignValidator(Protocol):
    """Knows what ontology, rules, shapes and actions have to be like, and who has read them."""

    def check(self, design: TripleStore) -> None:
        """Raises RuleError, ActionError or InputError where a fleet with this design could not work."""
        ...

    def take(self) -> None:
        """Read the design anew: it has changed."""
        ...


class NoValidation:
    """For stores without a fleet around them."""

    def check(self, design: TripleStore) -> None:
        """Anything will do."""

    def take(self) -> None:
        """Nobody has read anything."""


def is_view(graph: NamedNode, names: Naming) -> bool:
    """Whether ``graph`` holds what rules derive."""
    owner = names.owner(graph)
    return owner is not None and graph == names.inferred_graph(owner)


def check_writable(graph: NamedNode, names: Naming) -> None:
    """Raises QueryError for a graph that is made anew from others."""
    if is_view(graph, names):
        raise QueryError(
            f"graph {graph}: holds what rules derive and is made anew from them; "
            f"change the rules, or write to {names.owner(graph)}"
        )
    if graph == names.state_graph:
        raise QueryError(f"graph {graph}: is the store's own record of what it has taken in; leave it alone")


def concerns_all(commit: Commit, names: Naming) -> bool:
    """Whether the slots that ``commit`` changes do not tell all that has to be derived anew."""
    return bool(commit.loads) or any(change.graph in design_graphs(names) for change in commit.changes)


def design_graphs(names: Naming) -> tuple[NamedNode, ...]:
    """The graphs a fleet is made of, its twins apart."""
    return names.ontology_graph, names.shapes_graph, names.actions_graph, names.rules_graph


def commit_validated(
    committer: Committer, names: Naming, guard: DesignValidator, entry: Entry, touched: Sequence[Slot]
) -> int:
    """Commit ``entry``; a design that could not work is refused before anything is written.

    The caller holds the committer's lock.
    """
    changed = {change.graph for change in entry.changes} | {load.graph for load in entry.loads}
    if changed.isdisjoint(design_graphs(names)):
        return committer.commit(entry, touched)
    guard.check(_design(committer, names, entry))
    sequence = committer.commit(entry, touched)
    guard.take()
    return sequence


def _design(committer: Committer, names: Naming, entry: Entry) -> TripleStore:
    """The design as it would be, in a store of its own."""
    trial, design = OxigraphStore(None, names.base), design_graphs(names)
    for graph in design:
        trial.replace(graph, (quad.triple for quad in committer.store.quads(None, None, None, graph)))
    for load in entry.loads:
        if load.graph in design and committer.loads is not None:
            for piece in committer.loads.pieces(load.file):
                trial.load(load.graph, piece)
    trial.apply(1, [change for change in entry.changes if change.graph in design])
    return trial
