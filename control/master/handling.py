"""A mark of the messages under work, kept in a file: a message that ends the process is found at the next start.

The mark is written before a message is read and erased once its commit is on disk. A message that a starting process
finds in it is handled alone from then on; where the process ended twice while it was handled alone, it is set aside
unread. The file survives the end of the process without fsync; after a power cut a count may be lost.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ENDS: Final = 2
"""Ends of the process after which a message is set aside."""
_MOST: Final = 10_000
"""Messages whose ends are remembered; the oldest are forgotten."""


class HandlingMark:
    """The messages under work, and how often the process ended while each was handled alone."""

    def __init__(self, file: Path | None = None) -> None:
        """Without a file nothing outlives the process."""
        self._ended: dict[str, int] = {}
        self._file = None if file is None else file.open("r+b" if file.exists() else "w+b", buffering=0)
        if self._file is None:
            return
        try:
            document = json.loads(self._file.readline() or b"{}")
            now, self._ended = list(document.get("now", ())), dict(document.get("ended", {}))
        except (ValueError, TypeError, AttributeError):
            now = []  # the process ended while it wrote the mark, not while it handled a message
        for key in now:
            self._ended[key] = self._ended.get(key, 0) + (len(now) == 1)
        self._ended = dict(list(self._ended.items())[-_MOST:])
        self.clear()

    def begin(self, keys: Sequence[str]) -> None:
        """Mark messages before they are handled together."""
        self._write(keys)

    def clear(self) -> None:
        """Erase the mark: nothing is under work."""
        self._write(())

    def finish(self, keys: Sequence[str]) -> None:
        """Erase the mark and forget the ends of messages whose commit is on disk."""
        for key in keys:
            self._ended.pop(key, None)
        self.clear()

    def is_suspect(self, key: str) -> bool:
        """Whether the process ended while this message was under work."""
        return key in self._ended

    def is_deadly(self, key: str) -> bool:
        """Whether the process ended twice while this message was handled alone."""
        return self._ended.get(key, 0) >= ENDS

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, now: Sequence[str]) -> None:
        if self._file is None:
            return
        # One line; what an earlier, longer mark has left behind it is not read.
        text = json.dumps({"now": list(now), "ended": self._ended}).encode() + b"\n"
        # The mark is an aid: on a full disk the commit itself fails and says so.
        with contextlib.suppress(OSError):
            os.pwrite(self._file.fileno(), text, 0)
