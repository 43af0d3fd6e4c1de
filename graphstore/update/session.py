"""One commit of an update or a load; the fleet's design is validated first if the commit changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ...ontology.naming import Naming
from ..engines.oxigraph import OxigraphStore
from ..interfaces import Entry, GraphChange, GraphLoad, TripleStore
from ..journal.changes import Slot
from ..journal.commit import Committer
from .orphans import count_orphans, refuse_orphans
from .protected import design_graphs


class DesignValidator(Protocol):
    """Validates ontology, rules, shapes and actions, and activates a new version of them."""

    def check(self, design: TripleStore) -> None:
        """Raises RuleError, ActionError or InputError if a fleet with this design could not work."""
        ...

    def activate(self) -> None:
        """Read the design again, because it has changed."""
        ...


class NoValidation:
    """For stores without a fleet around them."""

    def check(self, design: TripleStore) -> None:
        """Accept any design."""

    def activate(self) -> None:
        """Do nothing: no reader of the design exists."""


@dataclass(frozen=True)
class UpdateSession:
    """The author and time of one update or load, and the fleet that it changes."""

    committer: Committer
    names: Naming
    author: str
    time: datetime
    validator: DesignValidator = field(default_factory=NoValidation)
    force: int | None = None
    """The count of what the change of the design may orphan, as named in its refusal."""

    def commit(self, changes: Sequence[GraphChange], touched: Sequence[Slot], loads: Sequence[GraphLoad] = ()) -> int:
        """Commit changes and loads; an invalid design or one that orphans twins is refused before any writing.

        The caller holds the committer's lock.
        """
        return self.commit_entry(Entry(self.author, self.time, changes, loads=loads), touched)

    def commit_entry(self, entry: Entry, touched: Sequence[Slot]) -> int:
        """The same for an entry with more in it."""
        changes, loads = entry.changes, entry.loads
        changed = {change.graph for change in changes} | {load.graph for load in loads}
        if changed.isdisjoint(design_graphs(self.names)):
            return self.committer.commit(entry, touched)
        design = self._design_after(entry)
        self.validator.check(design)
        refuse_orphans(count_orphans(self.committer.store, design, entry, self.names, self.committer.loads), self.force)
        sequence = self.committer.commit(entry, touched)
        self.validator.activate()
        return sequence

    def _design_after(self, entry: Entry) -> TripleStore:
        """The design as it would be after the commit, in a store of its own."""
        committer, design = self.committer, design_graphs(self.names)
        trial = OxigraphStore(None, self.names.base)
        for graph in design:
            trial.replace(graph, (quad.triple for quad in committer.store.quads(None, None, None, graph)))
        for load in entry.loads:
            if load.graph in design and committer.loads is not None:
                for piece in committer.loads.pieces(load.file):
                    trial.load(load.graph, piece)
        trial.apply(1, [change for change in entry.changes if change.graph in design])
        return trial
