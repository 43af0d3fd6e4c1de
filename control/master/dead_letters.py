"""The dead letters of a fleet: bounded in number and bytes; the oldest leave the graph for a file.

A letter has its payload whole up to a limit, so that it can be sent again: as text, or as a ``data:`` URI.
"""

from __future__ import annotations

import base64
import json
import os
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode

from ...graphstore.interfaces import TripleStore
from ...graphstore.journal.changes import ChangeSet
from ...ontology.iris import RDF, VT
from ...ontology.literals import to_literal
from ...ontology.naming import Naming
from ..interfaces import Received
from .faults import in_words

MOST_LETTERS: Final = 10_000
MOST_BYTES: Final = 64 * 2**20
"""The most letters and bytes of payloads in the graph."""
MOST_PAYLOAD: Final = 256 * 2**10
"""Bytes of a payload that are kept; of a longer one, the first."""
FILE: Final = "dead-letters.jsonl"
BINARY: Final = "data:application/octet-stream;base64,"
"""The beginning of a payload that is no text."""
_PARTS: Final = (VT.reason, VT.topic, VT.payload, VT.at)


@dataclass
class DeadLetters:
    """Writes dead letters into a commit, and moves the oldest out of the graph in the same commit."""

    store: TripleStore
    names: Naming
    file: Path | None = None
    """The file for the letters that leave, a JSON object a line; without one they stay in the graph."""
    most_letters: int = MOST_LETTERS
    most_bytes: int = MOST_BYTES
    _kept: deque[tuple[str, int]] | None = field(default=None, init=False)
    """The keys and payload bytes of the letters in the graph, oldest first; None until the first is written."""
    _bytes: int = field(default=0, init=False)

    def add(self, changes: ChangeSet, key: str, received: Received, reason: str, moment: datetime) -> None:
        """Add a letter; where there are too many now, the oldest leave."""
        if self._kept is None:
            self._kept = self._read()
        node, graph = self.names.dead_letter(key), self.names.dead_letters_graph
        payload = _payload(received.payload)
        values = (Literal(in_words(reason)), Literal(in_words(received.topic)), payload, to_literal(moment))
        changes.assert_new(node, RDF.type, VT.DeadLetter, graph)
        for part, value in zip(_PARTS, values, strict=True):
            changes.assert_new(node, part, value, graph)
        self._kept.append((node.value, len(payload.value)))
        self._bytes += len(payload.value)
        if self.file is not None:
            self._bound(self.file, self._kept, changes)

    def forget(self) -> None:
        """Read again which letters there are: a commit failed."""
        self._kept, self._bytes = None, 0

    def _read(self) -> deque[tuple[str, int]]:
        graph = self.names.dead_letters_graph
        times = {quad.subject: quad.object for quad in self.store.quads(None, VT.at, None, graph)}
        found = []
        for quad in self.store.quads(None, VT.payload, None, graph):
            if isinstance(quad.subject, NamedNode) and isinstance(quad.object, Literal):
                at = times.get(quad.subject)
                found.append((at.value if isinstance(at, Literal) else "", quad.subject.value, len(quad.object.value)))
        self._bytes = sum(size for _, _, size in found)
        return deque((node, size) for _, node, size in sorted(found))

    def _bound(self, file: Path, kept: deque[tuple[str, int]], changes: ChangeSet) -> None:
        lines = []
        while len(kept) > self.most_letters or (self._bytes > self.most_bytes and len(kept) > 1):
            name, size = kept.popleft()
            self._bytes -= size
            lines.append(self._take_out(NamedNode(name), changes))
        if lines:
            # Before the commit: a process that ends between them leaves a letter in both places, never in none.
            with file.open("a", encoding="utf-8") as out:
                out.writelines(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
                out.flush()
                os.fsync(out.fileno())

    def _take_out(self, node: NamedNode, changes: ChangeSet) -> dict[str, str]:
        graph, letter = self.names.dead_letters_graph, {"letter": node.value}
        for part in _PARTS:
            for value in changes.objects(node, part, graph):
                if isinstance(value, Literal):
                    letter[part.value.rpartition("#")[2]] = value.value
            changes.put(node, part, [], graph)
        changes.put(node, RDF.type, [], graph)
        return letter


def _payload(payload: bytes) -> Literal:
    kept = payload[:MOST_PAYLOAD]
    if len(payload) > MOST_PAYLOAD:
        text = kept.decode("utf-8", "replace").replace("\0", "\ufffd")
        return Literal(f"{text}… ({len(payload)} bytes)")
    try:
        text = kept.decode()
    except UnicodeDecodeError:
        text = "\0"
    return Literal(f"{BINARY}{base64.b64encode(kept).decode()}" if "\0" in text else text)
