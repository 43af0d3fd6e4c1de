"""The history of one open fleet: past graphs, samples and states, and events for its followers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...ontology.naming import Naming
from ..history.events import EventFeed
from ..history.past_graphs import AsOf, LoadReader
from ..history.snapshots import History
from ..history.states import Reasoning, StateCache
from ..interfaces import SeriesReader
from ..journal.changes import Slot
from ..journal.sqlite_journal import SqliteJournal
from ..queries.limits import QueryLimits
from ..queries.pool import QueryPool
from .past import PastFleet


@dataclass(frozen=True)
class FleetHistory:
    """Everything that reads the history of one journal."""

    history: History
    states: StateCache
    samples: Callable[[int], SeriesReader]
    feed: EventFeed

    @classmethod
    def over(
        cls, journal: SqliteJournal, loads: LoadReader | None, names: Naming, reasoning: Reasoning
    ) -> FleetHistory:
        """The history of the fleet whose commits are in ``journal``."""
        history = History(journal.database, loads)
        return cls(history, StateCache(history, names, reasoning), journal.series.as_of, EventFeed(history, names))

    def fleet(self, wanted: AsOf, limits: QueryLimits, pool: QueryPool | None = None) -> PastFleet:
        """The fleet as known at a moment. Raises MomentNotFoundError."""
        moment = self.history.find(wanted)
        return PastFleet(moment, self.states, self.samples(moment.sequence), self.samples, self.feed, limits, pool)

    def follow(self, sequence: int, touched: Sequence[Slot]) -> None:
        """Process one commit, after store and rules."""
        self.history.follow(sequence, touched)
        self.feed.follow(sequence, touched)
