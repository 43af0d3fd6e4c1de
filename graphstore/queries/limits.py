"""Limits of SPARQL queries, and the errors for exceeding them.

>>> from voltwin.graphstore.queries.limits import QueryLimits
>>> QueryLimits(seconds=5).rows
1000000
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from ...errors import InputError, QueryLimitError

_LESS: Final = "request less (name a twin, add a LIMIT)"


@dataclass(frozen=True)
class QueryLimits:
    """The limits of one query; ``at_once`` is the number of worker processes."""

    seconds: float = 60.0
    """Time from the start in a worker; the wait for a free worker is limited to the same time."""
    rows: int = 1_000_000
    """Rows of a SELECT, triples of a CONSTRUCT or DESCRIBE."""
    bytes: int = 256 * 2**20
    """Length of the answer in the requested format."""
    memory: int = 2 * 2**30
    """Memory of a worker process, bytes: sorting and grouping keep all rows in memory."""
    at_once: int = 2

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise InputError(f"query limit {item.name} = {value}: must be more than 0")

    def over_time(self) -> QueryLimitError:
        """The error for a query that exceeded its time."""
        return QueryLimitError(
            f"query: ended at its time limit of {self.seconds:g} s; {_LESS}, or raise the limit (--query-seconds)"
        )

    def over_rows(self) -> QueryLimitError:
        """The error for an answer with too many rows."""
        return QueryLimitError(
            f"query: ended at its limit of {self.rows} rows; {_LESS}, or raise the limit (--query-rows)"
        )

    def over_bytes(self) -> QueryLimitError:
        """The error for an answer with too many bytes."""
        return QueryLimitError(
            f"query: ended at its limit of {self.bytes} bytes of answer; {_LESS}, or raise the limit (--query-bytes)"
        )

    def over_memory(self) -> QueryLimitError:
        """The error for a worker that exceeded its memory."""
        return QueryLimitError(
            f"query: ended at its memory limit of {self.memory} bytes; {_LESS}, sort and group fewer rows, "
            "or raise the limit (--query-memory)"
        )
