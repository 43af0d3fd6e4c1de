"""The result format for a SPARQL client: its Accept header, or the ``format`` parameters of some clients.

>>> from voltwin.api.http.accept import negotiate
>>> negotiate("application/json", [])
'application/sparql-results+json;q=1, application/ld+json;q=1'
>>> negotiate("*/*", ["csv"])
'text/csv;q=1, application/n-triples;q=1'

Old and general media types mean the standard one: a client that accepts plain JSON or
XML receives SPARQL results or RDF in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...errors import QueryError

_JSON: Final = ("application/sparql-results+json", "application/ld+json")
_XML: Final = ("application/sparql-results+xml", "application/rdf+xml")
_TURTLE: Final = ("text/turtle",)

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "application/json": _JSON,
    "text/json": _JSON,
    "text/javascript": _JSON,
    "application/javascript": _JSON,
    "application/xml": _XML,
    "text/xml": _XML,
    "application/x-turtle": _TURTLE,
    "application/turtle": _TURTLE,
    "text/rdf+n3": _TURTLE,
    "text/n3": _TURTLE,
    "application/n3": _TURTLE,
    "text/plain": ("application/n-triples", "text/csv"),
}
FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "json": _JSON,
    "json-ld": ("application/ld+json",),
    "xml": _XML,
    "rdf+xml": ("application/rdf+xml",),
    "rdf": ("application/rdf+xml",),
    "csv": ("text/csv", "application/n-triples"),
    "tsv": ("text/tab-separated-values", "application/n-triples"),
    "turtle": _TURTLE,
    "ttl": _TURTLE,
    "n3": _TURTLE,
    "ntriples": ("application/n-triples",),
}


def negotiate(accept: str | None, formats: Sequence[str]) -> str | None:
    """One Accept header of standard media types; None if any type is accepted.

    ``formats`` (``json``, ``xml``, ``csv``, …) apply if the header accepts any type.
    Raises QueryError for an unknown format.
    """
    header = [part.strip() for part in (accept or "").split(",") if part.strip()]
    if formats and all(part.startswith("*/*") for part in header):
        return _weighted(_format(formats[0]), "1")
    accepted = []
    for part in header:
        media, _, parameters = part.partition(";")
        quality = next((p.strip()[2:] for p in parameters.split(";") if p.strip().startswith("q=")), "1")
        name = media.strip().lower()
        accepted.append(_weighted(ALIASES.get(name, (name,)), quality))
    return ", ".join(accepted) or None


def _weighted(media: Sequence[str], quality: str) -> str:
    return ", ".join(f"{name};q={quality}" for name in media)


def _format(name: str) -> tuple[str, ...]:
    known = name.strip().lower()
    if known in FORMATS:
        return FORMATS[known]
    if "/" in known:
        return ALIASES.get(known, (known,))
    raise QueryError(f"format {name!r}: unknown; there are {', '.join(FORMATS)}")
