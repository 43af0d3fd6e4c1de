"""Answering paths: one query, its rows grouped into answers, the best of several kinds of knowledge first.

What was asserted is believed before what a model computed, and that before what a rule infers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyoxigraph import Literal, NamedNode, QuerySolution, QuerySolutions

from ..errors import PathNotFoundError
from ..ontology.iris import RDF, VT
from ..ontology.literals import to_microseconds, to_python
from ..ontology.naming import Naming
from .answers import Answer, Element, Origin, SeriesValue, Value
from .interfaces import SeriesReader, TripleStore
from .paths.compile import compile_path
from .paths.syntax import Name, Path, Window
from .resolver import Resolver
from .schema import Property, Schema

_RANK: dict[Origin, int] = {"given": 0, "computed": 1, "inferred": 2}


@dataclass(frozen=True)
class PathReader:
    """Reads one store by path."""

    store: TripleStore
    series: SeriesReader
    names: Naming
    schema: Schema
    resolver: Resolver

    def ask(self, path: Path, moment: datetime | None = None) -> list[Answer]:
        """Every answer of an absolute path, as far as rules speak until ``moment`` (None: now)."""
        answers = self._ask_reasoner(path, moment) if path.asks_reasoner else self._ask_store(path, moment)
        window = path.window
        if window is not None:
            answers = [answer.within(window.start, window.end) for answer in answers]
        return sorted(answers, key=lambda answer: answer.path)

    def _ask_store(self, path: Path, moment: datetime | None) -> list[Answer]:
        compiled = compile_path(path, self.schema, self.names)
        rows = self._select(compiled.query)
        if compiled.ends_on_elements:
            return [self._element(row["value"]) for row in rows]
        # Nothing may be stored where a rule speaks for intervals only.
        return self._values(rows, path.window, moment) or self._derived(path, moment)

    def _ask_reasoner(self, path: Path, moment: datetime | None) -> list[Answer]:
        wanted = path.without_reasoner()
        if not wanted.inner:
            raise PathNotFoundError(f"path '{path}': ask the reasoner for something, as in reasoner/temperatureTrend")
        # Where no rule speaks, what is known plainly is the best answer.
        return self._derived(wanted, moment) or self._ask_store(wanted, moment)

    def _derived(self, path: Path, moment: datetime | None) -> list[Answer]:
        *way, last = path.steps
        if not way or not isinstance(last, Name) or last.predicates:
            return []
        compiled = compile_path(Path(True, tuple(way)), self.schema, self.names)
        meant = [prop for prop in self.schema.by_name.get(last.name, ()) if prop.derived]
        nodes = [row["value"] for row in self._select(compiled.query)] if meant else []
        return [answer for node in nodes for prop in meant for answer in self.resolver.resolve(node, prop, moment)]

    def _select(self, query: str) -> list[QuerySolution]:
        rows = self.store.query(query)
        assert isinstance(rows, QuerySolutions)
        return list(rows)

    def _values(self, rows: Sequence[QuerySolution], window: Window | None, moment: datetime | None) -> list[Answer]:
        groups: dict[tuple[NamedNode, NamedNode], dict[NamedNode, list[QuerySolution]]] = {}
        for row in rows:
            groups.setdefault((row["node"], row["property"]), {}).setdefault(row["graph"], []).append(row)
        answers: list[Answer] = []
        for (node, iri), by_graph in groups.items():
            prop = self.schema.properties[iri]
            graph = min(by_graph, key=lambda graph: _RANK[self._origin(graph)])
            origin = self._origin(graph)
            if origin == "inferred":
                answers.extend(self.resolver.resolve(node, prop, moment))
            elif prop.kind == "object":
                answers.extend(self._element(row["value"]) for row in by_graph[graph])
            else:
                answers.append(self._stored(node, prop, by_graph[graph], origin, window))
        return answers

    def _origin(self, graph: NamedNode) -> Origin:
        owner = self.names.owner(graph)
        if owner is None or graph == owner:
            return "given"
        return "computed" if graph == self.names.computed_graph(owner) else "inferred"

    def _stored(
        self,
        node: NamedNode,
        prop: Property,
        rows: Sequence[QuerySolution],
        origin: Origin,
        window: Window | None,
    ) -> Answer:
        values = [self._value(row["value"], prop, window) for row in rows]
        moment = _moment([rows[0]["time"]])
        if prop.kind == "series":
            marks = self.store.quads(rows[0]["value"], VT.lastTime, None, None)
            moment = _moment(quad.object for quad in marks)
        run = rows[0]["run"]
        return Answer(
            path=f"{self.names.path_of(node)}/{prop.name}",
            value=tuple(sorted(values, key=str)) if prop.many else values[0],  # type: ignore[arg-type]  # many holds scalars
            unit=prop.unit,
            time=moment,
            origin="measured" if origin == "given" and moment is not None else origin,
            source=run.value.removeprefix(f"{self.names.base}runs/") if isinstance(run, NamedNode) else None,
        )

    def _value(self, term: Any, prop: Property, window: Window | None) -> Value:
        if isinstance(term, Literal):
            return to_python(term)
        if prop.kind == "series":
            start, end = (window.start, window.end) if window else (None, None)
            times, values = self.series.read(
                term, to_microseconds(start) if start else None, to_microseconds(end) if end else None
            )
            return SeriesValue(tuple(times.tolist()), tuple(values.tolist()))
        return next((name for name, iri in prop.choices.items() if iri == term), str(term.value))

    def _element(self, node: NamedNode) -> Answer:
        where = self.names.path_of(node)
        types = [quad.object for quad in self.store.quads(node, RDF.type, None, None)]
        known = [t for t in types if isinstance(t, NamedNode) and t in self.schema.classes]
        best = max(known, key=lambda t: len(self.schema.ancestors(t)), default=None)
        return Answer(where, Element(where, self.schema.classes[best].name if best else "Element"))


def _moment(terms: Iterable[Any]) -> datetime | None:
    for term in terms:
        moment = to_python(term) if isinstance(term, Literal) else None
        if isinstance(moment, datetime):
            return moment
    return None
