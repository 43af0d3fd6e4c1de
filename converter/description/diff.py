"""What changed between two versions of a model, in plain words, and what it means for existing twins.

::

    for change in compare(convert("old.mdj").description, convert("new.mdj").description):
        print(change)

Elements are matched by the UML tool's id, so that a rename is a rename and not a loss and a gain; where an
id is missing or new, by key. Order and place in a diagram are no change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple, TypeVar

from .model import Class, Description, Feature, Named, Object
from .uses import property_uses

_T = TypeVar("_T", bound=Named)


class Effect(Enum):
    """What a change means for twins that exist already."""

    BREAKING = "breaking"
    CHECK = "check"
    HARMLESS = "harmless"


class Change(NamedTuple):
    """One change: where, what, what it means for existing twins, and how much that matters."""

    effect: Effect
    where: str
    what: str
    meaning: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.effect.value}: {self.where}: {self.what}; {self.meaning}"


def compare(old: Description, new: Description) -> list[Change]:
    """Every change in classes, properties, multiplicities, literals and objects; the worst first."""
    found = [*_classes(old, new), *_properties(old, new), *_objects(old, new)]
    if old.iri != new.iri:
        found.append(
            Change(
                Effect.BREAKING,
                "the model",
                f"its IRI changes from {old.iri} to {new.iri}",
                f"every class and property below it has another IRI; tag the project iri={old.iri} to keep it",
            )
        )
    order = {effect: i for i, effect in enumerate(Effect)}
    return sorted(found, key=lambda c: (order[c.effect], c.where, c.what))


def _pairs(
    old: dict[str, _T], new: dict[str, _T]
) -> tuple[list[tuple[str, _T, str, _T]], list[tuple[str, _T]], list[tuple[str, _T]]]:
    """Matched (old key, old, new key, new), and what is only in the old and only in the new one."""
    by_id = {element.id: key for key, element in new.items() if element.id}
    matched: list[tuple[str, _T, str, _T]] = []
    taken: set[str] = set()
    waiting = []
    for key, element in old.items():
        other = by_id.get(element.id) if element.id else None
        if other is not None and other not in taken:
            matched.append((key, element, other, new[other]))
            taken.add(other)
        else:
            waiting.append((key, element))
    gone = []
    for key, element in waiting:
        if key in new and key not in taken:
            matched.append((key, element, key, new[key]))
            taken.add(key)
        else:
            gone.append((key, element))
    return matched, gone, [(key, element) for key, element in new.items() if key not in taken]


# ---- classes
def _classes(old: Description, new: Description) -> Iterator[Change]:
    matched, gone, added = _pairs({c.key: c for c in old.classes}, {c.key: c for c in new.classes})
    for key, _ in gone:
        yield Change(
            Effect.BREAKING,
            key,
            "the class is gone",
            "its instances keep a type that nothing describes or checks; delete them or give them another class",
        )
    for key, class_ in added:
        kind = class_.kind if class_.kind != "class" else "class"
        yield Change(Effect.HARMLESS, key, f"a new {kind}", "existing twins are as they were")
    renamed = {k: n for k, _, n, _ in matched}
    for key, before, now_key, now in matched:
        yield from _class(key, before, now_key, now, renamed)


def _class(key: str, before: Class, now_key: str, now: Class, renamed: dict[str, str]) -> Iterator[Change]:
    if key != now_key or before.iri != now.iri:
        what = f"renamed or moved to {now_key}" if key != now_key else f"its IRI changes to {now.iri}"
        if before.iri == now.iri:
            yield Change(Effect.HARMLESS, key, what, "its IRI stays, so existing twins are as they were")
        else:
            yield Change(
                Effect.BREAKING,
                key,
                what,
                f"existing instances have the old type; rewrite it, or tag the class iri={before.iri} to keep it",
            )
    if before.kind != now.kind:
        yield Change(Effect.CHECK, now_key, f"a {before.kind} becomes a {now.kind}", "look at what its values are")
    if before.datatype != now.datatype and before.datatype and now.datatype:
        yield Change(
            Effect.CHECK,
            now_key,
            f"its values change from {before.datatype} to {now.datatype}",
            "old values keep their type",
        )
    old_parents = {renamed.get(p, p) for p in before.parents}
    for parent in sorted(set(now.parents) - old_parents):
        yield Change(
            Effect.CHECK,
            now_key,
            f"is now a kind of {parent}",
            f"existing instances lack the type {parent} until they are written again, and its shape then checks them",
        )
    for parent in sorted(old_parents - set(now.parents)):
        yield Change(
            Effect.CHECK,
            now_key,
            f"is no longer a kind of {parent}",
            "existing instances keep that type until it is removed",
        )
    if before.abstract != now.abstract:
        what = "is now abstract" if now.abstract else "is no longer abstract"
        effect = Effect.CHECK if now.abstract else Effect.HARMLESS
        yield Change(
            effect, now_key, what, "no new instances of its own" if now.abstract else "existing twins are as they were"
        )
    matched, gone, added = _pairs({x.name: x for x in before.literals}, {x.name: x for x in now.literals})
    for name, _ in gone:
        yield Change(
            Effect.BREAKING, now_key, f"the literal {name} is gone", "existing values of it are refused by the shapes"
        )
    for name, _ in added:
        yield Change(Effect.HARMLESS, now_key, f"a new literal {name}", "existing twins are as they were")
    for name, one, now_name, other in matched:
        if one.iri != other.iri:
            yield Change(
                Effect.BREAKING, now_key, f"the literal {name} becomes {now_name}", "existing values have the old IRI"
            )


# ---- properties
def _uses(description: Description) -> dict[str, Feature]:
    return {f"{use.holder.key}::{use.feature.path_name}": use.feature for use in property_uses(description)}


def _properties(old: Description, new: Description) -> Iterator[Change]:
    classes = {c.key for c in new.classes} | {c.key for c in old.classes}
    matched, gone, added = _pairs(_uses(old), _uses(new))
    still = _holders(old, new)
    for key, _ in gone:
        if key.rpartition("::")[0] in still:
            yield Change(
                Effect.BREAKING,
                key,
                "the property is gone",
                "existing values stay as facts that nothing describes, and paths through it find nothing",
            )
    for key, feature in added:
        holder = key.rpartition("::")[0]
        fresh = holder in classes and holder not in still.values()
        if feature.lower and not fresh:
            yield Change(
                Effect.BREAKING,
                key,
                f"a new property with at least {feature.lower} value{'s' * (feature.lower > 1)}",
                "existing twins have none and are refused by the shapes until they are given one",
            )
        elif not fresh:
            yield Change(Effect.HARMLESS, key, "a new property", "existing twins may do without it")
    renamed = {c.key: c for c in old.classes}
    by_id = {c.id: c.key for c in new.classes if c.id}
    moves = {key: by_id[c.id] for key, c in renamed.items() if c.id in by_id}
    for key, before, now_key, now in matched:
        yield from _property(key, before, now_key, now, moves)


def _holders(old: Description, new: Description) -> dict[str, str]:
    """Old class key -> new class key, for the classes in both."""
    matched, _, _ = _pairs({c.key: c for c in old.classes}, {c.key: c for c in new.classes})
    return {key: now for key, _, now, _ in matched}


def _property(key: str, before: Feature, now_key: str, now: Feature, moves: dict[str, str]) -> Iterator[Change]:
    if before.path_name != now.path_name:
        keep = "its IRI stays" if before.iri == now.iri else f"tag it iri={before.iri} to keep its values"
        yield Change(
            Effect.BREAKING, key, f"renamed to {now.path_name}", f"paths with the old name find nothing; {keep}"
        )
    elif before.iri != now.iri:
        yield Change(
            Effect.BREAKING,
            now_key,
            f"its IRI changes to {now.iri}",
            "existing values are under the old IRI; rewrite them",
        )
    old_class = moves.get(before.class_key, before.class_key)
    old_range, new_range = before.datatype or old_class, now.datatype or now.class_key
    if old_range != new_range:
        yield Change(
            Effect.BREAKING,
            now_key,
            f"its values change from {old_range or 'anything'} to {new_range or 'anything'}",
            "existing values are refused by the shapes until they are converted",
        )
    yield from _bounds(now_key, before, now)
    if before.unit != now.unit:
        yield Change(
            Effect.BREAKING if before.unit and now.unit else Effect.CHECK,
            now_key,
            f"its unit changes from {before.unit or 'none'} to {now.unit or 'none'}",
            "existing values are not converted: convert them, or they are read in the wrong unit",
        )
    yield from _limits(now_key, before, now)
    if before.composite != now.composite or getattr(before, "aggregation", "") != getattr(now, "aggregation", ""):
        yield Change(Effect.CHECK, now_key, "whole and part change", "existing parts stay where they are")
    if before.default != now.default:
        yield Change(
            Effect.HARMLESS,
            now_key,
            f"its default changes from {before.default} to {now.default}",
            "existing values stay",
        )
    if before.derived != now.derived:
        yield Change(
            Effect.CHECK,
            now_key,
            f"is {'now' if now.derived else 'no longer'} derived",
            "look at what asserts its values",
        )


def _bounds(where: str, before: Feature, now: Feature) -> Iterator[Change]:
    if (before.lower, before.upper) == (now.lower, now.upper):
        return
    what = f"its multiplicity changes from {_range(before)} to {_range(now)}"
    if now.lower > before.lower:
        yield Change(
            Effect.BREAKING,
            where,
            what,
            f"twins with fewer than {now.lower} are refused by the shapes until they have more",
        )
    elif now.upper is not None and (before.upper is None or now.upper < before.upper):
        yield Change(
            Effect.BREAKING,
            where,
            what,
            f"twins with more than {now.upper} are refused by the shapes until they have fewer",
        )
    elif before.upper == 1 and now.upper != 1:
        yield Change(Effect.CHECK, where, what, "paths that gave one value may give several")
    else:
        yield Change(Effect.HARMLESS, where, what, "existing twins keep to it")


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
        yield Change(
            Effect.CHECK if breaks else Effect.HARMLESS,
            where,
            f"its {name} changes from {a or 'none'} to {b or 'none'}",
            "values outside are refused by the shapes" if breaks else "existing values keep to it",
        )
    if before.pattern != now.pattern:
        yield Change(
            Effect.CHECK if now.pattern else Effect.HARMLESS,
            where,
            f"its pattern changes from {before.pattern or 'none'} to {now.pattern or 'none'}",
            "texts that do not match are refused by the shapes" if now.pattern else "existing values keep to it",
        )


# ---- objects
def _objects(old: Description, new: Description) -> Iterator[Change]:
    matched, gone, added = _pairs({o.key: o for o in old.objects}, {o.key: o for o in new.objects})
    for key, _ in gone:
        yield Change(Effect.CHECK, key, "the object is gone", "a fleet that has it keeps it until it is deleted there")
    for key, _ in added:
        yield Change(Effect.HARMLESS, key, "a new object", "a fleet gets it when the model is loaded again")
    for key, before, now_key, now in matched:
        if key != now_key:
            yield Change(Effect.BREAKING, key, f"renamed to {now_key}", "a fleet has it under its old name")
        if before.slots != now.slots or before.classes != now.classes:
            yield Change(
                Effect.CHECK, now_key, _slots(before, now), "a fleet has the old values until the model is loaded again"
            )


def _slots(before: Object, now: Object) -> str:
    old, new = ({slot.name: slot.values for slot in o.slots} for o in (before, now))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return f"other values of {', '.join(names)}" if names else "another class"
