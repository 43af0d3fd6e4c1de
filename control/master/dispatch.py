"""Carrying out runs: inputs resolved, batches submitted, outcomes turned into one commit.

Deciding when is the master's; this is what happens then. A run ends as *succeeded*, *skipped* (what it
needs is not there yet) or *failed* (with its reason); each way is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pyoxigraph import NamedNode

from ...errors import VoltwinError
from ...graphstore.interfaces import FinishedRun, QueuedRun, RunState
from ...graphstore.journal.changes import ChangeSet
from ...graphstore.paths.reading import PathReader
from ...graphstore.paths.writing import Provenance, TwinWriter
from ...ontology.naming import Naming
from ..actions.action import Action, Actions
from ..actions.bindings import quantity, spread
from ..interfaces import Executor, Outcome
from .inputs import MissingInput, ResolvedInputs, prepare
from .runs import RunRecorder, run_id


@dataclass(frozen=True)
class Ended:
    """What a set of ended runs comes to, ready to be committed."""

    changes: ChangeSet
    finished: tuple[FinishedRun, ...]
    succeeded: tuple[tuple[Action, QueuedRun], ...]
    created: tuple[NamedNode, ...]
    """Twins that an output named for the first time."""


@dataclass
class Dispatcher:
    """Knows every run that is under way."""

    reader: PathReader
    actions: Actions
    services: Mapping[str, str]
    executor: Executor
    under_way: dict[str, tuple[QueuedRun, ResolvedInputs]] = field(default_factory=dict)

    def start(self, runs: Sequence[QueuedRun]) -> list[tuple[QueuedRun, FinishedRun]]:
        """Submit what can run; those that cannot come back ended, with the reason."""
        ended: list[tuple[QueuedRun, FinishedRun]] = []
        batches: dict[str, list[ResolvedInputs]] = {}
        for run in runs:
            if run.id in self.under_way:
                continue  # asked for again while it works: the same run
            action = self.actions.by_iri.get(run.action)
            if action is None:
                ended.append((run, FinishedRun(run.id, "failed", f"action {run.action.value} is no longer there")))
                continue
            try:
                twin = self.reader.names.twin_key(run.twin)
                prepared = prepare(action, run.id, twin, run.moment, self.reader, self.services)
            except MissingInput as reason:
                ended.append((run, FinishedRun(run.id, "skipped", str(reason))))
            except VoltwinError as reason:
                ended.append((run, FinishedRun(run.id, "failed", str(reason))))
            else:
                self.under_way[run.id] = (run, prepared)
                batches.setdefault(action.handler, []).append(prepared)
        for handler, batch in batches.items():
            self.executor.submit(handler, [prepared.invocation for prepared in batch])
        return ended

    def end(self, outcomes: Sequence[Outcome]) -> Ended:
        """Turn outcomes into changes; an output that does not fit fails its run and changes nothing."""
        reader = self.reader
        changes = ChangeSet(reader.store)
        writer = TwinWriter(changes, reader.schema, reader.names, reader.series)
        recorder = RunRecorder(changes, reader.names)
        finished: list[FinishedRun] = []
        succeeded: list[tuple[Action, QueuedRun]] = []
        for outcome in outcomes:
            run, prepared = self.under_way.pop(outcome.run)
            action = self.actions.by_iri[run.action]
            state: RunState = "failed"
            reason = outcome.error
            if outcome.outputs is not None:
                try:
                    with writer.savepoint():
                        self._write(action, run, prepared, outcome, writer)
                    state = "succeeded"
                    succeeded.append((action, run))
                except VoltwinError as error:
                    reason = str(error)
            end = FinishedRun(run.id, state, reason)
            finished.append(end)
            recorder.record(run, end)
        return Ended(changes, tuple(finished), tuple(succeeded), tuple(writer.created))

    def _write(
        self, action: Action, run: QueuedRun, prepared: ResolvedInputs, outcome: Outcome, writer: TwinWriter
    ) -> None:
        kind: Provenance = Provenance(
            "asserted" if action.kind == "pull" else "computed", run.moment, self.reader.names.run(run.id)
        )
        for binding in action.outputs:
            for steps, value in spread(binding, outcome.outputs, prepared.keys):
                writer.put(run.twin, steps, *quantity(value, None), kind)


def consecutive(succeeded: Sequence[tuple[Action, QueuedRun]], actions: Actions, names: Naming) -> list[QueuedRun]:
    """The runs that follow: same twin, same moment, caused by the run before."""
    followers: dict[str, QueuedRun] = {}
    for action, run in succeeded:
        for iri in action.consecutive:
            identifier = run_id(actions.by_iri[iri], names.twin_key(run.twin), run.moment)
            cause = names.run(run.id).value
            followers.setdefault(identifier, QueuedRun(identifier, iri, run.twin, run.moment, cause))
    return list(followers.values())


def due_run(action: Action, twin: NamedNode, moment: datetime, names: Naming) -> QueuedRun:
    """The run of a scheduled action at a tick."""
    return QueuedRun(run_id(action, names.twin_key(twin), moment), action.iri, twin, moment, "schedule")
