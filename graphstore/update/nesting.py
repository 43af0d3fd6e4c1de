"""The depth of triple terms within triple terms in an RDF file, counted before it is parsed.

Brackets and elements of Turtle and RDF/XML may be nested to any depth: their parsers keep a stack of their own. Triple
terms become objects within objects, which end the process by a stack overflow.
"""

from __future__ import annotations

import re
from typing import IO, Final

from ...errors import InputLimitError
from ...settings import InputLimits

_PIECE: Final = 2**24
_TOKEN: Final = re.compile(rb"""<[^<>"\s]*>|\#[^\r\n]*|["']|<<|>>""")


def check_triple_terms(name: str, source: IO[bytes], limits: InputLimits) -> None:
    """Raises InputLimitError for terms nested too deep.

    Only IRIs, names and comments stand between the openings of nested terms: a quote ends the nest.
    """
    depth = 0
    while line := source.readline(_PIECE):
        if not depth and b"<<" not in line:
            continue
        for token in _TOKEN.findall(line):
            if token == b"<<":
                depth += 1
                if depth > limits.query_depth:
                    raise InputLimitError(
                        f"{name}: triple terms are nested more than {limits.query_depth} deep; write it flatter"
                    )
            elif token == b">>":
                depth = max(depth - 1, 0)
            elif token in (b'"', b"'"):
                depth = 0
