"""The SPARQL service description: the answer to ``GET /sparql`` without a query."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from pyoxigraph import RdfFormat, parse, serialize

from ...graphstore.interfaces import QueryAnswer

_TEXT: Final = (files(__package__) / "service-description.ttl").read_text("utf-8")
_FORMATS: Final = (RdfFormat.RDF_XML, RdfFormat.N_TRIPLES, RdfFormat.JSON_LD)


def service_description(endpoint: str, accept: str | None) -> QueryAnswer:
    """The capabilities of the endpoint at this address, as RDF; Turtle unless the client names another format."""
    chosen = next((fmt for fmt in _FORMATS if fmt.media_type in (accept or "").lower()), RdfFormat.TURTLE)
    triples = [quad.triple for quad in parse(_TEXT, format=RdfFormat.TURTLE, base_iri=endpoint)]
    return QueryAnswer(chosen.media_type, serialize(triples, format=chosen) or b"")
