"""Compilation of a syntax tree to one SPARQL query.

The query returns one row per value: ``?node ?property ?graph ?value``, and, if they exist,
rows for the time of its observation and the run that generated it, marked by ``?mark``. A path that ends
on elements (``/pump-07/valves/*``) returns only ``?value``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pyoxigraph import NamedNode

from ...errors import PathNotFoundError
from ...ontology.iris import PROV, RDF, SOSA, VT
from ...ontology.naming import Naming
from ..schema import Schema
from .syntax import Name, Path, Wildcard
from .walk import Walk, start

# Constant properties and observations reached by their feature of interest: with a property from VALUES, an
# OPTIONAL, or an IRI made by BIND, the engine scans every value or observation of the fleet instead
# (a hundred times slower at 181 twins, and growing with their number).
_VALUES: Final = """\
SELECT ({node} AS ?node) ?property ?graph ?mark ?value WHERE {{
  {branches}
}}"""

_VALUE: Final = "{{ {way} GRAPH ?graph {{ {node} {property} ?value }} {bound} }}"

_MARK: Final = (
    "{{ {way} GRAPH ?graph {{ ?observation {foi} {node} . ?observation {observed} {property} . "
    "?observation {mark} ?value }} {bound} BIND({mark} AS ?mark) }}"
)

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


@lru_cache(maxsize=4096)
def compile_path(path: Path, schema: Schema, names: Naming, observed: bool = True) -> Compiled:
    """Compile an absolute path; ``observed``: include the time and run of each value.

    Raises PathNotFoundError for a step that the schema does not define.
    """
    if not path.absolute:
        raise PathNotFoundError(f"path {str(path)!r}: is relative; give it to a twin, or write /twin/{path}")
    try:
        walk = start(path.steps[0] if path.steps else None, schema, names)
        for step in path.inner[:-1]:
            walk.step(step)
        last = path.inner[-1] if path.inner else None
        if isinstance(last, Name) and not last.predicates and not walk.before_members:
            return _values(walk, [prop.iri for prop in walk.candidates(last.name)], observed)
        if isinstance(last, Wildcard) and not last.predicates and not walk.before_members:
            return _values(walk, [None], observed)
        if last is not None:
            walk.step(last)
    except PathNotFoundError as error:
        raise PathNotFoundError(f"path {str(path)!r}: {error}") from None
    return _elements(walk)


def compile_element(node: NamedNode, schema: Schema, names: Naming) -> str:
    """The query for all values of one element, whatever its class."""
    return _values(Walk(schema, names, node, frozenset()), [None], observed=True).query


def _values(walk: Walk, properties: Sequence[NamedNode | None], observed: bool) -> Compiled:
    """Values of each of the properties; None means any property."""
    way = " ".join([*map(str, walk.patterns), *walk.filters])
    branches = []
    for iri in properties:
        name, bound = ("?property", "") if iri is None else (str(iri), f"BIND({iri} AS ?property)")
        branches.append(_VALUE.format(way=way, node=walk.node, property=name, bound=bound))
        marks = (SOSA.resultTime, PROV.wasGeneratedBy) if observed else ()
        terms = {"foi": SOSA.hasFeatureOfInterest, "observed": SOSA.observedProperty}
        branches += [
            _MARK.format(way=way, node=walk.node, property=name, bound=bound, mark=mark, **terms) for mark in marks
        ]
    return Compiled(_VALUES.format(node=walk.node, branches=" UNION ".join(branches)), ends_on_elements=False)


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
