"""Templates of quads: read from SPARQL text by an RDF parser, filled from a solution.

A template is Turtle with variables and GRAPH blocks. With a secret IRI in place of each variable it is TriG,
and the engine's own parser reads it, including prefixes, lists, ``[ … ]`` and ``a``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, RdfFormat, Store, Triple, Variable, parse

from ...errors import QueryError
from ...ontology.iris import PREFIXES
from ..interfaces import Node
from ..sparql.tokens import Token, closing
from .operations import Place, QuadTemplate, Template

_SECRET: Final = uuid.uuid4().hex
_VARIABLE: Final = f"urn:x-voltwin:{_SECRET}:variable:"
_DEFAULT: Final = f"urn:x-voltwin:{_SECRET}:default"

KNOWN_PREFIXES: Final = "".join(f"PREFIX {name}: <{iri}> " for name, iri in PREFIXES.items())
"""The prefixes that an update need not declare."""

NO_GRAPH: Final = (
    "update: the default graph is the union of all graphs and cannot be written; "
    "name the graph, as in INSERT DATA { GRAPH <…/twins/pump-07> { … } } or WITH <…>"
)

Values = Callable[[str], Node | None]
"""The value of a variable in a solution."""


def read_template(prologue: str, text: str, tokens: Sequence[Token], opening: int) -> Template:
    """The quads between the brace at ``tokens[opening]`` and its end. Raises QueryError."""
    last, index = closing(tokens, opening), opening + 1
    blocks: list[str] = []
    while index < last:
        if tokens[index].is_word("GRAPH") and tokens[index].depth == tokens[opening].depth + 1:
            end = closing(tokens, index + 2)
            blocks.append(_turtle(text, tokens[index : end + 1]))
            index = end + 1
        elif tokens[index].text == ".":
            index += 1  # between triples and a GRAPH block, where TriG allows none
        else:
            end = index
            while end < last and not (tokens[end].is_word("GRAPH") and tokens[end].depth == tokens[index].depth):
                end += 1
            blocks.append(f"GRAPH <{_DEFAULT}> {{ {_turtle(text, tokens[index:end])} }}")
            index = end
    source = f"{KNOWN_PREFIXES}{prologue}\n" + "\n".join(blocks)
    try:
        return [_template(quad) for quad in parse(source, format=RdfFormat.TRIG)]
    except (SyntaxError, MemoryError) as error:  # MemoryError: a term longer than the parser's buffer
        raise QueryError(f"update: the template cannot be parsed: {error}") from error


def _turtle(text: str, tokens: Sequence[Token]) -> str:
    """The source of ``tokens`` with variables and booleans in Turtle's form."""
    parts, place = [], tokens[0].start
    for token in tokens:
        parts.append(text[place : token.start])
        if token.kind == "variable":
            parts.append(f"<{_VARIABLE}{token.text[1:]}>")
        else:
            parts.append(token.text.lower() if token.is_word("TRUE", "FALSE") else token.text)
        place = token.end
    return "".join(parts)


def _template(quad: Quad) -> QuadTemplate:
    graph = None if quad.graph_name == NamedNode(_DEFAULT) else _place(quad.graph_name)
    if isinstance(graph, NamedNode | Variable) or graph is None:
        return _pattern(quad.triple, graph)
    raise QueryError(f"update: {graph} cannot name a graph; name it by an IRI")


def _pattern(triple: Triple, graph: NamedNode | Variable | None) -> QuadTemplate:
    inner = triple.object
    object_ = _pattern(inner, None) if isinstance(inner, Triple) else _place(inner)
    return QuadTemplate(_place(triple.subject), _place(triple.predicate), object_, graph)


def _place(term: Node | DefaultGraph) -> Place:
    if isinstance(term, NamedNode) and term.value.startswith(_VARIABLE):
        return Variable(term.value.removeprefix(_VARIABLE))
    assert not isinstance(term, DefaultGraph)
    return term


def variables(template: Template) -> Iterator[str]:
    """The names of the variables in ``template``, with repetitions."""
    for quad in template:
        for place in (quad.subject, quad.predicate, quad.graph):
            if isinstance(place, Variable):
                yield place.value
        if isinstance(quad.object, QuadTemplate):
            yield from variables([quad.object])
        elif isinstance(quad.object, Variable):
            yield quad.object.value


def fill(
    template: Template, values: Values, default: NamedNode | None, skolem: Callable[[BlankNode], NamedNode]
) -> Iterator[Quad]:
    """The quads of ``template`` for one solution; invalid ones are skipped.

    Raises QueryError for a quad without a graph if there is no ``default``.
    """

    def term(place: Place) -> Node | None:
        found = values(place.value) if isinstance(place, Variable) else place
        return skolem(found) if isinstance(found, BlankNode) else found

    def triple(quad: QuadTemplate) -> Triple | None:
        subject, predicate = term(quad.subject), term(quad.predicate)
        object_ = triple(quad.object) if isinstance(quad.object, QuadTemplate) else term(quad.object)
        if isinstance(subject, NamedNode) and isinstance(predicate, NamedNode) and object_ is not None:
            return Triple(subject, predicate, object_)
        return None

    for quad in template:
        made = triple(quad)
        graph = default if quad.graph is None else term(quad.graph)
        if graph is None and quad.graph is None:
            raise QueryError(NO_GRAPH)
        if made is not None and isinstance(graph, NamedNode):
            yield Quad(made.subject, made.predicate, made.object, graph)


def as_stored(quads: Iterable[Quad]) -> list[Quad]:
    """The same quads, each once, in the engine's form (``007`` becomes ``7``).

    The journal must contain that form, or a later commit that removes a quad would name another one.
    """
    scratch = Store()
    scratch.extend(quads)
    return list(scratch)
