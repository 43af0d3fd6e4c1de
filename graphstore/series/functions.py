"""SPARQL functions over series: ``vtf:mean(?series, ?from, ?to)`` and the like.

``vtf:min``, ``max``, ``mean``, ``sum``, ``count`` take a series and, optionally, a window [from, to);
``vtf:at(?series, ?time)`` gives the value in force at a moment. Values are in the series' unit. A
window that is empty leaves the expression unbound, as SPARQL does with errors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from pyoxigraph import Literal, NamedNode

from ...errors import InputError
from ...ontology.iris import FUNCTION
from ...ontology.literals import to_microseconds, to_python
from ..interfaces import Function, Node, SeriesReader

_LOG: Final = logging.getLogger(__name__)
_AGGREGATES: Final = ("min", "max", "mean", "sum", "count")


def series_functions(series: SeriesReader) -> Mapping[NamedNode, Function]:
    """The functions as the embedded engine takes them."""
    functions: dict[NamedNode, Function] = {
        NamedNode(FUNCTION + name): _logged(name, _aggregate(series, name)) for name in _AGGREGATES
    }
    functions[NamedNode(FUNCTION + "at")] = _logged("at", _at(series))
    return functions


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


def _logged(name: str, function: Callable[..., Literal | None]) -> Function:
    """The engine swallows exceptions of a function (its variable stays unbound); say what happened first."""

    def call(*arguments: Node) -> Literal | None:
        try:
            return function(*arguments)
        except Exception:
            _LOG.warning("vtf:%s(%s) failed", name, ", ".join(map(str, arguments)), exc_info=True)
            raise

    return call


def _series(node: Node) -> NamedNode:
    if not isinstance(node, NamedNode):
        raise InputError(f"{node}: not a series; the first argument is a series' node")
    return node


def _time(node: Node | None) -> int | None:
    if node is None:
        return None
    moment = to_python(node) if isinstance(node, Literal) else None
    if not isinstance(moment, datetime):
        raise InputError(f'{node}: not a time; write "2019-06-01T00:00:00Z"^^xsd:dateTime')
    return to_microseconds(moment)
