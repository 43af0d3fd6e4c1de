"""The arrival gate: two OCV tests and the history between them in, a decision per module out.

>>> from voltwin.models.arrival_gate.model import ArrivalGateModel
>>> ArrivalGateModel.shipped().outputs[0].name
'decision'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..columns import Flags, Floats, Integers, Ragged, Trends, grouped, row_sums
from ..ocv_soc.curve import OcvCurve
from ..ocv_soc.files import CurveLibrary
from ..ocv_soc.model import CURVE_PARAMETER, FLAT, check_curves, refuse_off_curve
from ..protocol import Answer, Batch, Column, Parameter, Problems, answer_good
from ..self_discharge.equivalent_age import TemperatureDoubt
from ..self_discharge.exposures import PARAMETERS, Exposures, check_laws, expose
from ..self_discharge.histories import bridge, check_trends, gaps
from ..self_discharge.parameter_sets import ParameterSets
from ..self_discharge.soc_laws import SocFactor
from .decision import (
    ACCEPT,
    REJECT,
    Findings,
    any_of,
    decide,
    false_reject_rate,
    fixed_window_false_reject_rate,
    leak_current,
    smallest_detectable_leak,
)
from .expectation import Doubts, Expectation, Measurement, deviation_parts, expect
from .ports import GATE_PARAMETERS, INPUTS, OUTPUTS
from .relaxation import Relaxation, Relaxations

_KELVIN: Final = 273.15
_HOUR: Final = 3600.0
COMPONENTS: Final = {
    "measurement": "sigmaMeasurement",
    "selfDischarge": "sigmaSelfDischarge",
    "entropic": "sigmaEntropic",
    "relaxation": "sigmaRelaxation",
}


@dataclass(frozen=True, slots=True)
class ArrivalGateModel:
    """A window per cell, from its own end-of-line test and its own history."""

    library: CurveLibrary
    sets: ParameterSets
    relaxations: Relaxations
    name: str = "arrival-gate"
    version: str = "1.0.0"
    description: str = "Decision at the arrival test, with a window for every cell from its own history."
    inputs = INPUTS
    outputs = OUTPUTS
    parameters: tuple[Parameter, ...] = (CURVE_PARAMETER, *PARAMETERS, *GATE_PARAMETERS)

    @classmethod
    def shipped(
        cls, curves: Iterable[Path] = (), sets: Iterable[Path] = (), relaxations: Iterable[Path] = ()
    ) -> ArrivalGateModel:
        """With the shipped curves, parameter sets and relaxation laws, and further files of each."""
        return cls(CurveLibrary.shipped(curves), ParameterSets.shipped(sets), Relaxations.shipped(relaxations))

    def run(self, batch: Batch) -> Answer:
        """Answer all instances at once."""
        problems = Problems()
        _check(batch, problems)
        check_trends(batch.trend("temperatureTrend"), "temperatureTrend", problems)
        check_laws(self.sets, batch, problems)
        check_curves(self.library, batch, problems)
        for row, name in enumerate(batch.words("relaxation")):
            if name not in self.relaxations.laws:
                known = ", ".join(sorted(self.relaxations.laws))
                problems.add(row, "relaxation", f"{name!r} is not known; known are {known}")
        return answer_good(batch, problems, self._compute)

    def _compute(self, batch: Batch, problems: Problems) -> dict[str, Column]:
        left, arrived = batch.cells("endOfLineOcv"), batch.cells("arrivalOcv")
        trends = batch.trend("temperatureTrend")
        begin, until = batch.scalar("endOfLineTime"), batch.scalar("arrivalTime")
        found_gaps = gaps(trends, begin, until)
        bridged, bridges = bridge(trends, found_gaps)
        cut = bridged.within(begin, until)
        guessed = ~cut.measured & ~bridges
        doubts = [
            TemperatureDoubt("measuredTemperature", cut.measured, batch.numbers("measuredTemperatureSigma")),
            TemperatureDoubt("guessedTemperature", guessed, batch.numbers("guessedTemperatureSigma")),
            TemperatureDoubt("gapTemperature", bridges, batch.numbers("gapTemperatureSigma")),
        ]
        history = expose(self.sets, batch, cut, doubts, np.zeros(batch.size), problems)
        cells = _Cells.empty(left.values.size)
        laws = [self.relaxations.get(name) for name in batch.words("relaxation")]
        keys = zip(batch.words("curve"), batch.words("relaxation"), batch.words("parameterSet"), strict=True)
        for (curve_name, relaxation, set_name), rows in grouped(list(keys)):
            curve, law = self.library.get(curve_name), self.relaxations.get(relaxation)
            factor = self.sets.get(set_name).soc_factor
            _expect_rows(batch, rows, curve, law, factor, history, cells, problems)
        entropy_known = np.array([self.library.get(name).entropy != "none" for name in batch.words("curve")], bool)
        unsoaked = _not_soaked(batch, cut, until)
        return _columns(batch, left, arrived, cells, history, found_gaps.seconds, unsoaked, entropy_known, laws)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Per-cell results of all instances, flat ``(N,)``, V unless said otherwise."""

    expected: Floats
    self_discharge: Floats
    entropic: Floats
    relaxation: Floats
    soc_before: Floats
    soc_after: Floats
    slope: Floats
    parts: dict[str, Floats]

    @classmethod
    def empty(cls, size: int) -> _Cells:
        a, b, c, d, e, f, g = (np.full(size, np.nan) for _ in range(7))
        return cls(a, b, c, d, e, f, g, {component: np.full(size, np.nan) for component in COMPONENTS})

    def put(self, where: Flags, found: Expectation, parts: dict[str, Floats]) -> None:
        self.expected[where] = found.voltage
        self.self_discharge[where] = found.self_discharge
        self.entropic[where] = found.entropic
        self.relaxation[where] = found.relaxation
        self.soc_before[where] = found.soc_before
        self.soc_after[where] = found.soc_after
        self.slope[where] = found.slope
        for component, sigma in parts.items():
            self.parts[component][where] = sigma


def _check(batch: Batch, problems: Problems) -> None:
    left, arrived = batch.cells("endOfLineOcv"), batch.cells("arrivalOcv")
    problems.flag(left.lengths == 0, "endOfLineOcv", "is empty; give one value per cell")
    problems.flag(
        left.lengths != arrived.lengths,
        "arrivalOcv",
        "must have as many values as endOfLineOcv, in the same order",
    )
    problems.flag(
        batch.scalar("arrivalTime") <= batch.scalar("endOfLineTime"),
        "arrivalTime",
        "does not come after endOfLineTime; check both times and their zone",
    )
    series = batch.numbers("seriesCount")
    problems.flag(
        (series > 0) & (series != left.lengths),
        "endOfLineOcv",
        "must have one value per cell in series: seriesCount is {}",
        series,
    )
    module, total = batch.scalar("moduleOcv"), arrived.sum()
    apart = np.abs(module - total) > 3e-3 * np.maximum(arrived.lengths, 1)
    problems.flag(
        ~np.isnan(module) & apart,
        "moduleOcv",
        "differs from the sum of arrivalOcv, {} V, by more than 3 mV a cell; check wiring and units",
        total,
    )


def _expect_rows(
    batch: Batch,
    rows: Integers,
    curve: OcvCurve,
    law: Relaxation,
    factor: SocFactor,
    history: Exposures,
    cells: _Cells,
    problems: Problems,
) -> None:
    """Expectation and its parts of doubt for the instances ``rows``, which share curve and laws."""
    left, arrived = batch.cells("endOfLineOcv"), batch.cells("arrivalOcv")
    where = np.isin(left.rows, rows)
    ours, theirs = left.take(rows), arrived.take(rows)
    t_left = ours.spread(batch.scalar("endOfLineTemperature")[rows] + _KELVIN)
    t_there = ours.spread(batch.scalar("arrivalTemperature")[rows] + _KELVIN)
    refuse_off_curve(curve, ours, t_left, rows, "endOfLineOcv", problems)
    refuse_off_curve(curve, theirs, t_there, rows, "arrivalOcv", problems)
    before = Measurement(ours.values, t_left, ours.spread(batch.scalar("endOfLineRest")[rows]))
    there = Measurement(theirs.values, t_there, ours.spread(batch.scalar("arrivalRest")[rows]))
    found = expect(curve, law, before, there, factor, ours.spread(history.exposure[rows]))
    doubts = Doubts(
        voltage=ours.spread(batch.numbers("voltageSigma")[rows]) * 1e-3,
        temperature=ours.spread(batch.numbers("testTemperatureSigma")[rows]),
        exposure={source: ours.spread(sigma[rows]) for source, sigma in history.sigmas.items()},
    )
    cells.put(where, found, deviation_parts(curve, law, before, there, found, doubts))


def _not_soaked(batch: Batch, cut: Trends, until: Floats) -> Flags:
    """Modules whose arrival temperature is not the one they had rested at, or far from the first test's."""
    tolerance = batch.numbers("soakTolerance")
    last = cut.within(until - batch.numbers("soakTime") * _HOUR, until)
    weight = last.end - last.start
    length = row_sums(weight, last.offsets)
    total = row_sums(weight * 0.5 * (last.first + last.last), last.offsets)
    ambient = np.divide(total, length, out=np.full(len(last), np.nan), where=length > 0) - _KELVIN
    arrival = batch.scalar("arrivalTemperature")
    apart = np.abs(arrival - batch.scalar("endOfLineTemperature")) > tolerance
    moving = np.abs(arrival - ambient) > tolerance
    result: Flags = apart | moving
    return result


def _columns(
    batch: Batch,
    left: Ragged,
    arrived: Ragged,
    cells: _Cells,
    history: Exposures,
    gap_seconds: Floats,
    unsoaked: Flags,
    entropy_known: Flags,
    laws: list[Relaxation],
) -> dict[str, Column]:
    z = batch.numbers("z")
    sigma = np.sqrt(sum((part * part for part in cells.parts.values()), np.zeros_like(cells.expected)))
    limit = left.spread(z) * sigma
    deviation = arrived.values - cells.expected
    score = left.with_values(deviation / sigma)
    lowest, highest = score.minimum(), score.maximum()
    hours = history.age
    group = left.spread(batch.scalar("capacity") * batch.numbers("parallelCount"))
    leak = smallest_detectable_leak(left.spread(z), sigma, cells.slope, group, left.spread(hours))
    window = batch.numbers("fixedWindow") * 1e-3
    change = left.with_values(np.abs(arrived.values - left.values))
    fixed = fixed_window_false_reject_rate(cells.expected - left.values, sigma, left.spread(window))
    rests = np.minimum(batch.scalar("endOfLineRest"), batch.scalar("arrivalRest"))
    flat = left.with_values(cells.slope).minimum() < FLAT
    shortest = np.maximum(batch.numbers("minimumRest"), [law.valid_rest[0] for law in laws])

    decisions: list[str] = []
    reasons: list[list[str]] = []
    for i in range(batch.size):
        decision, why = decide(
            Findings(
                low=bool(lowest[i] < -z[i]),
                high=bool(highest[i] > z[i]),
                far=bool(max(-lowest[i], highest[i]) > 2 * z[i]),
                not_soaked=bool(unsoaked[i]),
                insufficient_rest=bool(rests[i] < shortest[i]),
                history_gap=bool(gap_seconds[i] > 0),
                extrapolated_temperature=bool(history.extrapolated[i]),
                flat=bool(flat[i]),
                no_entropy_data=not bool(entropy_known[i]),
            )
        )
        decisions.append(decision)
        reasons.append(why)

    per_cell = false_reject_rate(z)
    counts = left.lengths.astype(np.float64)
    shared = left.with_values(np.sqrt(np.maximum(sigma**2 - cells.parts["measurement"] ** 2, 0.0))).sum()
    own = left.with_values(cells.parts["measurement"] ** 2).sum()
    columns: dict[str, Column] = {
        "decision": decisions,
        "reasons": reasons,
        "expectedOcv": left.with_values(cells.expected),
        "lowerLimit": left.with_values(cells.expected - limit),
        "upperLimit": left.with_values(cells.expected + limit),
        "zScore": score,
        "worstCell": left.with_values(np.abs(score.values)).argmax() + 1.0,
        "deltaSelfDischarge": left.with_values(cells.self_discharge * 1e3),
        "deltaEntropic": left.with_values(cells.entropic * 1e3),
        "deltaRelaxation": left.with_values(cells.relaxation * 1e3),
        "sigma": left.with_values(sigma * 1e3),
        "moduleExpectedOcv": left.with_values(cells.expected).sum(),
        "moduleZScore": left.with_values(deviation).sum() / np.sqrt(own + shared**2),
        "leakCurrent": left.with_values(leak_current(-deviation, cells.slope, group, left.spread(hours))),
        "smallestDetectableLeak": left.with_values(leak).maximum(),
        "falseRejectRateCell": per_cell * 100,
        "falseRejectRateModule": any_of(per_cell, counts) * 100,
        "fixedWindowDecision": [
            REJECT if moved > w else ACCEPT for moved, w in zip(change.maximum(), window, strict=True)
        ],
        "fixedWindowFalseRejectRate": -np.expm1(left.with_values(np.log1p(-np.minimum(fixed, 1 - 1e-16))).sum()) * 100,
        "endOfLineSoc": left.with_values(cells.soc_before * 100),
        "expectedSoc": left.with_values(cells.soc_after * 100),
        "loss": left.with_values(cells.soc_before - cells.soc_after).mean() * 100,
        "equivalentAge": history.equivalent_age,
        "age": hours,
        "meanKineticTemperature": history.mean_kinetic - _KELVIN,
        "measuredShare": history.measured * 100,
        "gapShare": gap_seconds / _HOUR / np.where(hours > 0, hours, np.nan) * 100,
    }
    for component, port in COMPONENTS.items():
        columns[port] = left.with_values(cells.parts[component] * 1e3)
    return columns
