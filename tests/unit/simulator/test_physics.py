from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.simulator.physics import (
    BETA,
    CAPACITY,
    RATE_25,
    VOLTAGE_NOISE,
    CellTruth,
    draw_cells,
    equivalent_age,
    ocv_curve,
    reading,
    soc_after,
    terminal_voltage,
    with_leak,
)

HALF = CellTruth(np.array([0.5]), np.array([RATE_25]), np.array([0.0]))


def test_the_curve_meets_its_table_and_rises_between_the_points() -> None:
    curve = ocv_curve()
    assert curve.voltage(curve.soc, 25.0) == pytest.approx(curve.ocv, abs=1e-12)
    fine = curve.voltage(np.linspace(0.0, 1.0, 100_001), 25.0)
    assert (np.diff(fine) > 0.0).all()


@given(st.floats(0.05, 0.95))
def test_charge_to_voltage_and_back(soc: Any) -> None:
    curve = ocv_curve()
    assert curve.state_of_charge(curve.voltage(np.array([soc]), 25.0))[0] == pytest.approx(soc, abs=1e-9)


def test_a_warmer_cell_shows_less_at_half_charge() -> None:
    curve, half = ocv_curve(), np.array([0.5])
    change = (curve.voltage(half, 35.0) - curve.voltage(half, 25.0))[0]
    assert change == pytest.approx(10.0 * -8.6762571e-05, rel=1e-6)


@pytest.mark.parametrize(("age", "expected", "loss"), [(250.0, 220.7459, 0.084638), (300.0, 270.7459, 0.103801)])
def test_equivalent_age_and_loss_of_a_known_history(age: Any, expected: Any, loss: Any) -> None:
    # a cross-check with figures computed by adaptive integration outside this project
    hours = np.arange(0.0, age + 1e-9, 1.0 / 60.0)
    celsius = np.interp(hours, [0, age - 70, age - 64, age - 40, age - 38, age], [25, 25, 5, 5, 22, 22])
    aged = equivalent_age(hours * 3600.0, celsius)
    assert aged == pytest.approx(expected, abs=2e-4)
    assert 100.0 * (0.5 - soc_after(HALF, aged, age)[0]) == pytest.approx(loss, abs=1e-6)


@given(st.floats(0.0, 5000.0), st.floats(0.1, 0.9))
def test_the_closed_form_solves_the_rate_law(hours: Any, start: Any) -> None:
    cells = CellTruth(np.array([start]), np.array([RATE_25 * 10.0]), np.array([0.0]))
    soc, step = start, hours / 400.0
    for _ in range(400):  # classical Runge-Kutta
        k1 = -RATE_25 * 10.0 * np.exp(BETA * (soc - 0.5))
        k2 = -RATE_25 * 10.0 * np.exp(BETA * (soc + step / 2 * k1 - 0.5))
        k3 = -RATE_25 * 10.0 * np.exp(BETA * (soc + step / 2 * k2 - 0.5))
        k4 = -RATE_25 * 10.0 * np.exp(BETA * (soc + step * k3 - 0.5))
        soc += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    assert soc_after(cells, hours, hours)[0] == pytest.approx(soc, abs=1e-12)


def test_at_25_degrees_the_equivalent_age_is_the_age() -> None:
    seconds = np.linspace(0.0, 280 * 3600.0, 50)
    assert equivalent_age(seconds, np.full(50, 25.0)) == pytest.approx(280.0, rel=1e-12)


def test_cold_slows_and_warmth_hastens() -> None:
    seconds = np.linspace(0.0, 3600.0, 10)
    ages = [equivalent_age(seconds, np.full(10, celsius)) for celsius in (5.0, 22.0, 25.0, 40.0)]
    assert ages == sorted(ages)
    assert ages[0] < 0.3


@given(st.integers(0, 2**32), st.integers(1, 24))
def test_healthy_cells_are_half_full_and_do_not_leak(seed: Any, count: Any) -> None:
    cells = draw_cells(np.random.default_rng(seed), count)
    assert (np.abs(cells.soc - 0.5) <= 0.01 + 1e-12).all()
    assert (cells.rate > 0.0).all()
    assert (cells.leak == 0.0).all()


@given(st.floats(0.001, 0.03), st.integers(0, 11))
def test_a_leak_leaves_its_cell_as_low_as_asked(drop: Any, cell: Any) -> None:
    healthy = draw_cells(np.random.default_rng(7), 12)
    leaky = with_leak(healthy, cell, drop, 250.0, 280.0)
    curve = ocv_curve()
    change = curve.voltage(soc_after(healthy, 250.0, 280.0), 25.0) - curve.voltage(soc_after(leaky, 250.0, 280.0), 25.0)
    assert change[cell] == pytest.approx(drop, abs=1e-9)
    assert np.delete(change, cell) == pytest.approx(0.0, abs=1e-15)
    assert leaky.leak[cell] * 280.0 < CAPACITY


def test_rest_lets_the_voltage_sink_by_less_than_a_millivolt() -> None:
    soc = np.array([0.5])
    sunk = (terminal_voltage(soc, 25.0, 6.0) - terminal_voltage(soc, 25.0, 286.0))[0]
    assert 0.0002 < sunk < 0.001


def test_readings_scatter_as_the_instrument_does() -> None:
    noise = reading(np.random.default_rng(1), np.full(20_000, 3.67)) - 3.67
    assert noise.std() == pytest.approx(VOLTAGE_NOISE, rel=0.03)
    assert noise.mean() == pytest.approx(0.0, abs=1e-5)
