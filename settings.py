"""All settings of a running fleet in one frozen object; environment variables give the defaults.

>>> from voltwin.settings import Settings
>>> Settings().port
8000
>>> Settings.from_environment({"VOLTWIN_PORT": "8080"}).port
8080
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from typing import Final, Literal

from .errors import InputError
from .outgoing import NOTHING_ALLOWED, OutgoingPolicy

PREFIX: Final = "VOLTWIN_"
_SIZE: Final = re.compile(r"([0-9]{1,18})([KMGkmg]?)")
ClockKind = Literal["system", "replay"]


@dataclass(frozen=True)
class InputLimits:
    """The limits of everything that comes in (docs/limits.md)."""

    body_bytes: int = 16 * 2**20
    graph_bytes: int = 2**30
    """The body of ``/graphs``, which is written to a file, not held in memory."""
    value_bytes: int = 2**20
    """One text, and the line of a triple in a commit; the reader of the journal takes 16 MiB."""
    author_bytes: int = 1000
    message_bytes: int = 4 * 2**20
    """The payload of a message."""
    message_key_bytes: int = 1000
    """The ``id`` of a message, by which a repeated one is known."""
    topic_bytes: int = 1000
    json_depth: int = 100
    """Lists and objects within each other, in messages and in what handlers answer."""
    parameters: int = 100
    """Parameters of a URL or form."""
    query_depth: int = 100
    """Brackets within brackets of a query or update, and triple terms within triple terms of a file."""
    query_tokens: int = 4000
    """Words and signs of a query or update, without the blocks of VALUES and DATA."""
    path_steps: int = 100
    path_predicates: int = 100
    path_characters: int = 10_000
    outgoing: OutgoingPolicy = NOTHING_ALLOWED
    """The addresses that a query's SERVICE and an action's endpoint may name."""

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name != "outgoing" and not getattr(self, item.name) > 0:
                raise InputError(f"input limit {item.name} = {getattr(self, item.name)}: must be more than 0")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> InputLimits:
        """Read ``VOLTWIN_INPUT_BODY_BYTES``, …; ``VOLTWIN_ALLOW_OUTGOING`` as ``url,url``."""
        given = {item.name: environment.get(f"{PREFIX}INPUT_{item.name.upper()}") for item in fields(cls)}
        limits = [f"{name}={text}" for name, text in given.items() if text is not None and name != "outgoing"]
        return cls().changed(limits, filter(None, environment.get(f"{PREFIX}ALLOW_OUTGOING", "").split(",")))

    def changed(self, limits: Iterable[str], allowed: Iterable[str] = ()) -> InputLimits:
        """These limits with ``name=value`` for some, and more addresses that may be asked. Raises InputError."""
        policy = OutgoingPolicy(self.outgoing.allowed | OutgoingPolicy.of(allowed).allowed)
        return replace(self, outgoing=policy, **parse_limits(limits))


@dataclass(frozen=True)
class Settings:
    """The settings of a server. Addresses are URLs; times are seconds."""

    host: str = "127.0.0.1"
    port: int = 8000
    allow_anonymous_writes: bool = False
    read_only: bool = False
    """Nothing is written into the fleet's folder, which may be read-only or on a full disk."""
    """Whether anyone who reaches an address other than this machine's own may write."""
    broker: str | None = None
    """The broker of the messages; None: no listener, and no action runs."""
    moved: bool = False
    """Whether the fleet's folder was moved here from where it last listened, and is no copy."""
    services: Mapping[str, str] = field(default_factory=dict)
    """The URL for each ``{name}`` in the endpoints of actions: ``{"models": "http://127.0.0.1:8101"}``."""
    clock: ClockKind = "system"
    """``replay``: the clock follows the messages' own times, for simulations."""
    batch_messages: int = 200
    """The most messages in one commit."""
    batch_milliseconds: float = 2.0
    """The longest wait of a commit's first message for others; 0 commits the messages that have arrived."""
    catch_up_ticks: int = 1000
    """The most ticks of an action and twin that a replay walks from one message to the next; more are skipped."""
    handler_timeout: float = 60.0
    """The limit for a handler; after it, its process is ended and its runs fail."""
    query_seconds: float = 60.0
    """The limit for a SPARQL query; further limits are rows, bytes of the answer, and bytes of memory."""
    query_rows: int = 1_000_000
    query_bytes: int = 256 * 2**20
    query_memory: int = 2 * 2**30
    query_readers: int = 2
    """The number of long queries that run at once, each in its own process."""
    inputs: InputLimits = InputLimits()

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read ``VOLTWIN_HOST``, ``VOLTWIN_PORT``, …; services as ``name=url,name=url``."""
        values: dict[str, object] = {"inputs": InputLimits.from_environment(environment)}
        for item in fields(cls):
            if item.name in values:
                continue
            text = environment.get(PREFIX + item.name.upper())
            if text is not None:
                values[item.name] = _parse(item.name, text)
        return cls(**values)  # type: ignore[arg-type]  # _parse gives each field its own type


def _parse(name: str, text: str) -> object:
    where = f"{PREFIX}{name.upper()}={text!r}"
    try:
        match name:
            case "allow_anonymous_writes" | "moved" | "read_only":
                if text not in ("true", "false"):
                    raise InputError(f"{where}: must be 'true' or 'false'")
                return text == "true"
            case (
                "port"
                | "batch_messages"
                | "catch_up_ticks"
                | "query_rows"
                | "query_bytes"
                | "query_memory"
                | "query_readers"
            ):
                return int(text)
            case "batch_milliseconds" | "handler_timeout" | "query_seconds":
                return float(text)
            case "broker" if not text:
                return None
            case "services":
                return parse_services(text.split(",")) if text else {}
            case "clock" if text not in ("system", "replay"):
                raise InputError(f"{where}: must be 'system' or 'replay'")
            case _:
                return text
    except ValueError:
        raise InputError(f"{where}: not a number; give one or unset the variable") from None


def parse_services(items: list[str]) -> dict[str, str]:
    """``["models=http://127.0.0.1:8101"]`` as a mapping."""
    services: dict[str, str] = {}
    for item in items:
        name, separator, url = item.strip().partition("=")
        if not separator or not name or "://" not in url:
            raise InputError(f"service {item!r}: write it as name=http://host:port")
        services[name] = url.rstrip("/")
    return services


def parse_limits(items: Iterable[str]) -> dict[str, int]:
    """Input limits by name: ``["body-bytes=32M"]`` is ``{"body_bytes": 33554432}``. Raises InputError.

    A number may end in K, M or G, for 2**10, 2**20 and 2**30.
    """
    names = [item.name for item in fields(InputLimits) if item.name != "outgoing"]
    limits: dict[str, int] = {}
    for item in items:
        given, _, text = item.partition("=")
        name, match = given.strip().replace("-", "_"), _SIZE.fullmatch(text.strip())
        if name not in names:
            there = ", ".join(names).replace("_", "-")
            raise InputError(f"limit {item!r}: there is no limit of that name; there are {there}")
        if match is None or not int(match[1]):
            raise InputError(f"limit {name}={text!r}: must be a whole number above 0, such as 500, 64K or 32M")
        limits[name] = int(match[1]) << 10 * "KMG".find(match[2].upper()) + 10 if match[2] else int(match[1])
    return limits
