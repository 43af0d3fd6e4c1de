"""The relaxation law against the data of its fit, which have no licence and are not shipped."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voltwin.models.arrival_gate.relaxation import Relaxations

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "selfdischarge"
FILE = DATA / "weng2021_postformation_6h_rest_voltage_decay.csv"
HOURS = np.arange(1.0, 7.0)

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the Weng 2021 data are not beside the repository")


@pytest.fixture(scope="module")
def decays() -> np.ndarray:
    """Voltage lost after 1 to 6 h, mV, one row per cell."""
    with FILE.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return (
        np.array([[float(row[f"form_6hr_rest_delta_voltage_v_0_to_{h:.0f}_hr"]) for h in HOURS] for row in rows]) * 1e3
    )


def fitted(decay: Any, basis: Any) -> Any:
    matrix = np.stack([np.ones_like(HOURS), basis], axis=1)
    values = np.linalg.lstsq(matrix, decay, rcond=None)[0]
    return values, float(np.sqrt(np.mean((matrix @ values - decay) ** 2)))


def test_a_logarithm_fits_the_mean_decay_and_nothing_else_does(decays: Any) -> None:
    assert decays.shape == (39, 6)
    mean = decays.mean(axis=0)
    (start, amplitude), rms = fitted(mean, np.log(HOURS))
    assert (start, amplitude, rms) == pytest.approx((12.02, 5.284, 0.037), abs=6e-4)
    assert fitted(mean, np.sqrt(HOURS))[1] == pytest.approx(0.387, abs=6e-4)
    assert fitted(mean, HOURS)[1] == pytest.approx(0.773, abs=6e-4)


def test_the_shipped_law_is_that_fit_and_its_sigma_covers_the_cells(decays: Any) -> None:
    law = Relaxations.shipped().get("weng-2021")
    (_, amplitude), _ = fitted(decays.mean(axis=0), np.log(HOURS))
    assert law.amplitude * 1e3 == pytest.approx(amplitude, abs=5e-4)
    spread = np.std([fitted(decay, np.log(HOURS))[0][1] for decay in decays])
    assert 0.8 * spread < law.amplitude_sigma * 1e3 < 1.5 * spread
    assert law.valid_rest == (HOURS[0], HOURS[-1])
    lost = law.remaining(HOURS[:1]) - law.remaining(HOURS)
    assert lost * 1e3 == pytest.approx(decays.mean(axis=0) - decays[:, 0].mean(), abs=0.1)
