"""Ports and parameters of the arrival gate.

>>> from voltwin.models.arrival_gate.ports import INPUTS
>>> next(port.unit for port in INPUTS if port.name == "capacity")
'A-HR'
"""

from __future__ import annotations

from typing import Final

from ..base.protocol import EARLIEST, LATEST, Parameter, Port
from ..self_discharge.thermal_exposure import exposure_ports
from .relaxation import DEFAULT_RELAXATION

INPUTS: Final = (
    Port("endOfLineOcv", "cells", "V", "open circuit voltage of each cell in series at the end-of-line test"),
    Port("endOfLineTemperature", "scalar", "DEG_C", "cell temperature at that test", minimum=-60, maximum=120),
    Port("endOfLineTime", "scalar", "SEC", "when, seconds since 1970-01-01 UTC", minimum=EARLIEST, maximum=LATEST),
    Port("endOfLineRest", "scalar", "HR", "hours since the last current at that test", minimum=1e-3),
    Port("temperatureTrend", "trend", "DEG_C", "segments between the two tests"),
    Port("arrivalOcv", "cells", "V", "open circuit voltage of each cell at the arrival test, same order"),
    Port("arrivalTemperature", "scalar", "DEG_C", "cell temperature at that test", minimum=-60, maximum=120),
    Port("arrivalTime", "scalar", "SEC", "when, seconds since 1970-01-01 UTC", minimum=EARLIEST, maximum=LATEST),
    Port("arrivalRest", "scalar", "HR", "hours since the last current at that test", minimum=1e-3),
    Port("capacity", "scalar", "A-HR", "capacity of one cell", minimum=1e-6),
    Port("moduleOcv", "scalar", "V", "voltage of the whole module at arrival, as a check", optional=True),
)

OUTPUTS: Final = (
    Port("decision", "text", None, "ACCEPT, REJECT or RETEST"),
    Port(
        "reasons",
        "texts",
        None,
        "LOW_OCV, HIGH_OCV, NOT_SOAKED, INSUFFICIENT_REST, HISTORY_GAP, EXTRAPOLATED_T, OCV_FLAT, NO_ENTROPY_DATA",
    ),
    Port("expectedOcv", "cells", "V", "voltage of a sound cell at arrival"),
    Port("lowerLimit", "cells", "V", "the tighter of expectedOcv minus z sigma and the siblings' minus z sigmaSibling"),
    Port("upperLimit", "cells", "V", "the tighter of expectedOcv plus z sigma and the siblings' plus z sigmaSibling"),
    Port("zScore", "cells", "UNITLESS", "measured minus expected, in standard deviations"),
    Port("siblingZScore", "cells", "UNITLESS", "the same against the module's median; from 4 cells on"),
    Port("worstCell", "scalar", "UNITLESS", "position, from 1, of the cell with the largest deviation"),
    Port("deltaSelfDischarge", "cells", "MilliV", "part of the expected change: self-discharge"),
    Port("deltaEntropic", "cells", "MilliV", "part of the expected change: temperature"),
    Port("deltaRelaxation", "cells", "MilliV", "part of the expected change: relaxation"),
    Port("sigma", "cells", "MilliV", "standard deviation of measured minus expected for a sound cell"),
    Port("sigmaSibling", "cells", "MilliV", "standard deviation against the module's median"),
    Port("sigmaMeasurement", "cells", "MilliV", "part of sigma: both voltmeters"),
    Port("sigmaSelfDischarge", "cells", "MilliV", "part of sigma: rate, activation energy, beta, history"),
    Port("sigmaEntropic", "cells", "MilliV", "part of sigma: entropic coefficient and thermometers"),
    Port("sigmaRelaxation", "cells", "MilliV", "part of sigma: relaxation"),
    Port("moduleExpectedOcv", "scalar", "V", "voltage of a sound module at arrival"),
    Port("moduleSigma", "scalar", "MilliV", "standard deviation of the module's voltage against it"),
    Port("moduleZScore", "scalar", "UNITLESS", "deviation of the module's voltage, in standard deviations"),
    Port("leakCurrent", "cells", "MicroA", "extra leak that explains the deviation; negative for a surplus"),
    Port("leakCurrentSigma", "cells", "MicroA", "its standard deviation"),
    Port("smallestDetectableLeak", "scalar", "MicroA", "extra leak found with a probability of 0.95, worst cell"),
    Port("falseRejectRateCell", "scalar", "PERCENT", "sound cells outside their window, at most"),
    Port("falseRejectRateModule", "scalar", "PERCENT", "sound modules with a cell outside, at most"),
    Port("fixedWindowDecision", "text", None, "decision of a fixed window around the end-of-line voltage"),
    Port("fixedWindowFalseRejectRate", "scalar", "PERCENT", "sound modules that window would reject"),
    Port("endOfLineSoc", "cells", "PERCENT", "state of charge at the end-of-line test"),
    Port("expectedSoc", "cells", "PERCENT", "state of charge of a sound cell at arrival"),
    Port("loss", "scalar", "PERCENT", "expected mean loss, percentage points of state of charge"),
    Port("lossSigma", "scalar", "PERCENT", "its standard deviation"),
    *exposure_ports("hours between the tests"),
    Port("gapShare", "scalar", "PERCENT", "share of the history without a temperature"),
)

GATE_PARAMETERS: Final = (
    Parameter("seriesCount", 0, None, "cells in series; 0: as many as values are given", minimum=0, whole=True),
    Parameter("parallelCount", 1, None, "cells in parallel behind each value", minimum=1, whole=True),
    Parameter(
        "z",
        4.0,
        None,
        "half width of the window in standard deviations; 4 rejects at most 0.15 % of sound 12-cell modules",
        minimum=0.1,
        maximum=20,
    ),
    Parameter("relaxation", DEFAULT_RELAXATION, None, "name of the relaxation law"),
    Parameter("voltageSigma", 0.5, "MilliV", "standard deviation of one voltage reading", minimum=1e-6, maximum=100),
    Parameter("cellSpread", 20.0, "PERCENT", "spread of the rate from cell to cell", minimum=0, maximum=500),
    Parameter("testTemperatureSigma", 0.5, "K", "standard deviation of a test's temperature", minimum=0, maximum=30),
    Parameter(
        "gapTemperatureSigma", 10.0, "K", "standard deviation of the temperature in a gap", minimum=0, maximum=50
    ),
    Parameter("minimumRest", 2.0, "HR", "shortest rest before either test", minimum=0, maximum=1000),
    Parameter(
        "soakTime", 6.0, "HR", "hours before the arrival test whose mean temperature must agree", minimum=0, maximum=100
    ),
    Parameter("soakTolerance", 5.0, "K", "largest difference between temperatures", minimum=0, maximum=50),
    Parameter("fixedWindow", 10.0, "MilliV", "half width of the fixed window", minimum=0, maximum=1000),
)
