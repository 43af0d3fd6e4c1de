"""One run of a SPARQL query: its result format, its default graph, the series functions, and its limits.

>>> from voltwin.graphstore.queries.run import QueryRun
>>> run = QueryRun.of("SELECT * FROM <https://fleet.example/twins/pump-07> { ?s ?p ?o }", "text/csv")
>>> run.union, run.may_run_away
(False, True)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..interfaces import QueryAnswer, QueryResult, SeriesReader
from ..series.functions import series_functions
from ..sparql.cost import is_bounded_lookup
from ..sparql.dataset import names_dataset
from .limits import QueryLimits
from .results import Formats, choose_formats, serialise

Evaluate = Callable[..., QueryResult]
"""The method ``query`` of a triple store."""


@dataclass(frozen=True)
class QueryRun:
    """A query with everything that is known from its text and the accepted formats."""

    text: str
    formats: Formats
    union: bool
    """Whether the default graph is the union of all graphs.

    Only without FROM and FROM NAMED, because the engine lets the union override them.
    """

    @classmethod
    def of(cls, text: str, accept: str | None = None) -> QueryRun:
        """The run of ``text``. Raises QueryError if no accepted format is offered."""
        return cls(text, choose_formats(accept), not names_dataset(text))

    @property
    def may_run_away(self) -> bool:
        """Whether the query belongs in a worker process, which can be killed."""
        return not is_bounded_lookup(self.text)

    def answer(self, evaluate: Evaluate, series: SeriesReader, limits: QueryLimits) -> QueryAnswer:
        """Answer in this process. Raises QueryError, QueryLimitError, StoreError if samples cannot be read."""
        functions = series_functions(series)
        # Never under a name of this frame: an error's traceback would hold the result, and that the store.
        answer = serialise(evaluate(self.text, union=self.union, functions=functions), self.formats, limits)
        functions.check()
        return answer
