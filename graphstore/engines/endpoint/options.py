"""The addresses of a SPARQL endpoint and the settings of its client: the ``options`` of a fleet's ``"store"``.

>>> from voltwin.graphstore.engines.endpoint.options import EndpointOptions
>>> options = EndpointOptions.from_json({"query": "http://127.0.0.1:7878/query", "auth": "basic"})
>>> options.update, options.user_variable
('http://127.0.0.1:7878/query', 'VOLTWIN_STORE_USER')

They contain no credentials, only the names of the environment variables with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from ....errors import InputError

AUTHS: Final = ("none", "basic", "bearer", "digest")
DIALECTS: Final = ("ask", "standard", "virtuoso")

_URLS: Final = ("query", "update", "graphs")
_NUMBERS: Final = ("connect_seconds", "answer_seconds", "first_pause", "longest_pause")


@dataclass(frozen=True)
class EndpointOptions:
    """Addresses are URLs, times are seconds."""

    query: str
    update: str = ""
    """The address for updates; empty: the same as ``query``."""
    graphs: str = ""
    """The address of the Graph Store Protocol; empty: none, graphs are then loaded by updates."""
    auth: str = "none"
    user_variable: str = "VOLTWIN_STORE_USER"
    password_variable: str = "VOLTWIN_STORE_PASSWORD"  # noqa: S105  # a variable's name
    token_variable: str = "VOLTWIN_STORE_TOKEN"  # noqa: S105  # a variable's name
    connect_seconds: float = 5.0
    answer_seconds: float = 60.0
    attempts: int = 6
    """The most attempts while no server answers or the server is too busy."""
    first_pause: float = 0.2
    """The pause before the second attempt; doubled each time, of which a random part is waited."""
    longest_pause: float = 10.0
    update_quads: int = 0
    """The most quads in one update; 0: the known limit of the engine."""
    dialect: str = "ask"
    """``ask``: the engine is identified by its answer; ``standard`` or ``virtuoso`` if a proxy hides that."""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> EndpointOptions:
        """Read options; numbers may be text, as on the command line. Raises InputError."""
        unknown = sorted(document.keys() - {field.name for field in fields(cls)})
        if unknown:
            names = ", ".join(field.name for field in fields(cls))
            raise InputError(f"store option {unknown[0]!r}: unknown; there are {names}")
        if not document.get("query"):
            raise InputError("store option 'query': is missing; give the URL for SPARQL queries")
        values: dict[str, Any] = {name: _value(name, value) for name, value in document.items()}
        values["update"] = values.get("update") or values["query"]
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The values that differ from the defaults, for ``fleet.json``."""
        plain = EndpointOptions(self.query, self.query)
        given = {name: value for name, value in asdict(self).items() if value != getattr(plain, name)}
        return {"query": self.query, **given}


def _value(name: str, value: Any) -> Any:
    where = f"store option {name} = {value!r}"
    if name in _URLS:
        if value and not str(value).startswith(("http://", "https://")):
            raise InputError(f"{where}: must be an http or https address")
        return str(value)
    if name in (*_NUMBERS, "attempts", "update_quads"):
        try:
            number = float(value) if name in _NUMBERS else int(value)
        except (TypeError, ValueError):
            raise InputError(f"{where}: must be a number") from None
        if number < (0 if name in ("update_quads", "first_pause", "longest_pause") else 1e-3):
            raise InputError(f"{where}: is too small")
        return number
    allowed = {"auth": AUTHS, "dialect": DIALECTS}.get(name)
    if allowed and value not in allowed:
        raise InputError(f"{where}: must be one of {', '.join(allowed)}")
    return str(value)
