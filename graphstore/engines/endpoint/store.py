"""Any SPARQL 1.1 endpoint as a triple store: Query and Update over HTTP, whole graphs by the Graph Store Protocol.

    store = SparqlEndpoint.open(EndpointOptions(query="http://127.0.0.1:7878/query", …), "https://fleet.example/")

The engine holds one fleet; any client may query it, but only the fleet's owner writes. It may be unreachable for a
while: missed commits are in the journal, and the mark in its state graph is the number of the last one applied.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pyoxigraph import Literal, NamedNode, Quad, QueryBoolean, QuerySolutions, RdfFormat, Triple, parse

from ....errors import QueryError, StoreError
from ....ontology.iris import PREFIXES, VT
from ....ontology.naming import Naming
from ...interfaces import Function, GraphChange, QueryResult, Term
from ...sparql.binding import Bindable, bind
from ...sparql.dataset import query_form
from ...sparql.tokens import with_prefixes
from .dialect import JSON, Dialect, Standard, Virtuoso
from .http import EndpointHttp
from .options import EndpointOptions
from .series_calls import answer_in_two_parts
from .update import Updates

_Read = TypeVar("_Read")

LOAD_BYTES: Final = 4_000_000
"""The most bytes in one request when a graph is loaded."""

_LAST: Final = "SELECT ?mark WHERE { GRAPH $state { $base $applied ?mark } }"
_OTHERS: Final = "SELECT ?base WHERE { GRAPH ?graph { ?base $applied ?mark } FILTER(?base != $base) } LIMIT 1"
_UNION: Final = "ASK { $base $applied ?mark }"
_FROM: Final = "ASK FROM $base { $base $applied ?mark }"
_GRAPHS: Final = "SELECT DISTINCT ?graph WHERE { GRAPH ?graph { ?s ?p ?o } FILTER(STRSTARTS(STR(?graph), $start)) }"
_PROBE: Final = "ASK { $base $applied ?mark }"


class SparqlEndpoint:
    """A :class:`~voltwin.graphstore.interfaces.TripleStore` behind a SPARQL endpoint."""

    def __init__(self, http: EndpointHttp, dialect: Dialect, base: str) -> None:
        self._http, self._dialect = http, dialect
        self._where = http.options.query
        self._names = Naming(base)
        most = http.options.update_quads or dialect.update_quads
        self._updates = Updates(self._names, most, dialect.deleted_alone)
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(
        cls,
        options: EndpointOptions,
        base: str,
        environment: Mapping[str, str] = os.environ,
        connect: Callable[[EndpointOptions, Mapping[str, str]], EndpointHttp] = EndpointHttp,
    ) -> SparqlEndpoint:
        """Connect, and check that the engine can hold the fleet ``base``. Raises StoreError with the remedy."""
        http = connect(options, environment)
        try:
            store = cls(http, _dialect(http, base), base)
            store._prepare()
        except BaseException:
            http.close()
            raise
        return store

    def _prepare(self) -> None:
        for row in self._select(_OTHERS):
            raise StoreError(
                f"{self._where}: holds the fleet {row['base'].value}; one endpoint holds one fleet, because queries "
                "see all of its graphs together: use another endpoint"
            )
        self._seed()
        if not self._ask(self._bound(_UNION)):
            raise StoreError(
                f"{self._where}: a query without GRAPH does not see the named graphs there, which contain the twins; "
                "make the default graph their union (Fuseki: tdb2:unionDefaultGraph true)"
            )
        if self._ask(self._bound(_FROM), union=False):
            raise StoreError(
                f"{self._where}: ignores FROM, so a query for one graph would be answered from all; start "
                "oxigraph serve without --union-default-graph"
            )

    def _seed(self) -> None:
        if not list(self._select(_LAST)):
            self._update(self._updates.seed())

    def _bound(self, template: str, **more: Bindable) -> str:
        values: dict[str, Bindable] = {
            "state": self._names.state_graph,
            "base": NamedNode(self._names.base),
            "applied": VT.appliedSequence,
        }
        return bind(template, values | more)

    def _request(self, text: str, union: bool) -> Callable[[str], bytes]:
        if self._closed:
            raise StoreError(f"{self._where}: the triple store is closed")
        return lambda accept: self._http.query(text, accept, union).content

    def _select(self, template: str, **more: Bindable) -> QuerySolutions:
        rows = self._rows(self._bound(template, **more))
        assert isinstance(rows, QuerySolutions)
        return rows

    def _ask(self, text: str, union: bool = True) -> bool:
        return bool(self._rows(text, union))

    def _rows(self, text: str, union: bool = True) -> QuerySolutions | QueryBoolean:
        return self._located(lambda: self._dialect.rows(self._request(text, union)))

    def _located(self, read: Callable[[], _Read]) -> _Read:
        try:
            return read()
        except StoreError as error:
            if str(error).startswith("http"):
                raise
            raise StoreError(f"{self._where}: {error}") from error

    def _update(self, text: str) -> None:
        if self._closed:
            raise StoreError(f"{self._where}: the triple store is closed")
        self._http.update(text)

    def query(
        self, text: str, *, union: bool = True, functions: Mapping[NamedNode, Function] | None = None
    ) -> QueryResult:
        """Answer a query; functions are evaluated after the engine's part.

        Without ``union`` the dataset is that of FROM, or the engine's own without FROM. Raises
        QueryError if the engine refuses the text, StoreError if it does not answer.
        """
        if functions:
            answer = answer_in_two_parts(text, functions, lambda part: self._answer(part, union))
            if answer is not None:
                return answer
        return self._answer(text, union)

    def _answer(self, text: str, union: bool) -> QueryResult:
        form = query_form(text)
        if form is None:
            raise QueryError("query: contains no SELECT, ASK, CONSTRUCT or DESCRIBE")
        whole = with_prefixes(text, PREFIXES)
        if form in ("SELECT", "ASK"):
            return self._rows(whole, union)
        return self._located(lambda: self._dialect.triples(self._request(whole, union)))

    def quads(
        self,
        subject: NamedNode | None,
        predicate: NamedNode | None,
        object: Term | None,
        graph: NamedNode | None,
    ) -> Iterator[Quad]:
        """Quads that match the pattern."""
        places = [subject, predicate, None if object is None else self._dialect.written(object)]
        names = [name for name, term in zip("spo", places, strict=True) if term is None]
        s, p, o = (f"?{name}" if term is None else str(term) for name, term in zip("spo", places, strict=True))
        where = "?g" if graph is None else str(graph)
        wanted = " ".join(f"?{name}" for name in (*names, *(["g"] if graph is None else [])))
        rows = self._rows(f"SELECT {wanted or '(1 AS ?found)'} WHERE {{ GRAPH {where} {{ {s} {p} {o} }} }}")
        assert isinstance(rows, QuerySolutions)
        for row in rows:
            yield Quad(
                subject or row["s"],
                predicate or row["p"],
                row["o"] if object is None else object,
                graph or row["g"],
            )

    def apply(self, sequence: int, changes: Iterable[GraphChange]) -> None:
        """Apply one commit and record its number: in one update, or in several with the number last.

        Raises StoreError if the engine did not apply it; it may then be applied again.
        """
        changes = list(changes)
        removed = [quad for change in changes for quad in self._quads(change.graph, change.removed)]
        added = [quad for change in changes for quad in self._quads(change.graph, change.added)]
        with self._lock:
            for update in self._updates.commit(sequence, removed, added):
                self._update(update)
            reached = self.last_applied()
            if reached < sequence:
                raise StoreError(
                    f"{self._where}: accepted commit {sequence} without an error and is at {reached}; "
                    "check whether something else writes to this fleet's graphs"
                )

    def _quads(self, graph: NamedNode, triples: str) -> Iterator[Quad]:
        for quad in parse(triples, format=RdfFormat.N_TRIPLES):
            yield self._placed(quad.triple, graph)

    def load(self, graph: NamedNode, triples: bytes) -> None:
        """Add N-Triples to ``graph`` in bulk, by the Graph Store Protocol if the engine has it."""
        with self._lock:
            if self._http.options.graphs:
                for part in _parts(self._written(triples)):
                    self._http.add(graph, part)
            else:
                for update in self._updates.change([], list(self._quads(graph, triples.decode()))):
                    self._update(update)

    def _written(self, triples: bytes) -> Iterator[bytes]:
        for quad in parse(triples, format=RdfFormat.N_TRIPLES):
            written = Triple(quad.subject, quad.predicate, self._dialect.written(quad.object))
            yield f"{written} .\n".encode()

    def replace(self, graph: NamedNode, triples: Iterable[Triple]) -> bool:
        """Make ``graph`` hold exactly ``triples``; only the difference is written."""
        wanted = set(triples)
        with self._lock:
            present = {quad.triple for quad in self.quads(None, None, None, graph)}
            removed = [self._placed(triple, graph) for triple in present - wanted]
            added = [self._placed(triple, graph) for triple in wanted - present]
            if removed or added:
                for update in self._updates.change(removed, added):
                    self._update(update)
        return present != wanted

    def _placed(self, triple: Triple, graph: NamedNode) -> Quad:
        return Quad(triple.subject, triple.predicate, self._dialect.written(triple.object), graph)

    def last_applied(self) -> int:
        """The number of the last commit applied."""
        marks = [row["mark"] for row in self._select(_LAST)]
        return max((int(mark.value) for mark in marks if isinstance(mark, Literal)), default=0)

    def clear(self) -> None:
        """Delete every graph of this fleet; the mark first, so that an interrupted clearing is repeated."""
        with self._lock:
            self._drop(self._names.state_graph)
            for row in self._select(_GRAPHS, start=Literal(self._names.base)):
                self._drop(row["graph"])
            self._seed()

    def _drop(self, graph: NamedNode) -> None:
        self._update(f"DROP SILENT GRAPH {graph}")

    def flush(self) -> None:
        """Do nothing: the engine decides when it writes to its disk."""

    def close(self) -> None:
        """Close the connections; the engine keeps running."""
        self._closed = True
        self._http.close()


def open_endpoint(folder: Path | None, base: str, options: Mapping[str, Any]) -> SparqlEndpoint:
    """The engine ``sparql`` of the entry point ``voltwin.stores``; ``folder`` is not used."""
    return SparqlEndpoint.open(EndpointOptions.from_json(options), base)


def _dialect(http: EndpointHttp, base: str) -> Dialect:
    chosen = http.options.dialect
    if chosen == "ask":
        probe = bind(_PROBE, {"base": NamedNode(base), "applied": VT.appliedSequence})
        server = http.query(probe, JSON).headers.get("server", "")
        chosen = "virtuoso" if server.startswith("Virtuoso") else "standard"
    return Virtuoso() if chosen == "virtuoso" else Standard()


def _parts(lines: Iterable[bytes]) -> Iterator[bytes]:
    part: list[bytes] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= LOAD_BYTES:
            yield b"".join(part)
            part, size = [], 0
    if part:
        yield b"".join(part)
