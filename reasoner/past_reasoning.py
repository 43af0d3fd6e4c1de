"""Rules over past states, for :meth:`Fleet.as_of`."""

from __future__ import annotations

from ..graphstore.history.states import Reasoning
from ..graphstore.interfaces import TripleStore
from ..graphstore.schema import Schema
from ..ontology.naming import Naming
from .engine import RuleEngine
from .resolver import RuleResolver


def reasoning() -> Reasoning:
    """The reasoner's functions over past states."""
    return Reasoning(derive=_derive, resolver=RuleResolver)


def _derive(store: TripleStore, names: Naming, schema: Schema) -> None:
    RuleEngine(store, names, schema).derive_all()
