"""Carrying out runs: inputs resolved, batches submitted, outcomes turned into one commit.

The master decides when. A run ends as *succeeded*, *skipped* (an input does not exist yet) or *failed*
(with its reason); each end is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import InputError, NotFoundError
from ...graphstore.interfaces import FinishedRun, QueuedRun, RunState
from ...graphstore.journal.changes import ChangeSet
from ...graphstore.paths.reading import PathReader
from ...graphstore.paths.writing import Provenance, TwinWriter
from ...graphstore.sparql.json_gate import check_document
from ...settings import InputLimits
from ..actions.action import Action, Actions
from ..actions.bindings import extract, quantity
from ..interfaces import Executor, Outcome
from .faults import Faults, is_ground
from .inputs import MissingInput, OutsideServices, ResolvedInputs, prepare
from .runs import WorkResult


@dataclass(frozen=True)
class RunUnderWay:
    """A run that its handler works on."""

    run: QueuedRun
    inputs: ResolvedInputs


@dataclass
class Dispatcher:
    """Knows every run that is under way."""

    reader: PathReader
    actions: Actions
    services: OutsideServices
    executor: Executor
    limits: InputLimits = field(default_factory=InputLimits)
    under_way: dict[str, RunUnderWay] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def start(self, runs: Sequence[QueuedRun]) -> WorkResult:
        """Submit the runs that can start; the result has the others, ended with their reasons."""
        result = self._result()
        batches: dict[str, list[ResolvedInputs]] = {}
        for run in runs:
            if run.id in self.under_way:
                continue  # triggered again while it works: the same run
            action = self.actions.by_iri.get(run.action)
            if action is None:
                reason = f"action {run.action.value} is no longer there"
                result.finish(run, FinishedRun(run.id, "failed", reason))
                continue
            try:
                twin = self.reader.names.twin_key(run.twin)
                inputs = prepare(action, run.id, twin, run.moment, self.reader, self.services)
            except (InputError, NotFoundError) as error:
                state: RunState = "skipped" if isinstance(error, MissingInput) else "failed"
                result.finish(run, FinishedRun(run.id, state, str(error)))
            except Exception as error:
                if is_ground(error):
                    raise
                result.finish(run, FinishedRun(run.id, "failed", self.faults.count(error, f"run {run.id}")))
            else:
                self.under_way[run.id] = RunUnderWay(run, inputs)
                batches.setdefault(action.handler, []).append(inputs)
        for handler, batch in batches.items():
            self.executor.submit(handler, [inputs.invocation for inputs in batch])
        return result

    def end(self, outcomes: Sequence[Outcome]) -> WorkResult:
        """Turn outcomes into changes; an output that does not fit fails its run and changes nothing."""
        result, reader = self._result(), self.reader
        writer = TwinWriter(result.changes, reader.schema, reader.names, reader.series)
        for outcome in outcomes:
            item = self.under_way.pop(outcome.run, None)
            if item is None:
                continue  # started twice, because a commit failed: the first outcome counts
            run, action = item.run, self.actions.by_iri[item.run.action]
            if outcome.outputs is None:
                result.finish(run, FinishedRun(run.id, "failed", outcome.error))
                continue
            try:
                check_document("output", outcome.outputs, self.limits)
                with writer.savepoint():
                    self._write(action, item, outcome, writer)
            except (InputError, NotFoundError) as error:
                result.finish(run, FinishedRun(run.id, "failed", str(error)))
            except Exception as error:
                if is_ground(error):
                    raise
                result.finish(run, FinishedRun(run.id, "failed", self.faults.count(error, f"run {run.id}")))
            else:
                result.succeed(action, run)
        result.created = writer.created
        return result

    def _result(self) -> WorkResult:
        return WorkResult(ChangeSet(self.reader.store), self.reader.names)

    def _write(self, action: Action, item: RunUnderWay, outcome: Outcome, writer: TwinWriter) -> None:
        run = item.run
        provenance = Provenance(
            "asserted" if action.kind == "pull" else "computed", run.moment, self.reader.names.run(run.id)
        )
        for binding in action.outputs:
            for steps, value in extract(binding, outcome.outputs, item.inputs.keys):
                writer.put(run.twin, steps, *quantity(value, None), provenance)
