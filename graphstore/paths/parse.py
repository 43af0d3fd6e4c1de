"""Parsing of a path to a syntax tree, with the exact column of errors.

>>> from voltwin.graphstore.paths.parse import parse
>>> str(parse("/pump-07/valves[serial='V-04']/pressure"))
"/pump-07/valves[serial='V-04']/pressure"
>>> parse("valve//wear")
Traceback (most recent call last):
    ...
voltwin.errors.PathSyntaxError: path 'valve//wear': column 7: '/' does not fit here; expected a name or a 'quoted' text
"""

from __future__ import annotations

import math
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Final

from lark import (
    Lark,
    Token,
    Transformer,
    UnexpectedCharacters,
    UnexpectedEOF,
    UnexpectedInput,
    UnexpectedToken,
)
from lark.exceptions import VisitError

from ...errors import InputError, PathSyntaxError
from ...ontology.literals import parse_time
from .syntax import (
    Comparison,
    CurrentStep,
    Descendants,
    Name,
    Parent,
    Path,
    Position,
    Predicate,
    Step,
    Wildcard,
    Window,
)

_GRAMMAR: Final = (files(__package__) / "grammar.lark").read_text("utf-8")

MOST_DIGITS: Final = 18
"""The most digits of a position."""

_MEANING: Final = {
    "NAME": "a name",
    "SLASH": "'/'",
    "LSQB": "'['",
    "RSQB": "']'",
    "OPERATOR": "one of = != < <= > >=",
    "NUMBER": "a number",
    "QUOTED": "a 'quoted' text",
    "TIME": "a time such as 2019-06-01T00:00Z",
    "INTEGER": "a position such as 2",
    "COMMA": "','",
    "RPAR": "')'",
}


class _MisfitError(Exception):
    """A token that is well formed but invalid, at its column."""

    def __init__(self, position: int | None, problem: str) -> None:
        super().__init__(problem)
        self.position = position or 0


def _moment(token: Token) -> datetime:
    try:
        return parse_time(token)
    except InputError as error:
        raise _MisfitError(token.start_pos, str(error)) from None


class _Build(Transformer[Token, Path]):
    """Tree builder."""

    def start(self, children: list[Path]) -> Path:
        return children[0]

    def absolute(self, children: list[object]) -> Path:
        steps, window = children
        return Path(True, tuple(steps or ()), window)  # type: ignore[arg-type]  # the grammar gives these types

    def relative(self, children: list[object]) -> Path:
        steps, window = children
        return Path(False, tuple(steps or ()), window)  # type: ignore[arg-type]  # the grammar gives these types

    def steps(self, children: list[Step]) -> tuple[Step, ...]:
        return tuple(children)

    def parent(self, _: list[object]) -> Parent:
        return Parent()

    def here(self, _: list[object]) -> CurrentStep:
        return CurrentStep()

    def deep(self, children: list[Predicate]) -> Descendants:
        return Descendants(tuple(children))

    def any(self, children: list[Predicate]) -> Wildcard:
        return Wildcard(tuple(children))

    def named(self, children: list[object]) -> Name:
        name, *predicates = children
        return Name(str(name), tuple(predicates))  # type: ignore[arg-type]  # the grammar gives these types

    def position(self, children: list[Token]) -> Position:
        (token,) = children
        if len(token) > MOST_DIGITS:
            raise _MisfitError(token.start_pos, f"a position has at most {MOST_DIGITS} digits")
        if int(token) < 1:
            raise _MisfitError(token.start_pos, "positions count from 1")
        return Position(int(token))

    def comparison(self, children: list[object]) -> Comparison:
        operand, operator, value = children
        return Comparison(operand, str(operator), value)  # type: ignore[arg-type]  # the grammar gives these types

    def operand(self, children: list[object]) -> tuple[str, ...]:
        return tuple(map(str, children))

    def text(self, children: list[str]) -> str:
        return str(children[0])

    def number(self, children: list[Token]) -> float:
        (token,) = children
        number = float(token)
        if not math.isfinite(number):
            raise _MisfitError(token.start_pos, f"the number is larger than any that can be stored: {token}")
        return number

    def time(self, children: list[Token]) -> datetime:
        return _moment(children[0])

    def true(self, _: list[object]) -> bool:
        return True

    def false(self, _: list[object]) -> bool:
        return False

    def window(self, children: list[Token | None]) -> Window:
        start, end = (None if token is None else _moment(token) for token in children)
        return Window(start, end)

    def QUOTED(self, token: Token) -> str:  # noqa: N802 - lark names a terminal's callback after it
        return token[1:-1].replace("\\'", "'").replace("\\\\", "\\")


_PARSER: Final = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True)
_BUILD: Final = _Build()


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """Parse a path. Raises PathSyntaxError with the column (from 0) in ``position``."""
    try:
        tree = _PARSER.parse(text)
    except UnexpectedEOF:
        raise _error(text, len(text), "ends too early") from None
    except UnexpectedToken as error:
        raise _unexpected(text, error, set(error.accepts or error.expected)) from None
    except UnexpectedCharacters as error:
        raise _unexpected(text, error, set(error.allowed or ())) from None
    try:
        path = _BUILD.transform(tree)
    except VisitError as error:
        if not isinstance(error.orig_exc, _MisfitError):
            raise
        raise _error(text, error.orig_exc.position, str(error.orig_exc)) from None
    if path.window and path.window.start and path.window.end and path.window.start >= path.window.end:
        # A window is the last part of a path, and contains no quotes.
        raise _error(text, text.rindex("@["), "the window ends before it begins")
    return path


def _unexpected(text: str, error: UnexpectedInput, expected: set[str]) -> PathSyntaxError:
    position = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        position = len(text)
    found = f"{text[position]!r} does not fit here" if position < len(text) else "the path ends too early"
    meanings = [meaning for name, meaning in _MEANING.items() if name in expected]
    return _error(text, position, found + (f"; expected {' or '.join(meanings)}" if meanings else ""))


def _error(text: str, position: int, problem: str) -> PathSyntaxError:
    return PathSyntaxError(f"path {text!r}: column {position + 1}: {problem}", position)
