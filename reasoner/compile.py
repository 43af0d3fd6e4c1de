"""Compilation of a rule to one SPARQL CONSTRUCT over a set of twins, and to queries from a change to these twins.

The scope is bound first (``VALUES ?twin``) and all patterns follow it in path order, because the
engine keeps the order of the text. Each solution gives one candidate::

    <…/pump-07#inletPressure~design-pressure~…> a vt:Candidate ;
        vt:about <…/pump-07> ; vt:property <…#Pump.inletPressure> ; vt:value 2.5 ;
        vt:rule <…/rules/design-pressure> ; vt:priority 20 ; vt:validFrom … ; vt:validTo … ;
        prov:used <…/loop-02#designPressure> .
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from ..errors import PathNotFoundError, RuleError
from ..graphstore.paths.syntax import Name, Path
from ..graphstore.paths.walk import Pattern, Variable, Walk
from ..graphstore.schema import Property, Schema
from ..graphstore.sparql.binding import bind
from ..ontology.iris import RDF
from ..ontology.naming import Naming, segment
from .rules import Rule

_TWIN: Final = Variable("twin")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_CONSTRUCT: Final = """\
CONSTRUCT {{
  ?candidate a vt:Candidate ; vt:about {about} ; vt:property {property} ; vt:value ?value ;
    vt:rule {rule} ; vt:priority {priority} ; vt:validFrom ?validFrom ; vt:validTo ?validTo .
  {used_template}
}} WHERE {{
  VALUES ?twin {{ $twins }}
  ?twin {type} {applies_to} .
  {patterns}
  {interval_end}
  BIND(({transformation}) AS ?value)
  {used}
  BIND(IF(STRSTARTS(STR({scope}), STR(?twin)), STRAFTER(STR({scope}), STR(?twin)), STR({scope})) AS ?place)
  BIND(IRI(CONCAT(STR({about}), {suffix}, ENCODE_FOR_URI(?place))) AS ?candidate)
}}"""

_AFFECTED: Final = (
    "SELECT DISTINCT ?twin WHERE {{ VALUES {changed} {{ $changed }} {patterns} ?twin {type} {applies_to} . }}"
)


@dataclass(frozen=True)
class Reach:
    """The use of one property by a rule: ``query`` finds the affected twins from the changed subjects."""

    property: NamedNode
    query: str


@dataclass(frozen=True)
class CompiledRule:
    """A rule in executable form."""

    rule: Rule
    gives: Property
    construct: str
    reaches: tuple[Reach, ...]

    @property
    def takes(self) -> frozenset[NamedNode]:
        """The properties read by the rule."""
        return frozenset(reach.property for reach in self.reaches)


def compile_rule(rule: Rule, schema: Schema, names: Naming) -> CompiledRule:
    """Compile ``rule``. Raises RuleError if a path does not fit the ontology."""
    try:
        return _Compiler(rule, schema, names).compile()
    except PathNotFoundError as error:
        raise RuleError(f"rule {rule.key!r}: {error}") from error


class _Compiler:
    """Compiles one rule."""

    def __init__(self, rule: Rule, schema: Schema, names: Naming) -> None:
        self.rule, self.schema, self.names = rule, schema, names
        self.reaches: dict[tuple[NamedNode, str], Reach] = {}
        self._walks = 0

    def compile(self) -> CompiledRule:
        rule = self.rule
        if rule.applies_to not in self.schema.classes:
            raise RuleError(f"rule {rule.key!r}: appliesTo {rule.applies_to.value} is no class of the ontology")
        scope = self._walk(_TWIN, frozenset({rule.applies_to}), rule.each, [])
        about, gives = self._subsequent(scope)
        lines = [*map(str, scope.patterns), *scope.filters, *about.filters]
        lines[len(scope.patterns) : len(scope.patterns)] = [str(p) for p in about.patterns if p not in scope.patterns]
        used: list[str] = []
        sources: list[str] = []
        for antecedent in rule.antecedents:
            if not _NAME.fullmatch(antecedent.name):
                raise RuleError(
                    f"rule {rule.key!r}: antecedent {antecedent.name!r} is no SPARQL name; use letters and digits"
                )
            walk, leaf = self._value(scope, antecedent.path, Variable(antecedent.name))
            lines += [*map(str, walk.patterns), *walk.filters]
            mark = f"?used_{antecedent.name}"
            used.append(f"BIND(IRI(CONCAT(STR({walk.node}), {Literal('#' + segment(leaf))})) AS {mark})")
            sources.append(mark)
        if rule.interval_start is not None:
            walk, _ = self._value(scope, rule.interval_start, Variable("validFrom"))
            lines += [*map(str, walk.patterns), *walk.filters]
        end = ""
        if rule.interval_end is not None:
            walk, _ = self._value(scope, rule.interval_end, Variable("validTo"))
            end = "OPTIONAL { " + " ".join([*map(str, walk.patterns), *walk.filters]) + " }"
        construct = _CONSTRUCT.format(
            about=about.node,
            property=gives.iri,
            rule=rule.iri,
            priority=rule.priority,
            used_template=" ".join(f"?candidate prov:used {source} ." for source in sources),
            type=RDF.type,
            applies_to=rule.applies_to,
            patterns="\n  ".join(lines),
            interval_end=end,
            transformation=rule.transformation,
            used="\n  ".join(used),
            suffix=Literal(f"#{segment(gives.name)}~{segment(rule.key)}~"),
            scope=scope.node,
        )
        return CompiledRule(rule, gives, construct, tuple(self.reaches.values()))

    def _walk(
        self, node: Variable, classes: frozenset[NamedNode], path: Path | None, before: Sequence[Pattern]
    ) -> Walk:
        self._walks += 1
        walk = Walk(self.schema, self.names, node, classes, prefix=f"w{self._walks}_")
        for step in path.steps if path else ():
            walk.step(step)
        walk.settle()
        self._remember([*before, *walk.patterns])
        return walk

    def _value(self, scope: Walk, path: Path, variable: Variable) -> tuple[Walk, str]:
        """A walk to the element of the last step, with the pattern for its value."""
        *way, last = path.steps
        if not isinstance(last, Name) or last.predicates or not isinstance(scope.node, Variable):
            raise RuleError(f"rule {self.rule.key!r}: path '{path}' must end on the name of a value")
        walk = self._walk(scope.node, scope.classes, Path(False, tuple(way)), scope.patterns)
        meant = walk.candidates(last.name)
        iris = "|".join(str(prop.iri) for prop in meant)
        walk.patterns.append(Pattern(walk.node, f"({iris})" if len(meant) > 1 else iris, variable))
        self._remember([*scope.patterns, *walk.patterns])
        return walk, last.name

    def _subsequent(self, scope: Walk) -> tuple[Walk, Property]:
        *way, last = self.rule.subsequent.steps
        each = self.rule.each.steps if self.rule.each else ()
        if not isinstance(last, Name) or last.predicates:
            raise RuleError(f"rule {self.rule.key!r}: subsequent '{self.rule.subsequent}' must end on a name")
        # A subsequent below ``each`` refers to the same match of it, not to any.
        inside = bool(each) and tuple(way[: len(each)]) == each
        start, classes = (scope.node, scope.classes) if inside else (_TWIN, frozenset({self.rule.applies_to}))
        rest = Path(False, tuple(way[len(each) :] if inside else way))
        assert isinstance(start, Variable)
        about = self._walk(start, classes, rest, scope.patterns if inside else [])
        for role in (*(scope.properties if inside else ()), *about.properties):
            if not self.schema.properties[role].composition:
                raise RuleError(
                    f"rule {self.rule.key!r}: subsequent '{self.rule.subsequent}' leads into another twin by "
                    f"{self.schema.properties[role].name}; define the rule for that twin's class"
                )
        meant = about.candidates(last.name)
        if len(meant) != 1:
            raise RuleError(
                f"rule {self.rule.key!r}: subsequent '{self.rule.subsequent}' could mean {len(meant)} properties"
            )
        return about, meant[0]

    def _remember(self, patterns: Sequence[Pattern]) -> None:
        """Add the queries from each pattern backwards to the twin."""
        for index, pattern in enumerate(patterns):
            if not isinstance(pattern.subject, Variable):
                continue
            for prop in re.findall(r"<([^>]+)>", pattern.path):
                back = " ".join(str(p) for p in reversed(patterns[:index]))
                query = _AFFECTED.format(
                    changed=pattern.subject, patterns=back, type=RDF.type, applies_to=self.rule.applies_to
                )
                self.reaches.setdefault((NamedNode(prop), query), Reach(NamedNode(prop), query))


def construct_for(compiled: CompiledRule, twins: Sequence[NamedNode]) -> str:
    """The rule's CONSTRUCT for these twins."""
    return bind(compiled.construct, {"twins": twins})


def affected_by(reach: Reach, changed: Sequence[NamedNode]) -> str:
    """The query for the twins affected by changes of these subjects."""
    return bind(reach.query, {"changed": changed})
