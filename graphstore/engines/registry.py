"""The engine of a fleet's triple store, found by name behind the entry point ``voltwin.stores``.

>>> from voltwin.graphstore.engines.registry import StoreChoice, open_store
>>> store = open_store(StoreChoice("memory"), None, "https://fleet.example/")
>>> store.last_applied()
0

An engine is a callable that takes a folder for its own use, the fleet's base IRI and the options of
``fleet.json``, and returns a :class:`~voltwin.graphstore.interfaces.TripleStore`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Protocol

from ...errors import InputError, StoreError
from ..interfaces import TripleStore
from .oxigraph import OxigraphStore

GROUP: Final = "voltwin.stores"
DEFAULT: Final = "oxigraph"


class OpensStore(Protocol):
    """The callable behind an entry point of the group."""

    def __call__(self, folder: Path | None, base: str, options: Mapping[str, Any]) -> TripleStore:
        """Open the store. Raises StoreError, InputError for unknown options."""
        ...


@dataclass(frozen=True)
class StoreChoice:
    """An engine's name and its options: the ``"store"`` of ``fleet.json``."""

    engine: str = DEFAULT
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: Any) -> StoreChoice:
        """Read ``{"engine": …, other options}``; None is the default. Raises InputError."""
        if document is None:
            return cls()
        if not isinstance(document, dict) or not isinstance(document.get("engine"), str):
            raise InputError(f"store {document!r}: must be an object with the name of an engine")
        return cls(document["engine"], {name: value for name, value in document.items() if name != "engine"})

    def to_json(self) -> dict[str, Any]:
        """The form written into ``fleet.json``."""
        return {"engine": self.engine, **self.options}


def choose_store(store: str | None, options: Sequence[str]) -> StoreChoice | None:
    """The choice from the command line: an engine's name or an endpoint's URL, and options as ``name=value``."""
    values = dict(_option(text) for text in options)
    if store is None:
        if values:
            raise InputError(f"store option {options[0]!r}: name its store with --store")
        return None
    if store.startswith(("http://", "https://")):
        return StoreChoice("sparql", {"query": store, **values})
    return StoreChoice(store, values)


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError(f"store option {text!r}: write it as name=value")
    return name, value


def open_store(choice: StoreChoice, folder: Path | None, base: str) -> TripleStore:
    """Open the chosen engine. Raises StoreError if no engine has that name."""
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    if choice.engine not in known:
        raise StoreError(
            f"store {choice.engine!r}: no engine of that name is installed; there are {', '.join(sorted(known))}, "
            "and packages can add others by the entry point voltwin.stores"
        )
    opens: OpensStore = known[choice.engine].load()
    return opens(folder, base, choice.options)


def open_oxigraph(folder: Path | None, base: str, options: Mapping[str, Any]) -> TripleStore:
    """The engine ``oxigraph``: on disk, in this process."""
    _no_options("oxigraph", options)
    return OxigraphStore(folder, base)


def open_memory(folder: Path | None, base: str, options: Mapping[str, Any]) -> TripleStore:
    """The engine ``memory``: built from the journal each time the fleet is opened."""
    _no_options("memory", options)
    return OxigraphStore(None, base)


def _no_options(engine: str, options: Mapping[str, Any]) -> None:
    if options:
        raise InputError(f"store option {sorted(options)[0]!r}: {engine} has no options")
