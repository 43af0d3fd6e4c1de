"""The tags that the converter interprets."""

from __future__ import annotations

from typing import Final

KNOWN_TAGS: Final = frozenset(
    {"unit", "quantityKind", "exactMatch", "closeMatch", "min", "max", "pattern", "iri", "properties"}
)
"""Tags that the converter interprets on any element; every other tag is kept as an annotation."""
