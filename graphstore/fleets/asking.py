"""Asking a path for what it names: one thing that has to be there, or all of many.

Shared by the routes and the command line, so that both call the same thing missing.
"""

from __future__ import annotations

from ...errors import InputError
from ..history.past_graphs import parse_as_of
from ..paths.answers import Answer
from ..paths.parse import parse
from ..paths.syntax import Name, Position
from .fleet import FleetAccess


def at_moment(fleet: FleetAccess, as_of: str | None) -> FleetAccess:
    """The fleet of now, or as known at the moment or after the commit that ``as_of`` names.

    Raises InputError where that is neither, MomentNotFoundError where it lies outside the history.
    """
    return fleet if as_of is None else fleet.as_of(parse_as_of(as_of))


def ask(fleet: FleetAccess, path: str) -> list[Answer]:
    """What ``path`` answers. Raises NotFoundError where it names one thing and that is not there."""
    answers = fleet.all(path)
    if not answers and names_one(path):
        fleet.get(path)  # says whether it is the twin that is missing or what the path leads to
    return answers


def names_one(path: str) -> bool:
    """Whether every step of an absolute path names one thing: plain names and positions."""
    parsed = parse(path)
    if not parsed.absolute:
        raise InputError(f"path {path!r}: is relative; begin it with / and a twin")
    named = (isinstance(step, Name) and all(isinstance(p, Position) for p in step.predicates) for step in parsed.steps)
    return bool(parsed.steps) and all(named)
