"""How answers read to people: the command line, the web pages and the report share these words.

>>> from voltwin.graphstore.paths.answers import Answer
>>> from voltwin.api.presentation.wording import origin_text
>>> origin_text(Answer("/pump-1/pressure", 2.5, "BAR", origin="inferred", rule="shop-default", priority=20))
'inferred by rule shop-default, priority 20'
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ...graphstore.fleets.structure import SeriesSummary
from ...graphstore.paths.answers import Answer, SeriesValue, Trend
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
    "MIN": "min",
    "M": "m",
    "MilliM": "mm",
    "KiloGM": "kg",
    "N-M": "N·m",
    "BAR": "bar",
    "REV-PER-MIN": "rpm",
    "HZ": "Hz",
    "W": "W",
    "KiloW": "kW",
    "A": "A",
    "UNITLESS": "",
}
"""QUDT units' local names as people write them; others stay as they are."""


def symbol(unit: str | None) -> str:
    """The sign of a unit; empty for none."""
    return SYMBOLS.get(unit, unit) if unit else ""


def short_time(moment: datetime) -> str:
    """To the minute: ``2019-04-01 08:15``, in UTC."""
    return format_time(moment)[:16].replace("T", " ")


def bare_value(answer: Answer) -> str:
    """The value without its unit; a series or trend as the number of its samples or segments and their range."""
    if isinstance(answer.value, SeriesValue) and answer.value.times:
        return f"{len(answer.value.times)} samples, {min(answer.value.values):.6g} to {max(answer.value.values):.6g}"
    if isinstance(answer.value, Trend) and answer.value.segments:
        values = [value for segment in answer.value.segments for value in segment.values]
        return f"{len(answer.value.segments)} segments, {min(values):.6g} to {max(values):.6g}"
    return str(answer).removesuffix(f" {answer.unit}") if answer.unit else str(answer)


def value_text(answer: Answer) -> str:
    """The value with its unit; a series with its times, a trend segment by segment."""
    if isinstance(answer.value, Trend):
        return str(answer)
    if isinstance(answer.value, SeriesValue):
        return f"{answer.value} {symbol(answer.unit)}".rstrip()
    return f"{bare_value(answer)} {unit}" if (unit := symbol(answer.unit)) else bare_value(answer)


def short_value(answer: Answer) -> str:
    """The value to four digits with its unit."""
    return (
        f"{answer.value:.4g} {symbol(answer.unit)}".rstrip() if isinstance(answer.value, float) else value_text(answer)
    )


def source_text(answer: Answer | SeriesSummary) -> str:
    """The origin of the value: the rule, or the action of the run that brought it."""
    if isinstance(answer, Answer) and answer.rule:
        return f"{answer.origin} by rule {answer.rule}, priority {answer.priority}"
    return f"{answer.origin} by {answer.source.partition('~')[0]}" if answer.source else answer.origin


def origin_text(answer: Answer) -> str:
    """The origin of the value and its time."""
    return f"{source_text(answer)} {format_time(answer.time)}" if answer.time else source_text(answer)
