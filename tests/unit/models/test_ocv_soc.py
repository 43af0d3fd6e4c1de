from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.models.ocv_soc import analytic
from voltwin.models.ocv_soc.files import CurveLibrary
from voltwin.models.self_discharge.loss import loss
from voltwin.models.service.requests import answer

LIBRARY = CurveLibrary.shipped()
NAMES = sorted(LIBRARY.entries)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("celsius", [5.0, 8.0, 22.0, 25.0, 33.0])
def test_from_voltage_to_charge_and_back_above_five_percent(name: Any, celsius: Any) -> None:
    curve = LIBRARY.get(name)
    soc = np.linspace(0.05, 1.0, 777)
    temperature = np.full_like(soc, celsius + 273.15)
    voltage = curve.voltage(soc, temperature)
    back = curve.voltage(curve.soc(voltage, temperature), temperature)
    assert np.max(np.abs(back - voltage)) <= 0.05e-3
    assert np.max(np.abs(curve.soc(voltage, temperature) - soc)) < 1e-6


@given(st.sampled_from(NAMES), st.floats(0.001, 0.999), st.floats(5, 35))
def test_slopes_are_those_of_the_curve(name: Any, soc: Any, celsius: Any) -> None:
    curve = LIBRARY.get(name)
    s, t, h = np.array([soc]), np.array([celsius + 273.15]), 1e-6
    rise = (curve.voltage(s + h, t) - curve.voltage(s - h, t)) / (2 * h)
    assert curve.slope(s, t)[0] == pytest.approx(rise[0], rel=1e-3, abs=1e-6)
    assert curve.slope(s, t)[0] > 0


@pytest.mark.parametrize(("percent", "millivolts"), [(0.084638, -0.426), (0.103801, -0.522)])
def test_the_acceptance_loss_moves_the_linear_table_as_accepted(percent: Any, millivolts: Any) -> None:
    curve = LIBRARY.get("bpx-nmc111")

    def linear(soc: Any) -> Any:
        return np.interp(soc, curve.points, curve.voltages[0])

    assert (linear(0.5 - percent / 100) - linear(0.5)) * 1e3 == pytest.approx(millivolts, abs=5e-4)
    cubic = curve.voltage(np.array([0.5 - percent / 100, 0.5]), np.full(2, 298.15))
    assert (cubic[0] - cubic[1]) * 1e3 == pytest.approx(millivolts, abs=0.02)


def test_a_loss_of_280_hours_is_about_half_a_millivolt() -> None:
    curve = LIBRARY.get("bpx-nmc111")
    lost = loss(np.array([0.5]), np.array([0.0028 / 730 * 250]), 0.87)
    change = curve.voltage(0.5 - lost, np.array([298.15])) - curve.voltage(np.array([0.5]), np.array([298.15]))
    assert change[0] * 1e3 == pytest.approx(-0.5, abs=0.05)


def test_units_are_converted_and_each_instance_has_its_curve(registry: Any) -> None:
    def instance(value: Any, unit: Any, curve: Any) -> Any:
        return {"inputs": {"ocv": {"value": value, "unit": unit}}, "parameters": {"curve": curve}}

    results = answer(
        registry,
        "ocv-soc",
        {
            "instances": [
                instance([3.7], "V", "bpx-nmc111"),
                instance([3700], "MilliV", "bpx-nmc111"),
                instance([3.7], "V", "chen-2020"),
                instance([3.7], "V", "samsung-94ah"),
                instance([3.7], "V", "unheard-of"),
                instance([3.7], "A-HR", "bpx-nmc111"),
                instance([44.4], "V", "bpx-nmc111"),
                instance([3650.0], "V", "bpx-nmc111"),
            ]
        },
    )["results"]
    soc = [result["outputs"]["soc"]["value"][0] for result in results[:4]]
    assert soc[0] == pytest.approx(soc[1], abs=1e-9)
    assert len({round(value, 3) for value in soc}) == 3
    assert "NO_ENTROPY_DATA" in results[2]["outputs"]["flags"]["value"]
    assert "HYSTERESIS" in results[2]["outputs"]["flags"]["value"]
    assert [result["error"]["field"] for result in results[4:]] == ["curve", "ocv", "ocv", "ocv"]
    assert "12 cells in series" in results[6]["error"]["message"]


def test_without_a_temperature_the_reference_is_used_and_said(registry: Any) -> None:
    result = answer(registry, "ocv-soc", {"instances": [{"inputs": {"ocv": {"value": [3.7], "unit": "V"}}}]})[
        "results"
    ][0]["outputs"]
    assert result["temperatureUsed"] == {"value": 25.0, "unit": "DEG_C"}
    assert "REFERENCE_TEMPERATURE" in result["flags"]["value"]


def test_the_shipped_table_is_the_source_formula(registry: Any) -> None:
    curve = registry.get("ocv-soc").library.get("bpx-nmc111")
    np.testing.assert_allclose(curve.voltages[0], analytic.voltage(curve.points), rtol=0, atol=1e-7)
    between = np.linspace(0.1, 1.0, 5000)
    error = curve.voltage(between, np.full_like(between, 298.15)) - analytic.voltage(between)
    assert np.abs(error).max() < 2e-5
