"""The order of rules: a rule runs after all rules that give values it reads."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from ..errors import RuleError
from .compile import CompiledRule


def stratify(rules: Sequence[CompiledRule]) -> tuple[tuple[CompiledRule, ...], ...]:
    """Rules in strata: each depends on earlier strata only. Raises RuleError naming a cycle."""
    by_key = {compiled.rule.key: compiled for compiled in rules}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for compiled in rules:
        givers = (other.rule.key for other in rules if other.gives.iri in compiled.takes)
        sorter.add(compiled.rule.key, *givers)
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise RuleError(f"rules {cycle}: each depends on the one before; break the cycle") from error
    strata = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        strata.append(tuple(by_key[key] for key in ready))
        sorter.done(*ready)
    return tuple(strata)
