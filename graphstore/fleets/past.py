"""The fleet as known at a past moment: a :class:`FleetAccess` that can be read and not written.

    then = fleet.as_of(datetime(2019, 4, 12, tzinfo=UTC))     # or the number of a commit
    then.get("/pump-07/inspection/decision")

Two times are involved. The *valid time* of a value (a series' window, a rule's interval) is in the data; the
*transaction time* at which it became known is in the journal. Ontology, rules and shapes are those of the past
moment; inferred values are derived again from the facts of then, and a trend ends at that moment.

Only the necessary part is restored: for a path that names one twin the ontology, the rules, that twin and the
twins it refers to, directly or through others; everything otherwise. A few states are cached.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from ...errors import MomentNotFoundError
from ...ontology.literals import format_time
from ...settings import InputLimits
from ..history.events import EventFeed, EventFilter, Subscription
from ..history.past_graphs import AsOf, Moment, as_of_text
from ..history.states import StateAt, StateCache
from ..interfaces import QueryAnswer, SeriesReader
from ..paths.answers import Answer
from ..paths.parse import parse
from ..paths.reading import PathReader
from ..paths.syntax import Name
from ..paths.syntax import Path as ParsedPath
from ..queries.limits import QueryLimits
from ..queries.pool import QueryPool
from ..queries.run import QueryRun
from ..schema import twins_of
from ..sparql.gate import check_path, check_services, check_sparql
from ..validation.report import ValidationReport
from ..validation.shacl import PyShaclEngine, validate_twins
from .fleet import FleetAccess, ReadOnlyFleet
from .structure import ElementStructure, element_structure


@dataclass(frozen=True)
class PastFleet(ReadOnlyFleet):
    """A fleet as of one moment."""

    moment: Moment
    states: StateCache
    series: SeriesReader
    samples: Callable[[int], SeriesReader]
    feed: EventFeed
    limits: QueryLimits
    pool: QueryPool | None = None
    """Answers queries that may run away; None: they are answered here, without a time limit."""
    inputs: InputLimits = field(default_factory=InputLimits)

    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute path."""
        check_path(path, self.inputs)
        parsed = parse(path)
        return self._reader(parsed).ask(parsed)

    def structure(self, path: str, depth: int | None = None) -> ElementStructure:
        """The properties and parts of one element, as the ontology of then has them."""
        found = self.get(path)
        return element_structure(self._reader(parse(path)), found, depth)

    def _reader(self, path: ParsedPath) -> PathReader:
        state = self._state(_twin_of(path))
        names = self.states.names
        resolver = self.states.reasoning.resolver(state.store, self.series, names, lambda: self.moment.time)
        return PathReader(state.store, self.series, names, state.schema, resolver)

    def query(self, text: str, accept: str | None = None, *, abandoned: threading.Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query. Raises QueryError, QueryLimitError."""
        check_sparql("query", text, self.inputs)
        check_services(text, self.inputs)
        run = QueryRun.of(text, accept)
        if self.pool is not None and run.may_run_away:
            return self.pool.answer(text, accept, abandoned, self.states.past(self.moment.sequence, self.pool))
        return run.answer(self._state(None).store.query, self.series, self.limits)

    def validate(self, twin: str | None = None) -> ValidationReport:
        """SHACL over all twins, or over one, with the shapes of the moment."""
        names, store = self.states.names, self._state(twin).store
        chosen = twins_of(store) if twin is None else [names.twin(self[twin].key)]
        shapes = PyShaclEngine(quad.triple for quad in store.quads(None, None, None, names.shapes_graph))
        return validate_twins(store, chosen, shapes, names)

    def as_of(self, moment: AsOf) -> FleetAccess:
        """The fleet as known at another moment, not after this one."""
        found = self.feed.past.find(moment)
        if found.sequence > self.moment.sequence:
            raise MomentNotFoundError(
                f"as of {as_of_text(moment)}: after commit {self.moment.sequence}, which this fleet shows; "
                "ask the current fleet"
            )
        return replace(self, moment=found, series=self.samples(found.sequence))

    def subscribe(self, wanted: EventFilter) -> Subscription:
        """The events up to this moment, without waiting for more."""
        events, last = self.feed.subscribe(replace(wanted, follow=False)), self.moment.sequence
        return Subscription(takewhile(lambda event: event.sequence <= last, events), events.close)

    def status(self) -> Mapping[str, Any]:
        """Totals of the moment: twins and commits."""
        moment, store = self.moment, self._state(None).store
        return {
            "base": self.states.names.base,
            "twins": len(twins_of(store)),
            "commits": moment.sequence,
            "asOf": format_time(moment.time),
        }

    def close(self) -> None:
        """Do nothing: the current fleet holds the resources."""

    def _state(self, twin: str | None) -> StateAt:
        return self.states.state(self.moment.sequence, None if twin is None else self.states.names.twin(twin))


def _twin_of(path: ParsedPath) -> str | None:
    """The twin named by the first step of a path; None if it names several."""
    first = path.steps[0] if path.absolute and path.steps else None
    return first.name if isinstance(first, Name) else None
