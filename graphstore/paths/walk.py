"""Translation of a path over the schema: each step becomes triple patterns, anchored as early as possible.

Oxigraph's planner keeps the order of the text, so patterns are in path order, and as long as the
path descends through compositions from a known twin its element's IRI is built, not searched for:
``/pump-07/valves/valve-03/pressure`` reads one subject.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pyoxigraph import Literal, NamedNode

from ...errors import InputError, PathNotFoundError
from ...ontology.iris import RDF, VT
from ...ontology.literals import to_literal
from ...ontology.naming import Naming
from ..schema import Property, Schema
from .syntax import Comparison, CurrentStep, Descendants, Name, Parent, Position, Predicate, Step, Wildcard

Classes = frozenset[NamedNode]
"""The possible classes of an element, including their subclasses."""


_ANY: Final = frozenset({VT.Element})


@dataclass(frozen=True)
class Variable:
    """A SPARQL variable."""

    name: str

    def __str__(self) -> str:
        return f"?{self.name}"


Place = NamedNode | Variable


@dataclass(frozen=True)
class Pattern:
    """One triple pattern; ``path`` is a property path in SPARQL text made of IRIs only."""

    subject: Place
    path: str
    object: Place | Literal

    def __str__(self) -> str:
        return f"{self.subject} {self.path} {self.object} ."


@dataclass
class Walk:
    """The current element of a walk, and the patterns that lead to it."""

    schema: Schema
    names: Naming
    node: Place
    classes: Classes
    prefix: str = "n"
    patterns: list[Pattern] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    properties: list[NamedNode] = field(default_factory=list)
    """Every property that the walk uses, in order."""
    _wholes: list[NamedNode] = field(default_factory=list)
    _members_of: tuple[Place, tuple[Property, ...]] | None = None
    _count: int = 0

    def new(self) -> Variable:
        """A fresh variable."""
        self._count += 1
        return Variable(f"{self.prefix}{self._count}")

    def step(self, step: Step) -> None:
        """Take one step to an element. Raises PathNotFoundError for a step that the schema does not define."""
        match step:
            case CurrentStep():
                pass
            case Parent():
                self._up()
            case Descendants():
                self.settle()
                below = self.new()
                self._follow(below, f"{VT.partOf}*", self.node, below, _ANY)
                self._require(step.predicates)
            case Wildcard():
                self._any()
                self._require(step.predicates)
            case Name() if self._members_of is not None:
                self._key(step.name)
                self._require(step.predicates)
            case Name():
                self._role(step)

    def settle(self) -> None:
        """Select all members if the last step named many and none has been picked."""
        if self._members_of is not None:
            whole, roles = self._members_of
            self._members_of = None
            member = self.new()
            self._follow(whole, _alternatives(roles), member, member, self._ranges(roles))

    def candidates(self, name: str) -> tuple[Property, ...]:
        """The properties that ``name`` can mean here. Raises PathNotFoundError with similar names."""
        found = self.schema.named(name, self.classes)
        if found:
            return found
        possible = sorted(
            {prop.name for prop in self.schema.properties.values() if self.schema.fits(prop, self.classes)}
        )
        close = difflib.get_close_matches(name, possible, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(possible) or 'none'}"
        where = " or ".join(sorted(map(self._label, self.classes)))
        raise PathNotFoundError(f"step {name!r}: {where} has no property of that name; {hint}")

    @property
    def before_members(self) -> bool:
        """Whether the last step named many members and none has been picked yet."""
        return self._members_of is not None

    def _label(self, cls: NamedNode) -> str:
        known = self.schema.classes.get(cls)
        return known.name if known else cls.value

    def _ranges(self, roles: tuple[Property, ...]) -> Classes:
        return frozenset(role.range or VT.Element for role in roles)

    def _follow(self, subject: Place, path: str, object: Place | Literal, node: Place, classes: Classes) -> None:
        self.patterns.append(Pattern(subject, path, object))
        if not isinstance(self.node, Variable):
            self._wholes.append(self.node)
        self.node, self.classes = node, classes

    def _role(self, step: Name) -> None:
        roles = tuple(role for role in self.candidates(step.name) if role.kind == "object")
        if not roles:
            raise PathNotFoundError(f"step {step.name!r}: is a value, so no step can follow it")
        self.properties.extend(role.iri for role in roles)
        minted = isinstance(self.node, NamedNode) and all(role.composition for role in roles)
        if any(role.many for role in roles):
            self._members_of = (self.node, roles)
            if step.predicates:
                self.settle()
        elif minted and isinstance(self.node, NamedNode):
            self._wholes.append(self.node)
            self.node, self.classes = self.names.part(self.node, step.name), self._ranges(roles)
        else:
            target = self.new()
            self._follow(self.node, _alternatives(roles), target, target, self._ranges(roles))
        self._require(step.predicates)

    def _key(self, key: str) -> None:
        whole, roles = self._members_of or (self.node, ())
        if isinstance(whole, NamedNode) and all(role.composition for role in roles):
            self._members_of = None
            self._wholes.append(whole)
            self.node, self.classes = self.names.part(whole, roles[0].name, key), self._ranges(roles)
            return
        self.settle()
        self.patterns.append(Pattern(self.node, str(VT.key), Literal(key)))

    def _any(self) -> None:
        if self._members_of is not None:
            self.settle()
            return
        part = self.new()
        self._follow(part, str(VT.partOf), self.node, part, _ANY)

    def _up(self) -> None:
        if self._members_of is not None:
            self._members_of = None  # from "valves" back to their whole
        elif isinstance(self.node, NamedNode) and self._wholes:
            self.node, self.classes = self._wholes.pop(), _ANY
        else:
            whole = self.new()
            self._follow(self.node, str(VT.partOf), whole, whole, _ANY)

    def _require(self, predicates: tuple[Predicate, ...]) -> None:
        for predicate in predicates:
            match predicate:
                case Position(number):
                    self._nth(number)
                case Comparison():
                    self._compare(predicate)

    def _nth(self, number: int) -> None:
        """Rank by key among siblings, as a sub-select, because SPARQL has no correlated LIMIT/OFFSET."""
        reach = next((p for p in reversed(self.patterns) if p.object == self.node or p.subject == self.node), None)
        if not isinstance(self.node, Variable) or reach is None:
            raise PathNotFoundError(f"[{number}]: only one of many can be picked by position")
        me, other, mine, theirs = self.node, self.new(), self.new(), self.new()
        sibling = Pattern(
            other if reach.subject == me else reach.subject,
            reach.path,
            other if reach.object == me else reach.object,
        )
        around = [place for place in (reach.subject, reach.object) if isinstance(place, Variable)]
        shown = " ".join(str(place) for place in dict.fromkeys([*around, me]))
        self.filters.append(
            f"{{ SELECT {shown} WHERE {{ {reach} {me} {VT.key} {mine} . {sibling} {other} {VT.key} {theirs} . "
            f"FILTER(STR({theirs}) <= STR({mine})) }} GROUP BY {shown} HAVING (COUNT(DISTINCT {other}) = {number}) }}"
        )

    def _compare(self, comparison: Comparison) -> None:
        inner = Walk(self.schema, self.names, self.node, self.classes, prefix=f"{self.prefix}{self._count}_")
        *way, last = comparison.operand
        for name in way:
            inner.step(Name(name))
        inner.settle()
        meant = inner.candidates(last)
        self._count += 1
        value = inner.new()
        inner.patterns.append(Pattern(inner.node, _alternatives(meant), value))
        self.patterns.extend(inner.patterns)
        self.filters.extend(inner.filters)
        self.filters.append(_condition(value, comparison, meant))


_ORDERED: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})


def _condition(value: Variable, comparison: Comparison, meant: tuple[Property, ...]) -> str:
    assert comparison.operator in _ORDERED
    wanted = comparison.value
    choices = [choice for prop in meant for name, choice in prop.choices.items() if name == wanted]
    if all(prop.choices for prop in meant):
        name = meant[0].name
        if not choices:
            known = sorted({choice for prop in meant for choice in prop.choices})
            raise InputError(f"{comparison}: {name} is one of {', '.join(known)}")
        if comparison.operator not in ("=", "!="):
            raise InputError(f"{comparison}: the values of {name} have no order; compare with = or !=")
    if choices:
        listed = ", ".join(map(str, choices))
        return f"FILTER({value} {'NOT IN' if comparison.operator == '!=' else 'IN'} ({listed}))"
    if isinstance(wanted, str):
        return f"FILTER(STR({value}) {comparison.operator} {Literal(wanted)})"
    literal = to_literal(wanted) if isinstance(wanted, datetime | bool | float) else Literal(wanted)
    return f"FILTER({value} {comparison.operator} {literal})"


def _alternatives(properties: tuple[Property, ...]) -> str:
    iris = [str(prop.iri) for prop in properties]
    return iris[0] if len(iris) == 1 else f"({'|'.join(iris)})"


def start(step: Step | None, schema: Schema, names: Naming) -> Walk:
    """A walk at the twin (or twins) named by a path's first step."""
    match step:
        case Name(key, predicates):
            walk = Walk(schema, names, names.twin(key), frozenset({VT.Twin}))
            walk._require(predicates)
            return walk
        case Wildcard(predicates) | Descendants(predicates):
            walk = Walk(schema, names, Variable("twin"), frozenset({VT.Twin}))
            walk.patterns.append(Pattern(walk.node, str(RDF.type), VT.Twin))
            if isinstance(step, Descendants):
                walk.step(Descendants())
            walk._require(predicates)
            return walk
        case None:
            return start(Wildcard(), schema, names)
        case _:
            raise PathNotFoundError(f"/{step}: an absolute path starts with a twin or *")
