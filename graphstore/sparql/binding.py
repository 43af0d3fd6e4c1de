"""Binding of values into SPARQL text: templates are whole queries, values are RDF terms.

>>> from pyoxigraph import NamedNode
>>> from voltwin.graphstore.sparql.binding import bind
>>> bind("SELECT ?p WHERE { $twin ?p ?o }", {"twin": NamedNode("https://fleet.example/twins/a")})
'SELECT ?p WHERE { <https://fleet.example/twins/a> ?p ?o }'

In a template ``$name`` is a placeholder and ``?name`` is a variable. Only RDF terms can be
bound; their serialisation is the engine's own, so a user's text cannot become syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from pyoxigraph import Literal, NamedNode

Bindable = NamedNode | Literal | Iterable[NamedNode | Literal]

_PLACE: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")

WHOLE_GRAPH: Final = "CONSTRUCT { ?s ?p ?o } WHERE { GRAPH $graph { ?s ?p ?o } }"
"""The template for all triples of one graph."""


def bind(template: str, values: Mapping[str, Bindable]) -> str:
    """Fill every ``$name``; several terms are written one after the other (for ``VALUES``).

    Raises KeyError for a placeholder without a value: a bug in the caller, not in its input.
    """

    def fill(match: re.Match[str]) -> str:
        value = values[match[1]]
        return str(value) if isinstance(value, NamedNode | Literal) else " ".join(map(str, value))

    return _PLACE.sub(fill, template)
