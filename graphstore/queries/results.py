"""SPARQL results in an accepted format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, Triple, serialize

from ...errors import QueryError, QueryLimitError
from ...ontology.iris import PREFIXES
from ..engines.damage import is_damage
from ..interfaces import QueryAnswer, QueryResult
from .limits import QueryLimits
from .output import BoundedOutput, at_most, row_counter

_Format = TypeVar("_Format", QueryResultsFormat, RdfFormat)

RESULT_FORMATS: Final = (
    QueryResultsFormat.JSON,
    QueryResultsFormat.XML,
    QueryResultsFormat.CSV,
    QueryResultsFormat.TSV,
)
RDF_FORMATS: Final = (RdfFormat.TURTLE, RdfFormat.N_TRIPLES, RdfFormat.RDF_XML, RdfFormat.JSON_LD)


@dataclass(frozen=True)
class Formats:
    """The formats for tables and for RDF, chosen before the query runs; None if no accepted one is offered."""

    accept: str | None
    results: QueryResultsFormat | None
    rdf: RdfFormat | None


def choose_formats(accept: str | None) -> Formats:
    """The preferred formats of an HTTP ``Accept``; JSON and Turtle without preference. Raises QueryError."""
    formats = Formats(accept, _choose(accept, RESULT_FORMATS), _choose(accept, RDF_FORMATS))
    if formats.results is None and formats.rdf is None:
        raise _not_offered(accept, (*RESULT_FORMATS, *RDF_FORMATS))
    return formats


def serialise(result: QueryResult, formats: Formats, limits: QueryLimits) -> QueryAnswer:
    """``result`` in the chosen format.

    Raises QueryError if no accepted format fits it or the engine fails during the output, QueryLimitError.
    """
    refusal: Exception
    try:
        if isinstance(result, QuerySolutions | QueryBoolean):
            if formats.results is not None:
                return QueryAnswer(_media_type(formats.results), _table(result, formats.results, limits))
            refusal = _not_offered(formats.accept, RESULT_FORMATS)
        else:
            if formats.rdf is not None:
                return QueryAnswer(_media_type(formats.rdf), _triples(result, formats.rdf, limits))
            refusal = _not_offered(formats.accept, RDF_FORMATS)
    except QueryLimitError as error:
        refusal = error
    except (RuntimeError, OSError) as error:  # errors of the engine, or of a SERVICE, during the output
        # Damage to the graph keeps its class, by which the caller knows it.
        refusal = type(error)(str(error)) if is_damage(error) else QueryError(f"query: {error}")
    # Results belong to the thread that created them, and keep the store open: an error's traceback must not
    # refer to them.
    del result
    raise refusal.with_traceback(None)


def _table(result: QuerySolutions | QueryBoolean, kind: QueryResultsFormat, limits: QueryLimits) -> bytes:
    if isinstance(result, QueryBoolean):
        return result.serialize(format=kind) or b""
    output = BoundedOutput(limits, row_counter(kind))
    result.serialize(output, format=kind)
    return output.getvalue()


def _triples(result: Iterator[Triple], kind: RdfFormat, limits: QueryLimits) -> bytes:
    output = BoundedOutput(limits)
    serialize(at_most(result, limits), output, format=kind, prefixes=PREFIXES if kind == RdfFormat.TURTLE else None)
    return output.getvalue()


def _media_type(chosen: QueryResultsFormat | RdfFormat) -> str:
    return chosen.media_type.partition(";")[0]


def _choose(accept: str | None, formats: tuple[_Format, ...]) -> _Format | None:
    for media in _preferences(accept or "*/*"):
        for candidate in formats:
            kind = _media_type(candidate)
            if media in (kind, "*/*") or (media.endswith("/*") and kind.startswith(media[:-1])):
                return candidate
    return None


def _not_offered(accept: str | None, formats: Sequence[QueryResultsFormat | RdfFormat]) -> QueryError:
    offered = ", ".join(map(_media_type, formats))
    return QueryError(f"Accept {accept!r}: not offered; there are {offered}")


def _preferences(accept: str) -> list[str]:
    """Media types, the preferred ones first."""
    preferences: list[tuple[float, int, str]] = []
    for number, part in enumerate(accept.split(",")):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        try:
            quality = next((float(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        except ValueError:
            raise QueryError(f"Accept {accept!r}: q must be a number from 0 to 1") from None
        if quality > 0:
            preferences.append((-quality, number, media))
    return [media for _, _, media in sorted(preferences)]
