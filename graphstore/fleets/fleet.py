"""The access interface: the only way to twin data, for REST, handlers, web pages and scripts.

A :class:`FleetAccess` answers paths and SPARQL and hides where the data is stored: :class:`LocalFleet` (in
``local.py``) has the store in this process, :class:`RemoteFleet` (in ``remote.py``) sends requests to the
server that holds it. Same methods, same answers::

    fleet["pump-07"]["bearing/vibration"]              # one Answer
    fleet.all("/*/inspection/decision")                  # a list of Answers
    fleet.query("SELECT (COUNT(?t) AS ?n) WHERE { ?t a vt:Product }")
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, Final

from ...errors import InputError, PathNotFoundError, TwinNotFoundError
from ...ontology.steps import quote_step
from ..history.events import EventFilter, Subscription
from ..history.past_graphs import AsOf
from ..history.rollback import RollbackAnswer
from ..interfaces import LoadAnswer, QueryAnswer, UpdateAnswer
from ..paths.answers import Answer, Element, Value
from ..paths.parse import parse
from ..paths.syntax import Descendants, Wildcard
from ..validation.report import ValidationReport
from .structure import ElementStructure

NAME_EVERY_STEP: Final = "to write, name every step, as in /pump-07/bearing/vibration"
"""The remedy for a path that cannot be written."""


class FleetAccess(ABC):
    """All twins of one knowledge graph."""

    @abstractmethod
    def all(self, path: str) -> list[Answer]:
        """Every answer of an absolute ``path``, in the order of their paths; empty if there is none.

        Raises PathSyntaxError, or PathNotFoundError for a step that the ontology does not define.
        """

    @abstractmethod
    def structure(self, path: str, depth: int | None = None) -> ElementStructure:
        """The properties and parts of the twin or part at ``path``, set or not; parts down to ``depth`` (None: all).

        Raises NotFoundError, or InputError where the path names a value or many things.
        """

    @abstractmethod
    def query(self, text: str, accept: str | None = None, *, abandoned: Event | None = None) -> QueryAnswer:
        """Answer a SPARQL query over all twins. Raises QueryError, QueryLimitError.

        Set ``abandoned`` from another thread to cancel a query that runs long; a query that another server works on
        continues up to that server's limits.
        """

    @abstractmethod
    def validate(self, twin: str | None = None) -> ValidationReport:
        """SHACL over all twins, or over one."""

    @abstractmethod
    def put(self, path: str, value: Any, *, unit: str | None, time: datetime, author: str) -> int:
        """Put one value at an absolute path; returns the commit's number."""

    @abstractmethod
    def update(self, text: str, *, author: str, force: int | None = None) -> UpdateAnswer:
        """Apply a SPARQL update in one commit, or not at all. Raises QueryError, RuleError, ActionError, OrphanError.

        A change of the design that would leave twins without their class or property is refused unless ``force`` is
        the count of what it orphans, which the refusal names.
        """

    @abstractmethod
    def load(
        self, file: Path, *, graph: str | None = None, author: str, replace: bool = False, force: int | None = None
    ) -> LoadAnswer:
        """Add an RDF file's triples to ``graph``, in one commit; with ``replace`` the graph then holds nothing else.

        The extension of the file determines the format (``.ttl``, ``.nt``, ``.rdf``, ``.nq``, ``.trig``, with or
        without ``.gz``). A file that names graphs needs no ``graph``, except for triples outside of them. ``force``
        is that of :meth:`update`. Raises InputError.
        """

    @abstractmethod
    def rollback(self, to: int, *, data: bool = False, author: str, force: int | None = None) -> RollbackAnswer:
        """Go back to commit ``to`` by a new commit: the design, with ``data`` statements, series and births too.

        It passes the checks of an update, ``force`` included. Raises MomentNotFoundError outside the history.
        """

    @abstractmethod
    def as_of(self, moment: AsOf) -> FleetAccess:
        """The fleet as known at ``moment``: a time, or the number of a commit. It cannot be written.

        A time means the state after the newest commit not after it; commits carry the clock's time, which in a
        replay is the replayed time. Raises MomentNotFoundError outside the fleet's history.
        """

    def events(
        self,
        since: int | datetime | None = None,
        *,
        follow: bool = True,
        twin: str | None = None,
        changes: bool = False,
    ) -> Subscription:
        """Every commit after commit (or moment) ``since``, in order, each once.

        With ``follow`` it waits for more until it is closed, and without ``since`` it begins now. Without ``follow``
        it ends with the newest commit, and without ``since`` it begins as early as possible. ``twin`` restricts the
        events to one twin; ``changes`` includes the triples removed and added. Raises MomentNotFoundError if
        ``since`` is outside the fleet's history.
        """
        return self.subscribe(EventFilter(since, follow, twin, changes))

    @abstractmethod
    def subscribe(self, wanted: EventFilter) -> Subscription:
        """The events that match a filter; :meth:`events` describes them."""

    @abstractmethod
    def status(self) -> Mapping[str, Any]:
        """Totals for people: twins, commits, messages, runs by state, dead letters."""

    @abstractmethod
    def close(self) -> None:
        """Close the fleet and release its resources."""

    def get(self, path: str) -> Answer:
        """The one answer of a path that names one thing. Raises NotFoundError if there is none."""
        parsed = parse(path)
        if any(isinstance(step, Wildcard | Descendants) for step in parsed.steps) or not parsed.steps:
            raise InputError(f"path {path!r}: names many; ask for all of them")
        answers = self.all(path)
        if len(answers) == 1:
            return answers[0]
        if answers:
            raise InputError(f"path {path!r}: names {len(answers)} things; ask for all of them")
        twin = getattr(parsed.steps[0], "name", None)
        if twin is not None and twin not in self:
            raise TwinNotFoundError(f"path {path!r}: there is no twin {twin!r}; `voltwin get /` lists them")
        raise PathNotFoundError(f"path {path!r}: nothing is stored there yet")

    def __getitem__(self, key: str) -> Twin:
        """The twin ``key``. Raises TwinNotFoundError."""
        if key not in self:
            raise TwinNotFoundError(f"there is no twin {key!r}; iterate over the fleet to see them")
        return Twin(self, key)

    def __contains__(self, key: str) -> bool:
        return bool(self.all(f"/{Twin(self, key).segment}"))

    def __iter__(self) -> Iterator[str]:
        for answer in self.all("/"):
            if isinstance(answer.value, Element):
                yield answer.value.path.removeprefix("/")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __enter__(self) -> FleetAccess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ReadOnlyFleet(FleetAccess):
    """A fleet as known at a past moment, which cannot be written."""

    def put(self, path: str, value: Any, *, unit: str | None, time: datetime, author: str) -> int:
        """Raises InputError."""
        raise _read_only(f"path {path!r}")

    def update(self, text: str, *, author: str, force: int | None = None) -> UpdateAnswer:
        """Raises InputError."""
        raise _read_only("update")

    def load(
        self, file: Path, *, graph: str | None = None, author: str, replace: bool = False, force: int | None = None
    ) -> LoadAnswer:
        """Raises InputError."""
        raise _read_only(f"load {file}")

    def rollback(self, to: int, *, data: bool = False, author: str, force: int | None = None) -> RollbackAnswer:
        """Raises InputError."""
        raise _read_only("rollback")


def _read_only(what: str) -> InputError:
    return InputError(f"{what}: the past can be read and not written; write to the fleet without an as-of")


@dataclass(frozen=True)
class Twin:
    """One twin of a fleet; paths given to it are relative."""

    fleet: FleetAccess
    key: str

    @property
    def segment(self) -> str:
        """The key as written in a path."""
        return quote_step(self.key)

    def __getitem__(self, path: str) -> Answer:
        """The one answer of a relative path."""
        return self.fleet.get(f"/{self.segment}/{path}")

    def all(self, path: str) -> list[Answer]:
        """Every answer of a relative path."""
        return self.fleet.all(f"/{self.segment}/{path}")

    def put(self, path: str, value: Value, *, unit: str | None, time: datetime, author: str) -> int:
        """Put one value at a relative path."""
        return self.fleet.put(f"/{self.segment}/{path}", value, unit=unit, time=time, author=author)

    def validate(self) -> ValidationReport:
        """SHACL over this twin."""
        return self.fleet.validate(self.key)
