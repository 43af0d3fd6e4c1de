"""Proof that a journal is whole: its chain of hashes, the fleet it belongs to, and anchors kept elsewhere.

A chain alone cannot show that its newest commits were cut off; a comparison with an :class:`Anchor` can.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ...errors import InputError, JournalDamagedError, StoreError
from ...ontology.literals import format_time, from_microseconds
from ..database import chain
from ..database.check import check_all
from ..database.hashes import UNREADABLE
from ..database.sqlite import Database

_DO_NOT_REBUILD = "do not rebuild the graph from this journal, it may hold the right values"


def faults(found: Iterator[chain.Fault]) -> Iterator[chain.Fault]:
    """The faults, with an error of SQLite's as the last one."""
    try:
        yield from found
    except UNREADABLE as error:
        yield chain.Fault(0, f"it cannot be read ({error})")


def refuse(file: Path, found: Iterator[chain.Fault]) -> None:
    """Raises JournalDamagedError for the first fault."""
    for fault in faults(found):
        raise JournalDamagedError(
            f"{file}: is damaged: {describe(fault)}; run `voltwin fsck`, then restore a backup from before the damage "
            f"or bring together what can be proved with `voltwin salvage` ({_DO_NOT_REBUILD})"
        )


def prove(database: Database) -> None:
    """Check all of a journal. Raises JournalDamagedError."""
    with closing(check_all(database.reader())) as found:
        refuse(database.file, found)


def describe(fault: chain.Fault) -> str:
    """A fault with its commit."""
    return f"commit {fault.sequence}: {fault.problem}" if fault.sequence else fault.problem


@dataclass(frozen=True)
class Anchor:
    """The head of a journal, to be kept where the journal's writer cannot change it."""

    fleet: str
    base: str
    sequence: int
    hash: str
    time: str

    @classmethod
    def of(cls, database: Database) -> Anchor:
        """The head of a journal now. Raises StoreError without commits."""
        reader = database.reader()
        head, texts = chain.head(reader), chain.texts(reader)
        row = reader.execute("SELECT time FROM commits WHERE sequence = ?", (head.sequence,)).fetchone()
        if row is None:
            raise StoreError(f"{database.file}: has no commit yet, so there is nothing to anchor")
        time = format_time(from_microseconds(row[0]))
        return cls(texts.get("fleet", ""), texts.get("base", ""), head.sequence, head.hash.hex(), time)

    @classmethod
    def read(cls, file: Path) -> Anchor:
        """The anchor in ``file``. Raises InputError."""
        try:
            document = json.loads(file.read_text("utf-8"))
            return cls(
                str(document["fleet"]), str(document["base"]), int(document["sequence"]), str(document["hash"]),
                str(document["time"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{file}: cannot be read as an anchor ({error!r}); make one with `voltwin log --anchor`"
            ) from None

    def to_json(self) -> str:
        """The text read by :meth:`read`."""
        return json.dumps(asdict(self))

    def compare(self, database: Database) -> Iterator[chain.Fault]:
        """The contradictions between this anchor and a journal whose chain is sound."""
        reader = database.reader()
        head, start, fleet = chain.head(reader), chain.checkpoint(reader), chain.texts(reader).get("fleet", "")
        if fleet != self.fleet:
            yield chain.Fault(0, f"the anchor is of fleet {self.fleet}, this is fleet {fleet}")
        elif head.sequence < self.sequence:
            yield chain.Fault(
                0, f"ends at commit {head.sequence}, the anchor has commit {self.sequence}: the rest is cut"
            )
        elif self.sequence < start.sequence:
            yield chain.Fault(0, f"the anchor's commit {self.sequence} was compacted away; use a newer anchor")
        else:
            row = reader.execute("SELECT hash FROM commits WHERE sequence = ?", (self.sequence,)).fetchone()
            if (row[0] if row else start.hash).hex() != self.hash:
                yield chain.Fault(self.sequence, "its hash is not the anchor's: the history was replaced")


def contradiction(database: Database, base: str, fleet: str) -> str | None:
    """The first contradiction between fleet.json (``fleet`` is empty in older ones) and the journal; None if none."""
    texts = chain.texts(database.reader())
    for name, wanted in (("base", base), ("fleet", fleet)):
        if wanted and texts.get(name, wanted) != wanted:
            return f"is the journal of the {name} {texts[name]}, and fleet.json beside it says {wanted}"
    return None


def rename(database: Database, fleet: str) -> None:
    """Give the journal another fleet id: that of a copy, which is a fleet of its own."""
    with database.transaction() as writer:
        chain.set_meta(writer, "fleet", fleet)


def identify(database: Database, base: str, fleet: str) -> None:
    """Compare base IRI and fleet id with the journal's, which gets them if it has none. Raises StoreError."""
    found = contradiction(database, base, fleet)
    if found:
        raise StoreError(f"{database.file}: {found}; put the journal and the fleet.json of one fleet together")
    known = chain.texts(database.reader())
    new = {name: value for name, value in (("base", base), ("fleet", fleet or uuid.uuid4().hex)) if name not in known}
    if new and database.writable:
        with database.transaction() as writer:
            for name, value in new.items():
                chain.set_meta(writer, name, value)


def note(database: Database, name: str, value: str) -> None:
    """Write a text beside the commits, such as the kind of the clock, where it differs."""
    if noted(database, name) != value:
        with database.transaction() as writer:
            chain.set_meta(writer, name, value)


def noted(database: Database, name: str) -> str:
    """The text of that name; empty if there is none."""
    return chain.texts(database.reader()).get(name, "")


def last_time_of(database: Database, author: str) -> datetime | None:
    """The time of the newest commit of ``author``."""
    row = database.reader().execute(
        "SELECT time FROM commits WHERE author = ? ORDER BY sequence DESC LIMIT 1", (author,)
    )
    found = row.fetchone()
    return None if found is None else from_microseconds(found[0])
