"""In which order rules run: whatever a rule takes is given before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from ..errors import RuleError
from .compile import CompiledRule


def stratify(rules: Sequence[CompiledRule]) -> tuple[tuple[CompiledRule, ...], ...]:
    """Rules in strata: each depends on earlier strata only. Raises RuleError for a circle, naming it."""
    by_key = {compiled.rule.key: compiled for compiled in rules}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for compiled in rules:
        givers = (other.rule.key for other in rules if other.gives.iri in compiled.takes)
        sorter.add(compiled.rule.key, *givers)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise RuleError(f"rules {circle}: each depends on the one before; break the circle") from error
    strata = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        strata.append(tuple(by_key[key] for key in ready))
        sorter.done(*ready)
    return tuple(strata)
