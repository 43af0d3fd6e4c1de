"""Tags that say something to the converter."""

from __future__ import annotations

from typing import Final

KNOWN_TAGS: Final = frozenset(
    {"unit", "quantityKind", "exactMatch", "closeMatch", "min", "max", "pattern", "iri", "properties"}
)
"""Tags that say something to the converter; every other tag is kept as an annotation."""
