"""One sentence about a SPARQL text that the engine cannot read: line, column, what is there, what was expected.

>>> from voltwin.graphstore.sparql.syntax_errors import query_problem
>>> query_problem("SELECT ?s { ?s ?p }", "error at 1:20: expected one of LATERAL, SERVICE, [_]")
"line 1, column 19: found '}'; expected a value or '('"

The engine says where it gave up, in its own grammar's characters. Here it is asked again: for the longest run of tokens
that some text could continue, and for the tokens that could come next. Nothing is executed: every text that it is
asked about ends on a character that no SPARQL text has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Store

from ...ontology.iris import PREFIXES
from .tokens import Token, declared_prefixes, read_tokens

MOST_CHARACTERS: Final = 20_000
"""A longer text is not asked about again: the engine's own place has to do."""

_PAD: Final = "\n" * 60 + "\x00"
"""Longer than any keyword: where the engine gives up behind it, all before it was read."""
_PLACE: Final = re.compile(r"\bat (\d+):(\d+)")
_REASON: Final = re.compile(r"(?:expected one of |expected |, )([A-Z][A-Za-z]*(?: [A-Za-z]+){2,})")
_MOST_EXPECTED: Final = 6

_SIGNS: Final = ("}", ")", "]", "{", "(", ";", ",", ".", "*")
_KINDS: Final = {"?x": "a variable", "<urn:a:a>": "an IRI", '"a"': "a text", "1": "a number"}
_WORDS: Final = tuple(
    """SELECT ASK CONSTRUCT DESCRIBE INSERT DELETE CLEAR DROP CREATE COPY MOVE ADD WITH PREFIX BASE WHERE FROM AS BY
    GRAPH DATA TO DEFAULT NAMED ALL DISTINCT FILTER OPTIONAL UNION MINUS BIND VALUES ORDER GROUP HAVING LIMIT OFFSET
    USING""".split()  # noqa: SIM905 - one string of words is easier to read than forty in quotes
)
_OPENERS: Final = {
    "'": "a text in quotes begins here and does not end",
    '"': "a text in quotes begins here and does not end",
    "<": "an IRI begins here, and it does not end or holds a character that no IRI has",
}
_LONGEST: Final = 40


def query_problem(text: str, said: str) -> str:
    """The sentence about a query that the engine refused, and ``said`` why."""
    return _Diagnosis(text, lambda asked: Store().query(asked, prefixes=PREFIXES), said).sentence()


def update_problem(text: str, said: str, start: int = 0, end: int | None = None, before: str = "") -> str:
    """The sentence about an update that the engine refused.

    ``text[start:end]`` is its operation, read after ``before``: what was declared above it.
    """
    return _Diagnosis(text, lambda asked: Store().update(asked, prefixes=PREFIXES), said, start, end, before).sentence()


@dataclass(frozen=True)
class _Diagnosis:
    """One text, and the engine that reads it."""

    text: str
    read: Callable[[str], object]
    said: str
    start: int = 0
    end: int | None = None
    before: str = ""

    def sentence(self) -> str:
        """Line and column (from 1), what is there, and what was expected."""
        piece = self.text[self.start : self.end]
        reason = _REASON.search(self.said)
        if len(piece) > MOST_CHARACTERS:
            return self._roughly()
        if self.before and not self._could_go_on(""):
            return _Diagnosis(self.text, self.read, "", 0, self.start).sentence()  # a declaration is wrong
        tokens = read_tokens(piece)
        read = self._longest(piece, tokens)
        iri = next((item for item in reversed(tokens[:read]) if self._begins_iri(item, piece)), None)
        wrong = iri or (tokens[read] if read < len(tokens) else None)
        at = wrong.start if wrong else tokens[-1].end if tokens else 0
        where = self._where(self.start + at)
        told = self._told(wrong, piece, reason[1] if reason else None)
        if told is not None:
            return f"{where}: {told}"
        expected = self._expected(piece[:at])
        found = "the text ends" if wrong is None else f"found {_quoted(wrong.text)}"
        return f"{where}: {found}" + (f"; expected {expected}" if expected else " is not allowed here")

    def _roughly(self) -> str:
        place = _PLACE.search(self.said)
        line = (int(place[1]) if place else 1) - self.before.count("\n") + self.text[: self.start].count("\n")
        return f"near line {max(line, 1)}: this is not SPARQL"

    def _could_go_on(self, piece: str) -> bool:
        """Whether the engine reads all of this and only then gives up."""
        asked = self.before + piece
        try:
            self.read(asked + _PAD)
        except SyntaxError as error:
            place = _PLACE.search(str(error))
            return place is not None and int(place[1]) > asked.count("\n") + len(_PAD) // 2
        return False  # never: no SPARQL text holds the character at the end

    def _begins_iri(self, token: Token, piece: str) -> bool:
        return token.text == "<" and self._could_go_on(f"{piece[: token.start]}<urn:a:a>")

    def _longest(self, piece: str, tokens: Sequence[Token]) -> int:
        """How many tokens the engine reads before one that cannot follow them."""
        low, high = 0, len(tokens)
        while low < high:
            middle = (low + high + 1) // 2
            if self._could_go_on(piece[: tokens[middle - 1].end]):
                low = middle
            else:
                high = middle - 1
        return low

    def _told(self, wrong: Token | None, piece: str, reason: str | None) -> str | None:
        """The problem, if it is known without the list of expected tokens."""
        if reason is not None and not reason.startswith(("Prefix not found", "IRI parsing")):
            return reason[0].lower() + reason[1:]
        if wrong is None:
            return None
        if wrong.kind == "name":
            prefix = wrong.text.partition(":")[0]
            if prefix not in declared_prefixes(read_tokens(self.before + piece)) and prefix not in PREFIXES:
                return f"the prefix {prefix}: is not declared; begin with PREFIX {prefix}: <…>"
        if wrong.kind == "iri" and ":" not in wrong.text:
            return f"{wrong.text} is not an absolute IRI"
        if wrong.text in _OPENERS:
            return _OPENERS[wrong.text]
        if wrong.text == "}" and self._could_go_on(f"{piece[: wrong.start]} ."):
            return "these braces hold something that is not allowed, such as a BIND to a variable that is in use"
        return None

    def _expected(self, piece: str) -> str:
        signs = [_quoted(sign) for sign in _SIGNS if self._could_go_on(f"{piece} {sign}")]
        kinds = [name for example, name in _KINDS.items() if self._could_go_on(f"{piece} {example}")]
        if len(kinds) == len(_KINDS):
            kinds = ["a value"]
        words = [word for word in _WORDS if self._could_go_on(f"{piece} {word}")]
        found = [*words, *kinds, *signs] if len(words) <= 3 else [*kinds, *signs, *words]
        if len(found) > _MOST_EXPECTED:
            return f"{', '.join(found[:_MOST_EXPECTED])} …"
        return " or ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))

    def _where(self, at: int) -> str:
        above = self.text[:at]
        return f"line {above.count(chr(10)) + 1}, column {len(above) - above.rfind(chr(10))}"


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) < _LONGEST else f"'{text[:_LONGEST]}…'"
