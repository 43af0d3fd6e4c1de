"""How a name is written as one step of a path: plain where it reads as a name, else in quotes.

>>> from voltwin.ontology.steps import quote_step
>>> quote_step("cell-03"), quote_step("rack 4/5")
('cell-03', "'rack 4/5'")
"""

from __future__ import annotations

import re
from typing import Final

_BARE: Final = re.compile(r"[^\s/\[\]@'\"=<>!,*()]+")
_RESERVED: Final = frozenset({"", ".", ".."})


def quote_step(name: str) -> str:
    """``name`` as it stands in a path, quoted where it would not read as a name."""
    if _BARE.fullmatch(name) and name not in _RESERVED:
        return name
    return quote_text(name)


def quote_text(text: str) -> str:
    """``text`` in single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
