"""From what was expected and what was found to decisions and figures, for every module of a batch.

Two looks at every cell. Against its own expectation, where all doubts count; and against its siblings: the
cells of a module share one history, so what the rate law, the entropic coefficient, the relaxation or a
thermometer got wrong moves them together, and a cell that stands away from the median of the others'
deviations is told apart by the voltmeter's noise and the spread of the rate from cell to cell alone. From
four cells on, either look rejects.

>>> import numpy as np
>>> from voltwin.models.base.columns import Ragged
>>> siblings(Ragged.from_rows([[1e-3, 1.1e-3, 0.9e-3, 1.0e-3, -2e-3]])).values.round(4).tolist()
[0.0, 0.0001, -0.0001, 0.0, -0.003]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..base.columns import Flags, Floats, Ragged
from ..base.protocol import Batch, Column
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

_KELVIN: Final = 273.15
_HOUR: Final = 3600.0
#: Fewer cells have no median worth the name.
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

    ``own`` is the standard deviation of what one cell does not share with its module, ``parts`` those of
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
        """Nothing known yet."""
        a, b, c, d, e, f, g, h = (np.full(size, np.nan) for _ in range(8))
        return cls(a, b, c, d, e, f, g, h, {component: np.full(size, np.nan) for component in COMPONENTS})

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
    """What else there is to know about each module ``(n,)``: open history (s), soak, entropy data, rest (h)."""

    gap_seconds: Floats
    not_soaked: Flags
    entropy_known: Flags
    shortest_rest: Floats


def siblings(deviation: Ragged) -> Ragged:
    """Each cell's deviation from the median of its module's; NaN where there are too few cells."""
    middle = np.where(deviation.lengths >= FEWEST_SIBLINGS, deviation.median(), np.nan)
    return deviation.with_values(deviation.values - deviation.spread(middle))


def judge(batch: Batch, cells: Cells, history: ThermalExposure, circumstances: Circumstances) -> dict[str, Column]:
    """The output columns of the gate."""
    left, arrived = batch.cells("endOfLineOcv"), batch.cells("arrivalOcv")
    z = batch.numbers("z")
    sigma = np.sqrt(sum((part * part for part in cells.parts.values()), np.zeros_like(cells.expected)))
    limit, own_limit = left.spread(z) * sigma, left.spread(z) * cells.own
    deviation = left.with_values(arrived.values - cells.expected)
    score = left.with_values(deviation.values / sigma)
    apart = siblings(deviation)
    sibling_score = left.with_values(apart.values / cells.own)
    common = cells.expected + deviation.values - apart.values
    lower = np.fmax(cells.expected - limit, common - own_limit)
    upper = np.fmin(cells.expected + limit, common + own_limit)
    lowest = np.fmin(score.minimum(), sibling_score.minimum())
    highest = np.fmax(score.maximum(), sibling_score.maximum())
    looks = np.where(left.lengths >= FEWEST_SIBLINGS, 2.0, 1.0)
    hours = history.age
    group = left.spread(batch.scalar("capacity") * batch.numbers("parallelCount"))
    finest = np.where(left.spread(looks) > 1, np.minimum(sigma, cells.own), sigma)
    leak = smallest_detectable_leak(left.spread(z), finest, cells.slope, group, left.spread(hours))
    window = batch.numbers("fixedWindow") * 1e-3
    change = left.with_values(np.abs(arrived.values - left.values))
    fixed = fixed_window_false_reject_rate(cells.expected - left.values, sigma, left.spread(window))
    rests = np.minimum(batch.scalar("endOfLineRest"), batch.scalar("arrivalRest"))
    flat = left.with_values(cells.slope).minimum() < FLAT
    shortest = np.maximum(batch.numbers("minimumRest"), circumstances.shortest_rest)

    decisions: list[str] = []
    reasons: list[list[str]] = []
    for i in range(batch.size):
        decision, why = decide(
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
        decisions.append(decision)
        reasons.append(why)

    # Two looks reject at most twice as often as one.
    per_cell = np.minimum(looks * false_reject_rate(z), 1.0)
    counts = left.lengths.astype(np.float64)
    shared = left.with_values(np.sqrt(np.maximum(sigma**2 - cells.parts["measurement"] ** 2, 0.0))).sum()
    own = left.with_values(cells.parts["measurement"] ** 2).sum()
    module_sigma = np.sqrt(own + shared**2)
    columns: dict[str, Column] = {
        "decision": decisions,
        "reasons": reasons,
        "expectedOcv": left.with_values(cells.expected),
        "lowerLimit": left.with_values(lower),
        "upperLimit": left.with_values(upper),
        "zScore": score,
        "siblingZScore": sibling_score,
        "worstCell": left.with_values(np.fmax(np.abs(score.values), np.abs(sibling_score.values))).argmax() + 1.0,
        "deltaSelfDischarge": left.with_values(cells.self_discharge * 1e3),
        "deltaEntropic": left.with_values(cells.entropic * 1e3),
        "deltaRelaxation": left.with_values(cells.relaxation * 1e3),
        "sigma": left.with_values(sigma * 1e3),
        "sigmaSibling": left.with_values(cells.own * 1e3),
        "moduleExpectedOcv": left.with_values(cells.expected).sum(),
        "moduleSigma": module_sigma * 1e3,
        "moduleZScore": deviation.sum() / module_sigma,
        "leakCurrent": left.with_values(leak_current(-deviation.values, cells.slope, group, left.spread(hours))),
        "leakCurrentSigma": left.with_values(leak_current(sigma, cells.slope, group, left.spread(hours))),
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
        "lossSigma": left.with_values(cells.parts["selfDischarge"] / cells.slope).mean() * 100,
        "equivalentAge": history.equivalent_age,
        "equivalentAgeSigma": history.age_sigma,
        "age": hours,
        "meanKineticTemperature": history.mean_kinetic - _KELVIN,
        "meanKineticTemperatureSigma": history.mean_kinetic_sigma,
        "measuredShare": history.measured * 100,
        "gapShare": circumstances.gap_seconds / _HOUR / np.where(hours > 0, hours, np.nan) * 100,
    }
    for component, port in COMPONENTS.items():
        columns[port] = left.with_values(cells.parts[component] * 1e3)
    return columns
