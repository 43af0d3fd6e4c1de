"""Automatic sealing in a long-running server: a thread that seals old samples every ten minutes.

It needs no lock of the control master: writing a file interferes with nothing, and registering it is one short
transaction of the database, which has one writer. A failed sealing (an unreachable bucket) is logged and tried
again; nothing is lost meanwhile, the samples stay hot.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from ...errors import VoltwinError, missing_package
from ..interfaces import Sealing, SeriesStore

_LOG: Final = logging.getLogger(__name__)
EVERY_SECONDS: Final = 600.0


class PeriodicSealing:
    """Seals samples older than ``hot_days`` by the fleet's clock, from :meth:`start` to :meth:`stop`."""

    def __init__(
        self,
        series: SeriesStore,
        now: Callable[[], datetime | None],
        hot_days: float,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._series, self._now = series, now
        self._hot = timedelta(days=hot_days)
        self._every = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sealing", daemon=True)

    def start(self) -> None:
        """Start the thread; it seals first after one interval, so that the server starts quickly."""
        self._thread.start()

    def stop(self) -> None:
        """Stop between two files."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                done = self.seal()
            except ModuleNotFoundError as error:
                _LOG.warning("samples stay hot: %s", missing_package(error) or error)
                return
            except VoltwinError as problem:
                _LOG.warning("samples stay hot, sealing failed: %s", problem)
            else:
                if done.files:
                    _LOG.info("sealed %d samples into %d files, %d bytes", done.samples, done.files, done.bytes)

    def seal(self) -> Sealing:
        """Seal once; nothing while a replay has no time yet."""
        now = self._now()
        return Sealing() if now is None else self._series.seal(now - self._hot, stop=self._stopping.is_set)
