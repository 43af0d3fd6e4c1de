"""Names of model elements: IRIs and unique keys, the same for the same model in any order.

>>> from voltwin.converter.description.naming import local, slug
>>> slug("Gearboxes of 2019"), local("teeth per gear")
('gearboxes-of-2019', 'teeth%20per%20gear')

The scheme is docs/adr/0011. Where two elements have one name, the one with the smallest id keeps it
and the others get a suffix made from their own id, so that neither moving nor reordering changes it.
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
    """Six characters made from an id."""
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def decapitalised(name: str) -> str:
    """A class's name as a role: ``Gear`` -> ``gear``."""
    return name[:1].lower() + name[1:]


class NameRegistry:
    """The names in use; each is assigned once. Claim in the order of ids."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    def claim(self, name: str, identifier: str, make: Callable[[str], str] = str) -> tuple[str, str]:
        """A name and the result of ``make`` for it (an IRI, a key), which is unique; with a suffix where needed."""
        candidate, salt = name, identifier
        while make(candidate) in self._holders:
            candidate = f"{name}_{digest(salt)}"
            salt = f"{salt}+"
        made = make(candidate)
        self._holders[made] = identifier
        return candidate, made

    def reserve(self, made: str, identifier: str) -> bool:
        """Reserve an explicit name; False where another element has it."""
        return self._holders.setdefault(made, identifier) == identifier
