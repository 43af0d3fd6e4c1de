"""The vocabulary: IRIs, names and literals, the framework's ontology, message schemas and the example model.

Every layer above may import its modules: :mod:`~voltwin.ontology.iris` has every IRI as a typed constant,
:mod:`~voltwin.ontology.naming` mints the IRIs of a fleet, and the ``.ttl`` files are the framework's ontology.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from pyoxigraph import RdfFormat, Triple, parse

FRAMEWORK_FILES: Final = ("core.ttl", "actions.ttl", "rules.ttl")


def framework() -> list[Triple]:
    """The framework's ontology: core.ttl, actions.ttl and rules.ttl as triples."""
    folder = files(__name__)
    return [
        quad.triple for name in FRAMEWORK_FILES for quad in parse((folder / name).read_bytes(), format=RdfFormat.TURTLE)
    ]
