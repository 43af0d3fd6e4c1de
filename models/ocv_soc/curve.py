"""An OCV curve: voltage over state of charge and temperature, its slopes, and its inverse.

>>> import numpy as np
>>> from voltwin.models.ocv_soc.files import CurveLibrary
>>> curve = CurveLibrary.shipped().get("bpx-nmc111")
>>> soc = curve.soc(np.array([3.65]), np.array([298.15]))
>>> float(curve.voltage(soc, np.array([298.15]))[0]).__round__(9)
3.65

Between its points a curve is a monotone cubic (pchip: Fritsch & Carlson 1980), with an error of 0.009 mV on a
101-point table where straight lines have 0.107 mV. A curve measured at one temperature has dU/dT over
the state of charge; one measured at several is linear in temperature between neighbours.

State of charge is a fraction here, temperature in kelvin, voltage in volt; arrays are ``(N,)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..base.columns import Flags, Floats

Entropy = Literal["table", "curves", "none"]
_TOLERANCE: Final = 1e-10  # V: far below what any instrument sees, far above rounding


@dataclass(frozen=True, slots=True)
class Spline:
    """A pchip with its first derivative."""

    value: PchipInterpolator
    slope: PchipInterpolator

    @classmethod
    def through(cls, x: Floats, y: Floats) -> Spline:
        """Through the points ``(m,)``."""
        value = PchipInterpolator(x, y)
        return cls(value, value.derivative())


@dataclass(frozen=True, slots=True)
class OcvCurve:
    """One cell type's open circuit voltage.

    ``points`` ``(m,)`` states of charge, ``voltages`` a tuple of ``(m,)`` arrays, one per temperature in
    ``temperatures`` (K, ascending); ``entropic`` ``(m,)`` dU/dT in V/K where there is a single one. The
    splines run through them; ``negative_spline`` through the negative electrode's potential, where known.
    """

    name: str
    version: str
    citation: str
    licence: str
    notes: tuple[str, ...]
    points: Floats
    temperatures: tuple[float, ...]
    voltages: tuple[Floats, ...]
    entropic: Floats | None
    reference_temperature: float
    valid_temperature: tuple[float, float]
    entropy: Entropy
    entropy_sigma: float
    curve_sigma: float
    hysteresis: float | None
    splines: tuple[Spline, ...]
    entropic_spline: Spline | None
    negative_spline: Spline | None

    def _weights(self, temperature: Floats) -> list[Floats]:
        """Weight of each temperature's curve; beyond the range the nearest two are extrapolated."""
        grid = np.asarray(self.temperatures)
        if grid.size == 1:
            return [np.ones_like(temperature)]
        left = np.clip(np.searchsorted(grid, temperature, side="right") - 1, 0, grid.size - 2)
        share = (temperature - grid[left]) / (grid[left + 1] - grid[left])
        return [np.where(left == j, 1.0 - share, 0.0) + np.where(left + 1 == j, share, 0.0) for j in range(grid.size)]

    def voltage(self, soc: Floats, temperature: Floats) -> Floats:
        """OCV in V at a state of charge and temperature."""
        total = np.zeros_like(soc)
        for weight, spline in zip(self._weights(temperature), self.splines, strict=True):
            total += weight * spline.value(soc)
        if self.entropic_spline is not None:
            total += self.entropic_spline.value(soc) * (temperature - self.temperatures[0])
        return total

    def slope(self, soc: Floats, temperature: Floats) -> Floats:
        """dOCV/dSOC in V per unit of state of charge."""
        total = np.zeros_like(soc)
        for weight, spline in zip(self._weights(temperature), self.splines, strict=True):
            total += weight * spline.slope(soc)
        if self.entropic_spline is not None:
            total += self.entropic_spline.slope(soc) * (temperature - self.temperatures[0])
        return total

    def entropic_coefficient(self, soc: Floats, temperature: Floats) -> Floats:
        """dU/dT in V/K; zero for a curve without entropic data (``entropy`` is ``none``)."""
        if self.entropic_spline is not None:
            result: Floats = self.entropic_spline.value(soc)
            return result
        if len(self.temperatures) == 1:
            return np.zeros_like(soc)
        grid = np.asarray(self.temperatures)
        left = np.clip(np.searchsorted(grid, temperature, side="right") - 1, 0, grid.size - 2)
        values = np.stack([spline.value(soc) for spline in self.splines])
        index = np.arange(soc.size)
        rise = values[left + 1, index] - values[left, index]
        steepness: Floats = rise / (grid[left + 1] - grid[left])
        return steepness

    def negative_shift(self, soc: Floats, negative_soc: Floats) -> Floats:
        """Change of the OCV (V) when the negative electrode is at ``negative_soc`` while the cell is at ``soc``.

        Both as states of charge of the cell; at the reference temperature. Needs ``negative_spline``.
        """
        if self.negative_spline is None:
            raise ValueError(f"curve {self.name} has no electrode potentials")
        return self.negative_spline.value(soc) - self.negative_spline.value(negative_soc)

    def bounds(self, temperature: Floats) -> tuple[Floats, Floats]:
        """Voltage at 0 and at full charge ``(N,)``."""
        return (
            self.voltage(np.full_like(temperature, self.points[0]), temperature),
            self.voltage(np.full_like(temperature, self.points[-1]), temperature),
        )

    def covers(self, voltage: Floats, temperature: Floats) -> Flags:
        """Mask ``(N,)`` of the voltages that are on the curve."""
        low, high = self.bounds(temperature)
        return (voltage >= low - _TOLERANCE) & (voltage <= high + _TOLERANCE)

    def soc(self, voltage: Floats, temperature: Floats) -> Floats:
        """State of charge ``(N,)`` at that OCV and temperature; NaN where the voltage is not on the curve.

        Newton's method kept inside a shrinking bracket: the curve rises, so there is one solution.
        """
        inside = self.covers(voltage, temperature)
        low = np.full_like(voltage, self.points[0])
        high = np.full_like(voltage, self.points[-1])
        guess = np.interp(voltage, self.voltages[0], self.points)
        for _ in range(80):
            error = self.voltage(guess, temperature) - voltage
            found = np.abs(error) <= _TOLERANCE
            if np.all(found[inside]):
                break
            high = np.where(error > 0, guess, high)
            low = np.where(error > 0, low, guess)
            slope = self.slope(guess, temperature)
            step = np.divide(error, slope, out=np.full_like(error, np.inf), where=slope > 0)
            newton = guess - step
            moved = np.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))
            # Cells already solved stay fixed: a result must not depend on the rest of the batch.
            guess = np.where(found, guess, moved)
        return np.where(inside, guess, np.nan)
