"""From syntax tree to one SPARQL query.

The query answers with one row per value: ``?node ?property ?value`` and, where they exist, the graph
the value stands in, the time of its observation and the run that generated it. A path that ends on
elements (``/module-0017/cells/*``) answers with ``?value`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from ...errors import PathNotFoundError
from ...ontology.iris import RDF, VT
from ...ontology.naming import Naming, segment
from ..schema import Schema
from .syntax import Any, Name, Path
from .walk import Walk, start

_VALUES: Final = """\
SELECT ({node} AS ?node) ?property ?value ?graph ?time ?run WHERE {{
  VALUES (?property ?fragment) {{ {meanings} }}
  {patterns}
  {filters}
  GRAPH ?graph {{ {node} ?property ?value }}
  BIND(IRI(CONCAT(STR({node}), "#", ?fragment)) AS ?observation)
  OPTIONAL {{ GRAPH ?graph {{ ?observation sosa:resultTime ?time }} }}
  OPTIONAL {{ GRAPH ?graph {{ ?observation prov:wasGeneratedBy ?run }} }}
}}"""

_ELEMENTS: Final = """\
SELECT DISTINCT ({node} AS ?value) WHERE {{
  {patterns}
  {filters}
  {node} {type} {element} .
}}"""


@dataclass(frozen=True)
class Compiled:
    """A path as SPARQL."""

    query: str
    ends_on_elements: bool


def compile_path(path: Path, schema: Schema, names: Naming) -> Compiled:
    """Compile an absolute path. Raises PathNotFoundError for a step that the schema does not have."""
    if not path.absolute:
        raise PathNotFoundError(f"path {str(path)!r}: is relative; ask a twin, or write /twin/{path}")
    try:
        walk = start(path.steps[0] if path.steps else None, schema, names)
        for step in path.inner[:-1]:
            walk.step(step)
        last = path.inner[-1] if path.inner else None
        if isinstance(last, Name) and not last.predicates and not walk.before_members:
            return _values(walk, [(prop.iri, prop.name) for prop in walk.candidates(last.name)])
        if isinstance(last, Any) and not last.predicates and not walk.before_members:
            known = frozenset((prop.iri, prop.name) for prop in schema.properties.values())
            return _values(walk, sorted(known, key=lambda meaning: meaning[0].value))
        if last is not None:
            walk.step(last)
    except PathNotFoundError as error:
        raise PathNotFoundError(f"path {str(path)!r}: {error}") from None
    return _elements(walk)


def _values(walk: Walk, meanings: list[tuple[NamedNode, str]]) -> Compiled:
    query = _VALUES.format(
        node=walk.node,
        meanings=" ".join(f"({iri} {Literal(segment(name))})" for iri, name in meanings),
        patterns=" ".join(map(str, walk.patterns)),
        filters=" ".join(walk.filters),
    )
    return Compiled(query, ends_on_elements=False)


def _elements(walk: Walk) -> Compiled:
    walk.settle()
    query = _ELEMENTS.format(
        node=walk.node,
        patterns=" ".join(map(str, walk.patterns)),
        filters=" ".join(walk.filters),
        type=RDF.type,
        element=VT.Element,
    )
    return Compiled(query, ends_on_elements=True)
