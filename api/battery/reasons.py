"""The arrival gate's reason codes in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

REASONS: Final = {
    "LOW_OCV": "a cell's voltage is below its lower limit",
    "HIGH_OCV": "a cell's voltage is above its upper limit",
    "NOT_SOAKED": "the module had not reached room temperature",
    "INSUFFICIENT_REST": "too little rest since the last current",
    "HISTORY_GAP": "part of the temperature history is missing",
    "EXTRAPOLATED_T": "temperatures outside the range of the model's parameters",
    "OCV_FLAT": "the OCV curve is too flat there to decide",
    "NO_ENTROPY_DATA": "no temperature coefficient for this OCV curve",
}
"""In the order of their weight: decisive ones, then doubts, then remarks."""


def ordered_reasons(codes: Iterable[str]) -> list[str]:
    """Reason codes in the order of :data:`REASONS`; unknown ones last."""
    known = list(REASONS)
    return sorted(codes, key=lambda code: (known.index(code) if code in known else len(known), code))


def reason_text(code: str) -> str:
    """A reason code in words; an unknown one as it is."""
    return REASONS.get(code, code)
