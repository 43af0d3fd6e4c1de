"""Damage to the embedded graph's files: one error with one sentence, however the engine puts it.

RocksDB compares each block that it reads with a checksum, so damage shows when it is read. The engine then raises a
RuntimeError, or an OSError where a file is missing; the same classes also mean other things, so the text decides.

>>> from voltwin.graphstore.engines.damage import is_damage
>>> is_damage(RuntimeError("Corruption: block checksum mismatch: stored = 1, computed = 2"))
True
>>> is_damage(RuntimeError("The custom function <https://x.example/f> is not supported"))
False
"""

from __future__ import annotations

import errno
import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

from ...errors import GraphDamagedError

_MARKS: Final = ("Corruption", "Not able to find the string with id", "may be corrupted")
_LOST: Final = (errno.ENOENT, errno.EIO)


def is_damage(error: BaseException) -> bool:
    """Whether an error of the engine says that the graph's files are damaged or missing."""
    text = str(error)
    if isinstance(error, OSError):
        lost = error.errno in _LOST or isinstance(error, FileNotFoundError)
        return "IO error" in text and (lost or "No such file" in text or "Input/output error" in text)
    return isinstance(error, RuntimeError) and any(mark in text for mark in _MARKS)


def graph_damaged(where: str, reason: object) -> GraphDamagedError:
    """The one error for a damaged graph at ``where``."""
    return GraphDamagedError(
        f"{where}: the graph of this fleet is damaged; the journal has all of it: `voltwin rebuild` makes the graph "
        f"again, and refuses if the journal is damaged too (then `voltwin salvage`) ({reason})"
    )


class DamageWatch:
    """Notices damage to one graph, and refuses to read it from then on until it has been made again."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._reason: str | None = None
        self.healing: str | None = None
        """The sentence about the mending; None where none is under way."""
        self.noticed = threading.Event()

    @property
    def problem(self) -> str | None:
        """The sentence about the damage; None while none is known."""
        return None if self._reason is None else str(self._error())

    def watching(self) -> AbstractContextManager[None]:
        """Raises GraphDamagedError at once where damage is known, and in place of the engine's errors about it."""
        return _Watching(self)

    def refuse(self) -> None:
        """Raises GraphDamagedError if damage is known."""
        if self._reason is not None:
            raise self._error()

    def notice(self, reason: str) -> GraphDamagedError:
        """Record damage; return the error to raise."""
        if self._reason is None:
            self._reason = reason.rpartition(" (")[2].rstrip(")") if reason.startswith(self._where) else reason
            self.noticed.set()
        return self._error()

    def mended(self) -> None:
        """Forget the damage: the graph has been made again."""
        self._reason = self.healing = None
        self.noticed.clear()

    def _error(self) -> GraphDamagedError:
        if self.healing is None:
            return graph_damaged(self._where, self._reason)
        return GraphDamagedError(f"{self._where}: the graph of this fleet is damaged; {self.healing} ({self._reason})")


class _Watching(AbstractContextManager[None]):
    """By hand, since a generator's frames would be kept with the error, and the store open with them."""

    def __init__(self, watch: DamageWatch) -> None:
        self._watch = watch

    def __enter__(self) -> None:
        self._watch.refuse()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not (isinstance(error, GraphDamagedError) or is_damage(error)):
            return
        # The error raised here remembers the engine's one, whose frames hold unfinished results.
        error.with_traceback(None)
        reason = str(error)
        del trace, error
        raise self._watch.notice(reason)
