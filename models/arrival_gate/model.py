"""The arrival gate: a decision per module, from two OCV tests and the temperature history between them.

>>> from voltwin.models.arrival_gate.model import ArrivalGateModel
>>> ArrivalGateModel.shipped().outputs[0].name
'decision'
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ..base.batches import BatchedModel
from ..base.columns import Flags, Floats, Integers, Ragged, Trends, grouped, row_sums
from ..base.protocol import Batch, Column, Parameter, Problems
from ..base.units import SECONDS_PER_HOUR, ZERO_CELSIUS
from ..ocv_soc.files import CurveLibrary
from ..ocv_soc.model import CURVE_PARAMETER, refuse_off_curve
from ..self_discharge.equivalent_age import TemperatureUncertainty
from ..self_discharge.histories import bridge, check_trends, gaps
from ..self_discharge.parameter_sets import ParameterSets
from ..self_discharge.thermal_exposure import (
    PARAMETERS,
    ThermalExposure,
    check_laws,
    integrate_exposure,
    temperature_uncertainties,
)
from .expectation import CellLaws, Measurement, Uncertainties, deviation_parts, expect, own_deviation
from .ports import GATE_PARAMETERS, INPUTS, OUTPUTS
from .relaxation import Relaxations
from .verdict import Cells, Circumstances, judge


@dataclass(frozen=True, slots=True)
class ArrivalGateModel(BatchedModel):
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
    def shipped(cls, folder: Path | None = None) -> Self:
        """With the shipped files, and those in ``folder/curves``, ``folder/parameters`` and ``folder/relaxations``."""
        return cls(CurveLibrary.shipped(folder), ParameterSets.shipped(folder), Relaxations.shipped(folder))

    def _check(self, batch: Batch, problems: Problems) -> None:
        _check_tests(batch, problems)
        check_trends(batch.trend("temperatureTrend"), "temperatureTrend", problems)
        check_laws(self.sets, batch, problems)
        self.library.check(batch, problems)
        self.relaxations.check(batch, problems)

    def _compute(self, batch: Batch, problems: Problems) -> dict[str, Column]:
        trends = batch.trend("temperatureTrend")
        begin, until = batch.scalar("endOfLineTime"), batch.scalar("arrivalTime")
        found_gaps = gaps(trends, begin, until)
        bridged, bridges = bridge(trends, found_gaps)
        cut = bridged.within(begin, until)
        uncertainties = [
            *temperature_uncertainties(batch, cut.measured, ~cut.measured & ~bridges),
            TemperatureUncertainty("gapTemperature", bridges, batch.numbers("gapTemperatureSigma")),
        ]
        history = integrate_exposure(self.sets, batch, cut, uncertainties, np.zeros(batch.size), problems)
        cells = Cells.empty(batch.cells("endOfLineOcv").values.size)
        keys = zip(batch.words("curve"), batch.words("relaxation"), batch.words("parameterSet"), strict=True)
        for (curve, relaxation, set_name), rows in grouped(list(keys)):
            factor = self.sets.get(set_name).soc_factor
            laws = CellLaws(self.library.get(curve), self.relaxations.get(relaxation), factor)
            _expect_rows(batch, rows, laws, history, cells, problems)
        entropy_known = np.array([self.library.get(name).entropy != "none" for name in batch.words("curve")], bool)
        shortest_rests = np.array([self.relaxations.get(name).valid_rest[0] for name in batch.words("relaxation")])
        unsoaked = _not_soaked(batch, cut, until)
        return judge(batch, cells, history, Circumstances(found_gaps.seconds, unsoaked, entropy_known, shortest_rests))


def _check_tests(batch: Batch, problems: Problems) -> None:
    """Note the instances whose two tests contradict each other or the module."""
    end_of_line, arrival = batch.cells("endOfLineOcv"), batch.cells("arrivalOcv")
    problems.flag(end_of_line.lengths == 0, "endOfLineOcv", "is empty; give one value per cell")
    problems.flag(
        end_of_line.lengths != arrival.lengths,
        "arrivalOcv",
        "must have as many values as endOfLineOcv, in the same order",
    )
    problems.flag(
        batch.scalar("arrivalTime") <= batch.scalar("endOfLineTime"),
        "arrivalTime",
        "is not after endOfLineTime; check both times and their zone",
    )
    series = batch.numbers("seriesCount")
    problems.flag(
        (series > 0) & (series != end_of_line.lengths),
        "endOfLineOcv",
        "must have one value per cell in series: seriesCount is {}",
        series,
    )
    module, total = batch.scalar("moduleOcv"), arrival.sum()
    apart = np.abs(module - total) > 3e-3 * np.maximum(arrival.lengths, 1)
    problems.flag(
        ~np.isnan(module) & apart,
        "moduleOcv",
        "differs from the sum of arrivalOcv, {} V, by more than 3 mV per cell; check wiring and units",
        total,
    )


def _expect_rows(
    batch: Batch, rows: Integers, laws: CellLaws, history: ThermalExposure, cells: Cells, problems: Problems
) -> None:
    """Write the expectation and its uncertainties for the instances ``rows``, which share their laws."""
    where = np.isin(batch.cells("endOfLineOcv").rows, rows)

    def measurement(test: str) -> tuple[Ragged, Measurement]:
        ocv = batch.cells(f"{test}Ocv").take(rows)
        temperature = ocv.spread(batch.scalar(f"{test}Temperature")[rows] + ZERO_CELSIUS)
        refuse_off_curve(laws.curve, ocv, temperature, rows, f"{test}Ocv", problems)
        return ocv, Measurement(ocv.values, temperature, ocv.spread(batch.scalar(f"{test}Rest")[rows]))

    ocv, end_of_line = measurement("endOfLine")
    _, arrival = measurement("arrival")
    found = expect(laws, end_of_line, arrival, ocv.spread(history.exposure[rows]))
    uncertainties = Uncertainties(
        voltage=ocv.spread(batch.numbers("voltageSigma")[rows]) * 1e-3,
        temperature=ocv.spread(batch.numbers("testTemperatureSigma")[rows]),
        exposure={source: ocv.spread(sigma[rows]) for source, sigma in history.sigmas.items()},
        cell_spread=ocv.spread(batch.numbers("cellSpread")[rows]) / 100.0,
    )
    parts = deviation_parts(laws, end_of_line, arrival, found, uncertainties)
    cells.put(where, found, parts, own_deviation(found, parts, uncertainties))


def _not_soaked(batch: Batch, cut: Trends, until: Floats) -> Flags:
    """Modules whose arrival temperature differs from that of their last hours, or from the end-of-line test's."""
    tolerance = batch.numbers("soakTolerance")
    last = cut.within(until - batch.numbers("soakTime") * SECONDS_PER_HOUR, until)
    weight = last.end - last.start
    length = row_sums(weight, last.offsets)
    total = row_sums(weight * 0.5 * (last.first + last.last), last.offsets)
    ambient = np.divide(total, length, out=np.full(len(last), np.nan), where=length > 0) - ZERO_CELSIUS
    arrival = batch.scalar("arrivalTemperature")
    apart = np.abs(arrival - batch.scalar("endOfLineTemperature")) > tolerance
    moving = np.abs(arrival - ambient) > tolerance
    result: Flags = apart | moving
    return result
