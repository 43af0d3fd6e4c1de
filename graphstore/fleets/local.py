"""The fleet whose store is in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, parse_query_results

from ...errors import InputError, StoreError
from ...ontology.iris import RDF, VT
from ...ontology.naming import Naming
from ..history.events import Subscription
from ..history.past_graphs import AsOf
from ..interfaces import Entry, LoadAnswer, QueryAnswer, UpdateAnswer
from ..journal.changes import ChangeSet
from ..journal.commit import Committer
from ..paths.answers import Answer
from ..paths.parse import parse
from ..paths.reading import PathReader
from ..paths.resolver import Resolver
from ..paths.syntax import Name
from ..paths.writing import Provenance, TwinWriter
from ..queries.limits import QueryLimits
from ..queries.pool import QueryPool
from ..queries.results import choose_formats, serialise
from ..schema import Schema, load_schema
from ..series.functions import series_functions
from ..sparql.cost import is_bounded_lookup
from ..sparql.dataset import names_dataset
from ..update.bulk import run_load
from ..update.run import run_update
from ..update.write import DesignValidator, NoValidation
from ..validation.report import ValidationReport
from ..validation.shacl import PyShaclEngine, validate_twins
from .fleet import FleetAccess
from .history_access import FleetHistory
from .structure import ElementStructure, element_structure


@dataclass
class LocalFleet(FleetAccess):
    """A fleet over an open journal and store."""

    committer: Committer
    names: Naming
    resolver: Resolver
    more_status: Callable[[], Mapping[str, Any]] = dict
    """What a server adds to :meth:`status`."""
    readers: QueryPool | None = None
    """Where queries go that may run away; None where the store has no snapshots: then no limit of time holds them."""
    limits: QueryLimits = field(default_factory=QueryLimits)
    design: DesignValidator = field(default_factory=NoValidation)
    """Holds ontology, rules, shapes and actions against what reads them, when an update or a load changes them."""
    fleet_history: FleetHistory | None = None
    """Looks back into the journal and tells of what comes; None where the fleet was opened without."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The time of a commit: when something was told, not what it speaks for."""
    on_close: Callable[[], None] = lambda: None
    """Gives back what the fleet was opened with."""

    @cached_property
    def schema(self) -> Schema:
        """What the ontology says; read once, dropped by :meth:`reload`."""
        return load_schema(self.committer.store, self.names)

    @cached_property
    def reader(self) -> PathReader:
        """Answers paths over this fleet's store."""
        committer = self.committer
        return PathReader(committer.store, committer.journal.series, self.names, self.schema, self.resolver)

    @cached_property
    def _shapes_engine(self) -> PyShaclEngine:
        graph = self.names.shapes_graph
        return PyShaclEngine(quad.triple for quad in self.committer.store.quads(None, None, None, graph))

    def reload(self) -> None:
        """Forget what was read of ontology and shapes, because they changed."""
        for name in ("schema", "reader", "_shapes_engine"):
            self.__dict__.pop(name, None)

    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute path."""
        return self.reader.ask(parse(path))

    def structure(self, path: str, depth: int | None = None) -> ElementStructure:
        """The properties and parts of one element."""
        return element_structure(self.reader, self.get(path), depth)

    def query(self, text: str, accept: str | None = None, *, abandoned: Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query; the series functions ``vtf:…`` are there. Raises QueryError, QueryLimitError."""
        formats = choose_formats(accept)
        if self.readers is not None and not is_bounded_lookup(text):
            return self.readers.answer(text, accept, abandoned)
        functions = series_functions(self.committer.journal.series)
        # The engine lets the union of all graphs override FROM and FROM NAMED, so it is asked for only without them.
        union = not names_dataset(text)
        # Never under a name of this frame: an error's traceback would hold the result, and that the store.
        return serialise(self.committer.store.query(text, union=union, functions=functions), formats, self.limits)

    def twins(self) -> list[NamedNode]:
        """Every twin, in the order of their IRIs."""
        found = self.committer.store.quads(None, RDF.type, VT.Twin, None)
        twins = {quad.subject for quad in found if isinstance(quad.subject, NamedNode)}
        return sorted(twins, key=lambda twin: twin.value)

    def validate(self, twin: str | None = None) -> ValidationReport:
        """SHACL over all twins, or over one."""
        chosen = self.twins() if twin is None else [self.names.twin(self[twin].key)]
        return validate_twins(self.committer.store, chosen, self._shapes_engine, self.names)

    def put(self, path: str, value: Any, *, unit: str | None, time: datetime, author: str) -> int:
        """Put one value where an absolute path of plain names says."""
        parsed = parse(path)
        steps = [step.name for step in parsed.steps if isinstance(step, Name) and not step.predicates]
        if not parsed.absolute or len(steps) != len(parsed.steps) or len(steps) < 2 or parsed.asks_reasoner:
            raise InputError(f"path {path!r}: to write, name every step, as in /module-0017/cells/cell-03/voltage")
        twin = self.names.twin(self[steps[0]].key)
        with self.committer.lock:
            changes = ChangeSet(self.committer.store)
            writer = TwinWriter(changes, self.schema, self.names, self.committer.journal.series)
            writer.put(twin, steps[1:], value, unit, Provenance("asserted", time))
            entry = Entry(author, self.now(), changes.changes(), samples=tuple(changes.samples))
            return self.committer.commit(entry, tuple(changes.touched()))

    def update(self, text: str, *, author: str) -> UpdateAnswer:
        """Carry out a SPARQL update in one commit; the series functions ``vtf:…`` are there."""
        functions = series_functions(self.committer.journal.series)
        ask = None if self.readers is None else self._solutions
        return run_update(text, self.committer, self.names, self.design, functions, author, self.now(), ask)

    def _solutions(self, text: str) -> QuerySolutions:
        assert self.readers is not None
        answer = self.readers.answer(text, QueryResultsFormat.JSON.media_type)
        solutions = parse_query_results(answer.body, format=QueryResultsFormat.JSON)
        assert isinstance(solutions, QuerySolutions)
        return solutions

    def load(self, file: Path, *, graph: str | None = None, author: str, replace: bool = False) -> LoadAnswer:
        """Add an RDF file's triples to ``graph``, or to the graphs it names, in one commit."""
        return run_load(file, graph, replace, self.committer, self.names, self.design, author, self.now())

    def as_of(self, moment: AsOf) -> FleetAccess:
        """The fleet as known at ``moment``; closing this one closes that one."""
        return self._chronicled.fleet(moment, self.limits, self.readers)

    def events(
        self,
        since: int | datetime | None = None,
        *,
        follow: bool = True,
        twin: str | None = None,
        changes: bool = False,
    ) -> Subscription:
        """What is committed after ``since``, read from the journal."""
        return self._chronicled.feed.events(since, follow=follow, twin=twin, changes=changes)

    @property
    def _chronicled(self) -> FleetHistory:
        if self.fleet_history is None:
            raise StoreError("this fleet was opened without its history; open it with FleetAccess.open")
        return self.fleet_history

    def status(self) -> Mapping[str, Any]:
        """Totals for people."""
        totals = {"base": self.names.base, "twins": len(self.twins()), **self.committer.journal.counts()}
        return {**totals, **self.more_status()}

    def close(self) -> None:
        """Let go of journal and store."""
        self.reload()
        if self.fleet_history is not None:
            self.fleet_history.feed.end()
        if self.readers is not None:
            self.readers.close()
        self.committer.store.close()
        self.committer.journal.close()
        self.on_close()
