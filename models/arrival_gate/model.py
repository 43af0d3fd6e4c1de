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

from ..base.batches import run_in_batches
from ..base.columns import Flags, Floats, Integers, Trends, grouped, row_sums
from ..base.protocol import Batch, Column, ModelAnswer, Parameter, Problems, answer_good
from ..ocv_soc.curve import OcvCurve
from ..ocv_soc.files import CurveLibrary
from ..ocv_soc.model import CURVE_PARAMETER, check_curves, refuse_off_curve
from ..self_discharge.equivalent_age import TemperatureUncertainty
from ..self_discharge.histories import bridge, check_trends, gaps
from ..self_discharge.parameter_sets import ParameterSets
from ..self_discharge.soc_laws import SocFactor
from ..self_discharge.thermal_exposure import PARAMETERS, ThermalExposure, check_laws, integrate_exposure
from .expectation import Measurement, Uncertainties, deviation_parts, expect, own_deviation
from .ports import GATE_PARAMETERS, INPUTS, OUTPUTS
from .relaxation import Relaxation, Relaxations
from .verdict import Cells, Circumstances, judge

_KELVIN: Final = 273.15
_HOUR: Final = 3600.0


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

    def with_files(self, folder: Path) -> ArrivalGateModel:
        """Knowing the files in ``folder/curves``, ``folder/parameters`` and ``folder/relaxations``, too."""
        return ArrivalGateModel.shipped([folder / "curves"], [folder / "parameters"], [folder / "relaxations"])

    def run(self, batch: Batch) -> ModelAnswer:
        """Answer all instances at once."""
        return run_in_batches(batch, self._run)

    def _run(self, batch: Batch) -> ModelAnswer:
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
        trends = batch.trend("temperatureTrend")
        begin, until = batch.scalar("endOfLineTime"), batch.scalar("arrivalTime")
        found_gaps = gaps(trends, begin, until)
        bridged, bridges = bridge(trends, found_gaps)
        cut = bridged.within(begin, until)
        guessed = ~cut.measured & ~bridges
        doubts = [
            TemperatureUncertainty("measuredTemperature", cut.measured, batch.numbers("measuredTemperatureSigma")),
            TemperatureUncertainty("guessedTemperature", guessed, batch.numbers("guessedTemperatureSigma")),
            TemperatureUncertainty("gapTemperature", bridges, batch.numbers("gapTemperatureSigma")),
        ]
        history = integrate_exposure(self.sets, batch, cut, doubts, np.zeros(batch.size), problems)
        cells = Cells.empty(batch.cells("endOfLineOcv").values.size)
        keys = zip(batch.words("curve"), batch.words("relaxation"), batch.words("parameterSet"), strict=True)
        for (curve_name, relaxation, set_name), rows in grouped(list(keys)):
            curve, law = self.library.get(curve_name), self.relaxations.get(relaxation)
            factor = self.sets.get(set_name).soc_factor
            _expect_rows(batch, rows, curve, law, factor, history, cells, problems)
        entropy_known = np.array([self.library.get(name).entropy != "none" for name in batch.words("curve")], bool)
        shortest_rests = np.array([self.relaxations.get(name).valid_rest[0] for name in batch.words("relaxation")])
        unsoaked = _not_soaked(batch, cut, until)
        return judge(batch, cells, history, Circumstances(found_gaps.seconds, unsoaked, entropy_known, shortest_rests))


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
    history: ThermalExposure,
    cells: Cells,
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
    doubts = Uncertainties(
        voltage=ours.spread(batch.numbers("voltageSigma")[rows]) * 1e-3,
        temperature=ours.spread(batch.numbers("testTemperatureSigma")[rows]),
        exposure={source: ours.spread(sigma[rows]) for source, sigma in history.sigmas.items()},
        cell_spread=ours.spread(batch.numbers("cellSpread")[rows]) / 100.0,
    )
    parts = deviation_parts(curve, law, before, there, found, doubts)
    cells.put(where, found, parts, own_deviation(found, parts, doubts))


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
