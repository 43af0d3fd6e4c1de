"""Runs as the graph remembers them: each execution of an action is a PROV activity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyoxigraph import Literal, NamedNode

from ...graphstore.interfaces import FinishedRun, QueuedRun
from ...graphstore.journal.changes import ChangeSet
from ...ontology.iris import PROV, RDF, VT
from ...ontology.literals import format_time, to_literal
from ...ontology.naming import Naming
from ..actions.action import Action


def run_id(action: Action, twin: str, moment: datetime) -> str:
    """The name of a run: an action is carried out once for a twin and a moment, however often it is asked for."""
    return f"{action.key}~{twin}~{format_time(moment)}"


@dataclass(frozen=True)
class RunRecorder:
    """Writes runs into a change set."""

    changes: ChangeSet
    names: Naming

    def record(self, run: QueuedRun, finished: FinishedRun) -> None:
        """State what ``run`` was and how it ended."""
        node, graph = self.names.run(run.id), self.names.runs_graph

        def state(predicate: NamedNode, value: NamedNode | Literal) -> None:
            self.changes.assert_new(node, predicate, value, graph)

        state(RDF.type, VT.Run)
        state(RDF.type, PROV.Activity)
        state(PROV.wasAssociatedWith, run.action)
        state(VT.twin, run.twin)
        state(PROV.startedAtTime, to_literal(run.moment))
        state(VT.status, Literal(finished.state))
        if finished.reason:
            state(VT.reason, Literal(finished.reason))
        if run.cause.startswith(self.names.base):
            state(PROV.wasInformedBy, NamedNode(run.cause))
