"""Runs: their names, the result of their work until it is committed, and their record in the graph.

Each execution of an action is a PROV activity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pyoxigraph import Literal, NamedNode

from ...graphstore.interfaces import Due, FinishedRun, QueuedRun
from ...graphstore.journal.changes import ChangeSet
from ...ontology.iris import PROV, RDF, VT
from ...ontology.literals import format_time, to_literal
from ...ontology.naming import Naming
from ..actions.action import Action, Actions
from .faults import in_words


def run_id(action: Action, twin: str, moment: datetime) -> str:
    """The name of a run: an action is carried out once for a twin and a moment, however often it is triggered."""
    return f"{action.key}~{twin}~{format_time(moment)}"


@dataclass(frozen=True)
class SucceededRun:
    """A run that succeeded: the consecutive actions of its action follow."""

    action: Action
    run: QueuedRun


@dataclass
class WorkResult:
    """The changes and run records of some messages or outcomes, ready to be committed."""

    changes: ChangeSet
    names: Naming
    message_keys: list[str] = field(default_factory=list)
    queued: list[QueuedRun] = field(default_factory=list)
    finished: list[FinishedRun] = field(default_factory=list)
    succeeded: list[SucceededRun] = field(default_factory=list)
    created: Sequence[NamedNode] = ()
    """Twins that exist with this commit."""
    triggered: list[QueuedRun] = field(default_factory=list)
    """Runs to queue and start, if they are new."""
    due: list[Due] = field(default_factory=list)
    dead_letters: int = 0

    def succeed(self, action: Action, run: QueuedRun) -> None:
        """Record that ``run`` of ``action`` succeeded."""
        self.succeeded.append(SucceededRun(action, run))
        self.finish(run, FinishedRun(run.id, "succeeded"))

    def finish(self, run: QueuedRun, finished: FinishedRun) -> None:
        """Record how ``run`` ended."""
        finished = replace(finished, reason=in_words(finished.reason))  # it may be from outside, and of any length
        self.finished.append(finished)
        node, graph = self.names.run(run.id), self.names.runs_graph

        def record(predicate: NamedNode, value: NamedNode | Literal) -> None:
            self.changes.assert_new(node, predicate, value, graph)

        record(RDF.type, VT.Run)
        record(RDF.type, PROV.Activity)
        record(PROV.wasAssociatedWith, run.action)
        record(VT.twin, run.twin)
        record(PROV.startedAtTime, to_literal(run.moment))
        record(VT.status, Literal(finished.state))
        if finished.reason:
            record(VT.reason, Literal(finished.reason))
        if run.cause.startswith(self.names.base):
            record(PROV.wasInformedBy, NamedNode(run.cause))

    def followers(self, actions: Actions) -> list[QueuedRun]:
        """The triggered runs and the consecutive ones: same twin, same moment, caused by the run before."""
        followers = {run.id: run for run in self.triggered}
        for item in self.succeeded:
            run, cause = item.run, self.names.run(item.run.id).value
            for iri in item.action.consecutive:
                identifier = run_id(actions.by_iri[iri], self.names.twin_key(run.twin), run.moment)
                followers.setdefault(identifier, QueuedRun(identifier, iri, run.twin, run.moment, cause))
        return list(followers.values())
