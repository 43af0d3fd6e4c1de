"""Parsing of a SPARQL update: the engine's grammar checks it, its tokens are split into operations.

>>> from voltwin.graphstore.update.parse import parse_update
>>> [type(item).__name__ for item in parse_update("CREATE GRAPH <urn:a:b>; DROP SILENT GRAPH <urn:a:b>")]
['Create', 'Clear']

Nothing is executed here: each operation that the engine checks is preceded by one that fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pyoxigraph import NamedNode, RdfFormat, Store, parse

from ...errors import QueryError
from ...ontology.iris import PREFIXES
from ...settings import InputLimits
from ..sparql.gate import check_sparql
from ..sparql.syntax_errors import update_problem
from ..sparql.tokens import Token, closing, read_tokens
from .operations import Clear, Create, DeleteData, InsertData, Modify, Operation, Template, Transfer
from .templates import KNOWN_PREFIXES, read_template, variables

_NEVER: Final = "CLEAR GRAPH <urn:x-voltwin:there-is-no-such-graph> ;\n"

_LIMITS: Final = InputLimits()

_NO_DEFAULT: Final = "update: DEFAULT is the union of all graphs here; name one graph"
_NO_LOAD: Final = (
    "update: LOAD is not supported: a server must not fetch addresses from a request; "
    "load the file with `voltwin load FILE --graph IRI`, or send it with POST /graphs?graph=IRI"
)
_NO_SERVICE: Final = "update: SERVICE is not supported: a server must not fetch addresses from a request"


def parse_update(text: str, limits: InputLimits = _LIMITS) -> list[Operation]:
    """The operations of ``text`` in their order. Raises QueryError if it is no update, or not allowed here."""
    check_sparql("update", text, limits)
    operations: list[Operation] = []
    for prologue, tokens in _split(text):
        _check(text, prologue, tokens)
        if tokens:
            operations.append(_UpdateReader(text, prologue, tokens).operation())
    return operations


def _split(text: str) -> Iterator[tuple[str, Sequence[Token]]]:
    """The tokens of each operation, with all declarations before it."""
    tokens = read_tokens(text)
    prologue, start = "", 0
    ends = [index for index, token in enumerate(tokens) if token.text == ";" and token.depth == 0]
    for end in (*ends, len(tokens)):
        begin = min(_behind_prologue(tokens, start), end)
        if begin > start:
            prologue += f"{text[tokens[start].start : tokens[begin - 1].end]}\n"
        yield prologue, tokens[begin:end]
        start = end + 1


def _check(text: str, prologue: str, tokens: Sequence[Token]) -> None:
    """Check one operation with the engine. One by one, because it accepts no PREFIX after a semicolon."""
    start, end = (tokens[0].start, tokens[-1].end) if tokens else (len(text), len(text))
    before = prologue + _NEVER
    try:
        Store().update(before + text[start:end], prefixes=PREFIXES)
    except SyntaxError as error:
        raise QueryError(f"update: {update_problem(text, str(error), start, end, before)}") from error
    except RuntimeError:
        pass  # the missing graph: the text was parsed to its end, and nothing was executed
    if any(token.text == "\\" for token in tokens):
        raise QueryError("update: write the character itself, not its \\u escape, outside of text in quotes")


def _behind_prologue(tokens: Sequence[Token], start: int) -> int:
    index = start
    while index < len(tokens) and tokens[index].is_word("PREFIX", "BASE"):
        index += 3 if tokens[index].is_word("PREFIX") else 2
    return index


def with_using(text: str, default: Sequence[str], named: Sequence[str], limits: InputLimits = _LIMITS) -> str:
    """``text`` with these graphs as the USING and USING NAMED of every operation that has a pattern.

    Implements ``using-graph-uri`` and ``using-named-graph-uri`` of the protocol. Raises QueryError
    if the update names its dataset itself, or an IRI is invalid.
    """
    if not default and not named:
        return text
    try:
        graphs = [(NamedNode(iri), "") for iri in default] + [(NamedNode(iri), "NAMED ") for iri in named]
    except ValueError as error:
        raise QueryError(f"update: using-graph-uri: not an absolute IRI ({error})") from error
    clauses = " ".join(f"USING {named}{graph}" for graph, named in graphs)
    parse_update(text, limits)
    tokens = read_tokens(text)
    if any(token.depth == 0 and token.is_word("USING", "WITH") for token in tokens):
        raise QueryError("update: names its dataset by USING or WITH; omit using-graph-uri or these")
    for index in reversed(range(len(tokens))):
        token = tokens[index]
        if token.depth == 0 and token.is_word("WHERE"):
            pattern = ""
            if index and tokens[index - 1].is_word("DELETE"):  # DELETE WHERE accepts no dataset; the long form does
                pattern = text[tokens[index + 1].start : tokens[closing(tokens, index + 1)].end]
            text = f"{text[: token.start]}{pattern} {clauses} {text[token.start :]}"
    return text


class _UpdateReader:
    """Parses the tokens of one operation."""

    def __init__(self, text: str, prologue: str, tokens: Sequence[Token]) -> None:
        self.text, self.prologue, self.tokens = text, prologue, tokens
        self.index = 0

    def operation(self) -> Operation:
        first = self._next().text.upper()
        match first:
            case "INSERT" | "DELETE" if self._take("DATA"):
                template = self._template()
                return InsertData(template) if first == "INSERT" else DeleteData(template)
            case "INSERT" | "DELETE" | "WITH":
                self.index = 0
                return self._modify()
            case "CLEAR" | "DROP":
                self._take("SILENT")  # it cannot fail
                return Clear(None if self._take("ALL", "NAMED") else self._graph())
            case "CREATE":
                silent = self._take("SILENT")
                return Create(self._graph(), silent)
            case "ADD" | "COPY" | "MOVE":
                silent = self._take("SILENT")
                source = self._graph()
                self._take("TO")
                return Transfer(first, source, self._graph(), silent)
            case "LOAD":
                raise QueryError(_NO_LOAD)
            case _:
                raise QueryError(f"update: {first!r} is no operation of SPARQL 1.1 Update")

    def _next(self) -> Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def _take(self, *words: str) -> bool:
        found = self.index < len(self.tokens) and self.tokens[self.index].is_word(*words)
        self.index += found
        return found

    def _template(self) -> Template:
        opening = self.index
        self.index = closing(self.tokens, opening) + 1
        return read_template(self.prologue, self.text, self.tokens, opening)

    def _graph(self) -> NamedNode:
        if self._take("DEFAULT"):
            raise QueryError(_NO_DEFAULT)
        self._take("GRAPH")
        return self._iri(self._next())

    def _iri(self, token: Token) -> NamedNode:
        line = f"{KNOWN_PREFIXES}{self.prologue} <urn:a:a> <urn:a:a> {token.text} ."
        (quad,) = parse(line, format=RdfFormat.TURTLE)
        assert isinstance(quad.object, NamedNode)
        return quad.object

    def _modify(self) -> Modify:
        with_graph = self._iri(self._next()) if self._take("WITH") else None
        delete: Template = ()
        insert: Template = ()
        spelled_out = True
        if self._take("DELETE"):
            spelled_out = not self._take("WHERE")
            opening = self.index
            delete = self._template()
        if self._take("INSERT"):
            insert = self._template()
        using: dict[bool, list[NamedNode]] = {False: [], True: []}
        while self._take("USING"):
            using[self._take("NAMED")].append(self._iri(self._next()))
        if spelled_out:
            self._take("WHERE")
            opening = self.index
        pattern = self.tokens[opening : closing(self.tokens, opening) + 1]
        if any(token.is_word("SERVICE") for token in pattern):
            raise QueryError(_NO_SERVICE)
        known = None if using[False] or using[True] else self._graphs_read(pattern, with_graph)
        return Modify(
            self.prologue,
            delete,
            insert,
            self.text[pattern[0].start : pattern[-1].end],
            sorted({*variables(delete), *variables(insert)}),
            with_graph,
            tuple(using[False]),
            tuple(using[True]),
            frozenset(using[False] + using[True]) or known,
            any(token.is_word("GRAPH") for token in pattern),
        )

    def _graphs_read(self, pattern: Sequence[Token], default: NamedNode | None) -> frozenset[NamedNode] | None:
        """The graphs read by a pattern over ``default``; None if its tokens do not determine them."""
        graphs = {default} if default else set()
        index = 0
        while index < len(pattern):
            token = pattern[index]
            if token.is_word("GRAPH"):
                if pattern[index + 1].kind == "variable":
                    return None
                graphs.add(self._iri(pattern[index + 1]))
                index = index + 2 if default else closing(pattern, index + 2)
            elif default is None and not (token.text in "{}." or token.is_word("OPTIONAL", "UNION", "MINUS")):
                return None  # reads the union of all graphs
            index += 1
        return frozenset(graphs)
