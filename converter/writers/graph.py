"""Small pieces of RDF that the ontology, the shapes and the instances share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from ...ontology.iris import CORE, PREFIXES, RDF, XSD
from ..description.model import Description

Term = NamedNode | BlankNode | Literal


class Graph:
    """Triples in the order in which they were added, each once; blank nodes have stable names.

    Blank nodes get names made from ``seed`` and a count, so that one description always gives the same
    triples and two descriptions can be loaded into one store.
    """

    def __init__(self, seed: str) -> None:
        self._seed = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        self._triples: dict[Triple, None] = {}
        self._blank = 0

    def add(self, subject: NamedNode | BlankNode, predicate: NamedNode, object_: Term) -> None:
        """Add a triple."""
        self._triples[Triple(subject, predicate, object_)] = None

    def text(self, subject: NamedNode | BlankNode, predicate: NamedNode, value: str) -> None:
        """Add a text, unless it is empty."""
        if value:
            self.add(subject, predicate, Literal(value))

    def blank(self) -> BlankNode:
        """A new blank node."""
        self._blank += 1
        return BlankNode(f"b{self._seed}n{self._blank}")

    def list_of(self, items: Iterable[Term]) -> NamedNode | BlankNode:
        """An RDF list of the items."""
        head: NamedNode | BlankNode = RDF.nil
        for item in reversed(list(items)):
            node = self.blank()
            self.add(node, RDF.first, item)
            self.add(node, RDF.rest, head)
            head = node
        return head

    def node_with_list(self, type_: NamedNode, predicate: NamedNode, items: Iterable[Term]) -> BlankNode:
        """A new blank node of ``type_`` with the list of ``items`` as its ``predicate``."""
        node = self.blank()
        self.add(node, RDF.type, type_)
        self.add(node, predicate, self.list_of(items))
        return node

    def triples(self) -> list[Triple]:
        """All triples, grouped by subject in the order of their first use."""
        grouped: dict[NamedNode | BlankNode, list[Triple]] = {}
        for triple in self._triples:
            grouped.setdefault(triple.subject, []).append(triple)  # type: ignore[arg-type]
        return [triple for triples in grouped.values() for triple in triples]


TRUE: Final = Literal("true", datatype=XSD.boolean)


def integer(value: int) -> Literal:
    """An xsd:integer."""
    return Literal(str(value), datatype=XSD.integer)


def provided(iri: str) -> bool:
    """Whether the framework's own files (core.ttl, actions.ttl, rules.ttl) declare this."""
    return iri.startswith(CORE)


def turtle(triples: Iterable[Triple], description: Description) -> bytes:
    """The triples as Turtle, with the prefixes of the vocabulary and of the model's packages."""
    prefixes = {**PREFIXES}
    prefixes.setdefault("", f"{description.iri}#")
    taken = set(prefixes.values())
    for package in description.packages:
        name = package.key.split("::")[-1].lower()
        if package.iri not in taken and name.isascii() and name.isidentifier() and name not in prefixes:
            prefixes[name] = package.iri
            taken.add(package.iri)
    return serialize(triples, format=RdfFormat.TURTLE, prefixes=prefixes) or b""
