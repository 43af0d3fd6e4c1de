"""A new twin gets the parts that its class requires: they have an end, and a twin a number that can be made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyoxigraph import NamedNode

from ....graphstore.schema import Schema
from .finding import DesignFinding, DesignUnderCheck

MOST_PARTS: Final = 100_000
"""Parts that a new twin may have at once."""


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each class whose parts require each other in a circle, or are too many."""
    counts: dict[NamedNode, int] = {}
    for cls in design.schema.classes.values():
        count = _count(cls.iri, design.schema, counts, ())
        if count > MOST_PARTS:
            much = "without end" if count == _ENDLESS else f"{count} of them, more than {MOST_PARTS}"
            yield DesignFinding("error", f"class {cls.name!r}", f"requires parts of parts {much}")


_ENDLESS: Final = 10**30


def _count(cls: NamedNode, schema: Schema, counts: dict[NamedNode, int], above: tuple[NamedNode, ...]) -> int:
    if cls in above or len(above) > 100:
        return _ENDLESS
    if cls not in counts:
        parts = [prop for prop in schema.of(cls) if prop.composition and prop.required and prop.range is not None]
        inner = [prop.required * _count(prop.range, schema, counts, (*above, cls)) for prop in parts if prop.range]
        counts[cls] = min(_ENDLESS, 1 + sum(inner))
    return counts[cls]
