"""The protocol of a case study for ``voltwin demo`` and ``voltwin simulate``, and its discovery.

An entry point of the group ``voltwin.cases`` is an object that is a :class:`Case`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import HTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from ..errors import EnvironmentProblem
from ..graphstore.fleets.fleet import FleetAccess

GROUP: Final = "voltwin.cases"
CHOICE: Final = "VOLTWIN_CASE"


class Choice(Protocol):
    """A whole number that a person may choose, as an option of the command line."""

    name: str
    default: int
    help: str


class CaseService(Protocol):
    """A service that the case's actions ask."""

    start: Callable[[str, int], HTTPServer]
    """Binds to a host and a port (0: any free one). Raises EnvironmentProblem."""
    example: str
    """A path to try it by."""


class Results(Protocol):
    """Lines of name and text for people, and whether everything has its results."""

    rows: Sequence[tuple[str, str]]
    complete: bool


class Replay(Protocol):
    """One planned replay."""

    title: str
    count: int
    """How many messages there are."""

    def messages(self) -> Iterator[Any]:
        """Every message in order of time, as the simulator's publisher sends them."""
        ...

    def truth(self) -> Mapping[str, Any]:
        """The ground truth, which is never sent, as JSON values."""
        ...

    def results(self, fleet: FleetAccess) -> Results:
        """The results that the fleet has once the replay is through."""
        ...


@runtime_checkable
class Case(Protocol):
    """A case study: a model, a replay of its world, and the services that its actions ask."""

    title: str
    model: Path
    options: Sequence[Choice]
    services: Mapping[str, CaseService]

    def plan(self, chosen: Mapping[str, int]) -> Replay:
        """Plan the replay. Raises InputError."""
        ...


def find_case(environment: Mapping[str, str]) -> Case:
    """The case that is installed; of several, the one that ``VOLTWIN_CASE`` names. Raises EnvironmentProblem."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    wanted = environment.get(CHOICE) or (next(iter(found)) if len(found) == 1 else None)
    if wanted not in found:
        there = ", ".join(sorted(found)) or "none; install voltwin, as in pip install --editable ."
        raise EnvironmentProblem(f"no case study {wanted or ''}: set {CHOICE} to one that is installed: {there}")
    case = found[wanted].load()
    if not isinstance(case, Case):
        raise EnvironmentProblem(f"entry point {wanted!r} of {GROUP}: {found[wanted].value} is no case study")
    return case
