"""How model elements are named: IRIs and unique keys, the same for the same model whatever its order.

>>> from voltwin.converter.description.naming import local, slug
>>> slug("Battery logistics (2019)"), local("state of charge")
('battery-logistics-2019', 'state%20of%20charge')

The scheme is docs/adr/0011. Where two elements would get one name, the one with the smallest id keeps it
and the others get a suffix made from their own id: neither moving nor reordering changes it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

MODELS: Final = "https://voltwin.example/models/"
_NOT_IN_IRI: Final = re.compile(r"[\x00-\x7f\x80-\x9f\ud800-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U0010ffff]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~-]*")


def local(name: str) -> str:
    """A name as the last part of an IRI: percent-encoded where an IRI does not allow the character."""
    if _PLAIN.fullmatch(name):
        return name
    return "".join(_encode(c) if _NOT_IN_IRI.match(c) else c for c in name)


def _encode(character: str) -> str:
    return quote(character, safe="-._~", errors="replace")


def slug(name: str) -> str:
    """A project's name as the last part of its IRI."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or f"model-{digest(name)}"


def digest(identifier: str) -> str:
    """Six characters that stand for an id."""
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def decapitalised(name: str) -> str:
    """A class's name as a role: ``Cell`` -> ``cell``."""
    return name[:1].lower() + name[1:]


class NameRegistry:
    """Names given so far; each is given once. Claim in the order of ids."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    def claim(self, name: str, identifier: str, make: Callable[[str], str] = str) -> tuple[str, str]:
        """The free name for ``name`` and what ``make`` makes of it; with a suffix where it was taken.

        ``make`` turns a name into what has to be unique (an IRI, a key).
        """
        candidate, salt = name, identifier
        while make(candidate) in self._holders:
            candidate = f"{name}_{digest(salt)}"
            salt = f"{salt}+"
        made = make(candidate)
        self._holders[made] = identifier
        return candidate, made

    def reserve(self, made: str, identifier: str) -> bool:
        """Take a name that was given outright; False where somebody else has it."""
        return self._holders.setdefault(made, identifier) == identifier
