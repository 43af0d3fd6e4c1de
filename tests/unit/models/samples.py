"""Histories and requests shared by the tests of the models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from voltwin.models.base.columns import Trends, offsets_of

EPOCH = 1_560_000_000.0
HOUR = 3600.0


def case_study(age: float) -> tuple[np.ndarray, np.ndarray]:
    """Node times (s) and temperatures (°C) of the case study's history: store, truck, store."""
    hours = np.array([0.0, age - 70, age - 64, age - 40, age - 38, age])
    return EPOCH + hours * HOUR, np.array([25.0, 25.0, 5.0, 5.0, 22.0, 22.0])


def trends_of(*histories: tuple[np.ndarray, np.ndarray], measured: bool = True) -> Trends:
    """Histories with these nodes (s, °C), linear in between."""
    return Trends(
        np.concatenate([times[:-1] for times, _ in histories]),
        np.concatenate([times[1:] for times, _ in histories]),
        np.concatenate([values[:-1] for _, values in histories]) + 273.15,
        np.concatenate([values[1:] for _, values in histories]) + 273.15,
        np.full(sum(len(times) - 1 for times, _ in histories), measured),
        offsets_of([len(times) - 1 for times, _ in histories]),
    )


def quantity(value: float | Sequence[float], unit: str) -> dict[str, Any]:
    return {"value": value if isinstance(value, int | float) else list(value), "unit": unit}


def wire_trend(times: np.ndarray, values: np.ndarray, origins: Sequence[str] | None = None) -> dict[str, Any]:
    count = len(times) - 1
    return {
        "start": times[:-1].tolist(),
        "end": times[1:].tolist(),
        "startValue": values[:-1].tolist(),
        "endValue": values[1:].tolist(),
        "origin": list(origins) if origins else ["measured"] * count,
        "unit": "DEG_C",
    }


def gate_instance(age: float = 280.0, cells: int = 12, **changes: Any) -> dict[str, Any]:
    """A sound module's two tests and the history between them; ``changes`` replace inputs."""
    times, values = case_study(age)
    parameters = changes.pop("parameters", {})
    inputs = {
        "endOfLineOcv": quantity([3.6729] * cells, "V"),
        "endOfLineTemperature": quantity(25.0, "DEG_C"),
        "endOfLineTime": quantity(float(times[0]), "SEC"),
        "endOfLineRest": quantity(6.0, "HR"),
        "temperatureTrend": wire_trend(times, values),
        "arrivalOcv": quantity([3.6721] * cells, "V"),
        "arrivalTemperature": quantity(22.0, "DEG_C"),
        "arrivalTime": quantity(float(times[-1]), "SEC"),
        "arrivalRest": quantity(age + 6.0, "HR"),
        "capacity": quantity(12.5, "A-HR"),
        **changes,
    }
    return {"inputs": {name: value for name, value in inputs.items() if value is not None}, "parameters": parameters}


def discharge_instance(age: float = 250.0, cells: Sequence[float] = (50.0,), **changes: Any) -> dict[str, Any]:
    times, values = case_study(age)
    parameters = changes.pop("parameters", {})
    inputs = {
        "soc": quantity(cells, "PERCENT"),
        "temperatureTrend": wire_trend(times, values),
        "until": quantity(float(times[-1]), "SEC"),
        **changes,
    }
    return {"inputs": {name: value for name, value in inputs.items() if value is not None}, "parameters": parameters}
