"""Writing of values at paths, inside one change set: missing parts and twins are created.

A write is a plain descent: property, key of one of many, property …, by the ontology. Values from
outside are *asserted* and written into the twin's graph; values of a model run are *computed* and
written into the twin's companion graph, with the same subjects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from typing import Literal as OneOf

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import Literal, NamedNode

from ...errors import InputError, PathNotFoundError, UnitError
from ...ontology.iris import PROV, RDF, SOSA, VT, XSD
from ...ontology.literals import Scalar, from_microseconds, to_literal, to_microseconds
from ...ontology.naming import Naming
from ..interfaces import SeriesReader, Term
from ..journal.changes import ChangeSet
from ..schema import Property, Schema
from ..series.rows import sort_and_deduplicate
from .answers import first_time

Kind = OneOf["asserted", "computed"]


@dataclass(frozen=True)
class Provenance:
    """The kind, time and source (action and run) of every value of one write."""

    kind: Kind
    time: datetime
    source: NamedNode | None = None


@dataclass
class TwinWriter:
    """Writes into one change set."""

    changes: ChangeSet
    schema: Schema
    names: Naming
    series: SeriesReader
    created: list[NamedNode] = field(default_factory=list)
    """Twins created by this change set, in order."""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Keep everything written inside, including new twins, or, on an error, nothing of it."""
        before = len(self.created)
        try:
            with self.changes.savepoint():
                yield
        except BaseException:
            del self.created[before:]
            raise

    def create_twin(self, key: str, cls: NamedNode) -> NamedNode:
        """The twin ``key``; if missing, created as a ``cls`` with all its required parts."""
        if not key:
            raise InputError("a twin's key is empty; give it a name")
        twin = self.names.twin(key)
        if not self.changes.exists(twin, twin):
            self._make(twin, cls, key, twin)
            self.created.append(twin)
        return twin

    def class_of(self, node: NamedNode, graph: NamedNode) -> NamedNode | None:
        """The most specific class of ``node``."""
        return self.schema.most_specific(self.changes.objects(node, RDF.type, graph))

    def _make(self, node: NamedNode, cls: NamedNode, key: str, graph: NamedNode) -> None:
        for ancestor in self.schema.ancestors(cls):
            self.changes.add(node, RDF.type, ancestor, graph)
        self.changes.put(node, VT.key, [Literal(key)], graph)
        for prop in self.schema.of(cls):
            if prop.composition and prop.required and prop.range is not None:
                for number in range(1, prop.required + 1):
                    self._part(node, prop, self._default_key(prop, number), graph)

    def _default_key(self, prop: Property, number: int) -> str | None:
        """The class's name and a number, as in ``valve-03``, if a role has many; else None."""
        if not prop.many or prop.range is None:
            return None
        name = self.schema.classes[prop.range].name
        width = max(2, len(str(prop.required)))
        return f"{name[:1].lower()}{name[1:]}-{number:0{width}d}"

    def _part(self, whole: NamedNode, prop: Property, key: str | None, graph: NamedNode) -> NamedNode:
        if key == "":
            raise InputError(f"a key of {prop.name} is empty; give it a name")
        part = self.names.part(whole, prop.name, key)
        if not self.changes.exists(part, graph) and prop.range is not None:
            self._make(part, prop.range, key or prop.name, graph)
            self.changes.add(whole, prop.iri, part, graph)
            self.changes.put(part, VT.partOf, [whole], graph)
        return part

    def put(self, twin: NamedNode, steps: Sequence[str], value: Any, unit: str | None, provenance: Provenance) -> None:
        """Put ``value`` (JSON; a list for a property with many) at the end of ``steps`` in ``twin``.

        Raises PathNotFoundError for a step that the ontology does not define, UnitError for another unit,
        InputError for a value of another type.
        """
        where = f"{self.names.path_of(twin)}/{'/'.join(steps)}"
        node, prop = self._descend(twin, steps, where)
        if unit != prop.unit and prop.kind in ("data", "series"):
            wanted = prop.unit or "no unit"
            raise UnitError(
                f"{where}: is in {wanted}, the value {value!r} has {unit or 'no unit'}; send it in {wanted}"
            )
        graph = twin if provenance.kind == "asserted" else self.names.computed_graph(twin)
        try:
            if prop.kind == "series":
                self._append(node, prop, value, graph, provenance)
                return
            values = value if isinstance(value, list) and prop.many else [value]
            terms = [self._term(prop, item) for item in values]
        except InputError as error:
            raise type(error)(f"{where}: {error}") from None
        self.changes.put(node, prop.iri, terms, graph)
        if prop.unit or provenance.kind == "computed":
            self._observe(node, prop, terms, graph, provenance)

    def _descend(self, twin: NamedNode, steps: Sequence[str], where: str) -> tuple[NamedNode, Property]:
        node, rest = twin, list(steps)
        while True:
            cls = self.class_of(node, twin)
            if cls is None:
                raise PathNotFoundError(f"{where}: {self.names.path_of(node)} does not exist; create it first")
            prop = self.schema.property_of(cls, rest[0]) if rest else None
            if prop is None:
                name = self.schema.classes[cls].name
                raise PathNotFoundError(
                    f"{where}: {name} has no {rest[0] if rest else 'value'!r}; add it to the ontology"
                )
            rest.pop(0)
            if not rest:
                return node, prop
            if not prop.composition:
                raise PathNotFoundError(f"{where}: {prop.name} is no part of this twin; write to the other twin's path")
            node = self._part(node, prop, rest.pop(0) if prop.many else None, twin)

    def _term(self, prop: Property, value: Any) -> Term:
        if prop.kind == "choice":
            if not isinstance(value, str) or value not in prop.choices:
                raise InputError(f"value {value!r}: not one of {', '.join(sorted(prop.choices))}")
            return prop.choices[value]
        if prop.kind == "object":
            if prop.range is None or not isinstance(value, str) or not self.schema.is_a(prop.range, VT.Twin):
                raise InputError(f"value {value!r}: must be the key of a twin")
            return self.create_twin(value, prop.range)
        if not isinstance(value, Scalar):
            raise InputError(f"value {value!r}: must be one number, text, time or truth value")
        return to_literal(value, prop.range)

    def _append(self, node: NamedNode, prop: Property, value: Any, graph: NamedNode, provenance: Provenance) -> None:
        number = float(to_literal(value, XSD.double).value) if isinstance(value, Scalar) else None
        if number is None:
            raise InputError(f"value {value!r}: a series accepts one number at a time")
        series, moment = self._series_node(node, prop, graph), provenance.time
        last = self._time(series, VT.lastTime, graph)
        new = last is None or moment > last or not self._has_sample(series, moment)
        self._mark(series, moment, moment, number, int(new), graph)
        self.changes.sample(series, to_microseconds(moment), number)

    def _series_node(self, node: NamedNode, prop: Property, graph: NamedNode) -> NamedNode:
        series = self.names.part(node, prop.name)
        if not self.changes.exists(series, graph):
            self.changes.add(series, RDF.type, VT.Series, graph)
            self.changes.put(node, prop.iri, [series], graph)
        return series

    def _mark(
        self, series: NamedNode, first: datetime, last: datetime, value: float, new: int, graph: NamedNode
    ) -> None:
        """Update a series' statistics for ``new`` samples from ``first`` to ``last``, with the last ``value``."""
        changes = self.changes
        begin, end = (self._time(series, mark, graph) for mark in (VT.firstTime, VT.lastTime))
        if begin is None or first < begin:
            changes.put(series, VT.firstTime, [to_literal(first)], graph)
        if end is None or last >= end:
            changes.put(series, VT.lastTime, [to_literal(last)], graph)
            changes.put(series, VT.lastValue, [to_literal(value)], graph)
        if new:
            count = next(iter(changes.objects(series, VT.sampleCount, graph)), None)
            total = int(count.value) + new if isinstance(count, Literal) else new
            changes.put(series, VT.sampleCount, [Literal(total)], graph)

    def put_series(
        self,
        twin: NamedNode,
        steps: Sequence[str],
        times: NDArray[np.int64],
        values: NDArray[np.float64],
        unit: str | None,
        provenance: Provenance,
    ) -> int:
        """Put many samples at once at the end of ``steps``; returns the number of new times.

        ``times`` (n,) are microseconds since 1970 UTC, in any order; of several values for a time the last counts.
        Raises as :meth:`put` does.
        """
        where = f"{self.names.path_of(twin)}/{'/'.join(steps)}"
        node, prop = self._descend(twin, steps, where)
        if prop.kind != "series":
            raise InputError(f"{where}: is no series; put a single value instead")
        if unit != prop.unit:
            wanted = prop.unit or "no unit"
            raise UnitError(f"{where}: is in {wanted}, the samples have {unit or 'no unit'}; send them in {wanted}")
        try:
            times, values = sort_and_deduplicate(times, values)
            moments = [from_microseconds(int(time)) for time in times[[0, -1]]] if len(times) else []
        except (InputError, OverflowError) as error:
            raise InputError(f"{where}: {error}") from None
        if not moments:
            return 0
        graph = twin if provenance.kind == "asserted" else self.names.computed_graph(twin)
        series = self._series_node(node, prop, graph)
        new = self._count_new(series, times)
        self._mark(series, moments[0], moments[-1], float(values[-1]), new, graph)
        self.changes.batch(series, times, values)
        return new

    def _count_new(self, series: NamedNode, times: NDArray[np.int64]) -> int:
        stored = self.series.read(series, int(times[0]), int(times[-1]) + 1).times
        pending = [np.array([sample.time]) for sample in self.changes.samples if sample.series == series]
        pending += [batch.times for batch in self.changes.batches if batch.series == series]
        return int(np.isin(times, np.concatenate([stored, *pending]), invert=True).sum())

    def _has_sample(self, series: NamedNode, moment: datetime) -> bool:
        time = to_microseconds(moment)
        pending = any(sample.series == series and sample.time == time for sample in self.changes.samples)
        pending = pending or any(
            batch.series == series and bool(np.any(batch.times == time)) for batch in self.changes.batches
        )
        return pending or self.series.aggregate(series, "count", time, time + 1) is not None

    def _time(self, series: NamedNode, mark: NamedNode, graph: NamedNode) -> datetime | None:
        return first_time(self.changes.objects(series, mark, graph))

    def _observe(
        self, node: NamedNode, prop: Property, terms: Sequence[Term], graph: NamedNode, provenance: Provenance
    ) -> None:
        observation = self.names.observation(node, prop.name)
        put = self.changes.put
        if not self.changes.exists(observation, graph):
            put(observation, RDF.type, [SOSA.Observation], graph)
            put(observation, SOSA.hasFeatureOfInterest, [node], graph)
            put(observation, SOSA.observedProperty, [prop.iri], graph)
        put(observation, SOSA.hasSimpleResult, terms, graph)
        put(observation, SOSA.resultTime, [to_literal(provenance.time)], graph)
        put(observation, PROV.wasGeneratedBy, [provenance.source] if provenance.source else [], graph)
