"""The uses of properties and the parts in a description, for those who write or check it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from .model import Association, Class, Description, Feature


def by_key(description: Description) -> dict[str, Class]:
    """The description's classes by key."""
    return {class_.key: class_ for class_ in description.classes}


def with_ancestors(start: Iterable[str], parents: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """``start`` and all ancestors, nearest first, each once."""
    found = dict.fromkeys(start)
    waiting = list(found)
    for here in waiting:
        new = [parent for parent in parents(here) if parent not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return tuple(found)


class Use(NamedTuple):
    """One use of a property: the class that has it, the feature, and its association where it is an end."""

    holder: Class
    feature: Feature
    association: Association | None = None


def property_uses(description: Description) -> Iterator[Use]:
    """Every property of every class: its attributes, then the navigable ends of its associations."""
    classes = by_key(description)
    for class_ in description.classes:
        for feature in class_.attributes:
            yield Use(class_, feature)
    for association in description.associations:
        if len(association.ends) != 2:
            continue
        for end, near in zip(association.ends, reversed(association.ends), strict=True):
            if end.navigable:
                yield Use(classes[near.class_key], end, association)


class PartOf(NamedTuple):
    """An object's whole, its role there, and whether the role holds many parts."""

    whole: str
    role: str
    many: bool


def parts_of_link(association: Association, objects: Sequence[str]) -> Iterator[tuple[str, PartOf]]:
    """The parts that a link of two objects makes, where its association is a composition."""
    for i, end in enumerate(association.ends):
        whole, part = objects[i], objects[1 - i]
        if end.aggregation == "composite" and whole != part:
            far = association.ends[1 - i]
            yield part, PartOf(whole, far.path_name, far.upper != 1)
