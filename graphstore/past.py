"""The fleet as it was believed at a moment: a :class:`Fleet` that is read and never written.

    then = fleet.as_of(datetime(2019, 4, 12, tzinfo=UTC))     # or the number of a commit
    then.get("/module-0017/arrivalTest/decision")

Two times meet here. What a value speaks for (a series' window, a rule's interval) comes from the data; what was
*known* comes from the journal. Ontology, rules and shapes are those of then; what rules infer is derived
again from the facts of then, and a trend ends at the moment that is asked about.

Only what a question needs is brought back: for a path that names one twin the ontology, the rules, that twin and the
twins it refers to, directly or through others; everything for the rest. A few states are kept for the next question.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from pyoxigraph import NamedNode

from ..errors import MomentNotFoundError
from ..ontology.iris import RDF, VT
from ..ontology.literals import format_time
from ..ontology.naming import Naming
from .access import Fleet, LoadAnswer, QueryAnswer, UpdateAnswer
from .answers import Answer
from .dataset import names_dataset
from .events import EventFeed, Subscription
from .interfaces import SeriesReader, TripleStore
from .lookup import is_lookup
from .oxigraph import OxigraphStore
from .past_graphs import AsOf, Moment, PastGraphs, as_of_text, past_is_read, text_of
from .paths.parse import parse
from .paths.syntax import Name
from .paths.syntax import Path as ParsedPath
from .reader.limits import QueryLimits
from .reader.readers import Past, Readers
from .reader.snapshots import CurrentSnapshot
from .reading import PathReader
from .resolver import Resolver
from .results import choose_formats, serialise
from .schema import Schema, load_schema
from .series.functions import series_functions
from .validation.report import ValidationReport
from .validation.shacl import PyShaclEngine, validate_twins

KEPT_TRIPLES: Final = 500_000
"""Past states are kept as long as they hold no more together; the newest one always is."""


@dataclass(frozen=True)
class Reasoning:
    """What the reasoner does over a past state; given from above, so that nothing here imports upward."""

    derive: Callable[[TripleStore, Naming, Schema], object]
    """Infer for every twin of a store by the rules that it holds."""
    resolver: Callable[[TripleStore, SeriesReader, Naming, Callable[[], datetime]], Resolver]
    """Answers by what was inferred, as far as rules speak until a moment."""


@dataclass(frozen=True)
class PastState:
    """Graphs as they were after one commit, what rules inferred among them."""

    store: OxigraphStore
    schema: Schema
    triples: int


@dataclass
class PastStates:
    """Builds past states of one fleet and keeps a few; safe from any thread."""

    graphs: PastGraphs
    names: Naming
    reasoning: Reasoning
    _kept: OrderedDict[tuple[int, NamedNode | None], PastState] = field(default_factory=OrderedDict)
    _schemas: dict[int, Schema] = field(default_factory=dict)
    _snapshot: tuple[int, CurrentSnapshot] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def state(self, sequence: int, twin: NamedNode | None) -> PastState:
        """Everything after commit ``sequence``, or what paths into ``twin`` can reach."""
        with self._lock:
            for key in ((sequence, None), (sequence, twin)):
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            state = self._kept[(sequence, twin)] = self._build(sequence, twin)
            while len(self._kept) > 1 and sum(item.triples for item in self._kept.values()) > KEPT_TRIPLES:
                self._kept.popitem(last=False)
            return state

    def past(self, sequence: int, readers: Readers) -> Past:
        """What a reader process needs to answer as of ``sequence``; the last one asked for stays on the disk."""
        store = self.state(sequence, None).store
        with self._lock:
            if self._snapshot is None or self._snapshot[0] != sequence:
                if self._snapshot is not None:
                    self._snapshot[1].drop()
                self._snapshot = (sequence, readers.beside(store))
            return Past(self._snapshot[1], sequence)

    def _build(self, sequence: int, twin: NamedNode | None) -> PastState:
        if twin is None:
            contents: Iterable[tuple[NamedNode, bytes]] = self.graphs.state(sequence)
        else:
            contents = self._reachable(twin, sequence)
        store, triples = OxigraphStore(None, self.names.base), 0
        for graph, content in contents:
            store.load(graph, content)
            triples += content.count(b"\n")
        schema = self._schema(store, sequence)
        self.reasoning.derive(store, self.names, schema)
        return PastState(store, schema, triples)

    def _reachable(self, twin: NamedNode, sequence: int) -> Iterator[tuple[NamedNode, bytes]]:
        for graph in (self.names.ontology_graph, self.names.rules_graph, self.names.shapes_graph):
            yield graph, self.graphs.graph(graph, sequence)
        # A twin's graph names its neighbours; a literal that looks like one brings in a twin too many, no harm.
        neighbour = re.compile(f"<({re.escape(self.names.twins)}[^/#>]+)".encode())
        waiting, seen = [twin], {twin}
        while waiting:
            for graph in self.graphs.within(waiting.pop(), sequence):
                content = text_of(self.graphs.lines(graph, sequence))
                new = {NamedNode(iri.decode()) for iri in neighbour.findall(content)} - seen
                seen |= new
                waiting += new
                yield graph, content

    def _schema(self, store: TripleStore, sequence: int) -> Schema:
        """Shared between states with the same ontology: paths are compiled once for each schema."""
        changed = self.graphs.last_change(self.names.ontology_graph, sequence)
        if changed not in self._schemas:
            self._schemas[changed] = load_schema(store, self.names)
        return self._schemas[changed]


@dataclass(frozen=True)
class PastFleet(Fleet):
    """A fleet as of one moment."""

    moment: Moment
    states: PastStates
    series: SeriesReader
    samples: Callable[[int], SeriesReader]
    feed: EventFeed
    limits: QueryLimits
    readers: Readers | None = None
    """Answer what may run away; None: it is answered here, without a limit of time."""

    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute path."""
        parsed = parse(path)
        state = self._state(_twin_of(parsed))
        names = self.states.names
        resolver = self.states.reasoning.resolver(state.store, self.series, names, lambda: self.moment.time)
        return PathReader(state.store, self.series, names, state.schema, resolver).ask(parsed)

    def query(self, text: str, accept: str | None = None, *, abandoned: threading.Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query. Raises QueryError, QueryLimitError."""
        formats = choose_formats(accept)
        if self.readers is not None and not is_lookup(text):
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
        """Refused: what was believed then cannot be changed. Raises InputError."""
        raise past_is_read(f"path {path!r}")

    def update(self, text: str, *, author: str) -> UpdateAnswer:
        """Refused. Raises InputError."""
        raise past_is_read("update")

    def load(self, file: Path, *, graph: str | None = None, author: str, replace: bool = False) -> LoadAnswer:
        """Refused. Raises InputError."""
        raise past_is_read(f"load {file}")

    def as_of(self, moment: AsOf) -> Fleet:
        """The fleet as it was believed at another moment, not after this one."""
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

    def _state(self, twin: str | None) -> PastState:
        return self.states.state(self.moment.sequence, None if twin is None else self.states.names.twin(twin))

    def _twins(self, store: TripleStore) -> list[NamedNode]:
        found = {quad.subject for quad in store.quads(None, RDF.type, VT.Twin, None)}
        twins = [node for node in found if isinstance(node, NamedNode)]
        return sorted(twins, key=lambda twin: twin.value)


def _twin_of(path: ParsedPath) -> str | None:
    """The one twin that a path names with its first step."""
    first = path.steps[0] if path.absolute and path.steps else None
    return first.name if isinstance(first, Name) else None
