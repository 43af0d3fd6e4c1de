"""The fleet as known at a moment: a :class:`FleetAccess` that is read and never written.

    then = fleet.as_of(datetime(2019, 4, 12, tzinfo=UTC))     # or the number of a commit
    then.get("/module-0017/arrivalTest/decision")

Two times meet here. What a value speaks for (a series' window, a rule's interval) comes from the data; what was
*known* comes from the journal. Ontology, rules and shapes are those of then; what rules infer is derived
again from the facts of then, and a trend ends at the moment that is asked about.

Only what a question needs is brought back: for a path that names one twin the ontology, the rules, that twin and the
twins it refers to, directly or through others; everything for the rest. A few states are kept for the next question.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode

from ...errors import MomentNotFoundError
from ...ontology.iris import RDF, VT
from ...ontology.literals import format_time
from ..history.events import EventFeed, Subscription
from ..history.past_graphs import AsOf, Moment, as_of_text, past_is_read
from ..history.states import StateAt, StateCache
from ..interfaces import LoadAnswer, QueryAnswer, SeriesReader, TripleStore, UpdateAnswer
from ..paths.answers import Answer
from ..paths.parse import parse
from ..paths.reading import PathReader
from ..paths.syntax import Name
from ..paths.syntax import Path as ParsedPath
from ..queries.limits import QueryLimits
from ..queries.pool import QueryPool
from ..queries.results import choose_formats, serialise
from ..series.functions import series_functions
from ..sparql.cost import is_bounded_lookup
from ..sparql.dataset import names_dataset
from ..validation.report import ValidationReport
from ..validation.shacl import PyShaclEngine, validate_twins
from .fleet import FleetAccess
from .structure import ElementStructure, element_structure


@dataclass(frozen=True)
class PastFleet(FleetAccess):
    """A fleet as of one moment."""

    moment: Moment
    states: StateCache
    series: SeriesReader
    samples: Callable[[int], SeriesReader]
    feed: EventFeed
    limits: QueryLimits
    readers: QueryPool | None = None
    """Answer what may run away; None: it is answered here, without a limit of time."""

    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute path."""
        parsed = parse(path)
        return self._reader(parsed).ask(parsed)

    def structure(self, path: str, depth: int | None = None) -> ElementStructure:
        """The properties and parts of one element, as the ontology of then has them."""
        return element_structure(self._reader(parse(path)), self.get(path), depth)

    def _reader(self, path: ParsedPath) -> PathReader:
        state = self._state(_twin_of(path))
        names = self.states.names
        resolver = self.states.reasoning.resolver(state.store, self.series, names, lambda: self.moment.time)
        return PathReader(state.store, self.series, names, state.schema, resolver)

    def query(self, text: str, accept: str | None = None, *, abandoned: threading.Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query. Raises QueryError, QueryLimitError."""
        formats = choose_formats(accept)
        if self.readers is not None and not is_bounded_lookup(text):
            return self.readers.answer(text, accept, abandoned, self.states.past(self.moment.sequence, self.readers))
        store = self._state(None).store
        result = store.query(text, union=not names_dataset(text), functions=series_functions(self.series))
        return serialise(result, formats, self.limits)

    def validate(self, twin: str | None = None) -> ValidationReport:
        """SHACL over all twins, or over one, by the shapes of then."""
        names = self.states.names
        if twin is None:
            store = self._state(None).store
            chosen = self._twins(store)
        else:
            chosen = [names.twin(self[twin].key)]
            store = self._state(twin).store
        shapes = PyShaclEngine(quad.triple for quad in store.quads(None, None, None, names.shapes_graph))
        return validate_twins(store, chosen, shapes, names)

    def put(self, path: str, value: Any, *, unit: str | None, time: datetime, author: str) -> int:
        """Refused: what was known then cannot be changed. Raises InputError."""
        raise past_is_read(f"path {path!r}")

    def update(self, text: str, *, author: str) -> UpdateAnswer:
        """Refused. Raises InputError."""
        raise past_is_read("update")

    def load(self, file: Path, *, graph: str | None = None, author: str, replace: bool = False) -> LoadAnswer:
        """Refused. Raises InputError."""
        raise past_is_read(f"load {file}")

    def as_of(self, moment: AsOf) -> FleetAccess:
        """The fleet as known at another moment, not after this one."""
        found = self.feed.past.find(moment)
        if found.sequence > self.moment.sequence:
            raise MomentNotFoundError(
                f"as of {as_of_text(moment)}: after commit {self.moment.sequence}, where this fleet stands; "
                "ask the fleet of today"
            )
        return replace(self, moment=found, series=self.samples(found.sequence))

    def events(
        self,
        since: int | datetime | None = None,
        *,
        follow: bool = True,
        twin: str | None = None,
        changes: bool = False,
    ) -> Subscription:
        """The events up to this moment; nothing follows it, so that ``follow`` waits for nothing."""
        events = self.feed.events(since, follow=False, twin=twin, changes=changes)
        last = self.moment.sequence
        return Subscription(takewhile(lambda event: event.sequence <= last, events), events.close)

    def status(self) -> Mapping[str, Any]:
        """Totals as far as the past has them: twins and commits."""
        moment, store = self.moment, self._state(None).store
        return {
            "base": self.states.names.base,
            "twins": len(self._twins(store)),
            "commits": moment.sequence,
            "asOf": format_time(moment.time),
        }

    def close(self) -> None:
        """Nothing to let go of: the fleet of today holds it all."""

    def _state(self, twin: str | None) -> StateAt:
        return self.states.state(self.moment.sequence, None if twin is None else self.states.names.twin(twin))

    def _twins(self, store: TripleStore) -> list[NamedNode]:
        found = {quad.subject for quad in store.quads(None, RDF.type, VT.Twin, None)}
        twins = [node for node in found if isinstance(node, NamedNode)]
        return sorted(twins, key=lambda twin: twin.value)


def _twin_of(path: ParsedPath) -> str | None:
    """The one twin that a path names with its first step."""
    first = path.steps[0] if path.absolute and path.steps else None
    return first.name if isinstance(first, Name) else None
