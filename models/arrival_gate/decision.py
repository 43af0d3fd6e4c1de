"""The decision on a module, accept, reject or retest, with its reasons; false-reject rates and leaks.

>>> from voltwin.models.arrival_gate.decision import Findings, decide
>>> decide(Findings(low=True, not_soaked=True))
('RETEST', ['LOW_OCV', 'NOT_SOAKED'])
>>> decide(Findings(low=True))
('REJECT', ['LOW_OCV'])

A cell outside its window rejects the module. When the test itself is doubtful (the module not soaked, too
short a rest, a gap in the history) the module is tested again, unless a cell is beyond twice the limit.
Conditions that a retest cannot improve (a flat curve, no entropic data, temperatures beyond the parameter set)
are remarks: they have already widened the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import erfc, ndtr

from ..base.columns import Floats

ACCEPT: Final = "ACCEPT"
REJECT: Final = "REJECT"
RETEST: Final = "RETEST"

#: The probability with which a leak must be found to count as detectable, and its normal quantile.
DETECTION: Final = 0.95
DETECTION_QUANTILE: Final = 1.6448536269514722
_MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings about one module."""

    low: bool = False
    high: bool = False
    far: bool = False
    not_soaked: bool = False
    insufficient_rest: bool = False
    history_gap: bool = False
    extrapolated_temperature: bool = False
    flat: bool = False
    no_entropy_data: bool = False

    @property
    def reasons(self) -> list[str]:
        """Reason codes, the decisive ones first."""
        named = (
            ("LOW_OCV", self.low),
            ("HIGH_OCV", self.high),
            ("NOT_SOAKED", self.not_soaked),
            ("INSUFFICIENT_REST", self.insufficient_rest),
            ("HISTORY_GAP", self.history_gap),
            ("EXTRAPOLATED_T", self.extrapolated_temperature),
            ("OCV_FLAT", self.flat),
            ("NO_ENTROPY_DATA", self.no_entropy_data),
        )
        return [name for name, holds in named if holds]


def decide(findings: Findings) -> tuple[str, list[str]]:
    """The decision and the reason codes."""
    doubtful = findings.not_soaked or findings.insufficient_rest or findings.history_gap
    outside = findings.low or findings.high
    if outside and (findings.far or not doubtful):
        return REJECT, findings.reasons
    return (RETEST if doubtful else ACCEPT), findings.reasons


def false_reject_rate(z: Floats) -> Floats:
    """Share of sound cells outside ``± z`` standard deviations (two-sided)."""
    result: Floats = erfc(z / np.sqrt(2.0))
    return result


def any_of(rate: Floats, count: Floats) -> Floats:
    """Probability that at least one of ``count`` independent cells is outside."""
    return -np.expm1(count * np.log1p(-np.minimum(rate, 1.0 - 1e-16)))


def fixed_window_false_reject_rate(shift: Floats, sigma: Floats, window: Floats) -> Floats:
    """Share of sound cells a fixed window around the end-of-line voltage rejects.

    ``shift`` is expected minus end-of-line voltage, all in V.
    """
    return ndtr((-window - shift) / sigma) + ndtr((shift - window) / sigma)


def smallest_detectable_leak(z: Floats, sigma: Floats, slope: Floats, capacity: Floats, hours: Floats) -> Floats:
    """Smallest extra leak current (µA) that the lower limit finds with a probability of 0.95.

    A leak I reduces the state of charge by I · t / C; ``sigma`` in V, ``slope`` dOCV/dSOC in V,
    ``capacity`` of the parallel group in Ah, ``hours`` between the tests.
    """
    return (z + DETECTION_QUANTILE) * sigma / slope * capacity / hours * _MICRO


def leak_current(deficit: Floats, slope: Floats, capacity: Floats, hours: Floats) -> Floats:
    """Leak current (µA) that explains a voltage ``deficit`` (V) at arrival; negative for a surplus."""
    return deficit / slope * capacity / hours * _MICRO
