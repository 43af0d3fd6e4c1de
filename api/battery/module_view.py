"""One module as its page shows it: life cycle, key values, cells against their limits, reasons.

Every number keeps its answer, so that the page can show its origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ...errors import NotFoundError, PathNotFoundError
from ...graphstore.fleets.fleet import FleetAccess, Twin
from ...graphstore.paths.answers import Answer, Element, Trend
from ...graphstore.paths.parse import parse
from ...graphstore.paths.syntax import Name
from .fleet_table import moment_of, number_of

PLATE: Final = (("Serial", "serial"), ("Type", "type"), ("Cell capacity", "capacity"), ("OCV curve", "curve"))
VALUES: Final = (
    ("State of charge, weakest cell", "stateOfCharge"),
    ("Self-discharge since end of line", "selfDischarge/loss"),
    ("Equivalent age at reference temperature", "selfDischarge/equivalentAge"),
)
CELL_VALUES: Final = (
    "endOfLineOcv",
    "arrivalOcv",
    "expectedOcv",
    "lowerLimit",
    "upperLimit",
    "endOfLineSoc",
    "stateOfCharge",
    "loss",
)


@dataclass(frozen=True)
class Stage:
    """One stage of a module's life; ``end`` is None for a moment and for a stage that has not ended."""

    name: str
    kind: str
    begin: datetime
    end: datetime | None
    place: str | None
    details: tuple[tuple[str, Answer], ...]


@dataclass(frozen=True)
class CellRow:
    """One cell: the answers by name, and its arrival voltage minus the expected one, in mV."""

    key: str
    answers: Mapping[str, Answer]

    def volts(self, name: str) -> float | None:
        """One of its voltages [V]."""
        return number_of(self.answers.get(name), "V")

    @property
    def deviation(self) -> float | None:
        """Arrival minus expected [mV]."""
        arrival, expected = self.volts("arrivalOcv"), self.volts("expectedOcv")
        return None if arrival is None or expected is None else (arrival - expected) * 1000

    @property
    def limits(self) -> tuple[float, float] | None:
        """Lower and upper limit minus expected [mV]."""
        low, expected, high = self.volts("lowerLimit"), self.volts("expectedOcv"), self.volts("upperLimit")
        if low is None or expected is None or high is None:
            return None
        return (low - expected) * 1000, (high - expected) * 1000

    @property
    def is_outside(self) -> bool:
        """Whether its arrival voltage lies outside of its limits."""
        deviation, limits = self.deviation, self.limits
        return deviation is not None and limits is not None and not limits[0] <= deviation <= limits[1]


@dataclass(frozen=True)
class ModuleView:
    """The content of a module's page."""

    key: str
    type: str
    plate: tuple[tuple[str, Answer], ...]
    values: tuple[tuple[str, Answer], ...]
    decision: Answer | None
    fixed_decision: Answer | None
    reasons: Answer | None
    stages: tuple[Stage, ...]
    trend: Answer | None
    cells: tuple[CellRow, ...]

    @property
    def sources(self) -> tuple[Answer, ...]:
        """Every answer of the page, for the list of origins."""
        found = [answer for _, answer in (*self.plate, *self.values)]
        found += [answer for answer in (self.decision, self.fixed_decision, self.reasons) if answer is not None]
        found += [answer for stage in self.stages for _, answer in stage.details]
        found += [answer for cell in self.cells for answer in cell.answers.values()]
        return tuple(found)


def read_module(fleet: FleetAccess, key: str) -> ModuleView:
    """Read one module. Raises TwinNotFoundError where there is none of that key."""
    twin = fleet[key]
    (element,) = fleet.all(f"/{twin.segment}")
    trend = _maybe(twin, "reasoner/temperatureTrend")
    return ModuleView(
        key=key,
        type=element.value.type if isinstance(element.value, Element) else "",
        plate=_known(twin, PLATE),
        values=_known(twin, VALUES),
        decision=_maybe(twin, "arrivalTest/decision"),
        fixed_decision=_maybe(twin, "arrivalTest/fixedWindowDecision"),
        reasons=_maybe(twin, "arrivalTest/reasons"),
        stages=_stages(twin),
        trend=trend if trend is not None and isinstance(trend.value, Trend) else None,
        cells=_cells(twin),
    )


def _maybe(twin: Twin, path: str) -> Answer | None:
    """The answer, or None where nothing is there yet or the model has no such step."""
    try:
        return twin[path]
    except NotFoundError:
        return None


def _known(twin: Twin, labelled: Iterable[tuple[str, str]]) -> tuple[tuple[str, Answer], ...]:
    found = ((label, _maybe(twin, path)) for label, path in labelled)
    return tuple((label, answer) for label, answer in found if answer is not None)


def _all(twin: Twin, path: str) -> list[Answer]:
    try:
        return twin.all(path)
    except PathNotFoundError:
        # Another model than the case study's.
        return []


def _cells(twin: Twin) -> tuple[CellRow, ...]:
    found: dict[str, dict[str, Answer]] = {}
    for name in CELL_VALUES:
        for answer in _all(twin, f"cells/*/{name}"):
            found.setdefault(_steps(answer)[2], {})[name] = answer
    return tuple(CellRow(key, found[key]) for key in sorted(found))


def _steps(answer: Answer) -> list[str]:
    return [step.name for step in parse(answer.path).steps if isinstance(step, Name)]


def _stages(twin: Twin) -> tuple[Stage, ...]:
    tests = (("End-of-line test", "endOfLineTest"), ("Arrival test", "arrivalTest"))
    stages = [_test(twin, name, path) for name, path in tests]
    stages += [
        _stretch(twin, f"Storage, {_steps(stay)[2]}", "storage", f"storageStays/{_quoted(stay, 2)}", "storage")
        for stay in _all(twin, "storageStays/*")
    ]
    stages.append(_stretch(twin, "Transport", "transport", "transport", "truck"))
    return tuple(sorted((stage for stage in stages if stage is not None), key=lambda stage: stage.begin))


def _quoted(answer: Answer, index: int) -> str:
    return str(parse(answer.path).steps[index])


def _test(twin: Twin, name: str, path: str) -> Stage | None:
    moment = moment_of(_maybe(twin, f"{path}/performedAt"))
    if moment is None:
        return None
    labels = (("OCV", "ocv"), ("Temperature", "temperature"), ("Rest since last current", "rest"))
    return Stage(name, "test", moment, None, None, _known(twin, [(label, f"{path}/{step}") for label, step in labels]))


def _stretch(twin: Twin, name: str, kind: str, path: str, place: str) -> Stage | None:
    begin = moment_of(_maybe(twin, f"{path}/begin"))
    if begin is None:
        return None
    where = _maybe(twin, f"{path}/{place}")
    set_point = _maybe(twin, f"{path}/{place}/setPoint") if kind == "storage" else None
    return Stage(
        name=name,
        kind=kind,
        begin=begin,
        end=moment_of(_maybe(twin, f"{path}/end")),
        place=where.value.path.removeprefix("/") if where and isinstance(where.value, Element) else None,
        details=(("Set point", set_point),) if set_point else (),
    )
