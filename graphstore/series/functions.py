"""SPARQL functions over series: ``vtf:mean(?series, ?from, ?to)`` and the like.

========================================================  =====================================================
``vtf:count``, ``min``, ``max``, ``sum``, ``mean``,       of the samples in the window [from, to)
``first``, ``last`` ``(?series, ?from, ?to)``
``vtf:integral(?series, ?from, ?to)``                     of the course, in the series' unit times seconds
``vtf:duration_below(?series, ?limit, ?from, ?to)``       seconds for which the course is below the limit
``vtf:at(?series, ?time)``                                the course's value at a moment
========================================================  =====================================================

Both ends of the window, or its end, may be omitted. The course is linear between samples (see statistics.py).
Without a result the expression is unbound, as after errors in SPARQL. docs/series.md has examples.

A sealed file that is missing or damaged is no such error: the whole query fails and names it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from pyoxigraph import Literal, NamedNode

from ...errors import InputError, StoreError, VoltwinError
from ...ontology.iris import FUNCTION
from ...ontology.literals import to_microseconds, to_python
from ..interfaces import Function, Node, SeriesReader
from .statistics import NAMES

_LOG: Final = logging.getLogger(__name__)


class SeriesFunctions(dict[NamedNode, Function]):
    """The functions of one query, and the samples that it could not read."""

    def __init__(self, functions: Mapping[str, Callable[..., Literal | None]]) -> None:
        self._failure: VoltwinError | None = None
        super().__init__({NamedNode(FUNCTION + name): self._noted(name, call) for name, call in functions.items()})

    def check(self) -> None:
        """Raise the first failure to read samples; to be called when the query has been evaluated."""
        if self._failure is not None:
            raise self._failure

    def _noted(self, name: str, function: Callable[..., Literal | None]) -> Function:
        """Log or note exceptions first, because the engine swallows them (the variable is then unbound)."""

        def call(*arguments: Node) -> Literal | None:
            try:
                return function(*arguments)
            except Exception as error:
                # A wrong argument is an error of the expression; anything else leaves the answer without its samples.
                if isinstance(error, InputError | TypeError):
                    _LOG.warning("vtf:%s(%s) failed", name, ", ".join(map(str, arguments)), exc_info=True)
                elif self._failure is None:
                    self._failure = _as_failure(name, error)
                raise

        return call


def _as_failure(name: str, error: Exception) -> VoltwinError:
    if isinstance(error, VoltwinError):
        return type(error)(str(error))
    return StoreError(f"vtf:{name}: samples cannot be read: {error}; `voltwin fsck` says what is damaged")


def series_functions(series: SeriesReader) -> SeriesFunctions:
    """The functions in the form of the embedded engine."""
    functions = {name: _aggregate(series, name) for name in NAMES}
    functions |= {"at": _at(series), "duration_below": _duration_below(series)}
    return SeriesFunctions(functions)


def _aggregate(series: SeriesReader, name: str) -> Callable[..., Literal | None]:
    def function(node: Node, start: Node | None = None, end: Node | None = None) -> Literal | None:
        value = series.aggregate(_series(node), name, _time(start), _time(end))
        return None if value is None else Literal(int(value) if name == "count" else value)

    return function


def _at(series: SeriesReader) -> Callable[..., Literal | None]:
    def function(node: Node, moment: Node) -> Literal | None:
        time = _time(moment)
        value = None if time is None else series.at(_series(node), time)
        return None if value is None else Literal(value)

    return function


def _duration_below(series: SeriesReader) -> Callable[..., Literal | None]:
    def function(node: Node, limit: Node, start: Node | None = None, end: Node | None = None) -> Literal | None:
        seconds = series.duration_below(_series(node), _number(limit), _time(start), _time(end))
        return None if seconds is None else Literal(seconds)

    return function


def _series(node: Node) -> NamedNode:
    if not isinstance(node, NamedNode):
        raise InputError(f"{node}: not a series; the first argument must be a series' node")
    return node


def _number(node: Node) -> float:
    number = to_python(node) if isinstance(node, Literal) else None
    if isinstance(number, int | float) and not isinstance(number, bool) and not math.isnan(number):
        return float(number)
    raise InputError(f"{node}: not a limit; write a number in the series' unit")


def _time(node: Node | None) -> int | None:
    if node is None:
        return None
    moment = to_python(node) if isinstance(node, Literal) else None
    if not isinstance(moment, datetime):
        raise InputError(f'{node}: not a time; write "2019-06-01T00:00:00Z"^^xsd:dateTime')
    return to_microseconds(moment)
