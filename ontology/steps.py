"""Names as steps of paths: plain where they can be parsed as a name, else in quotes.

>>> from voltwin.ontology.steps import quote_step
>>> quote_step("wheel-3"), quote_step("rack 4/5")
('wheel-3', "'rack 4/5'")
"""

from __future__ import annotations

import re
from typing import Final

_BARE: Final = re.compile(r"[^\s/\[\]@'\"=<>!,*()]+")
_RESERVED: Final = frozenset({"", ".", ".."})


def quote_step(name: str) -> str:
    """``name`` as a step of a path, in quotes where it would not be parsed as a name."""
    if _BARE.fullmatch(name) and name not in _RESERVED:
        return name
    return quote_text(name)


def quote_text(text: str) -> str:
    """``text`` in single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def natural_order(text: str) -> tuple[tuple[str, int, str], ...]:
    """A sort key in which ``pump-2`` comes before ``pump-10``."""
    parts = re.findall(r"(\D*)(\d*)", text)
    return tuple((word.casefold(), int(digits or -1), digits) for word, digits in parts)
