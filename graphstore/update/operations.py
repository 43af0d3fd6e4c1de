"""What a SPARQL update asks for, taken apart: one value per operation.

``None`` for a graph in a template is the operation's default graph: the one that ``WITH`` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from pyoxigraph import BlankNode, Literal, NamedNode, Triple, Variable

Place = NamedNode | BlankNode | Literal | Triple | Variable
"""A term of a template: a term to be taken as it is, or what a solution puts there."""


@dataclass(frozen=True)
class QuadTemplate:
    """One quad to be; a triple term as its object is a pattern too, without a graph of its own."""

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
    """The group graph pattern with its braces, as it was written."""
    variables: Sequence[str]
    """What the templates take from a solution."""
    with_graph: NamedNode | None = None
    using: Sequence[NamedNode] = ()
    using_named: Sequence[NamedNode] = ()
    reads: frozenset[NamedNode] | None = None
    """The only graphs its pattern can see; None where that may be any."""
    names_graphs: bool = False
    """Whether the pattern has a GRAPH in it."""


@dataclass(frozen=True)
class Clear:
    """``CLEAR`` and ``DROP``, which are the same here: a graph without triples is not there."""

    graph: NamedNode | None
    """None for ``ALL`` and ``NAMED``."""


@dataclass(frozen=True)
class Create:
    """``CREATE``: nothing to do but to see that the graph is new."""

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
