"""Answers of paths: one query, its rows grouped into answers, of several origins the best one.

Asserted values precede values computed by models, and those precede values inferred by rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, QuerySolution, QuerySolutions

from ...errors import PathNotFoundError
from ...ontology.iris import PROV, RDF, SOSA, VT
from ...ontology.literals import EPOCH, to_microseconds, to_python
from ...ontology.naming import Naming
from ..interfaces import SeriesReader, TripleStore
from ..schema import OntologyClass, Property, Schema
from .answers import Answer, Element, Origin, SeriesValue, Value, first_time
from .compile import compile_element, compile_path
from .resolver import Resolver
from .syntax import Name, Path, Window

_NO_SAMPLES: Final = Window(EPOCH, EPOCH)
_RANK: dict[Origin, int] = {"given": 0, "computed": 1, "inferred": 2}


@dataclass
class _Found:
    """The values of one property in one graph, and the marks of their observation."""

    values: list[Any] = field(default_factory=list)
    marks: dict[NamedNode, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PathReader:
    """Reads one store by path."""

    store: TripleStore
    series: SeriesReader
    names: Naming
    schema: Schema
    resolver: Resolver

    def ask(self, path: Path, moment: datetime | None = None, observed: bool = True) -> list[Answer]:
        """Every answer of an absolute path, with rules evaluated until ``moment`` (None: now).

        Without ``observed`` the time and the source of measured values are omitted.
        """
        ask = self._ask_reasoner if path.asks_reasoner else self._ask_store
        answers = ask(path, moment, observed)
        window = path.window
        if window is not None:
            answers = [answer.within(window.start, window.end) for answer in answers]
        return sorted(answers, key=lambda answer: answer.path)

    def _ask_store(self, path: Path, moment: datetime | None, observed: bool) -> list[Answer]:
        compiled = compile_path(path, self.schema, self.names, observed)
        rows = self._select(compiled.query)
        if compiled.ends_on_elements:
            return [self.element(row["value"]) for row in rows]
        # A rule that is valid for intervals only may have no stored value.
        values = self._values(rows, path.window, moment).values()
        return [answer for found in values for answer in found] or self._derived(path, moment)

    def values_of(self, node: NamedNode) -> Mapping[NamedNode, Sequence[Answer]]:
        """The stored values of a twin or part by property, whatever its class; a series without its samples."""
        rows = self._select(compile_element(node, self.schema, self.names))
        return {iri: found for (_, iri), found in self._values(rows, _NO_SAMPLES, None).items()}

    def _ask_reasoner(self, path: Path, moment: datetime | None, observed: bool) -> list[Answer]:
        wanted = path.without_reasoner()
        if not wanted.inner:
            raise PathNotFoundError(f"path '{path}': name a value after it, as in reasoner/vibration")
        # Without a rule, a stored value is the best answer.
        return self._derived(wanted, moment) or self._ask_store(wanted, moment, observed)

    def _derived(self, path: Path, moment: datetime | None) -> list[Answer]:
        *way, last = path.steps
        if not way or not isinstance(last, Name) or last.predicates:
            return []
        compiled = compile_path(Path(True, tuple(way)), self.schema, self.names)
        derived = [prop for prop in self.schema.by_name.get(last.name, ()) if prop.derived]
        nodes = [row["value"] for row in self._select(compiled.query)] if derived else []
        return [answer for node in nodes for prop in derived for answer in self.resolver.resolve(node, prop, moment)]

    def _select(self, query: str) -> list[QuerySolution]:
        rows = self.store.query(query)
        assert isinstance(rows, QuerySolutions)
        return list(rows)

    def _values(
        self, rows: Sequence[QuerySolution], window: Window | None, moment: datetime | None
    ) -> dict[tuple[NamedNode, NamedNode], Sequence[Answer]]:
        places: dict[tuple[NamedNode, NamedNode], dict[NamedNode, _Found]] = {}
        marks: list[QuerySolution] = []
        for row in rows:
            if row["mark"] is not None:
                marks.append(row)
                continue
            if row["property"] not in self.schema.properties:
                continue  # types, part-of and other marks that are no path steps
            by_graph = places.setdefault((row["node"], row["property"]), {})
            by_graph.setdefault(row["graph"], _Found()).values.append(row["value"])
        for row in marks:
            found = places.get((row["node"], row["property"]), {}).get(row["graph"])
            if found is not None:
                found.marks[row["mark"]] = row["value"]
        answers: dict[tuple[NamedNode, NamedNode], Sequence[Answer]] = {}
        for (node, iri), by_graph in places.items():
            prop = self.schema.properties[iri]
            graph = min(by_graph, key=lambda graph: _RANK[self._origin(graph)])
            origin = self._origin(graph)
            if origin == "inferred":
                answers[node, iri] = self.resolver.resolve(node, prop, moment)
            elif prop.kind == "object":
                answers[node, iri] = [self.element(value) for value in by_graph[graph].values]
            else:
                answers[node, iri] = [self._stored(node, prop, by_graph[graph], origin, window)]
        return answers

    def _origin(self, graph: NamedNode) -> Origin:
        owner = self.names.owner(graph)
        if owner is None or graph == owner:
            return "given"
        return "computed" if graph == self.names.computed_graph(owner) else "inferred"

    def _stored(self, node: NamedNode, prop: Property, found: _Found, origin: Origin, window: Window | None) -> Answer:
        values = [self._value(term, prop, window) for term in found.values]
        moment = first_time([found.marks.get(SOSA.resultTime)])
        if prop.kind == "series":
            last = self.store.quads(found.values[0], VT.lastTime, None, None)
            moment = first_time(quad.object for quad in last)
        run = found.marks.get(PROV.wasGeneratedBy)
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

    def class_of(self, node: NamedNode) -> OntologyClass | None:
        """The most specific class of a twin or part; None if the ontology has none of its types."""
        best = self.schema.most_specific(quad.object for quad in self.store.quads(node, RDF.type, None, None))
        return self.schema.classes[best] if best else None

    def element(self, node: NamedNode) -> Answer:
        """The answer that names a twin or part."""
        where, cls = self.names.path_of(node), self.class_of(node)
        return Answer(where, Element(where, cls.name if cls else "Element"))
