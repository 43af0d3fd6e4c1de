"""Evaluation of update operations over a draft: patterns run as queries, templates are filled from their rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import BlankNode, NamedNode, Quad, QuerySolution, QuerySolutions, Triple

from ...errors import QueryError
from ..interfaces import Function, Node, QueryResult
from ..queries.run import QueryRun
from . import draft as limits
from .draft import Draft, too_many
from .operations import Clear, Create, DeleteData, InsertData, Modify, Operation, Template, Transfer
from .protected import check_writable, design_graphs, is_view
from .templates import as_stored, fill

SolutionSource = Callable[[str], QuerySolutions]
"""Answers a SELECT over the store as it is, within limits. Raises QueryLimitError."""

_ANY: Final = "(1 AS ?one)"
"""Selected if no template uses a variable: a solution is required all the same."""


@dataclass
class Evaluation:
    """Applies operations to ``draft``, one after the other."""

    draft: Draft
    functions: Mapping[NamedNode, Function]
    pool: SolutionSource | None = None
    _nodes: dict[str, NamedNode] = field(default_factory=dict)

    def run(self, operation: Operation) -> None:
        """Apply one operation. Raises QueryError if it fails; the draft must then be discarded."""
        match operation:
            case InsertData():
                self.draft.insert(as_stored(fill(operation.quads, _nothing, None, self._node)))
            case DeleteData():
                self.draft.remove(as_stored(fill(operation.quads, _nothing, None, self._node)))
            case Modify():
                self._modify(operation)
            case Clear():
                self._clear(operation)
            case Create():
                if not operation.silent and any(self.draft.triples(operation.graph)):
                    raise QueryError(
                        f"update: CREATE {operation.graph}: exists already; write CREATE SILENT to allow that"
                    )
            case Transfer():
                self._transfer(operation)
        self._nodes.clear()

    def _modify(self, operation: Modify) -> None:
        store = self.draft.reading(operation.reads)
        empty = operation.with_graph is None or not any(self.draft.triples(operation.with_graph))
        text, union = select_text(operation, with_is_empty=empty)
        rows: QueryResult
        run = QueryRun.of(text)
        # A worker sees the store as it is, and its default graph is the union unless the text names another.
        if self.pool is not None and store is self.draft.store and union == run.union and run.may_run_away:
            rows = self.pool(text)
        else:
            rows = store.query(text, union=union, functions=self.functions)
        assert isinstance(rows, QuerySolutions)
        gone: set[Quad] = set()
        new: set[Quad] = set()
        try:
            for row in rows:
                gone.update(self._filled(operation.delete, row, operation.with_graph))
                new.update(self._filled(operation.insert, row, operation.with_graph))
                if len(gone) + len(new) > limits.QUADS_AT_MOST:
                    raise QueryError(too_many())
        finally:
            del rows  # an error's traceback would keep it, and only the thread that made it may free it
        self.draft.remove(as_stored(gone))
        self.draft.insert(as_stored(new))

    def _filled(self, template: Template, row: QuerySolution, default: NamedNode | None) -> Iterator[Quad]:
        own: dict[str, NamedNode] = {}

        def node(blank: BlankNode) -> NamedNode:
            # A template's blank nodes are new in every solution; those bound by the pattern stay the same.
            known = self._nodes if blank.value in made else own
            return known.setdefault(blank.value, self._new())

        def value(name: str) -> Node | None:
            found: Node | None = row[name]
            if isinstance(found, BlankNode):
                made.add(found.value)
            return found

        made: set[str] = set()
        return fill(template, value, default, node)

    def _node(self, blank: BlankNode) -> NamedNode:
        return self._nodes.setdefault(blank.value, self._new())

    def _new(self) -> NamedNode:
        return NamedNode(f"{self.draft.names.skolem}{uuid.uuid4().hex}")

    def _clear(self, operation: Clear) -> None:
        names = self.draft.names
        if operation.graph is not None:
            check_writable(operation.graph, names)
            self._remove_all(operation.graph)
            return
        # ALL means all data: design graphs have to be named, and views follow by themselves.
        kept = {names.state_graph, *design_graphs(names)}
        for graph in self.draft.graphs():
            if graph not in kept and not is_view(graph, names):
                self._remove_all(graph)

    def _remove_all(self, graph: NamedNode) -> None:
        self.draft.remove([_quad(triple, graph) for triple in _at_most(self.draft.triples(graph))])

    def _transfer(self, operation: Transfer) -> None:
        source, target = operation.source, operation.target
        triples = list(_at_most(self.draft.triples(source)))
        if not triples and not operation.silent:
            raise QueryError(
                f"update: {operation.kind} {source}: there is no such graph; write {operation.kind} SILENT to skip it"
            )
        # With SILENT a missing graph is skipped, not treated as an empty one.
        if source == target or not triples:
            return
        if operation.kind != "ADD":
            self._remove_all(target)
        self.draft.insert(_quad(triple, target) for triple in triples)
        if operation.kind == "MOVE":
            self._remove_all(source)


def select_text(operation: Modify, *, with_is_empty: bool) -> tuple[str, bool]:
    """The query for the solutions of ``operation``, and whether its default graph is the union."""
    chosen = " ".join(f"?{name}" for name in operation.variables) or _ANY
    clauses: list[str] = [f"FROM {graph}" for graph in operation.using]
    clauses += [f"FROM NAMED {graph}" for graph in operation.using_named]
    where = operation.where
    if not clauses and operation.with_graph is not None:
        if not operation.names_graphs:
            clauses = [f"FROM {operation.with_graph}"]
        elif not with_is_empty:
            # FROM would leave no named graphs; and within GRAPH an inner GRAPH sees all of them.
            where = f"{{ GRAPH {operation.with_graph} {where} }}"
    text = f"{operation.prologue}SELECT {chosen} {' '.join(clauses)} WHERE {where}"
    return text, operation.with_graph is None and not clauses


def _at_most(triples: Iterator[Triple]) -> Iterator[Triple]:
    for number, triple in enumerate(triples):
        if number >= limits.QUADS_AT_MOST:
            raise QueryError(too_many())
        yield triple


def _quad(triple: Triple, graph: NamedNode) -> Quad:
    return Quad(triple.subject, triple.predicate, triple.object, graph)


def _nothing(_: str) -> None:
    """The values for ground data, which has no variables."""


def evaluate(
    operations: Sequence[Operation],
    draft: Draft,
    functions: Mapping[NamedNode, Function],
    pool: SolutionSource | None = None,
) -> None:
    """Apply ``operations`` to ``draft``. Raises QueryError; the draft must then be discarded."""
    evaluation = Evaluation(draft, functions, pool)
    for operation in operations:
        evaluation.run(operation)
