"""How answers read to people: the command line, the web pages and the report share these words.

>>> from voltwin.graphstore.paths.answers import Answer
>>> from voltwin.api.presentation.wording import origin_text
>>> origin_text(Answer("/m/t", 25.0, "DEG_C", origin="inferred", rule="storage-set-point", priority=20))
'inferred by rule storage-set-point, priority 20'
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from ...graphstore.paths.answers import Answer, Trend
from ...ontology.literals import format_time

SYMBOLS: Final = {
    "V": "V",
    "MilliV": "mV",
    "DEG_C": "°C",
    "K": "K",
    "PERCENT": "%",
    "PERCENT_RH": "% RH",
    "M-PER-SEC2": "m/s²",
    "DEG": "°",
    "HR": "h",
    "A-HR": "Ah",
    "SEC": "s",
}
"""QUDT units' local names as people write them; others stay as they are."""


REASONS: Final = {
    "LOW_OCV": "a cell's voltage is below its lower limit",
    "HIGH_OCV": "a cell's voltage is above its upper limit",
    "NOT_SOAKED": "the module had not reached room temperature",
    "INSUFFICIENT_REST": "too little rest since the last current",
    "HISTORY_GAP": "part of the temperature history is missing",
    "EXTRAPOLATED_T": "temperatures outside the range of the model's parameters",
    "OCV_FLAT": "the OCV curve is too flat there to tell",
    "NO_ENTROPY_DATA": "no temperature coefficient for this OCV curve",
}
"""The arrival gate's reason codes in words."""


def ordered_reasons(codes: Iterable[str]) -> list[str]:
    """What decides first, then doubts, then remarks; unknown codes last."""
    known = list(REASONS)
    return sorted(codes, key=lambda code: (known.index(code) if code in known else len(known), code))


def reason_text(code: str) -> str:
    """A reason code in words; an unknown one as it is."""
    return REASONS.get(code, code)


def symbol(unit: str | None) -> str:
    """The sign of a unit; empty for none."""
    return SYMBOLS.get(unit, unit) if unit else ""


def short_time(moment: datetime) -> str:
    """To the minute: ``2019-04-01 08:15``, in UTC."""
    return format_time(moment)[:16].replace("T", " ")


def value_text(answer: Answer) -> str:
    """The value with its unit."""
    text = str(answer).removesuffix(f" {answer.unit}") if answer.unit else str(answer)
    unit = symbol(answer.unit)
    return f"{text} {unit}" if unit and not isinstance(answer.value, Trend) else text


def short_value(answer: Answer) -> str:
    """The value to four digits with its unit."""
    return (
        f"{answer.value:.4g} {symbol(answer.unit)}".rstrip() if isinstance(answer.value, float) else value_text(answer)
    )


def origin_text(answer: Answer) -> str:
    """Where the value comes from and when; of the run that brought it, its action's name."""
    words: list[str] = [answer.origin]
    if answer.rule:
        words.append(f"by rule {answer.rule}, priority {answer.priority}")
    elif answer.source:
        words.append(f"by {answer.source.partition('~')[0]}")
    if answer.time:
        words.append(format_time(answer.time))
    return " ".join(words)
