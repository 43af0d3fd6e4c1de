"""The operations of a SPARQL update, a value each.

``None`` for a graph in a template is the operation's default graph: the one named by ``WITH``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from pyoxigraph import BlankNode, Literal, NamedNode, Triple, Variable

Place = NamedNode | BlankNode | Literal | Triple | Variable
"""A term of a template: a constant, or a variable that a solution binds."""


@dataclass(frozen=True)
class QuadTemplate:
    """One quad of a template; a triple term as its object is a pattern too, without a graph of its own."""

    subject: Place
    predicate: Place
    object: Place | QuadTemplate
    graph: NamedNode | Variable | None


Template = Sequence[QuadTemplate]


@dataclass(frozen=True)
class InsertData:
    """``INSERT DATA``: ground quads; blank nodes are new nodes."""

    quads: Template


@dataclass(frozen=True)
class DeleteData:
    """``DELETE DATA``: ground quads."""

    quads: Template


@dataclass(frozen=True)
class Modify:
    """``[WITH] DELETE … INSERT … [USING …] WHERE …``, and ``DELETE WHERE``."""

    prologue: str
    delete: Template
    insert: Template
    where: str
    """The group graph pattern with its braces, as written."""
    variables: Sequence[str]
    """The variables of the templates."""
    with_graph: NamedNode | None = None
    using: Sequence[NamedNode] = ()
    using_named: Sequence[NamedNode] = ()
    reads: frozenset[NamedNode] | None = None
    """The only graphs its pattern can read; None if it may read any."""
    names_graphs: bool = False
    """Whether the pattern contains GRAPH."""


@dataclass(frozen=True)
class Clear:
    """``CLEAR`` and ``DROP``, which are the same here: a graph without triples does not exist."""

    graph: NamedNode | None
    """None for ``ALL`` and ``NAMED``."""


@dataclass(frozen=True)
class Create:
    """``CREATE``, which only checks that the graph is new."""

    graph: NamedNode
    silent: bool


@dataclass(frozen=True)
class Transfer:
    """``ADD``, ``COPY`` and ``MOVE`` from one graph to another."""

    kind: OneOf["ADD", "COPY", "MOVE"]
    source: NamedNode
    target: NamedNode
    silent: bool


Operation = InsertData | DeleteData | Modify | Clear | Create | Transfer
