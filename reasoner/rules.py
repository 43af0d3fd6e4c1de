"""Rules, read from the rules graph alone.

A rule has a subsequent (the path of its value), antecedents (named paths), a transformation
(a SPARQL expression over those names), optionally an interval of validity, and a priority: the
lowest value wins, per twin, subsequent and interval.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from ..errors import InputError, RuleError
from ..graphstore.interfaces import TripleStore
from ..graphstore.paths.parse import parse
from ..graphstore.paths.syntax import Path
from ..graphstore.sparql.gate import check_path, check_services, check_sparql
from ..ontology.bindings import parse_binding
from ..ontology.iris import RDF, VT
from ..ontology.naming import Naming
from ..settings import InputLimits


@dataclass(frozen=True)
class Antecedent:
    """A named path; ``?name`` in the transformation."""

    name: str
    path: Path


@dataclass(frozen=True)
class Rule:
    """One rule; paths other than ``subsequent`` and ``each`` are relative to each match of ``each``."""

    iri: NamedNode
    key: str
    applies_to: NamedNode
    subsequent: Path
    each: Path | None
    antecedents: tuple[Antecedent, ...]
    transformation: str
    interval_start: Path | None
    interval_end: Path | None
    priority: int


def load_rules(store: TripleStore, names: Naming) -> tuple[Rule, ...]:
    """Every rule of the fleet, by key. Raises RuleError naming the rule and its error."""
    return tuple(load_rule(iri, store, names) for iri in rule_iris(store, names))


def rule_iris(store: TripleStore, names: Naming) -> list[NamedNode]:
    """Every rule's IRI, in order."""
    found = store.quads(None, RDF.type, VT.Rule, names.rules_graph)
    return sorted({quad.subject for quad in found if isinstance(quad.subject, NamedNode)}, key=lambda iri: iri.value)


def load_rule(iri: NamedNode, store: TripleStore, names: Naming) -> Rule:
    """One rule. Raises RuleError naming the rule and its error."""
    key = iri.value.removeprefix(f"{names.base}rules/")

    def values(predicate: NamedNode) -> list[str]:
        return sorted(
            quad.object.value
            for quad in store.quads(iri, predicate, None, names.rules_graph)
            if isinstance(quad.object, NamedNode | Literal)
        )

    def one(predicate: NamedNode) -> str:
        found = values(predicate)
        if len(found) != 1:
            what = predicate.value.rpartition("#")[2]
            raise RuleError(f"rule {key!r}: has {len(found) or 'no'} {what}, needs exactly one")
        return found[0]

    def path(predicate: NamedNode) -> Path | None:
        return _relative(one(predicate)) if values(predicate) else None

    def _relative(text: str) -> Path:
        check_path(text, InputLimits())
        parsed = parse(text)
        if parsed.absolute or parsed.asks_reasoner or parsed.window:
            raise RuleError(f"rule {key!r}: path {text!r} must be relative, without reasoner and window")
        return parsed

    try:
        transformation = one(VT.transformation)
        check_sparql("transformation", transformation, InputLimits())
        check_services(transformation, InputLimits())
        bindings = [parse_binding(text) for text in values(VT.antecedent)]
        return Rule(
            iri=iri,
            key=key,
            applies_to=NamedNode(one(VT.appliesTo)),
            subsequent=_relative(one(VT.subsequent)),
            each=path(VT.each),
            antecedents=tuple(Antecedent(binding.target, _relative(binding.source)) for binding in bindings),
            transformation=transformation,
            interval_start=path(VT.intervalStart),
            interval_end=path(VT.intervalEnd),
            priority=int(one(VT.priority)),
        )
    except RuleError:
        raise
    except (InputError, ValueError) as error:
        raise RuleError(f"rule {key!r}: {error}") from error
