"""Answers of a path: exactly one if it names one thing, else any number.

Shared by the routes and the command line, so that both report the same things as missing.
"""

from __future__ import annotations

from ...errors import InputError
from ..history.past_graphs import parse_as_of
from ..paths.answers import Answer
from ..paths.parse import parse
from ..paths.syntax import Name, Position
from .fleet import FleetAccess


def at_moment(fleet: FleetAccess, as_of: str | None) -> FleetAccess:
    """The current fleet, or the fleet as known at the moment or after the commit ``as_of``.

    Raises InputError if that is neither, MomentNotFoundError outside the history.
    """
    return fleet if as_of is None else fleet.as_of(parse_as_of(as_of))


def ask(fleet: FleetAccess, path: str) -> list[Answer]:
    """The answers of ``path``. Raises NotFoundError if it names one thing and that is missing."""
    answers = fleet.all(path)
    if not answers and names_one(path):
        fleet.get(path)  # the error tells a missing twin from a missing value
    return answers


def names_one(path: str) -> bool:
    """Whether every step of an absolute path names one thing: plain names and positions."""
    parsed = parse(path)
    if not parsed.absolute:
        raise InputError(f"path {path!r}: is relative; start it with / and a twin")
    named = (isinstance(step, Name) and all(isinstance(p, Position) for p in step.predicates) for step in parsed.steps)
    return bool(parsed.steps) and all(named)
