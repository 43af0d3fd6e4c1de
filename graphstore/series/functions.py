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
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from pyoxigraph import Literal, NamedNode

from ...errors import InputError
from ...ontology.iris import FUNCTION
from ...ontology.literals import to_microseconds, to_python
from ..interfaces import Function, Node, SeriesReader
from .statistics import NAMES

_LOG: Final = logging.getLogger(__name__)


def series_functions(series: SeriesReader) -> Mapping[NamedNode, Function]:
    """The functions in the form of the embedded engine."""
    functions = {name: _aggregate(series, name) for name in NAMES}
    functions |= {"at": _at(series), "duration_below": _duration_below(series)}
    return {NamedNode(FUNCTION + name): _logged(name, function) for name, function in functions.items()}


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


def _logged(name: str, function: Callable[..., Literal | None]) -> Function:
    """Log exceptions first, because the engine swallows them (the variable is then unbound)."""

    def call(*arguments: Node) -> Literal | None:
        try:
            return function(*arguments)
        except Exception:
            _LOG.warning("vtf:%s(%s) failed", name, ", ".join(map(str, arguments)), exc_info=True)
            raise

    return call


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
