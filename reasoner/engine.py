"""Incremental evaluation of rules: a commit derives again only the values that depend on its changes.

The derived values of a twin are in its inferred graph, which is a view: it can be deleted and built again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import NamedNode, QueryBoolean, QuerySolutions, Triple

from ..errors import InputLimitError, QueryError, RuleError
from ..graphstore.interfaces import Journal, TripleStore
from ..graphstore.journal.changes import Slot, touched_by
from ..graphstore.schema import Schema, twins_of
from ..graphstore.sparql.gate import check_sparql
from ..ontology.iris import RDF, VT
from ..ontology.naming import Naming
from ..settings import InputLimits
from .candidates import plain_winners, read_candidates
from .compile import CompiledRule, affected_by, compile_rule, construct_for
from .rules import load_rule, load_rules, rule_iris
from .strata import stratify

TWINS_AT_ONCE: Final = 500

_COMPILED: Final = InputLimits(query_depth=200, query_tokens=16_000)
"""The limits of a whole rule as one query: its parts have passed the gate, and it wraps them."""


@dataclass
class RuleEngine:
    """Keeps the inferred graphs of one store consistent with its content."""

    store: TripleStore
    names: Naming
    schema: Schema
    strata: tuple[tuple[CompiledRule, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.reload(self.schema)

    def reload(self, schema: Schema) -> None:
        """Read and compile the rules again. Raises RuleError and then keeps the old ones."""
        compiled = [compile_rule(rule, schema, self.names) for rule in load_rules(self.store, self.names)]
        for item in compiled:
            check_compiled(item, self.store)
        self.strata, self.schema = stratify(compiled), schema

    @property
    def rules(self) -> list[CompiledRule]:
        """All rules, in order of execution."""
        return [compiled for stratum in self.strata for compiled in stratum]

    def follow(self, sequence: int, touched: Sequence[Slot]) -> None:
        """Process one commit: derive again for the affected twins."""
        self.derive(self.affected(touched))

    def affected(self, touched: Sequence[Slot]) -> set[NamedNode]:
        """The twins whose candidates may change with these slots."""
        by_property: dict[NamedNode, set[NamedNode]] = {}
        twins: set[NamedNode] = set()
        for graph, subject, predicate in touched:
            by_property.setdefault(predicate, set()).add(subject)
            if predicate == RDF.type and subject == graph:
                twins.add(subject)  # created in this commit
        queries = {
            affected_by(reach, sorted(by_property[reach.property], key=lambda node: node.value))
            for compiled in self.rules
            for reach in compiled.reaches
            if reach.property in by_property
        }
        for query in sorted(queries):
            rows = self.store.query(query)
            assert isinstance(rows, QuerySolutions)
            twins.update(row["twin"] for row in rows)
        return twins

    def derive(self, twins: Iterable[NamedNode]) -> None:
        """Derive the inferred graphs of ``twins``, and of further twins that read the changed values.

        Only differences are written. It terminates because rules have no cycles.
        """
        waiting = set(twins)
        while waiting:
            chosen = sorted(waiting, key=lambda twin: twin.value)
            waiting = set()
            for start in range(0, len(chosen), TWINS_AT_ONCE):
                group = chosen[start : start + TWINS_AT_ONCE]
                # Within a group strata run in step; only other twins can have missed changes.
                waiting |= self.affected(self._derive(group)) - set(group)

    def resume(self, journal: Journal) -> None:
        """Derive again for the newest commit, on opening.

        The process may have ended after the store applied that commit and before the followers
        processed it.
        """
        for commit in journal.since(journal.last_sequence - 1):
            self.derive(self.affected(touched_by(commit.changes)))

    def derive_all(self) -> int:
        """Derive for every twin; returns their number."""
        twins = twins_of(self.store)
        self.derive(twins)
        return len(twins)

    def _derive(self, twins: Sequence[NamedNode]) -> list[Slot]:
        """Derive for ``twins`` stratum by stratum; the slots of their inferred graphs that changed."""
        graphs = {twin: self.names.inferred_graph(twin) for twin in twins}
        present = {twin: {q.triple for q in self.store.quads(None, None, None, g)} for twin, g in graphs.items()}
        before = dict(present)
        given: dict[NamedNode, set[Triple]] = {twin: set() for twin in twins}
        waiting = {compiled.rule.iri for compiled in self.rules}
        for stratum in self.strata:
            for compiled in stratum:
                waiting.discard(compiled.rule.iri)
                for triple in self._construct(compiled, twins):
                    owner = self.names.owner(triple.subject) if isinstance(triple.subject, NamedNode) else None
                    if owner in given:
                        given[owner].add(triple)
            # Candidates of later strata are kept until their stratum, so that nothing is written twice.
            for twin, graph in graphs.items():
                wanted = given[twin] | _given_by(waiting, present[twin])
                wanted |= plain_winners(read_candidates(wanted))
                if wanted != present[twin]:
                    self.store.replace(graph, wanted)
                    present[twin] = wanted
        return [
            (graphs[twin], triple.subject, triple.predicate)
            for twin in twins
            for triple in before[twin] ^ present[twin]
            if isinstance(triple.subject, NamedNode)
        ]

    def _construct(self, compiled: CompiledRule, twins: Sequence[NamedNode]) -> Iterable[Triple]:
        triples = self.store.query(construct_for(compiled, twins))
        assert not isinstance(triples, QuerySolutions | QueryBoolean)
        return triples


def check_compiled(compiled: CompiledRule, store: TripleStore) -> None:
    """Raise RuleError if the rule's query is too much, or the engine of ``store`` does not take it."""
    construct = construct_for(compiled, [])
    try:
        check_sparql("rule", construct, _COMPILED)
    except InputLimitError as error:
        raise RuleError(
            f"rule {compiled.rule.key!r}: its parts are fine, together they are too much: {error}"
        ) from None
    try:
        store.query(construct)
    except QueryError as error:
        raise RuleError(
            f"rule {compiled.rule.key!r}: transformation {compiled.rule.transformation!r}: {error}"
        ) from error


def rule_problems(store: TripleStore, names: Naming, schema: Schema) -> list[RuleError]:
    """Every reason why the rules cannot be executed: each rule that is wrong, then a circle of those that are right."""
    problems: list[RuleError] = []
    compiled: list[CompiledRule] = []
    for iri in rule_iris(store, names):
        try:
            item = compile_rule(load_rule(iri, store, names), schema, names)
            check_compiled(item, store)
        except RuleError as error:
            problems.append(error)
        else:
            compiled.append(item)
    try:
        stratify(compiled)
    except RuleError as error:
        problems.append(error)
    return problems


def _given_by(rules: set[NamedNode], triples: Iterable[Triple]) -> set[Triple]:
    """The candidates of ``rules``."""
    known = list(triples)
    candidates = {triple.subject for triple in known if triple.predicate == VT.rule and triple.object in rules}
    return {triple for triple in known if triple.subject in candidates}
