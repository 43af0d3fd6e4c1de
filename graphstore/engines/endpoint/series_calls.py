"""Series functions for an engine without series: they are evaluated after the graph part.

The graph part of a query is sent to the engine; its solutions are inserted as VALUES into a query that an empty
store in memory evaluates with the functions. Grouping, ordering and limits are applied there as well, so the answer
equals the answer of an embedded engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyoxigraph import Literal, NamedNode, QuerySolutions, Store

from ....errors import QueryError
from ....ontology.iris import PREFIXES
from ...interfaces import Function, QueryResult
from ...sparql.syntax_errors import query_problem
from .series_split import calls_any, split_query


def answer_in_two_parts(
    text: str, functions: Mapping[NamedNode, Function], ask: Callable[[str], QueryResult]
) -> QueryResult | None:
    """Answer ``text`` with ``ask`` for its graph part; None if it calls none of ``functions``.

    Raises QueryError if a call cannot be separated, or a solution cannot be transferred.
    """
    if not calls_any(text, functions.keys()):
        return None
    # Splitting requires a valid query: the parser reports errors.
    _evaluate(text, functions)
    parts = split_query(text, functions.keys())
    assert parts is not None
    solutions = "VALUES () { () }"
    if parts.graph_part is not None:
        answer = ask(parts.graph_part)
        assert isinstance(answer, QuerySolutions)
        solutions = _values(answer)
    return _evaluate(parts.rest(solutions), functions)


def _evaluate(text: str, functions: Mapping[NamedNode, Function]) -> QueryResult:
    """Evaluate over the data in the text alone."""
    try:
        return Store().query(text, prefixes=PREFIXES, custom_functions=dict(functions))
    except SyntaxError as error:
        raise QueryError(f"query: {query_problem(text, str(error))}") from error
    except RuntimeError as error:
        raise QueryError(f"query: {error}") from error


def _values(solutions: QuerySolutions) -> str:
    names = [variable.value for variable in solutions.variables]
    rows = ("(" + " ".join(_term(row[name]) for name in names) + ")" for row in solutions)
    return f"VALUES ({' '.join(f'?{name}' for name in names)}) {{ {' '.join(rows)} }}"


def _term(term: object) -> str:
    if term is None:
        return "UNDEF"
    if isinstance(term, NamedNode | Literal):
        return str(term)
    raise QueryError(
        f"query: {term} has no name that could be transferred from the remote engine to a series function; "
        "remove its variable from SELECT, or omit the function"
    )
