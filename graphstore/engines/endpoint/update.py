"""A commit as SPARQL updates: one if it fits, else several, with the mark in the last.

Each is one operation, DELETE … INSERT … WHERE, because several operations in one request are not atomic on every
engine. WHERE requires that the mark is not beyond the commit: an abandoned update that is executed late, after its
repetition and after later commits, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad

from ....ontology.iris import VT
from ....ontology.naming import Naming
from ...interfaces import Node
from ...sparql.binding import bind

_MARK: Final = "GRAPH $state { $base $applied ?old }"
_NEW_MARK: Final = "GRAPH $state { $base $applied $sequence }"
_SEED: Final = "INSERT DATA { GRAPH $state { $base $applied 0 } }"


@dataclass(frozen=True)
class Updates:
    """The updates of one fleet. The mark exists before all of them, and WHERE matches it once."""

    names: Naming
    most_quads: int
    deleted_alone: Callable[[Node], bool]
    """Whether triples with this object have to be removed by updates of a single graph."""

    def seed(self) -> str:
        """Set the mark of an empty store."""
        return self._bound(_SEED)

    def commit(self, sequence: int, removed: Sequence[Quad], added: Sequence[Quad]) -> Iterator[str]:
        """Remove ``removed``, add ``added``, and set the mark in the last update."""
        guard = f"{self._bound(_MARK)} FILTER(?old <= {Literal(sequence).value})"
        return self._operations(removed, added, guard, (self._bound(_MARK), self._bound(_NEW_MARK, sequence)))

    def change(self, removed: Sequence[Quad], added: Sequence[Quad]) -> Iterator[str]:
        """The same without setting the mark, for views."""
        return self._operations(removed, added, self._bound(_MARK), ("", ""))

    def _operations(
        self, removed: Sequence[Quad], added: Sequence[Quad], guard: str, mark: tuple[str, str]
    ) -> Iterator[str]:
        removed, parts = self._separate(removed)
        few = len(removed) + len(added) <= self.most_quads
        parts += [] if few else self._parts(removed)
        yield from (_operation(_groups(part), "", guard) for part in parts)
        if few:
            mark = _groups(removed) + mark[0], _groups(added) + mark[1]
        else:
            yield from (_operation("", _groups(part), guard) for part in self._parts(added))
        if any(mark):
            yield _operation(*mark, guard)

    def _separate(self, removed: Sequence[Quad]) -> tuple[Sequence[Quad], list[Sequence[Quad]]]:
        """Quads that can be removed with others, and parts of those that cannot, a graph each."""
        alone: dict[str, list[Quad]] = {}
        for quad in removed:
            if self.deleted_alone(quad.object):
                alone.setdefault(str(quad.graph_name), []).append(quad)
        together = [quad for quad in removed if not self.deleted_alone(quad.object)] if alone else removed
        return together, [part for quads in alone.values() for part in self._parts(quads)]

    def _parts(self, quads: Sequence[Quad]) -> Iterator[Sequence[Quad]]:
        for start in range(0, len(quads), self.most_quads):
            yield quads[start : start + self.most_quads]

    def _bound(self, template: str, sequence: int = 0) -> str:
        values: dict[str, NamedNode | Literal] = {
            "state": self.names.state_graph,
            "base": NamedNode(self.names.base),
            "applied": VT.appliedSequence,
            "sequence": Literal(sequence),
        }
        return bind(template, values)


def _operation(removed: str, added: str, where: str) -> str:
    delete = f"DELETE {{ {removed} }}\n" if removed else ""
    insert = f"INSERT {{ {added} }}\n" if added else ""
    return f"{delete}{insert}WHERE {{ {where} }}"


def _groups(quads: Iterable[Quad]) -> str:
    by_graph: dict[str, list[str]] = {}
    for quad in quads:
        by_graph.setdefault(str(quad.graph_name), []).append(f"{quad.triple} .\n")
    return "".join(f"GRAPH {graph} {{\n{''.join(triples)}}}\n" for graph, triples in by_graph.items())
