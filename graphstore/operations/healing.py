"""Healing in a running server: a damaged graph is made again from the journal, beside the damaged one, and swapped in.

    voltwin serve plant        a block of plant/graph is overwritten; the next read that meets it
      -> GraphDamagedError     all reads and writes refuse (503, Retry-After); /status says so
      -> plant/graph.new       filled from the journal, its rules derived
      -> plant/graph           renamed; reads and writes work again

Nothing acknowledged is lost: every commit is in the journal. A damaged journal heals nothing: the graph stays refused.
"""

from __future__ import annotations

import logging
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...errors import VoltwinError
from ...ontology.naming import Naming
from ..engines.oxigraph import OxigraphStore
from ..history.past_graphs import PastGraphs
from ..journal.commit import Committer
from ..journal.sqlite_journal import SqliteJournal
from ..journal.verification import prove
from .view import Derive, fill

_LOG: Final = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 60.0
_UNDER_WAY: Final = "it is being made again from the journal; ask again in a moment"


@dataclass
class GraphHealing:
    """Waits for damage to the graph of ``committer`` and mends it, in a thread of its own."""

    committer: Committer
    journal: SqliteJournal
    store: OxigraphStore
    graph: Path
    names: Naming
    derive: Derive
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start to wait."""
        threading.Thread(target=self._work, name="graph healing", daemon=True).start()

    def stop(self) -> None:
        """End the thread; a graph that is half made is left for the next start to delete."""
        self._stopping.set()
        self.store.watch.noticed.set()  # wakes it
        with self.committer.lock:  # no graph is swapped in from now on
            pass

    def _work(self) -> None:
        watch = self.store.watch
        while True:
            watch.noticed.wait()
            if self._stopping.is_set():
                return
            _LOG.error("%s", watch.problem)
            watch.healing = _UNDER_WAY
            try:
                self.heal()
                _LOG.warning("%s: the graph has been made again from the journal", self.graph)
            except (VoltwinError, OSError, RuntimeError) as error:
                watch.healing = f"it could not be made again: {error}"
                _LOG.error("%s: %s", self.graph, watch.healing)
                if self._stopping.wait(_PAUSE_SECONDS):
                    return

    def heal(self) -> None:
        """Make the graph again and swap it in. Raises JournalDamagedError, StoreError; the old one then stays."""
        prove(self.journal.database)
        made, past = self.graph.with_name("graph.new"), self.committer.loads
        shutil.rmtree(made, ignore_errors=True)
        fresh = OxigraphStore(made, self.names.base)
        try:
            fill(fresh, PastGraphs(self.journal.database, past), self.journal.last_sequence)
            self.derive(fresh)
            with self.committer.lock:
                if self._stopping.is_set():
                    return
                # Committed while it was made: in the journal, and refused by the damaged graph.
                if Committer(self.journal, fresh, past).catch_up():
                    self.derive(fresh)
                fresh.close()
                self.store.swap(made)
                self.committer.catch_up()  # a commit that met the damage is shown to its followers
        finally:
            fresh.close()
            shutil.rmtree(made, ignore_errors=True)
