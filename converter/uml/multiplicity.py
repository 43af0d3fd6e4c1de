"""Multiplicities as people write them.

>>> from voltwin.converter.uml.multiplicity import parse
>>> parse("1..*")
Bounds(lower=1, upper=None, note='')
>>> parse("0..n").note
"the symbol 'n' is read as any number"
>>> parse("ab").note
"'ab' is no multiplicity; read as any number"
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_RANGE: Final = re.compile(r"^(.+?)\s*(?:\.{2,}|…|-|,|:)\s*(.*)$")
_ANY: Final = frozenset({"*", "n", "m", "N", "M", "-1", "unbounded", "many", "∞"})
_SYMBOL: Final = re.compile(r"^[A-Za-z_][\w .*+/()-]*$")
_MODIFIERS: Final = re.compile(r"\{[^{}]*\}")
_MOST: Final = 2**31 - 1


class Bounds(NamedTuple):
    """The least and the largest number of values (None: no bound); ``note``: the guess that was made, if any."""

    lower: int
    upper: int | None
    note: str = ""


@lru_cache(maxsize=4096)
def parse(drawn: str) -> Bounds:
    """The bounds that ``drawn`` means. Never fails: a text that cannot be read is 0..* with a note."""
    text = _MODIFIERS.sub("", drawn).strip().strip("[]").strip()
    ranged = None if text == "-1" else _RANGE.match(text)
    first, last = (ranged.group(1), ranged.group(2)) if ranged else (text, text)
    lower, low_note = _bound(first)
    upper, high_note = _bound(last) if last else (None, "no upper bound is given; read as any number")
    if lower is _JUNK or upper is _JUNK:
        return Bounds(0, None, f"{drawn!r} {_why_not(text)}; read as any number")
    low = lower if isinstance(lower, int) else 0
    high = upper if isinstance(upper, int) else None
    if high is not None and low > high:
        return Bounds(0, None, f"{drawn!r} runs backwards; read as any number")
    if high == 0:
        return Bounds(0, None, f"{drawn!r} allows no value at all; read as any number")
    if not ranged and lower is None:
        return Bounds(0, None, high_note)
    return Bounds(low, high, low_note or high_note)


_JUNK: Final = object()


def _bound(text: str) -> tuple[object, str]:
    """An int, None for any number, or _JUNK; and a note where a symbol was read."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 10:
        number = int(text)
        return (number, "") if number <= _MOST else (_JUNK, "")
    if text in _ANY:
        return None, "" if text in {"*", "-1"} else f"the symbol {text!r} is read as any number"
    return _JUNK, ""


def _why_not(text: str) -> str:
    return "is symbolic" if _SYMBOL.match(text) and re.search(r"[_A-Z *+/]", text) else "is no multiplicity"
