"""Lots of modules, read from a request to the arrival gate for a fit.

    lot, start = read_lot(ArrivalGateModel.shipped(), request)

Modules in one store room share the error of its thermometer or set point, so more of them do not reduce it.
``rooms`` finds the segments that a best guess keeps at one temperature, and gives all at the same temperature
the same number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ...errors import InputError
from ..arrival_gate.model import ArrivalGateModel
from ..arrival_gate.relaxation import Relaxation
from ..base.columns import Floats, Integers, Ragged, Trends
from ..base.protocol import Batch
from ..base.units import ZERO_CELSIUS
from ..ocv_soc.curve import OcvCurve
from ..self_discharge.equivalent_age import TemperatureUncertainty
from ..self_discharge.histories import gaps
from ..self_discharge.parameter_sets import ParameterSet
from ..self_discharge.thermal_exposure import temperature_uncertainties
from ..service.json_codec import decode

#: Set points closer than this (K) are one room: trends contain them as they were reported.
_SAME_ROOM: Final = 0.05
#: More rooms than this are not rooms but guesses that differ from module to module.
_MOST_ROOMS: Final = 12


@dataclass(frozen=True, slots=True)
class Lot:
    """The tests of a lot: OCVs in V, a row of cells per module; temperatures in K and rests in h ``(n,)``.

    ``rooms`` ``(M,)`` numbers the room of each segment of ``trends``, -1 for none; the error of each room has the
    standard deviation ``room_sigma`` in K. ``uncertainties`` are those that differ from module to module.
    """

    curve: OcvCurve
    relaxation: Relaxation
    end_of_line_ocv: Ragged
    arrival_ocv: Ragged
    trends: Trends
    end_of_line_temperature: Floats
    arrival_temperature: Floats
    end_of_line_rest: Floats
    arrival_rest: Floats
    voltage_sigma: float
    temperature_sigma: float
    uncertainties: Sequence[TemperatureUncertainty]
    rooms: Integers
    room_sigma: float

    @property
    def end_of_line_soc(self) -> Floats:
        """State of charge of every cell ``(N,)`` at the end-of-line test, fraction; relaxation is neglected."""
        return self.curve.soc(self.end_of_line_ocv.values, self.end_of_line_ocv.spread(self.end_of_line_temperature))

    @property
    def room_count(self) -> int:
        """Number of rooms."""
        return int(self.rooms.max(initial=-1)) + 1


def read_lot(gate: ArrivalGateModel, request: Any) -> tuple[Lot, ParameterSet]:
    """The lot in a request to the arrival gate, and the parameter set to start from.

    Raises InputError for a malformed request or instance, a history with gaps, or instances that do not share
    curve, relaxation and parameter set.
    """
    instances = request.get("instances") if isinstance(request, Mapping) else None
    if not isinstance(instances, list) or not instances:
        raise InputError('instances: missing or empty; give {"instances": [...]} as for the arrival gate')
    for index, sentence in defects(gate, request).items():
        raise InputError(f"instances[{index}]: {sentence}")
    batch = decode(gate, instances).batch
    begin, until = batch.scalar("endOfLineTime"), batch.scalar("arrivalTime")
    trends = batch.trend("temperatureTrend")
    cut = trends.within(begin, until)
    shared = rooms(cut)
    return (
        Lot(
            curve=gate.library.get(_shared(batch, "curve")),
            relaxation=gate.relaxations.get(_shared(batch, "relaxation")),
            end_of_line_ocv=batch.cells("endOfLineOcv"),
            arrival_ocv=batch.cells("arrivalOcv"),
            trends=cut,
            end_of_line_temperature=batch.scalar("endOfLineTemperature") + ZERO_CELSIUS,
            arrival_temperature=batch.scalar("arrivalTemperature") + ZERO_CELSIUS,
            end_of_line_rest=batch.scalar("endOfLineRest"),
            arrival_rest=batch.scalar("arrivalRest"),
            voltage_sigma=float(batch.numbers("voltageSigma")[0]) * 1e-3,
            temperature_sigma=float(batch.numbers("testTemperatureSigma")[0]),
            uncertainties=temperature_uncertainties(batch, cut.measured, ~cut.measured & (shared < 0)),
            rooms=shared,
            room_sigma=float(batch.numbers("guessedTemperatureSigma").max()),
        ),
        gate.sets.get(_shared(batch, "parameterSet")),
    )


def defects(gate: ArrivalGateModel, request: Mapping[str, Any]) -> dict[int, str]:
    """Reasons why single instances of a request cannot be fitted, by their position; the others can."""
    batch, positions, problems = decode(gate, request["instances"])
    found = {index: str(problem) for index, problem in problems.items()}
    if not positions:
        return found
    answered = gate.run(batch).problems
    found |= {positions[row]: str(problem) for row, problem in answered.items()}
    sound = np.array([row for row in range(batch.size) if row not in answered], dtype=np.int64)
    usable = batch.take(sound)
    open_ = gaps(usable.trend("temperatureTrend"), usable.scalar("endOfLineTime"), usable.scalar("arrivalTime"))
    for row in np.flatnonzero(open_.seconds > 0).tolist():
        found[positions[int(sound[row])]] = (
            f"temperatureTrend: has a gap of {open_.seconds[row]:.6g} s; leave this module out or complete it"
        )
    return dict(sorted(found.items()))


def _shared(batch: Batch, name: str) -> str:
    words = set(batch.words(name))
    if len(words) > 1:
        raise InputError(f"{name}: differs between instances ({', '.join(sorted(words))}); fit one kind at a time")
    return words.pop()


def rooms(trends: Trends) -> Integers:
    """Number of the room of each segment ``(M,)``: best guesses at constant temperature; -1 for all others."""
    result = np.full(trends.start.size, -1, dtype=np.int64)
    held = np.flatnonzero(~trends.measured & (trends.first == trends.last) & (trends.end > trends.start))
    if not held.size:
        return result
    order = held[np.argsort(trends.first[held], kind="stable")]
    steps = np.diff(trends.first[order], prepend=trends.first[order[0]]) > _SAME_ROOM
    numbers = np.cumsum(steps)
    if numbers[-1] < _MOST_ROOMS:
        result[order] = numbers
    return result
