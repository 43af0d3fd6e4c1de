"""The changes between two versions of a model, in plain words, and what each means for existing twins.

::

    for change in compare(convert("old.mdj").description, convert("new.mdj").description):
        print(change)

Elements are matched by the UML tool's id, so that a rename is a rename and not a loss and a gain; where an
id is missing or new, by key. Order and place in a diagram are no change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from .model import Class, Description, Feature, Named, Object
from .uses import property_uses

_T = TypeVar("_T", bound=Named)
_AS_BEFORE = "existing twins are as they were"


class Effect(Enum):
    """The effect of a change on twins that exist already."""

    BREAKING = "breaking"
    CHECK = "check"
    HARMLESS = "harmless"


class Change(NamedTuple):
    """One change: its effect, its place, the change itself, and what it means for existing twins."""

    effect: Effect
    where: str
    what: str
    meaning: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.effect.value}: {self.where}: {self.what}; {self.meaning}"


_breaking = partial(Change, Effect.BREAKING)
_check = partial(Change, Effect.CHECK)
_harmless = partial(Change, Effect.HARMLESS)


def compare(old: Description, new: Description) -> list[Change]:
    """Every change in classes, properties, multiplicities, literals and objects; breaking ones first."""
    classes = _match({c.key: c for c in old.classes}, {c.key: c for c in new.classes})
    found = [*_classes(classes), *_properties(old, new, classes), *_objects(old, new)]
    if old.iri != new.iri:
        what = f"its IRI changes from {old.iri} to {new.iri}"
        meaning = f"every class and property below it has another IRI; tag the project iri={old.iri} to keep it"
        found.append(_breaking("the model", what, meaning))
    order = {effect: i for i, effect in enumerate(Effect)}
    return sorted(found, key=lambda c: (order[c.effect], c.where, c.what))


class _Pair(NamedTuple, Generic[_T]):
    """One element in both versions, with its keys there."""

    old_key: str
    old: _T
    key: str
    new: _T


class _Matching(NamedTuple, Generic[_T]):
    """The elements of two versions: in both, only in the old one, and only in the new one, by key."""

    pairs: list[_Pair[_T]]
    removed: dict[str, _T]
    added: dict[str, _T]


def _match(old: dict[str, _T], new: dict[str, _T]) -> _Matching[_T]:
    by_id = {element.id: key for key, element in new.items() if element.id}
    pairs: list[_Pair[_T]] = []
    added, removed, waiting = dict(new), {}, {}
    for key, element in old.items():
        other = by_id.get(element.id) if element.id else None
        if other in added:
            pairs.append(_Pair(key, element, other, added.pop(other)))
        else:
            waiting[key] = element
    for key, element in waiting.items():
        if key in added:
            pairs.append(_Pair(key, element, key, added.pop(key)))
        else:
            removed[key] = element
    return _Matching(pairs, removed, added)


# ---- classes
def _classes(classes: _Matching[Class]) -> Iterator[Change]:
    for key in classes.removed:
        meaning = "its instances keep a type that nothing describes or checks; delete them or give them another class"
        yield _breaking(key, "the class is gone", meaning)
    for key, class_ in classes.added.items():
        yield _harmless(key, f"a new {class_.kind}", _AS_BEFORE)
    renamed = {pair.old_key: pair.key for pair in classes.pairs}
    for pair in classes.pairs:
        yield from _class(pair, renamed)


def _class(pair: _Pair[Class], renamed: dict[str, str]) -> Iterator[Change]:
    key, before, now = pair.key, pair.old, pair.new
    if pair.old_key != key or before.iri != now.iri:
        what = f"renamed or moved to {key}" if pair.old_key != key else f"its IRI changes to {now.iri}"
        if before.iri == now.iri:
            yield _harmless(pair.old_key, what, f"its IRI stays, so {_AS_BEFORE}")
        else:
            meaning = f"existing instances have the old type; rewrite it, or tag the class iri={before.iri} to keep it"
            yield _breaking(pair.old_key, what, meaning)
    if before.kind != now.kind:
        yield _check(key, f"a {before.kind} becomes a {now.kind}", "check its values")
    if before.datatype != now.datatype and before.datatype and now.datatype:
        what = f"its values change from {before.datatype} to {now.datatype}"
        yield _check(key, what, "old values keep their type")
    old_parents, new_parents = {renamed.get(p, p) for p in before.parents}, set(now.parents)
    for parent in sorted(new_parents - old_parents):
        meaning = f"existing instances lack the type {parent} until they are written again; its shape then checks them"
        yield _check(key, f"is now a kind of {parent}", meaning)
    for parent in sorted(old_parents - new_parents):
        meaning = "existing instances keep that type until it is removed"
        yield _check(key, f"is no longer a kind of {parent}", meaning)
    if now.abstract and not before.abstract:
        yield _check(key, "is now abstract", "no new instances of its own")
    elif before.abstract and not now.abstract:
        yield _harmless(key, "is no longer abstract", _AS_BEFORE)
    literals = _match({x.name: x for x in before.literals}, {x.name: x for x in now.literals})
    for name in literals.removed:
        yield _breaking(key, f"the literal {name} is gone", "existing values of it are refused by the shapes")
    for name in literals.added:
        yield _harmless(key, f"a new literal {name}", _AS_BEFORE)
    for name, old, new_name, new in literals.pairs:
        if old.iri != new.iri:
            yield _breaking(key, f"the literal {name} becomes {new_name}", "existing values have the old IRI")


# ---- properties
def _uses(description: Description) -> dict[str, Feature]:
    return {f"{use.holder.key}::{use.feature.path_name}": use.feature for use in property_uses(description)}


def _properties(old: Description, new: Description, classes: _Matching[Class]) -> Iterator[Change]:
    properties = _match(_uses(old), _uses(new))
    still = {pair.old_key for pair in classes.pairs}
    for key in properties.removed:
        if key.rpartition("::")[0] in still:
            meaning = "existing values stay as facts that nothing describes, and paths through it find nothing"
            yield _breaking(key, "the property is gone", meaning)
    for key, feature in properties.added.items():
        if key.rpartition("::")[0] in classes.added:
            continue
        if feature.lower:
            what = f"a new property with at least {feature.lower} value{'s' * (feature.lower > 1)}"
            meaning = "existing twins have none and are refused by the shapes until they are given one"
            yield _breaking(key, what, meaning)
        else:
            yield _harmless(key, "a new property", "existing twins may do without it")
    by_id = {c.id: c.key for c in new.classes if c.id}
    moves = {c.key: by_id[c.id] for c in old.classes if c.id in by_id}
    for pair in properties.pairs:
        yield from _property(pair, moves)


def _property(pair: _Pair[Feature], moves: dict[str, str]) -> Iterator[Change]:
    key, before, now = pair.key, pair.old, pair.new
    if before.path_name != now.path_name:
        keep = "its IRI stays" if before.iri == now.iri else f"tag it iri={before.iri} to keep its values"
        yield _breaking(pair.old_key, f"renamed to {now.path_name}", f"paths with the old name find nothing; {keep}")
    elif before.iri != now.iri:
        yield _breaking(key, f"its IRI changes to {now.iri}", "existing values are under the old IRI; rewrite them")
    old_range = before.datatype or moves.get(before.class_key, before.class_key)
    new_range = now.datatype or now.class_key
    if old_range != new_range:
        what = f"its values change from {old_range or 'anything'} to {new_range or 'anything'}"
        yield _breaking(key, what, "existing values are refused by the shapes until they are converted")
    yield from _bounds(key, before, now)
    if before.unit != now.unit:
        what = f"its unit changes from {before.unit or 'none'} to {now.unit or 'none'}"
        meaning = "existing values are not converted: convert them, or they are read in the wrong unit"
        yield Change(Effect.BREAKING if before.unit and now.unit else Effect.CHECK, key, what, meaning)
    yield from _limits(key, before, now)
    if before.composite != now.composite or getattr(before, "aggregation", "") != getattr(now, "aggregation", ""):
        yield _check(key, "whole and part change", "existing parts stay where they are")
    if before.default != now.default:
        yield _harmless(key, f"its default changes from {before.default} to {now.default}", "existing values stay")
    if before.derived != now.derived:
        what = f"is {'now' if now.derived else 'no longer'} derived"
        yield _check(key, what, "check which source asserts its values")


def _bounds(where: str, before: Feature, now: Feature) -> Iterator[Change]:
    if (before.lower, before.upper) == (now.lower, now.upper):
        return
    what = f"its multiplicity changes from {_range(before)} to {_range(now)}"
    if now.lower > before.lower:
        yield _breaking(
            where, what, f"twins with fewer than {now.lower} are refused by the shapes until they have more"
        )
    elif now.upper is not None and (before.upper is None or now.upper < before.upper):
        yield _breaking(
            where, what, f"twins with more than {now.upper} are refused by the shapes until they have fewer"
        )
    elif before.upper == 1 and now.upper != 1:
        yield _check(where, what, "paths that gave one value may give several")
    else:
        yield _harmless(where, what, "existing twins fit it")


def _range(feature: Feature) -> str:
    upper = "*" if feature.upper is None else str(feature.upper)
    return upper if str(feature.lower) == upper else f"{feature.lower}..{upper}"


def _limits(where: str, before: Feature, now: Feature) -> Iterator[Change]:
    def number(text: str) -> float | None:
        try:
            return float(text)
        except ValueError:
            return None

    narrower: dict[str, Callable[[float, float], bool]] = {
        "minimum": lambda a, b: b > a,
        "maximum": lambda a, b: b < a,
    }
    for name, tighter in narrower.items():
        a, b = getattr(before, name), getattr(now, name)
        if a == b:
            continue
        low, high = number(a), number(b)
        breaks = b != "" and (a == "" or low is None or high is None or tighter(low, high))
        what = f"its {name} changes from {a or 'none'} to {b or 'none'}"
        refused = "values outside are refused by the shapes"
        yield _check(where, what, refused) if breaks else _harmless(where, what, "existing values fit it")
    if before.pattern != now.pattern:
        what = f"its pattern changes from {before.pattern or 'none'} to {now.pattern or 'none'}"
        refused = "texts that do not match are refused by the shapes"
        yield _check(where, what, refused) if now.pattern else _harmless(where, what, "existing values fit it")


# ---- objects
def _objects(old: Description, new: Description) -> Iterator[Change]:
    objects = _match({o.key: o for o in old.objects}, {o.key: o for o in new.objects})
    for key in objects.removed:
        yield _check(key, "the object is gone", "a fleet that has it keeps it until it is deleted there")
    for key in objects.added:
        yield _harmless(key, "a new object", "a fleet gets it when the model is loaded again")
    for old_key, before, key, now in objects.pairs:
        if old_key != key:
            yield _breaking(old_key, f"renamed to {key}", "a fleet has it under its old name")
        if before.slots != now.slots or before.classes != now.classes:
            meaning = "a fleet has the old values until the model is loaded again"
            yield _check(key, _changed_slots(before, now), meaning)


def _changed_slots(before: Object, now: Object) -> str:
    old, new = ({slot.name: slot.values for slot in o.slots} for o in (before, now))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return f"other values of {', '.join(names)}" if names else "another class"
