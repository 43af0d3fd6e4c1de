"""Every use of a property in a description: the class that has it, what it says, and its association end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .model import Association, Class, Description, Feature


def by_key(description: Description) -> dict[str, Class]:
    """The description's classes by key."""
    return {class_.key: class_ for class_ in description.classes}


class Use(NamedTuple):
    """One use of a property: the class that has it, what it says, and its end where it is one."""

    holder: Class
    feature: Feature
    association: Association | None = None


def property_uses(description: Description) -> Iterator[Use]:
    """Every property of every class: its attributes, then the ends that its associations lead to."""
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


def is_datatype_property(feature: Feature) -> bool:
    """Whether its values are literals."""
    return bool(feature.datatype)
