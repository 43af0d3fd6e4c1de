"""Every error voltwin raises on purpose, as one tree.

A message says where, what, and what to do next; the command line prints it as one sentence and
exits with ``exit_code`` (:data:`EXIT_CODES`, docs/cli.md), the REST interface answers it with ``status``.

::

    VoltwinError                    1 / 500
    ├── InputError                  2 / 422   wrong input from a person or a file
    │   ├── InputLimitError         2 / 413   a text or body is larger or deeper than allowed
    │   ├── ModelFileError          2 / 422   a UML file or description cannot be read
    │   ├── PathSyntaxError         2 / 400   a path is not well formed
    │   ├── QueryError              2 / 400   a SPARQL text is not well formed or not allowed
    │   │   └── QueryLimitError     2 / 413   a query was ended at its limit of time, rows, bytes or memory
    │   ├── MessageError            2 / 422   a message does not fit its schema or its action
    │   ├── AccessError             2 / 403   a write that this server does not allow
    │   ├── RuleError               2 / 422   a rule cannot be compiled
    │   ├── ActionError             2 / 422   an action cannot be understood
    │   ├── ShapesError             2 / 422   a shape cannot be evaluated
    │   ├── OrphanError             2 / 409   a change of the design would leave twins without class or property
    │   └── UnitError               2 / 422   two units do not fit each other
    ├── NotFoundError               3 / 404   a well-formed question about something that does not exist
    │   ├── TwinNotFoundError
    │   ├── PathNotFoundError
    │   └── MomentNotFoundError     3 / 404   a moment or commit outside the fleet's history
    ├── StoreError                  4 / 503   the fleet's folder, journal or engine
    │   ├── FleetLockedError        4 / 503   another process holds the folder
    │   ├── FleetVersionError       4 / 503   made by a newer voltwin
    │   ├── GraphBehindError        4 / 503   the graph lacks commits and may not be written
    │   ├── GraphDamagedError       4 / 503   the files of the graph are damaged; the journal has all of it
    │   └── JournalDamagedError     4 / 503   the journal does not match its hashes
    ├── ServiceError                5 / 502   an outside service did not answer as agreed
    │   ├── BrokerError
    │   └── HandlerError
    └── EnvironmentProblem          6 / 500   wrong Python, busy port, missing program
"""

from __future__ import annotations

from typing import Final

EXIT_CODES: Final = {
    0: "done; also where whoever reads the output has gone",
    1: "the answer of a check is no: validate, fsck, rebuild --check, ontology check, log --verify, --strict",
    2: "bad input: options, a path, a query, a file, a message",
    3: "not found: a twin, what a path leads to, a moment outside the history",
    4: "the fleet: none is named, the folder is none, is held, or its store refuses",
    5: "a service outside: server, broker or handler did not answer as agreed",
    6: "the environment: a missing package or program, a busy port",
    7: "salvage: a new fleet was made, and something is lost, as printed",
    8: "not validated: a shape cannot be evaluated, so that nothing is known",
    130: "ended by Ctrl-C",
}
"""The exit codes of every verb."""

EXTRAS: Final = {
    "amqtt": "demo",
    "duckdb": "series",
    "fsspec": "series",
    "matplotlib": "plots",
    "owlready2": "ontology",
    "psycopg": "postgres",
    "pyarrow": "series",
    "scipy": "models",
}
"""Packages that not everybody needs, and the extra of voltwin that brings each."""


class VoltwinError(Exception):
    """The root: catch this to catch everything voltwin raises on purpose."""

    exit_code = 1
    status = 500


class InputError(VoltwinError):
    """Wrong input from a person or a file."""

    exit_code = 2
    status = 422


class InputLimitError(InputError):
    """A text or body is larger or deeper than the limits in the settings allow."""

    status = 413


class ModelFileError(InputError):
    """A UML file or a JSON description cannot be read."""


class PathSyntaxError(InputError):
    """A path is not well formed; ``position`` is the column (from 0) of the first error."""

    status = 400

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class QueryError(InputError):
    """A SPARQL text is not well formed or not allowed here."""

    status = 400


class QueryLimitError(QueryError):
    """A query was ended at its limit of time, rows, bytes or memory."""

    status = 413


class MessageError(InputError):
    """A message does not fit its schema or its action."""


class AccessError(InputError):
    """A write that this server does not allow."""

    status = 403


class RuleError(InputError):
    """A rule cannot be compiled."""


class ActionError(InputError):
    """An action in the graph cannot be understood."""


class ShapesError(InputError):
    """A shape cannot be evaluated."""


class OrphanError(InputError):
    """A change of the design would leave twins without their class or property; it can be forced with the count."""

    status = 409


class UnitError(InputError):
    """Two units do not fit each other, or one is missing."""


class NotFoundError(VoltwinError):
    """A well-formed question about something that does not exist."""

    exit_code = 3
    status = 404


class TwinNotFoundError(NotFoundError):
    """No twin of that name."""


class PathNotFoundError(NotFoundError):
    """The path leads nowhere in this twin."""


class MomentNotFoundError(NotFoundError):
    """The moment or commit is outside the history in the fleet's journal."""


class StoreError(VoltwinError):
    """The fleet's folder, journal or engine refused."""

    exit_code = 4
    status = 503


class FleetLockedError(StoreError):
    """Another process holds the fleet's folder."""


class FleetVersionError(StoreError):
    """The fleet's folder was made by a newer voltwin."""


class GraphBehindError(StoreError):
    """The graph lacks what the journal has, and is open for reading only."""


class GraphDamagedError(StoreError):
    """The files of the graph, a view of the journal, are damaged or missing."""


class JournalDamagedError(StoreError):
    """The journal does not match its own hashes."""


class ServiceError(VoltwinError):
    """An outside service did not answer as agreed."""

    exit_code = 5
    status = 502


class BrokerError(ServiceError):
    """The MQTT broker is missing, refuses, or closed the connection."""


class HandlerError(ServiceError):
    """A handler failed; the run is recorded with this reason."""


class EnvironmentProblem(VoltwinError):
    """Wrong Python, a busy port, a missing program."""

    exit_code = 6


def missing_package(error: ImportError) -> EnvironmentProblem | None:
    """The error to show where a package of an extra is not installed; None for any other import that fails."""
    name = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or name not in EXTRAS:
        return None
    return EnvironmentProblem(f"the package {name} is not installed: pip install 'voltwin[{EXTRAS[name]}]' brings it")


def error_class(name: str) -> type[VoltwinError] | None:
    """The class of that name in the tree; None for any other name, which a foreign server may send."""
    found = globals().get(name)
    return found if isinstance(found, type) and issubclass(found, VoltwinError) else None
