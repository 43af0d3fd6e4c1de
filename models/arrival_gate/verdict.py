"""Decisions and output columns of the arrival gate, from expected and measured voltages.

Every cell is compared twice. With its own expectation, where all uncertainties count; and with its siblings: the
cells of a module share one history, so errors of the rate law, the entropic coefficient, the relaxation or a
thermometer move them together, and only the voltmeter's noise and the spread of the rate from cell to cell
separate a sound cell from the median of its module. From four cells on, either comparison rejects.

>>> import numpy as np
>>> from voltwin.models.base.columns import Ragged
>>> siblings(Ragged.from_rows([[1e-3, 1.1e-3, 0.9e-3, 1.0e-3, -2e-3]])).values.round(4).tolist()
[0.0, 0.0001, -0.0001, 0.0, -0.003]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..base.columns import Flags, Floats, Ragged, absent
from ..base.protocol import Batch, Column
from ..base.units import SECONDS_PER_HOUR
from ..ocv_soc.model import FLAT
from ..self_discharge.thermal_exposure import ThermalExposure
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
from .expectation import Expectation

#: The median of fewer cells is not meaningful.
FEWEST_SIBLINGS: Final = 4
COMPONENTS: Final = {
    "measurement": "sigmaMeasurement",
    "selfDischarge": "sigmaSelfDischarge",
    "entropic": "sigmaEntropic",
    "relaxation": "sigmaRelaxation",
}


@dataclass(frozen=True, slots=True)
class Cells:
    """Per-cell results of all instances, flat ``(N,)``, V; ``soc_before`` and ``soc_after`` are fractions.

    ``own`` is the standard deviation of a cell's deviation from the others of its module, ``parts`` those of
    all components.
    """

    expected: Floats
    self_discharge: Floats
    entropic: Floats
    relaxation: Floats
    soc_before: Floats
    soc_after: Floats
    slope: Floats
    own: Floats
    parts: dict[str, Floats]

    @classmethod
    def empty(cls, size: int) -> Cells:
        """Results of ``size`` cells, all absent."""
        a, b, c, d, e, f, g, h = (absent(size) for _ in range(8))
        return cls(a, b, c, d, e, f, g, h, {component: absent(size) for component in COMPONENTS})

    def put(self, where: Flags, found: Expectation, parts: dict[str, Floats], own: Floats) -> None:
        """Write the cells in the mask ``where`` ``(N,)``."""
        self.expected[where] = found.voltage
        self.self_discharge[where] = found.self_discharge
        self.entropic[where] = found.entropic
        self.relaxation[where] = found.relaxation
        self.soc_before[where] = found.soc_before
        self.soc_after[where] = found.soc_after
        self.slope[where] = found.slope
        self.own[where] = own
        for component, sigma in parts.items():
            self.parts[component][where] = sigma


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Conditions of each module's tests ``(n,)``: gaps in its history (s), soak, entropic data, rest (h)."""

    gap_seconds: Floats
    not_soaked: Flags
    entropy_known: Flags
    shortest_rest: Floats


def siblings(deviation: Ragged) -> Ragged:
    """Each cell's deviation less the median of its module; NaN where there are too few cells."""
    middle = np.where(deviation.lengths >= FEWEST_SIBLINGS, deviation.median(), np.nan)
    return deviation.with_values(deviation.values - deviation.spread(middle))


@dataclass(frozen=True, slots=True)
class _Deviations:
    """Measured minus expected voltage of every cell (V), ``sigma`` for a sound one, and both scores."""

    expected: Ragged
    measured: Ragged
    sigma: Floats
    score: Ragged
    apart: Ragged
    sibling_score: Ragged

    @classmethod
    def of(cls, arrival: Ragged, cells: Cells) -> _Deviations:
        sigma = np.sqrt(sum((part * part for part in cells.parts.values()), np.zeros_like(cells.expected)))
        measured = arrival.with_values(arrival.values - cells.expected)
        score = arrival.with_values(measured.values / sigma)
        apart = siblings(measured)
        sibling_score = arrival.with_values(apart.values / cells.own)
        return cls(arrival.with_values(cells.expected), measured, sigma, score, apart, sibling_score)

    @property
    def comparisons(self) -> Floats:
        """Number of comparisons of each cell, by module ``(n,)``: 1, or 2 where it has siblings."""
        return np.where(self.score.lengths >= FEWEST_SIBLINGS, 2.0, 1.0)


def judge(batch: Batch, cells: Cells, history: ThermalExposure, circumstances: Circumstances) -> dict[str, Column]:
    """The output columns of the gate."""
    deviations = _Deviations.of(batch.cells("arrivalOcv"), cells)
    hours = history.age
    rows = deviations.expected
    return {
        **_decisions(batch, cells, deviations, history, circumstances),
        **_windows(batch, cells, deviations),
        **_module(cells, deviations),
        **_leaks(batch, cells, deviations, hours),
        **_false_rejects(batch, cells, deviations),
        "endOfLineSoc": rows.with_values(cells.soc_before * 100),
        "expectedSoc": rows.with_values(cells.soc_after * 100),
        "loss": rows.with_values(cells.soc_before - cells.soc_after).mean() * 100,
        "lossSigma": rows.with_values(cells.parts["selfDischarge"] / cells.slope).mean() * 100,
        **history.columns(),
        "gapShare": circumstances.gap_seconds / SECONDS_PER_HOUR / np.where(hours > 0, hours, np.nan) * 100,
    }


def _decisions(
    batch: Batch, cells: Cells, deviations: _Deviations, history: ThermalExposure, circumstances: Circumstances
) -> dict[str, Column]:
    """The decision on each module and its reasons."""
    z = batch.numbers("z")
    lowest = np.fmin(deviations.score.minimum(), deviations.sibling_score.minimum())
    highest = np.fmax(deviations.score.maximum(), deviations.sibling_score.maximum())
    rests = np.minimum(batch.scalar("endOfLineRest"), batch.scalar("arrivalRest"))
    shortest = np.maximum(batch.numbers("minimumRest"), circumstances.shortest_rest)
    flat = deviations.expected.with_values(cells.slope).minimum() < FLAT
    decided = [
        decide(
            Findings(
                low=bool(lowest[i] < -z[i]),
                high=bool(highest[i] > z[i]),
                far=bool(max(-lowest[i], highest[i]) > 2 * z[i]),
                not_soaked=bool(circumstances.not_soaked[i]),
                insufficient_rest=bool(rests[i] < shortest[i]),
                history_gap=bool(circumstances.gap_seconds[i] > 0),
                extrapolated_temperature=bool(history.extrapolated[i]),
                flat=bool(flat[i]),
                no_entropy_data=not bool(circumstances.entropy_known[i]),
            )
        )
        for i in range(batch.size)
    ]
    return {"decision": [decision for decision, _ in decided], "reasons": [reasons for _, reasons in decided]}


def _windows(batch: Batch, cells: Cells, deviations: _Deviations) -> dict[str, Column]:
    """The window of every cell, its scores, and the parts of the expected change and of sigma."""
    rows, score, sibling_score = deviations.expected, deviations.score, deviations.sibling_score
    z = rows.spread(batch.numbers("z"))
    limit, own_limit = z * deviations.sigma, z * cells.own
    common = cells.expected + deviations.measured.values - deviations.apart.values
    return {
        "expectedOcv": rows,
        "lowerLimit": rows.with_values(np.fmax(cells.expected - limit, common - own_limit)),
        "upperLimit": rows.with_values(np.fmin(cells.expected + limit, common + own_limit)),
        "zScore": score,
        "siblingZScore": sibling_score,
        "worstCell": rows.with_values(np.fmax(np.abs(score.values), np.abs(sibling_score.values))).argmax() + 1.0,
        "deltaSelfDischarge": rows.with_values(cells.self_discharge * 1e3),
        "deltaEntropic": rows.with_values(cells.entropic * 1e3),
        "deltaRelaxation": rows.with_values(cells.relaxation * 1e3),
        "sigma": rows.with_values(deviations.sigma * 1e3),
        "sigmaSibling": rows.with_values(cells.own * 1e3),
        **{port: rows.with_values(cells.parts[component] * 1e3) for component, port in COMPONENTS.items()},
    }


def _module(cells: Cells, deviations: _Deviations) -> dict[str, Column]:
    """Voltage of the whole module: shared errors add up linearly, those of the voltmeter in squares."""
    rows, measurement = deviations.expected, cells.parts["measurement"]
    shared = rows.with_values(np.sqrt(np.maximum(deviations.sigma**2 - measurement**2, 0.0))).sum()
    sigma = np.sqrt(rows.with_values(measurement**2).sum() + shared**2)
    return {
        "moduleExpectedOcv": rows.sum(),
        "moduleSigma": sigma * 1e3,
        "moduleZScore": deviations.measured.sum() / sigma,
    }


def _leaks(batch: Batch, cells: Cells, deviations: _Deviations, hours: Floats) -> dict[str, Column]:
    """The leak that explains each cell's deviation, and the smallest one the window finds."""
    rows, sigma = deviations.expected, deviations.sigma
    time = rows.spread(hours)
    group = rows.spread(batch.scalar("capacity") * batch.numbers("parallelCount"))
    finest = np.where(rows.spread(deviations.comparisons) > 1, np.minimum(sigma, cells.own), sigma)
    smallest = smallest_detectable_leak(rows.spread(batch.numbers("z")), finest, cells.slope, group, time)
    return {
        "leakCurrent": rows.with_values(leak_current(-deviations.measured.values, cells.slope, group, time)),
        "leakCurrentSigma": rows.with_values(leak_current(sigma, cells.slope, group, time)),
        "smallestDetectableLeak": rows.with_values(smallest).maximum(),
    }


def _false_rejects(batch: Batch, cells: Cells, deviations: _Deviations) -> dict[str, Column]:
    """False-reject rates of the window, and the decision and rate of a fixed one."""
    rows, end_of_line = deviations.expected, batch.cells("endOfLineOcv").values
    # Two comparisons reject at most twice as often as one.
    per_cell = np.minimum(deviations.comparisons * false_reject_rate(batch.numbers("z")), 1.0)
    window = batch.numbers("fixedWindow") * 1e-3
    change = rows.with_values(np.abs(batch.cells("arrivalOcv").values - end_of_line)).maximum()
    fixed = fixed_window_false_reject_rate(cells.expected - end_of_line, deviations.sigma, rows.spread(window))
    log_accepted = rows.with_values(np.log1p(-np.minimum(fixed, 1 - 1e-16))).sum()
    return {
        "falseRejectRateCell": per_cell * 100,
        "falseRejectRateModule": any_of(per_cell, rows.lengths.astype(np.float64)) * 100,
        "fixedWindowDecision": [
            REJECT if moved > limit else ACCEPT for moved, limit in zip(change, window, strict=True)
        ],
        "fixedWindowFalseRejectRate": -np.expm1(log_accepted) * 100,
    }
