"""The count of what a change of the design would orphan, made inside its commit.

Counted are: twins and their parts left with a class that is no longer declared, values left with a property that is no
longer declared, and the statements of a design graph that is dropped as a whole. A change that orphans anything is
refused unless it is forced with this count, so that whoever forces it knows what is lost, also when others write
meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import Final

from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from ...errors import OrphanError
from ...ontology.iris import RDF
from ...ontology.naming import Naming
from ..interfaces import Entry, Node, TripleStore
from ..journal.bulk_files import LoadFiles
from ..schema import load_schema
from .protected import design_graphs, is_view

NAMED_AT_MOST: Final = 5
"""The orphans that a refusal names."""


@dataclass(frozen=True)
class Orphans:
    """The orphans of one change: how many of each kind, and the first of them."""

    elements: int = 0
    values: int = 0
    statements: int = 0
    first: Sequence[str] = ()

    @property
    def count(self) -> int:
        """All of it: the number with which it is forced."""
        return self.elements + self.values + self.statements

    def __str__(self) -> str:
        parts = (
            (self.elements, "twins or parts without their class"),
            (self.values, "values without their property"),
            (self.statements, "statements of the design dropped with their whole graph"),
        )
        named = ", ".join(self.first) + (", …" if len(self.first) < self.count else "")
        return f"{', '.join(f'{number} {what}' for number, what in parts if number)}: {named}"


def refuse_orphans(orphans: Orphans, force: int | None) -> None:
    """Raise OrphanError for anything that would be orphaned and was not forced with its count."""
    if not orphans.count or force == orphans.count:
        return
    given = "" if force is None else f" (not {force}; it has changed meanwhile, or was another change)"
    raise OrphanError(
        f"design: this would leave {orphans}; change the twins first, or force it with the count: "
        f"--force {orphans.count}, over HTTP the header Voltwin-Force: {orphans.count}{given}"
    )


def count_orphans(
    store: TripleStore, after: TripleStore, entry: Entry, names: Naming, loads: LoadFiles | None
) -> Orphans:
    """The orphans of ``entry`` in ``store``; ``after`` has the design graphs as they would be."""
    old, new = load_schema(store, names), load_schema(after, names)
    classes = old.classes.keys() - new.classes.keys()
    properties = old.properties.keys() - new.properties.keys()
    twins = _TwinsAfter.of(store, entry, names, loads) if classes or properties else None
    elements = {
        quad.subject
        for cls in classes
        for quad in (twins.quads(RDF.type, cls) if twins else ())
        if isinstance(quad.subject, NamedNode)
    }
    values = {quad for prop in properties for quad in (twins.quads(prop, None) if twins else ())}
    dropped = [
        (graph, sum(1 for _ in store.quads(None, None, None, graph)))
        for graph in design_graphs(names)
        if not any(after.quads(None, None, None, graph))
    ]
    told = chain(
        (f"graph {graph.value}" for graph, count in dropped if count),
        (_shown(element, names) for element in sorted(elements, key=lambda element: element.value)),
        (f"{_shown(quad.subject, names)} {quad.predicate.value}" for quad in sorted(values, key=str)),
    )
    first = tuple(text for text, _ in zip(told, range(NAMED_AT_MOST), strict=False))
    return Orphans(len(elements), len(values), sum(count for _, count in dropped), first)


@dataclass(frozen=True)
class _TwinsAfter:
    """The quads of twins as they would be after a commit."""

    store: TripleStore
    names: Naming
    gone: Set[Quad]
    come: Sequence[Quad]

    @classmethod
    def of(cls, store: TripleStore, entry: Entry, names: Naming, loads: LoadFiles | None) -> _TwinsAfter:
        gone, come = set[Quad](), list[Quad]()
        for load in entry.loads:
            if _of_a_twin(load.graph, names) and loads is not None:
                for piece in loads.pieces(load.file):
                    come += _quads(piece, load.graph)
        for change in entry.changes:
            if _of_a_twin(change.graph, names):
                gone.update(_quads(change.removed.encode(), change.graph))
                come += _quads(change.added.encode(), change.graph)
        return cls(store, names, gone, come)

    def quads(self, predicate: NamedNode, value: NamedNode | None) -> Iterator[Quad]:
        """Those that match."""
        for quad in self.store.quads(None, predicate, value, None):
            graph = quad.graph_name
            if isinstance(graph, NamedNode) and _of_a_twin(graph, self.names) and quad not in self.gone:
                yield quad
        yield from (quad for quad in self.come if quad.predicate == predicate and value in (None, quad.object))


def _of_a_twin(graph: NamedNode, names: Naming) -> bool:
    return names.owner(graph) is not None and not is_view(graph, names)


def _quads(lines: bytes, graph: NamedNode) -> Iterable[Quad]:
    return (Quad(quad.subject, quad.predicate, quad.object, graph) for quad in parse(lines, format=RdfFormat.N_TRIPLES))


def _shown(node: Node, names: Naming) -> str:
    """An element's path, or its IRI where it has none."""
    return names.path_of(node) if isinstance(node, NamedNode) and node.value.startswith(names.twins) else str(node)
