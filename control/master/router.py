"""From messages to one commit: unknown twins are created, values written, bad messages become dead letters.

The router decides; nothing here waits or calls the outside. Its messages are acknowledged once the
commit is on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import InputError, NotFoundError
from ...graphstore.interfaces import QueuedRun, SeriesReader, TripleStore
from ...graphstore.journal.changes import ChangeSet
from ...graphstore.paths.writing import Provenance, TwinWriter
from ...graphstore.schema import Schema
from ...ontology.naming import Naming
from ..actions.bindings import extract, quantity
from .dead_letters import DeadLetters
from .intake import Bad, Good, IncomingMessage
from .runs import SucceededRun, WorkResult, run_id


@dataclass(frozen=True)
class Router:
    """Routes messages by the fleet's push actions."""

    store: TripleStore
    series: SeriesReader
    names: Naming
    schema: Schema
    letters: DeadLetters

    def route(self, incoming: Sequence[IncomingMessage]) -> WorkResult:
        """Turn new messages (without duplicates) into changes."""
        result = WorkResult(ChangeSet(self.store), self.names)
        writer = TwinWriter(result.changes, self.schema, self.names, self.series)
        done: dict[str, SucceededRun] = {}
        for item in incoming:
            result.message_keys.append(item.message.key)
            if isinstance(item.message, Bad):
                self._dead_letter(item, item.message.reason, result)
                continue
            try:
                with writer.savepoint():
                    runs = self._write(item.message, writer)
            except (InputError, NotFoundError) as error:
                self._dead_letter(item, str(error), result)
                continue
            for run in runs:
                done.setdefault(run.run.id, run)
        for run in done.values():
            result.queued.append(run.run)
            result.succeed(run.action, run.run)
        result.created = writer.created
        return result

    def _write(self, message: Good, writer: TwinWriter) -> list[SucceededRun]:
        done, time = [], message.time
        for target in message.targets:
            action = target.action
            twin = writer.create_twin(target.twin, action.applies_to)
            run = QueuedRun(run_id(action, target.twin, time), action.iri, twin, time, message.key)
            provenance = Provenance("asserted", time, self.names.run(run.id))
            for binding in action.outputs:
                unit = target.schema.unit(binding.source)
                for steps, value in extract(binding, message.body, {}):
                    writer.put(twin, steps, *quantity(value, unit), provenance)
            done.append(SucceededRun(action, run))
        return done

    def _dead_letter(self, incoming: IncomingMessage, reason: str, result: WorkResult) -> None:
        message = incoming.message
        self.letters.add(result.changes, message.key, message.received, reason, incoming.moment)
        result.dead_letters += 1
