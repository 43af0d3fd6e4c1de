"""The fleet whose store is in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, parse_query_results

from ...errors import GraphDamagedError, InputError, StoreError
from ...ontology.naming import Naming
from ...settings import InputLimits
from ..engines.damage import DamageWatch
from ..history.events import EventFilter, Subscription
from ..history.past_graphs import AsOf
from ..history.rollback import RollbackAnswer, roll_back
from ..interfaces import Entry, LoadAnswer, QueryAnswer, TripleStore, UpdateAnswer
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
from ..queries.run import QueryRun
from ..schema import Schema, load_schema, twins_of
from ..series.functions import series_functions
from ..sparql.gate import check_author, check_path, check_services, check_sparql, check_text, check_value
from ..update.bulk import run_load
from ..update.run import run_update
from ..update.session import DesignValidator, NoValidation, UpdateSession
from ..validation.report import ValidationReport
from ..validation.shacl import PyShaclEngine, validate_twins
from .fleet import NAME_EVERY_STEP, FleetAccess
from .history_access import FleetHistory
from .structure import ElementStructure, element_structure


@dataclass
class LocalFleet(FleetAccess):
    """A fleet over an open journal and store."""

    committer: Committer
    names: Naming
    resolver: Resolver
    more_status: Callable[[], Mapping[str, Any]] = dict
    """Entries that a server adds to :meth:`status`."""
    readers: QueryPool | None = None
    """Answers queries that may run away; None if the store has no snapshots: they then have no time limit."""
    limits: QueryLimits = field(default_factory=QueryLimits)
    rules: DesignValidator = field(default_factory=NoValidation)
    """Checks rules and actions when an update or a load changes the design, and reads them again."""
    fleet_history: FleetHistory | None = None
    """History and events; None if the fleet was opened without them."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The transaction time of a commit, not the valid time of its values."""
    may_write: Callable[[], None] = lambda: None
    """Raises AccessError where users may not write here; the control master writes without it."""
    watch: DamageWatch = field(default_factory=lambda: DamageWatch("graph"))
    """Notices damage to the graph where an answer meets it."""
    on_close: Callable[[], None] = lambda: None
    """Releases the other resources of the fleet, such as its lock."""

    @property
    def inputs(self) -> InputLimits:
        """The limits of texts, paths and values."""
        return self.committer.inputs

    @cached_property
    def schema(self) -> Schema:
        """The classes and properties of the ontology; read once, dropped by :meth:`reload`."""
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

    @property
    def design(self) -> DesignValidator:
        """Checks a changed design; then rules and this fleet read it again."""
        return _FleetDesign(self)

    def reload(self) -> None:
        """Discard the cached ontology and shapes, because they changed."""
        for name in ("schema", "reader", "_shapes_engine"):
            self.__dict__.pop(name, None)

    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute path."""
        check_path(path, self.inputs)
        parsed = parse(path)
        with self.watch.watching():
            return self.reader.ask(parsed)

    def structure(self, path: str, depth: int | None = None) -> ElementStructure:
        """The properties and parts of one element."""
        with self.watch.watching():
            return element_structure(self.reader, self.get(path), depth)

    def query(self, text: str, accept: str | None = None, *, abandoned: Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query, which may use the series functions ``vtf:…``. Raises QueryError, QueryLimitError."""
        check_sparql("query", text, self.inputs)
        check_services(text, self.inputs)
        run = QueryRun.of(text, accept)
        with self.watch.watching():
            if self.readers is not None and run.may_run_away:
                return self.readers.answer(text, accept, abandoned)
            return run.answer(self.committer.store.query, self.committer.journal.series, self.limits)

    def twins(self) -> list[NamedNode]:
        """Every twin, in the order of their IRIs."""
        with self.watch.watching():
            return twins_of(self.committer.store)

    def validate(self, twin: str | None = None) -> ValidationReport:
        """SHACL over all twins, or over one."""
        chosen = self.twins() if twin is None else [self.names.twin(self[twin].key)]
        with self.watch.watching():
            return validate_twins(self.committer.store, chosen, self._shapes_engine, self.names)

    def put(self, path: str, value: Any, *, unit: str | None, time: datetime, author: str) -> int:
        """Put one value at an absolute path of plain names."""
        self.may_write()
        check_path(path, self.inputs)
        check_author(author, self.inputs)
        check_value(value, self.inputs)
        check_text("unit", unit or "")
        parsed = parse(path)
        steps = [step.name for step in parsed.steps if isinstance(step, Name) and not step.predicates]
        if not parsed.absolute or len(steps) != len(parsed.steps) or len(steps) < 2 or parsed.asks_reasoner:
            raise InputError(f"path {path!r}: {NAME_EVERY_STEP}")
        twin = self.names.twin(self[steps[0]].key)
        with self.committer.lock, self.watch.watching():
            changes = ChangeSet(self.committer.store)
            writer = TwinWriter(changes, self.schema, self.names, self.committer.journal.series)
            writer.put(twin, steps[1:], value, unit, Provenance("asserted", time))
            return self.committer.commit(Entry.of(changes, author, self.now()), tuple(changes.touched()))

    def update(self, text: str, *, author: str, force: int | None = None) -> UpdateAnswer:
        """Apply a SPARQL update, which may use the series functions ``vtf:…``, in one commit."""
        check_author(author, self.inputs)
        functions = series_functions(self.committer.journal.series)
        session, pool = self._session(author, force), None if self.readers is None else self._solutions
        with self.watch.watching():
            return run_update(text, session, functions, pool)

    def _session(self, author: str, force: int | None) -> UpdateSession:
        self.may_write()
        return UpdateSession(self.committer, self.names, author, self.now(), self.design, force)

    def _solutions(self, text: str) -> QuerySolutions:
        assert self.readers is not None
        answer = self.readers.answer(text, QueryResultsFormat.JSON.media_type)
        solutions = parse_query_results(answer.body, format=QueryResultsFormat.JSON)
        assert isinstance(solutions, QuerySolutions)
        return solutions

    def load(
        self, file: Path, *, graph: str | None = None, author: str, replace: bool = False, force: int | None = None
    ) -> LoadAnswer:
        """Add an RDF file's triples to ``graph``, or to the graphs it names, in one commit."""
        check_author(author, self.inputs)
        session = self._session(author, force)
        with self.watch.watching():
            return run_load(file, graph, replace, session)

    def rollback(self, to: int, *, data: bool = False, author: str, force: int | None = None) -> RollbackAnswer:
        """Go back to an earlier commit by a new one."""
        check_author(author, self.inputs)
        session = self._session(author, force)
        with self.watch.watching():
            return roll_back(session, self._history.feed.past, to, data)

    def as_of(self, moment: AsOf) -> FleetAccess:
        """The fleet as known at ``moment``; it is closed together with this one."""
        return replace(self._history.fleet(moment, self.limits, self.readers), inputs=self.inputs)

    def subscribe(self, wanted: EventFilter) -> Subscription:
        """The events, read from the journal."""
        return self._history.feed.subscribe(wanted)

    @property
    def _history(self) -> FleetHistory:
        if self.fleet_history is None:
            raise StoreError("this fleet was opened without its history; open it with Fleet.open")
        return self.fleet_history

    def status(self) -> Mapping[str, Any]:
        """Totals for people; without the twins while the graph is damaged, and ``graph`` says so."""
        totals: dict[str, Any] = {"base": self.names.base}
        try:
            totals["twins"] = len(self.twins())
        except GraphDamagedError as error:
            totals["graph"] = str(error)
        totals |= self.committer.journal.counts()
        aside = {**self.committer.journal.damaged, **self.committer.set_aside}
        if aside:
            totals["damagedCommits"] = [{"commit": number, "problem": aside[number]} for number in sorted(aside)]
        return {**totals, **self.more_status()}

    def close(self) -> None:
        """Close journal and store."""
        self.reload()
        if self.fleet_history is not None:
            self.fleet_history.feed.end()
        if self.readers is not None:
            self.readers.close()
        self.committer.store.close()
        self.committer.journal.close()
        self.on_close()


@dataclass(frozen=True)
class _FleetDesign:
    """The design that one fleet and its rules have read."""

    fleet: LocalFleet

    def check(self, design: TripleStore) -> None:
        """Raises RuleError, ActionError or InputError."""
        self.fleet.rules.check(design)

    def activate(self) -> None:
        """Read it again."""
        self.fleet.reload()
        self.fleet.rules.activate()
