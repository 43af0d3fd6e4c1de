"""SPARQL results in the format the asker wants."""

from __future__ import annotations

from typing import Final, TypeVar

from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, serialize

from ..errors import QueryError
from ..ontology.iris import PREFIXES
from .access import QueryAnswer
from .interfaces import QueryResult

_Format = TypeVar("_Format", QueryResultsFormat, RdfFormat)

RESULT_FORMATS: Final = (
    QueryResultsFormat.JSON,
    QueryResultsFormat.XML,
    QueryResultsFormat.CSV,
    QueryResultsFormat.TSV,
)
RDF_FORMATS: Final = (RdfFormat.TURTLE, RdfFormat.N_TRIPLES, RdfFormat.RDF_XML, RdfFormat.JSON_LD)


def serialise(result: QueryResult, accept: str | None) -> QueryAnswer:
    """``result`` in the most wished format of an HTTP ``Accept``; JSON or Turtle where none is wished.

    Raises QueryError where nothing that is wished can be given.
    """
    if isinstance(result, QuerySolutions | QueryBoolean):
        results_format = _choose(accept, RESULT_FORMATS)
        return QueryAnswer(results_format.media_type, result.serialize(format=results_format) or b"")
    rdf_format = _choose(accept, RDF_FORMATS)
    prefixes = PREFIXES if rdf_format == RdfFormat.TURTLE else None
    return QueryAnswer(rdf_format.media_type, serialize(result, format=rdf_format, prefixes=prefixes) or b"")


def _choose(accept: str | None, formats: tuple[_Format, ...]) -> _Format:
    for media in _wishes(accept or "*/*"):
        for candidate in formats:
            kind = candidate.media_type.lower()
            if media in (kind, "*/*") or (media.endswith("/*") and kind.startswith(media[:-1])):
                return candidate
    offered = ", ".join(candidate.media_type for candidate in formats)
    raise QueryError(f"Accept {accept!r}: cannot be given; there are {offered}")


def _wishes(accept: str) -> list[str]:
    """Media types, the most wished first."""
    wishes: list[tuple[float, int, str]] = []
    for number, part in enumerate(accept.split(",")):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        try:
            quality = next((float(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        except ValueError:
            raise QueryError(f"Accept {accept!r}: q must be a number from 0 to 1") from None
        if quality > 0:
            wishes.append((-quality, number, media))
    return [media for _, _, media in sorted(wishes)]
