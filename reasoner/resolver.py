"""The reasoner behind a path's ``reasoner`` step: the best answer given by rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyoxigraph import Literal, NamedNode

from ..graphstore.interfaces import SeriesReader, TripleStore
from ..graphstore.paths.answers import Answer, Value
from ..graphstore.schema import Property
from ..ontology.literals import to_microseconds, to_python
from ..ontology.naming import Naming
from .candidates import Candidate, read_candidates
from .stitch import span, stitch


@dataclass(frozen=True)
class RuleResolver:
    """Answers from the candidates of the engine."""

    store: TripleStore
    series: SeriesReader
    names: Naming
    now: Callable[[], datetime]

    def resolve(self, node: NamedNode, prop: Property, moment: datetime | None) -> Sequence[Answer]:
        """The best answer for ``prop`` of ``node``, with rules evaluated until ``moment``; empty without one."""
        candidates = [item for item in self.candidates(node) if item.prop == prop.iri]
        if not candidates:
            return ()
        until = moment or self.now()
        answer = self._trend(candidates, until) if prop.kind == "series" else self._value(candidates, until)
        if answer is None:
            return ()
        value, best, time = answer
        return (
            Answer(
                path=f"{self.names.path_of(node)}/{prop.name}",
                value=value,
                unit=prop.unit,
                time=time,
                origin="inferred",
                rule=", ".join(dict.fromkeys(item.rule.value.rpartition("/")[2] for item in best)),
                priority=min(item.priority for item in best),
                inputs=tuple(sorted({self.names.path_of(used) for item in best for used in item.used})),
            ),
        )

    def candidates(self, node: NamedNode) -> list[Candidate]:
        """Every candidate about ``node``, winners or not."""
        owner = self.names.owner(node)
        if owner is None:
            return []
        quads = self.store.quads(None, None, None, self.names.inferred_graph(owner))
        return [item for item in read_candidates(quad.triple for quad in quads) if item.about == node]

    def _trend(
        self, candidates: Sequence[Candidate], until: datetime
    ) -> tuple[Value, list[Candidate], datetime] | None:
        spans = [span(item, self.series, to_microseconds(until)) for item in candidates]
        trend = stitch(item for item in spans if item is not None)
        if not trend.segments:
            return None
        winners = {segment.rule for segment in trend.segments}
        best = [item for item in candidates if item.rule.value.rpartition("/")[2] in winners]
        return trend, sorted(best, key=lambda item: item.order), until

    def _value(
        self, candidates: Sequence[Candidate], until: datetime
    ) -> tuple[Value, list[Candidate], datetime] | None:
        valid = [
            item
            for item in candidates
            if (item.valid_from is None or item.valid_from <= until)
            and (item.valid_to is None or until < item.valid_to)
        ]
        if not valid:
            return None
        best = min(valid, key=lambda item: item.order)
        value = to_python(best.value) if isinstance(best.value, Literal) else self.names.path_of(best.value)
        return value, [best], until
