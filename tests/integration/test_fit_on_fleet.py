"""`voltwin models fit --fleet` on a fleet whose rooms differ: messages in, the plant's true parameters out.

The truth is written by this file and the simulator's curve, without the models that estimate it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import voltwin.ontology
from voltwin.assembly import create_fleet, open_fleet
from voltwin.control.interfaces import Outcome
from voltwin.converter import convert
from voltwin.errors import NotFoundError
from voltwin.models.registry import Registry
from voltwin.models.service.requests import answer
from voltwin.ontology.literals import format_time
from voltwin.simulator.physics import RELAXATION_AMPLITUDE, ocv_curve
from voltwin.testing import BASE, Bench, message
from voltwin.verbs.models import models

pytestmark = pytest.mark.integration

TRUTH = {"k25": 0.45, "activationEnergy": 58.0, "beta": 1.3}
ROOMS = {"storage-cell-plant": 5.0, "storage-system-plant": 42.0}
OFF = {"storage-cell-plant": 0.4, "storage-system-plant": -0.3}
"""Deviations of the rooms from their set points, K; unknown to the fleet."""
MODULES, CELLS, AGE = 18, 12, 900.0
BORN = datetime(2019, 3, 1, 6, tzinfo=UTC)


class Models:
    """The model service's function, without the service."""

    def __init__(self) -> None:
        self.registry = Registry.discover()

    def run(self, invocations: Any) -> Any:
        return [self._one(item) for item in invocations]

    def _one(self, item: Any) -> Any:
        if "models" not in item.endpoint:
            return Outcome(item.run, outputs={"temperature": {"value": 8.0, "unit": "DEG_C"}})
        name = item.endpoint.split("/")[-2]
        request = {"instances": [{"inputs": dict(item.inputs), "parameters": dict(item.parameters)}]}
        result = answer(self.registry, name, request)["results"][0]
        return Outcome(item.run, outputs=result.get("outputs", {}), error=result.get("error", {}).get("message", ""))


def hours_at_25(stays: Any) -> Any:
    """Hours at 25 °C equivalent to a sequence of (hours, °C)."""
    b = TRUTH["activationEnergy"] * 1e3 / 8.314462618
    return sum(hours * np.exp(-b * (1 / (celsius + 273.15) - 1 / 298.15)) for hours, celsius in stays)


def voltages(random: Any, soc: Any, celsius: Any, rest: Any) -> Any:
    true = ocv_curve().voltage(soc, celsius) - RELAXATION_AMPLITUDE * np.log(rest)
    return {f"cell-{i + 1:02d}": {"voltage": float(v)} for i, v in enumerate(true + random.normal(0, 3e-4, CELLS))}


def life(number: Any) -> Iterator[Any]:
    """One module's messages: tested, stored in one room or in both in turn, tested again."""
    random = np.random.default_rng(number)
    key, begin = f"module-{number:04d}", BORN + timedelta(minutes=number)
    end = begin + timedelta(hours=AGE)
    rooms = list(ROOMS)
    stays = ([rooms[0]], [rooms[1]], rooms)[number % 3]
    length = AGE / len(stays)
    before = (0.2, 0.5, 0.8)[number // 3 % 3] + random.normal(0, 1e-3, CELLS)
    aged = hours_at_25([(length, ROOMS[room] + OFF[room]) for room in stays])
    k, beta = TRUTH["k25"] / 100 / 730 * aged, TRUTH["beta"]
    after = 0.5 - np.log(np.exp(-beta * (before - 0.5)) + beta * k) / beta

    def sent(topic: Any, time: Any, **body: Any) -> Any:
        content = {"id": f"{key}/{topic}/{format_time(time)}", "time": format_time(time), **body}
        return time, message(f"voltwin/modules/{key}/{topic}", content)

    def test(topic: Any, time: Any, soc: Any, rest: Any) -> Any:
        cells = voltages(random, soc, 25.0, rest)
        ocv = sum(cell["voltage"] for cell in cells.values())
        return sent(topic, time, ocv=ocv, temperature=25.0, rest=rest, cells=cells)

    yield sent("birth", begin - timedelta(hours=7), serial=key, type="12s1p", capacity=12.5, curve="bpx-nmc111")
    yield test("end-of-line", begin, before, 6.0)
    for turn, room in enumerate(stays):
        since = begin + timedelta(hours=turn * length)
        yield sent("storage/begin", since, stay=f"stay-{turn}", storage=room)
        yield sent("storage/end", since + timedelta(hours=length), stay=f"stay-{turn}")
    yield test("arrival", end, after, 6.0 + AGE)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a fleet whose modules have all arrived but one, which is still in the store."""
    folder = tmp_path_factory.mktemp("plant") / "fleet"
    create_fleet(folder, convert(Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj"), BASE)
    with open_fleet(folder) as fleet:
        for room, celsius in ROOMS.items():
            fleet.put(f"/{room}/setPoint", celsius, unit="DEG_C", time=BORN - timedelta(days=1), author="test")
    lives = [list(life(number)) for number in range(MODULES)] + [list(life(MODULES))[:-1]]
    told = sorted((entry for one in lives for entry in one), key=lambda entry: entry[0])
    bench = Bench.make(folder)
    handler = Models()
    bench.play(
        [entry for _, entry in told],
        {"model-service": handler, "http-pull": handler},
        services={"models": "http://models", "weather": "http://weather"},
    )
    bench.close()
    return folder


def fitted(*arguments: Any) -> Any:
    result = CliRunner().invoke(models, ["fit", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_the_true_values_lie_inside_the_intervals(plant: Any) -> None:
    found = json.loads(fitted("--fleet", plant, "--json").stdout)
    assert (found["modules"], found["leftOut"]) == (MODULES, {})
    for item in found["estimates"]:
        assert item["identified"], item
        assert item["low"] < TRUTH[item["name"]] < item["high"], item
    # The set it starts from has 0.28 %/month and 0.87: the fit has changed both.
    intervals = {item["name"]: (item["low"], item["high"]) for item in found["estimates"]}
    assert intervals["k25"][0] > 0.28
    assert intervals["beta"][0] > 0.87


def test_the_set_that_is_written_serves_the_gate(plant: Any, tmp_path: Path) -> None:
    out = tmp_path / "own" / "parameters" / "plant-2019.json"
    printed = fitted("--fleet", plant, "--name", "plant-2019", "--out", out).output
    assert f"{MODULES} modules, reduced chi-square" in printed
    assert printed.count("95 %") == 3
    own = Registry.discover(tmp_path / "own").get("arrival-gate")
    assert own.sets.get("plant-2019").rate_at_25 * 730 * 100 > 0.28


def test_a_curve_that_no_module_has_is_said(plant: Any) -> None:
    with pytest.raises(NotFoundError, match="no module has curve 'lfp'; curves are bpx-nmc111"):
        CliRunner().invoke(models, ["fit", "--fleet", str(plant), "--curve", "lfp"], catch_exceptions=False)


def test_a_fleet_in_which_nothing_arrived_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    create_fleet(folder, convert(Path(voltwin.ontology.__file__).parent / "models" / "battery_logistics.mdj"), BASE)
    with pytest.raises(NotFoundError, match="no module of the fleet has arrived yet"):
        CliRunner().invoke(models, ["fit", "--fleet", str(folder)], catch_exceptions=False)
