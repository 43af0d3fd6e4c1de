"""Every module of the fleet as one row: age, state of charge, loss, decision. For the overview and the report.

Read through the access interface alone, one path a column, so a fleet on disk and one behind a
server give the same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from ...errors import PathNotFoundError, UnitError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Answer, SeriesValue
from ...graphstore.paths.parse import parse
from ...graphstore.paths.syntax import Name
from ...ontology.literals import to_microseconds
from ..presentation.tables import read_table
from .reasons import ordered_reasons

MODULE: Final = "Module"
"""The name of the class that this view is about."""

MODULES: Final = """SELECT DISTINCT ?key WHERE {
  ?class rdfs:label ?name . ?twin a ?class, vt:Product ; vt:key ?key FILTER(STR(?name) = "Module")
} ORDER BY ?key"""

END_OF_LINE: Final = "/*/endOfLineTest/performedAt"
ARRIVAL: Final = "/*/arrivalTest/performedAt"
LOSS: Final = "/*/selfDischarge/loss"
LOSS_TREND: Final = "/*/selfDischarge/trend"
STATE_OF_CHARGE: Final = "/*/stateOfCharge"
DECISION: Final = "/*/arrivalTest/decision"
FIXED_DECISION: Final = "/*/arrivalTest/fixedWindowDecision"
REASONS: Final = "/*/arrivalTest/reasons"


@dataclass(frozen=True)
class ModuleRow:
    """One module; None where the fleet does not know yet.

    ``age`` in hours from the end-of-line test to the arrival test, or to the latest loss estimate of a
    module still on its way. ``loss`` in percent of state of charge is the estimate for ``loss_age``: the
    arrival test, where the model ran for it, or else the latest. ``soc`` (weakest cell) in percent is the latest.
    """

    key: str
    end_of_line: datetime | None
    arrival: datetime | None
    age: float | None
    soc: float | None
    loss: float | None
    loss_age: float | None
    decision: str | None
    fixed_decision: str | None
    reasons: tuple[str, ...]


def read_modules(fleet: FleetAccess) -> tuple[ModuleRow, ...]:
    """All modules, by key."""
    keys = [row[0].text for row in read_table(fleet.query(MODULES, "application/sparql-results+json")).rows]
    paths = (END_OF_LINE, ARRIVAL, LOSS, LOSS_TREND, STATE_OF_CHARGE, DECISION, FIXED_DECISION, REASONS)
    columns = [_by_twin(fleet, path) for path in paths]
    return tuple(_row(key, [column.get(key) for column in columns]) for key in keys)


def _by_twin(fleet: FleetAccess, path: str) -> Mapping[str, Answer]:
    try:
        answers = fleet.all(path)
    except PathNotFoundError:
        # Another model than the case study's: its products have no such column.
        return {}
    return {twin_of(answer): answer for answer in answers}


def module_address(key: str) -> str:
    """The address of a module's page."""
    return f"/modules/{quote(key)}"


def twin_of(answer: Answer) -> str:
    """The key of the twin that an answer is about."""
    first = parse(answer.path).steps[0]
    assert isinstance(first, Name)
    return first.name


def _row(key: str, answers: list[Answer | None]) -> ModuleRow:
    end_of_line, arrival, loss, trend, soc, decision, fixed, reasons = answers
    begin, end = moment_of(end_of_line), moment_of(arrival)
    amount, moment = _loss(loss, trend, end)
    return ModuleRow(
        key=key,
        end_of_line=begin,
        arrival=end,
        age=_hours(begin, end or moment),
        soc=number_of(soc, "PERCENT"),
        loss=amount,
        loss_age=_hours(begin, moment),
        decision=text_of(decision),
        fixed_decision=text_of(fixed),
        reasons=tuple(ordered_reasons(texts_of(reasons))),
    )


def _loss(
    latest: Answer | None, trend: Answer | None, arrival: datetime | None
) -> tuple[float | None, datetime | None]:
    """The loss [%] and the moment it is for: runs go on after the arrival test, so the latest may be later."""
    if trend is not None and arrival is not None and isinstance(trend.value, SeriesValue):
        check_unit(trend, "PERCENT")
        samples = dict(zip(trend.value.times, trend.value.values, strict=True))
        at_arrival = samples.get(to_microseconds(arrival))
        if at_arrival is not None:
            return at_arrival, arrival
    return number_of(latest, "PERCENT"), latest.time if latest else None


def _hours(begin: datetime | None, end: datetime | None) -> float | None:
    return (end - begin).total_seconds() / 3600 if begin and end else None


def number_of(answer: Answer | None, unit: str) -> float | None:
    """The number of an answer in ``unit``. Raises UnitError where it came in another."""
    if answer is None:
        return None
    check_unit(answer, unit)
    return float(answer)


def check_unit(answer: Answer, unit: str) -> None:
    """Raises UnitError where an answer is not in ``unit``."""
    if answer.unit != unit:
        raise UnitError(f"{answer.path}: is in {answer.unit or 'no unit'}, expected {unit}; set the ontology's unit")


def moment_of(answer: Answer | None) -> datetime | None:
    """The value of an answer, if it is a time."""
    return answer.value if answer is not None and isinstance(answer.value, datetime) else None


def text_of(answer: Answer | None) -> str | None:
    """The value of an answer as text."""
    return str(answer.value) if answer is not None else None


def texts_of(answer: Answer | None) -> tuple[str, ...]:
    """The values of an answer as texts: one or several."""
    if answer is None:
        return ()
    return tuple(map(str, answer.value)) if isinstance(answer.value, tuple) else (str(answer.value),)


@dataclass(frozen=True)
class KeyFigures:
    """Counts and ranges of the whole fleet; ranges are (lowest, highest), None where nothing is known."""

    modules: int
    arrived: int
    ages: tuple[float, float] | None
    losses: tuple[float, float] | None
    decisions: Mapping[str, int]
    fixed_decisions: Mapping[str, int]


def key_figures(rows: Iterable[ModuleRow]) -> KeyFigures:
    """Counts and ranges over ``rows``."""
    known = tuple(rows)
    return KeyFigures(
        modules=len(known),
        arrived=sum(row.arrival is not None for row in known),
        ages=_range(row.age for row in known),
        losses=_range(row.loss for row in known),
        decisions=_count(row.decision for row in known),
        fixed_decisions=_count(row.fixed_decision for row in known),
    )


def _range(values: Iterable[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None


def _count(values: Iterable[str | None]) -> dict[str, int]:
    known = [value for value in values if value is not None]
    return {value: known.count(value) for value in sorted(set(known))}


SORTS: Final = ("key", "age", "soc", "loss", "decision", "fixed")


def sorted_rows(rows: Sequence[ModuleRow], by: str, descending: bool) -> list[ModuleRow]:
    """``rows`` by one column of :data:`SORTS`; rows without a value are last either way."""
    attribute = {"fixed": "fixed_decision"}.get(by, by)
    known = [row for row in rows if getattr(row, attribute) is not None]
    unknown = [row for row in rows if getattr(row, attribute) is None]
    known.sort(key=lambda row: row.key)
    known.sort(key=lambda row: getattr(row, attribute), reverse=descending)
    return known + sorted(unknown, key=lambda row: row.key)
