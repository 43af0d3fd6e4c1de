"""The policy of outgoing requests: the addresses that a server may ask where a graph or a query names the address.

>>> from voltwin.outgoing import OutgoingPolicy
>>> policy = OutgoingPolicy.of(["http://127.0.0.1:8101", "https://x.example/sparql"])
>>> policy.refusal("http://127.0.0.1:8101/models/ocv-soc/run"), policy.refusal("https://x.example/sparql")
('', '')
>>> policy.refusal("http://127.0.0.1:9/")
'http://127.0.0.1:9/ is not among the addresses that may be asked; start with --allow-outgoing http://127.0.0.1:9'

Nothing is allowed that is not listed, this machine's own addresses included. An entry without a path allows its
whole origin (scheme, host and port), one with a path that address alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .errors import InputError

_PORTS: Final = {"http": 80, "https": 443}
_LONGEST: Final = 200
"""Characters of an address that a sentence shows."""

# Stricter than RFC 3986: an address that two readers could take for two hosts (user names, backslashes, percent
# signs and letters beyond ASCII in the host) has no origin, and is refused.
_ADDRESS: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?([/?#][!-\[\]-~]*)?", re.IGNORECASE
)


def origin(address: str) -> str | None:
    """Scheme, host and port of ``address``, without a port that its scheme implies; None if it has no clear ones."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    return f"{scheme}://{host}" + (f":{int(port)}" if port and int(port) != _PORTS.get(scheme) else "")


@dataclass(frozen=True)
class OutgoingPolicy:
    """The addresses that may be asked; made by :meth:`of`."""

    allowed: frozenset[str] = frozenset()
    """Origins, and whole addresses."""

    @classmethod
    def of(cls, entries: Iterable[str]) -> OutgoingPolicy:
        """The policy that allows ``entries``. Raises InputError for one that is no address."""
        return cls(frozenset(map(_entry, entries)))

    def including(self, entries: Iterable[str]) -> OutgoingPolicy:
        """This policy with the origins of ``entries`` allowed too: those of services that the settings name."""
        return OutgoingPolicy(self.allowed | {place for entry in entries if (place := origin(entry)) is not None})

    def refusal(self, address: str) -> str:
        """Why ``address`` may not be asked, as one sentence with the way out; empty if it may."""
        place = origin(address)
        if place is not None and (place in self.allowed or address in self.allowed):
            return ""
        shown = address if len(address) <= _LONGEST else f"{address[:_LONGEST]}…"
        if place is None:
            return f"{shown!a} is no plain address; write it as http://host:port/path, without a user's name"
        return f"{shown} is not among the addresses that may be asked; start with --allow-outgoing {place}"


NOTHING_ALLOWED: Final = OutgoingPolicy()


def _entry(text: str) -> str:
    place = origin(text.strip())
    if place is None:
        raise InputError(
            f"outgoing address {text!r}: write it as http://host:port, or with a path for that address alone"
        )
    path = (_ADDRESS.fullmatch(text.strip()) or [""] * 5)[4]
    return place if path in (None, "", "/") else text.strip()
