"""The tests of a charge of modules, read from a request to the arrival gate so that they can be fitted.

    charge, start = read_lot(ArrivalGateModel.shipped(), request)

Modules in one store room share what its thermometer or set point is off by: however many there are, they do
not tell more about it. ``rooms`` finds the segments that a best guess holds at one temperature, and gives all
at the same temperature the same number.
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
from ..ocv_soc.curve import OcvCurve
from ..self_discharge.equivalent_age import TemperatureUncertainty
from ..self_discharge.histories import gaps
from ..self_discharge.parameter_sets import ParameterSet
from ..service.json_codec import decode

_KELVIN: Final = 273.15
#: Set points closer than this (K) are one room: trends carry them as they were told.
_SAME_ROOM: Final = 0.05
#: More rooms than this are no rooms but guesses that differ from module to module.
_MOST_ROOMS: Final = 12


@dataclass(frozen=True, slots=True)
class Lot:
    """The tests of a charge of modules: cells flat ``(N,)`` in rows of ``left``, modules ``(n,)``.

    ``rooms`` ``(M,)`` numbers the room of each segment of ``trends``, -1 for none; what each room is off by
    has the standard deviation ``room_sigma`` in K. ``doubts`` are what differs from module to module.
    """

    curve: OcvCurve
    relaxation: Relaxation
    left: Ragged
    arrived: Ragged
    trends: Trends
    warm: Floats
    cold: Floats
    rest_left: Floats
    rest_there: Floats
    voltage_sigma: float
    temperature_sigma: float
    doubts: Sequence[TemperatureUncertainty]
    rooms: Integers
    room_sigma: float

    @property
    def room_count(self) -> int:
        """How many rooms there are."""
        return int(self.rooms.max(initial=-1)) + 1


def read_lot(gate: ArrivalGateModel, request: Any) -> tuple[Lot, ParameterSet]:
    """The charge in a request to the arrival gate, and the parameter set to start from.

    Raises InputError for a request that is none, an instance that cannot be read, a history with gaps, or
    instances that do not share curve, relaxation and parameter set.
    """
    instances = request.get("instances") if isinstance(request, Mapping) else None
    if not isinstance(instances, list) or not instances:
        raise InputError('instances: missing or empty; give {"instances": [...]} as for the arrival gate')
    for index, sentence in defects(gate, request).items():
        raise InputError(f"instances[{index}]: {sentence}")
    batch, _, _ = decode(gate, instances)
    begin, until = batch.scalar("endOfLineTime"), batch.scalar("arrivalTime")
    trends = batch.trend("temperatureTrend")
    cut = trends.within(begin, until)
    shared, guessed = rooms(cut), batch.numbers("guessedTemperatureSigma")
    return (
        Lot(
            curve=gate.library.get(_shared(batch, "curve")),
            relaxation=gate.relaxations.get(_shared(batch, "relaxation")),
            left=batch.cells("endOfLineOcv"),
            arrived=batch.cells("arrivalOcv"),
            trends=cut,
            warm=batch.scalar("endOfLineTemperature") + _KELVIN,
            cold=batch.scalar("arrivalTemperature") + _KELVIN,
            rest_left=batch.scalar("endOfLineRest"),
            rest_there=batch.scalar("arrivalRest"),
            voltage_sigma=float(batch.numbers("voltageSigma")[0]) * 1e-3,
            temperature_sigma=float(batch.numbers("testTemperatureSigma")[0]),
            doubts=[
                TemperatureUncertainty("measuredTemperature", cut.measured, batch.numbers("measuredTemperatureSigma")),
                TemperatureUncertainty("guessedTemperature", ~cut.measured & (shared < 0), guessed),
            ],
            rooms=shared,
            room_sigma=float(guessed.max()),
        ),
        gate.sets.get(_shared(batch, "parameterSet")),
    )


def defects(gate: ArrivalGateModel, request: Mapping[str, Any]) -> dict[int, str]:
    """What keeps single instances of a request from being fitted, by their position; the rest may be fitted."""
    instances = request["instances"]
    batch, positions, problems = decode(gate, instances)
    found = {index: f"{problem.field}: {problem.message}" for index, problem in problems.items()}
    if not positions:
        return found
    answered = gate.run(batch).problems
    found |= {positions[row]: f"{problem.field}: {problem.message}" for row, problem in answered.items()}
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
    """Number of the room of each segment ``(M,)``: best guesses that hold one temperature; -1 for all others."""
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
