"""The tally of samples: a sum over rows from which a row can be taken away again when it is sealed or deleted.

>>> rows = [("s", 1, 2.5), ("s", 2, 2.5), ("t", 1, 3.0)]
>>> whole = add(*(tally_row(*row) for row in rows))
>>> subtract(whole, tally_row("s", 2, 2.5)) == add(tally_row("s", 1, 2.5), tally_row("t", 1, 3.0))
True

A row counts as the product of two numbers that are not zero modulo a prime, one made of series and time, one of the
value's bits. So a single lost, added or changed row always changes the sum; several at once do but for a chance of 1 in
2^127. The sum is no hash that resists an attacker: the chain has one over all rows of a commit beside it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

_PRIME: Final = 2**127 - 1
_SHIFT: Final = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835 >> 2
"""Makes the factor of a value other than zero; the golden ratio's digits."""

SIZE: Final = 16
"""Bytes of a tally."""


@lru_cache(maxsize=65536)
def salt(series: str) -> int:
    """The number of a series by its IRI."""
    return int.from_bytes(blake2b(series.encode(), digest_size=SIZE).digest(), "little") % _PRIME


def tally(salts: Mapping[int, int], rows: Iterable[tuple[int, int, int]]) -> int:
    """The tally of rows of a series' number, time, and the bits of the value as a number."""
    return sum([(salts[number] + time) * (bits + _SHIFT) for number, time, bits in rows]) % _PRIME


def tally_row(series: str, time: int, value: float) -> int:
    """The tally of one row."""
    return tally({0: salt(series)}, [(0, time, *struct.unpack("<Q", struct.pack("<d", value)))])


def add(*tallies: int) -> int:
    """The tally of rows together."""
    return sum(tallies) % _PRIME


def total(tallies: Iterable[int]) -> int:
    """The tally of any number of parts together."""
    return sum(tallies) % _PRIME


def subtract(whole: int, part: int) -> int:
    """The tally without the rows of ``part``."""
    return (whole - part) % _PRIME


def pack(number: int) -> bytes | None:
    """The stored form of a tally; None for no rows."""
    return number.to_bytes(SIZE, "little") if number else None


def unpack(stored: bytes | None) -> int:
    """The tally stored by :func:`pack`."""
    return 0 if stored is None else int.from_bytes(stored, "little")
