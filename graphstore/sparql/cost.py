"""Recognition of cheap look-ups by the text of a query alone.

>>> from voltwin.graphstore.sparql.cost import is_bounded_lookup
>>> is_bounded_lookup("SELECT ?v { <https://fleet.example/twins/pump-07> vt:hasPart ?c . ?c vt:key ?v }")
True
>>> is_bounded_lookup("SELECT ?t { ?t a vt:Twin }")    # as large as the fleet
False

A look-up starts at nodes it names and follows few properties from them, forward. Its work is bounded by the number
of values of a property of one node, multiplied over a few steps, for any size of the fleet. All other queries may run
away, including those not understood here: the answer is the same, only slower.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .dataset import FORMS
from .tokens import read_tokens

MOST_PATTERNS: Final = 8
MOST_STEPS: Final = 3
"""The most steps from a named node: each may multiply the rows by the values of a property."""

_VARIABLE: Final = re.compile(r"[?$]\w+")
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


class _Unsure(Exception):
    """Not certainly a look-up."""


def is_bounded_lookup(text: str) -> bool:
    """Whether ``text`` is certainly cheap; False if it may not be, or is not SPARQL."""
    try:
        _Query(_words(text)).read()
    except _Unsure:
        return False
    return True


def _words(text: str) -> list[str]:
    # Strings lose their content, so that it cannot look like syntax.
    return ['"' if token.kind == "string" else token.text for token in read_tokens(text)]


def _is_variable(word: str) -> bool:
    return _VARIABLE.fullmatch(word) is not None


def _is_iri(word: str) -> bool:
    return len(word) > 1 and (word.startswith("<") or (":" in word and not word.startswith("_")))


class _Query:
    """One pass over the words of a query; raises :class:`_Unsure` at the first unknown construct."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._at = 0
        self._patterns = 0
        self._any_predicate = False
        self._followed: set[tuple[str, str]] = set()

    def read(self) -> None:
        """The whole query."""
        while self._peek() in ("BASE", "PREFIX"):
            if self._keyword() == "PREFIX":
                self._word()
            self._iri(self._word())
        form = self._keyword()
        if form == "SELECT":
            self._selection()
        elif form == "CONSTRUCT" and self._peek() != "WHERE":
            self._template()
        elif form == "DESCRIBE":
            self._described()
            return
        elif form not in FORMS:
            raise _Unsure
        if self._peek() == "WHERE":
            self._keyword()
        self._group({}, nested=False)
        self._modifiers()

    def _peek(self) -> str:
        return self._words[self._at].upper() if self._at < len(self._words) else ""

    def _word(self) -> str:
        if self._at >= len(self._words):
            raise _Unsure
        self._at += 1
        return self._words[self._at - 1]

    def _keyword(self) -> str:
        return self._word().upper()

    def _expect(self, word: str) -> None:
        if self._word() != word:
            raise _Unsure

    def _iri(self, word: str) -> None:
        if not _is_iri(word):
            raise _Unsure

    def _selection(self) -> None:
        if self._peek() in ("DISTINCT", "REDUCED"):
            self._keyword()
        if self._peek() == "*":
            self._word()
            return
        while self._at < len(self._words) and _is_variable(self._words[self._at]):
            self._word()

    def _template(self) -> None:
        self._expect("{")
        while (word := self._word()) != "}":
            if word == "{":
                raise _Unsure

    def _described(self) -> None:
        while self._at < len(self._words):
            self._iri(self._word())
            self._patterns += 1
            if self._patterns > MOST_PATTERNS:
                raise _Unsure

    def _group(self, steps: dict[str, int], *, nested: bool) -> None:
        """A group; ``steps`` is the distance of each variable from a named node."""
        self._expect("{")
        while self._peek() != "}":
            if self._peek() == "GRAPH" and not nested:
                self._keyword()
                graph = self._word()
                if not _is_variable(graph):
                    self._iri(graph)
                # Joined with its surroundings as a whole, so it must be anchored by itself.
                self._group({}, nested=True)
                if self._peek() == ".":
                    self._word()
            else:
                self._triples(steps)
        self._expect("}")

    def _triples(self, steps: dict[str, int]) -> None:
        subject = self._word()
        if _is_variable(subject):
            if subject not in steps:
                raise _Unsure
        else:
            self._iri(subject)
        while True:
            self._properties(subject, steps)
            while self._peek() == ";":
                self._word()
            if self._peek() in (".", "}"):
                break
        if self._peek() == ".":
            self._word()

    def _properties(self, subject: str, steps: dict[str, int]) -> None:
        predicate = self._word()
        if _is_variable(predicate):
            if self._any_predicate:
                raise _Unsure
            self._any_predicate = True
        elif predicate != "a":
            self._iri(predicate)
        while True:
            self._value(subject, predicate, steps)
            if self._peek() not in (",", ";", ".", "}"):
                raise _Unsure
            if self._peek() != ",":
                return
            self._word()

    def _value(self, subject: str, predicate: str, steps: dict[str, int]) -> None:
        self._patterns += 1
        if self._patterns > MOST_PATTERNS:
            raise _Unsure
        value = self._word()
        if _is_variable(value):
            if value in steps:
                return
            # The same property twice multiplies its values with themselves.
            if (subject, predicate) in self._followed:
                raise _Unsure
            self._followed.add((subject, predicate))
            steps[value] = steps.get(subject, 0) + 1
            if steps[value] > MOST_STEPS:
                raise _Unsure
        elif value == '"':
            self._literal_kind()
        elif not (_is_iri(value) or _NUMBER.fullmatch(value) or value.lower() in ("true", "false")):
            raise _Unsure

    def _literal_kind(self) -> None:
        if self._peek().startswith("@"):
            self._word()
        elif self._peek() == "^^":
            self._word()
            self._iri(self._word())

    def _modifiers(self) -> None:
        """ORDER BY variables, LIMIT and OFFSET: they only shorten or sort a small result."""
        while self._at < len(self._words):
            word = self._word()
            if word.upper() not in ("ORDER", "BY", "ASC", "DESC", "LIMIT", "OFFSET", "(", ")") and not (
                _is_variable(word) or word.isdigit()
            ):
                raise _Unsure
