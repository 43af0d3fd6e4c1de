"""What a SPARQL query may take before it is ended, and the sentences that say so.

>>> from voltwin.graphstore.queries.limits import QueryLimits
>>> QueryLimits(seconds=5).rows
1000000
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from ...errors import InputError, QueryLimitError

_LESS: Final = "ask for less (name a twin, add a LIMIT)"


@dataclass(frozen=True)
class QueryLimits:
    """The limits of one query; ``at_once`` is how many that may run away are worked on at the same time."""

    seconds: float = 60.0
    """Time, from when a reader takes the query up; a query that waits for a reader waits as long at most."""
    rows: int = 1_000_000
    """Rows of a SELECT, triples of a CONSTRUCT or DESCRIBE."""
    bytes: int = 256 * 2**20
    """Length of the answer in the format that was asked for."""
    memory: int = 2 * 2**30
    """What a reader process may hold, bytes: sorting and grouping keep everything they have seen."""
    at_once: int = 2

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise InputError(f"query limit {item.name} = {value}: must be more than 0")

    def over_time(self) -> QueryLimitError:
        """The query was not answered in time."""
        return QueryLimitError(
            f"query: ended at its time limit of {self.seconds:g} s; {_LESS}, or raise the limit (--query-seconds)"
        )

    def over_rows(self) -> QueryLimitError:
        """There is more to answer than may be."""
        return QueryLimitError(
            f"query: ended at its limit of {self.rows} rows; {_LESS}, or raise the limit (--query-rows)"
        )

    def over_bytes(self) -> QueryLimitError:
        """The answer is too long."""
        return QueryLimitError(
            f"query: ended at its limit of {self.bytes} bytes of answer; {_LESS}, or raise the limit (--query-bytes)"
        )

    def over_memory(self) -> QueryLimitError:
        """The reader needed more memory than it may have."""
        return QueryLimitError(
            f"query: ended at its memory limit of {self.memory} bytes; {_LESS}, sort and group fewer rows, "
            "or raise the limit (--query-memory)"
        )
