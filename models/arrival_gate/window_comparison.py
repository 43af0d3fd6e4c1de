"""Comparison of the dynamic window with fixed ones: leaks found at the same rate of false rejects.

>>> from voltwin.models.arrival_gate.operating_curve import SimulatedLot, operate
>>> found = compare("soaked", operate(SimulatedLot(modules=300), tuple(range(0, 601, 100))), false_rejects=0.02)
>>> found.smallest_dynamic < found.smallest_fixed
True

Both windows get the limit that rejects that share of the sound modules of the simulated lot itself; the third
is the fixed window with its usual limit. A leak counts as found when 95 % of the modules that have it in one
cell are rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..base.columns import Floats
from .operating_curve import OperatingCurve, SimulatedLot, operate

USUAL_LIMIT: Final = 10.0
"""The usual limit of the fixed window, mV around the end-of-line voltage."""

SIMULATED_LOTS: Final = {
    "soaked at 22 ± 1 °C": SimulatedLot(),
    "arrival anywhere from 8 to 25 °C": SimulatedLot(arrival=(8.0, 25.0)),
    "state of charge anywhere from 30 to 70 %": SimulatedLot(soc=(0.3, 0.7)),
}
LEAKS: Final = tuple(float(leak) for leak in range(0, 1501, 50))


@dataclass(frozen=True, slots=True)
class WindowComparison:
    """One lot by each window.

    ``leaks`` ``(n,)`` in µA; ``dynamic``, ``fixed`` and ``usual`` ``(n,)`` are the shares found in percent by the
    dynamic window, by the fixed one at the same false rejects, and by the fixed one at its usual limit. Limits
    in standard deviations for the dynamic window and in mV for the fixed ones; ``smallest_…`` in µA, NaN where
    none was found; ``usual_false_rejects`` a share like ``false_rejects``.
    """

    lot: str
    modules: int
    cells: int
    false_rejects: float
    leaks: Floats
    dynamic: Floats
    fixed: Floats
    usual: Floats
    dynamic_limit: float
    fixed_limit: float
    usual_limit: float
    usual_false_rejects: float
    smallest_dynamic: float
    smallest_fixed: float
    smallest_usual: float


def compare(lot: str, curve: OperatingCurve, false_rejects: float) -> WindowComparison:
    """Both windows over one simulated lot, named ``lot``, at that share of false rejects."""
    fixed, dynamic = curve.fixed.threshold(false_rejects), curve.dynamic.threshold(false_rejects)
    return WindowComparison(
        lot=lot,
        modules=curve.lot.modules,
        cells=curve.lot.cells,
        false_rejects=false_rejects,
        leaks=curve.leaks,
        dynamic=curve.dynamic.detection(dynamic) * 100,
        fixed=curve.fixed.detection(fixed) * 100,
        usual=curve.fixed.detection(USUAL_LIMIT) * 100,
        dynamic_limit=dynamic,
        fixed_limit=fixed,
        usual_limit=USUAL_LIMIT,
        usual_false_rejects=curve.fixed.false_rejects(USUAL_LIMIT),
        smallest_dynamic=curve.dynamic.smallest_leak(curve.leaks, dynamic),
        smallest_fixed=curve.fixed.smallest_leak(curve.leaks, fixed),
        smallest_usual=curve.fixed.smallest_leak(curve.leaks, USUAL_LIMIT),
    )


def compare_for_report() -> tuple[WindowComparison, ...]:
    """A soaked lot and one that arrives cold, small enough to be simulated for each report (1 s)."""
    names = list(SIMULATED_LOTS)[:2]
    small = [SimulatedLot(modules=1000, arrival=SIMULATED_LOTS[name].arrival) for name in names]
    return tuple(compare(name, operate(lot, LEAKS), 0.01) for name, lot in zip(names, small, strict=True))
